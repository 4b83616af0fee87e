// What a run shows that does not progress: one sentence each, with the way out.
import assert from 'node:assert/strict';
import test from 'node:test';
import { violations } from './support/axe.mjs';
import { browserTest, openPage } from './support/page.mjs';
import { frames } from './support/steady.mjs';

const LIMITED = /^Step \d+: The batch has its largest size, and the test requires at least twice as much\. Allow larger batches, or raise the threshold\.$/;

test('a run whose batch may not grow says so once, in its own list, until the next run', browserTest(), async (t) => {
  const { page, read, button, waitFor, set } = await openPage(t, { images: { training: 2000, test: 100 } });
  const sentences = () => page.locator('#sightings p').allTextContents();
  const limited = async () => (await sentences()).filter((sentence) => LIMITED.test(sentence));
  await waitFor({ data: 'ready' });
  await page.getByLabel('Model', { exact: true }).selectOption('logistic');
  // 150 steps: three windows in which the test requires far more than is allowed.
  await set({ 'Initial batch': 4, 'Largest batch': 8, 'Threshold η': '0.01', 'Sample budget': 1200 });
  await button('Start').click();
  await waitFor({ phase: 'finished' });
  await frames(page, 2);
  assert.ok((await read()).step > 150, `${(await read()).step} steps`);
  assert.equal((await limited()).length, 1, `${await sentences()}`);
  assert.equal(await page.getByRole('log', { name: 'What the run shows' }).isVisible(), true);
  assert.equal(await page.locator('#engine-notes').isVisible(), false);
  assert.deepEqual(await violations(page), []);

  // The next run has room to grow. (Whether a step's time depends on its batch is the machine's affair.)
  await set({ 'Largest batch': 2000, 'Threshold η': '0.9' });
  await button('Reset').click();
  assert.deepEqual(await sentences(), []);
  await button('Start').click();
  await waitFor({ phase: 'finished' });
  await frames(page, 2);
  assert.deepEqual(await limited(), []);
});
