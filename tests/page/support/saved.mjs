// What a visitor saves.
import { readFile } from 'node:fs/promises';

/** Presses the button of this name; gives the name and the bytes of the file that is saved. */
export async function saved(page, name) {
  const waiting = page.waitForEvent('download');
  await page.getByRole('button', { name, exact: true }).click();
  const file = await waiting;
  return { name: file.suggestedFilename(), bytes: await readFile(await file.path()) };
}
