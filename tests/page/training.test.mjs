// The main thing: real MNIST, the CNN, from a batch of 8, in the tab, with a main thread that stays free.
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { artifacts, browserTest, openPage } from './support/page.mjs';
import { stalls, startTrace, stopTrace, taskLengths } from './support/trace.mjs';

test('the quick preset trains the CNN: the batch grows past 1,000, accuracy passes 0.95', browserTest(), async (t) => {
  // All images to train on; of the others as many as an accuracy of two digits needs.
  const opened = await openPage(t, { offline: true, images: { training: 60_000, test: 1000 } });
  const { page, browser, requests, complaints, origin, read, button, waitFor, waitForStep, screenshot } = opened;
  await waitFor({ data: 'ready' });
  assert.match(await page.getByLabel('Model', { exact: true }).inputValue(), /^cnn$/);
  assert.equal(await page.getByLabel('Initial batch', { exact: true }).inputValue(), '8');
  await screenshot('1280-light-before');

  await startTrace(browser, page);
  const clicked = performance.now();
  await button('Start').click();
  await waitForStep(1);
  const firstStep = performance.now() - clicked;
  assert.equal((await observeFirstBatch(page)), 8);
  await page.waitForFunction(() => Number(document.getElementById('status').dataset.batch) >= 200);
  await screenshot('1280-light-during');
  await page.waitForFunction(
    () => {
      const { batch, testAccuracy, phase } = document.getElementById('status').dataset;
      return (Number(batch) > 1000 && Number(testAccuracy) > 0.95) || phase === 'finished' || phase === 'failed';
    },
    null,
    { polling: 200 },
  );
  const trainedSeconds = (performance.now() - clicked) / 1000;
  const reached = await read();
  if (reached.phase === 'running') await button('Pause').click();
  await waitFor({ phase: reached.phase === 'running' ? 'paused' : reached.phase });
  const trace = await stopTrace(browser, page);
  await screenshot('1280-light-after');

  const { longest } = taskLengths(trace.cpuMilliseconds);
  const figures = {
    firstStepMilliseconds: Math.round(firstStep),
    trainedSeconds: Number(trainedSeconds.toFixed(1)),
    longestTaskMilliseconds: Number(longest.toFixed(1)),
    mainThreadTasks: trace.cpuMilliseconds.length,
    ...reached,
  };
  t.diagnostic(JSON.stringify(figures));
  await mkdir(artifacts, { recursive: true });
  await writeFile(join(artifacts, 'training.json'), `${JSON.stringify(figures, null, 2)}\n`);

  assert.ok(reached.batch > 1000, `the batch only grew to ${reached.batch}`);
  assert.ok(reached.testAccuracy > 0.95, `test accuracy only reached ${reached.testAccuracy}`);
  assert.ok(trace.cpuMilliseconds.length > 50, `only ${trace.cpuMilliseconds.length} timed main-thread tasks in the trace`);
  assert.ok(trace.seconds > 0.8 * trainedSeconds, `the trace covers only ${trace.seconds} of ${trainedSeconds} seconds`);
  assert.deepEqual(stalls(trace), []);
  assert.match(await page.locator('#sentence').textContent(), /Step [\d,]+: batch [\d,]+(; [\d,]+ samples needed, [\d.,]+ times as many| was large enough)/);
  assert.deepEqual(requests.filter((address) => !address.startsWith(`${origin}/`)), []);
  assert.deepEqual(complaints, []);
});

/** The first batch, as the charts' own run recorded it: the batch chart names its first and last size in words. */
async function observeFirstBatch(page) {
  const label = page.locator('#chart-batch [role=img]');
  await page.waitForFunction(() => /grew from/.test(document.querySelector('#chart-batch [role=img]').ariaLabel));
  return Number(/grew from ([\d,]+)/.exec(await label.getAttribute('aria-label'))[1].replaceAll(',', ''));
}
