// Records the run that the page draws before anybody has pressed Start: the quick preset, trained in the built page
// by Chromium (CHROMIUM, or /usr/bin/chromium), saved by the page's own export. In www, after `npm run build`:
//   npm run record
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { servePage } from '../../../tests/page/support/server.mjs';

const MINUTES = 60_000;
/** Nobody sees more on a chart, and the file is a third as long. */
const SIGNIFICANT_DIGITS = 6;

const dist = fileURLToPath(new URL('../../dist', import.meta.url));
const target = fileURLToPath(new URL('quick.json', import.meta.url));

const server = await servePage(dist);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu'],
});
try {
  const page = await browser.newPage();
  await page.goto(`${server.address}#preset=quick&engine=cpu`);
  await page.waitForFunction(() => document.getElementById('status').dataset.data === 'ready');
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await page.waitForFunction(() => document.getElementById('status').dataset.phase === 'finished', null, { timeout: 15 * MINUTES, polling: 500 });
  const saved = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save Run 1 as JSON' }).click();
  const run = JSON.parse(await readFile(await (await saved).path(), 'utf8'));
  await writeFile(target, `${JSON.stringify({ ...run, name: 'Recorded run' }, shorten)}\n`);
  console.log(`${run.steps.step.length} steps are recorded in ${target}.`);
} finally {
  await browser.close();
  await server.close();
}

function shorten(_key, value) {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(SIGNIFICANT_DIGITS)) : value;
}
