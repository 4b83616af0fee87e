// Something to understand before the first click: a recorded run in all charts, in words, until there is one's own.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test from 'node:test';
import { millisecondsToFirstStep } from './support/first-step.mjs';
import { browserTest, openPage } from './support/page.mjs';

const recorded = JSON.parse(await readFile(new URL('../../www/src/recorded/quick.json', import.meta.url), 'utf8'));

test('the recorded run is a real run of the quick preset', () => {
  const { steps, config, evaluations } = recorded;
  assert.equal(config.initial_batch, 8);
  assert.equal(steps.samples[0], 8);
  assert.ok(steps.samples.at(-1) > 1000);
  assert.ok(steps.samples_seen.at(-1) >= config.sample_budget);
  assert.ok(evaluations.at(-1).accuracy > 0.95);
  steps.step.forEach((step, row) => {
    assert.equal(step, row + 1);
    // The rule of the paper, with the cap that the preset has.
    if (row === 0) return;
    const wanted = Math.min(config.max_batch, Math.max(steps.samples[row - 1], Math.min(Math.ceil(steps.required[row - 1]), 2 * steps.samples[row - 1])));
    assert.ok(Math.abs(steps.samples[row] - wanted) <= 1, `step ${step} has ${steps.samples[row]} samples, the test asks for ${wanted}`);
  });
});

test('it is drawn in all charts before anything is pressed, and one’s own first step takes its place', browserTest(), async (t) => {
  const { page, button, waitFor } = await openPage(t);
  const label = (id) => page.locator(`#chart-${id} [role=img]`).getAttribute('aria-label');
  await page.waitForFunction(() => /grew from 8 to/.test(document.querySelector('#chart-batch [role=img]').ariaLabel));
  const last = recorded.steps.samples.at(-1).toLocaleString('en-US');
  assert.equal(await label('batch'), `Batch size: grew from 8 to ${last}`);
  for (const id of ['test', 'loss', 'accuracy', 'speed']) assert.match(await label(id), /now |noise², /, id);
  const note = page.locator('#recorded-note');
  assert.match(await note.textContent(), new RegExp(`^A recorded run: the batch grew from 8 to ${last} in ${recorded.steps.step.length} steps`));
  assert.equal(await page.locator('#status').getAttribute('data-step'), '0', 'it is nobody’s own run');
  // Its numbers, at its end; no next batch is named where none comes.
  const shown = (id) => page.locator(`#${id}`).textContent();
  await page.waitForFunction(() => document.getElementById('numbers').dataset.recorded === 'true');
  assert.deepEqual([await shown('number-batch'), await shown('number-step'), await shown('number-speed')], [last, String(recorded.steps.step.length), '']);
  assert.match(await shown('number-accuracy'), /^9\d\.\d%$/);
  assert.match(await shown('figure-sentence'), /^Recorded run, step \d+: .*; the run ends here\.$/);
  await waitFor({ data: 'ready' });
  t.diagnostic(`the first step was made after ${Math.round(await millisecondsToFirstStep(page))} ms`);
  await button('Pause').click();
  await note.waitFor({ state: 'hidden' });
  await page.waitForFunction((text) => !document.querySelector('#chart-batch [role=img]').ariaLabel.includes(text), last);
  assert.equal(await page.locator('#numbers').getAttribute('data-recorded'), null);
});

test('without the recorded run the page is as it would be', browserTest(), async (t) => {
  const { page, button, waitFor, waitForStep } = await openPage(t, {
    expectedComplaints: /404/,
    server: { replace: (path) => (/quick.*\.json$/.test(path) ? null : undefined) },
  });
  await waitFor({ data: 'ready' });
  assert.equal(await page.locator('#recorded-note').isVisible(), false);
  assert.equal(await page.locator('#chart-batch .chart-empty').isVisible(), true);
  await button('Start').click();
  await waitForStep(1);
});
