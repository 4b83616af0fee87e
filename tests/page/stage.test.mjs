// What a first visit sees: without scrolling, what this is, Start, the batch, the test and the batch size; and a first run that
// begins slowly enough to be followed.
import assert from 'node:assert/strict';
import test from 'node:test';
import { loadModule } from './support/module.mjs';
import { browserTest, openPage } from './support/page.mjs';
import { HELD_CLOCK, advance, beforeWorker, turns } from './support/steady.mjs';

const { openingPause } = await loadModule('pace.ts');

const PARTS = ['#title', '.lead', '#main-button', '#number-batch', '.mosaic-stage', '.figure-stage', '#chart-batch .chart-stage'];

for (const viewport of [{ width: 1280, height: 800 }, { width: 360, height: 740 }]) {
  test(`at ${viewport.width}×${viewport.height} all that matters is in view, before and during a run`, browserTest(), async (t) => {
    const { page, button, waitFor, waitForStep } = await openPage(t, { context: { viewport }, path: '#preset=quick&model=logistic&sample_budget=100000000&max_batch=64' });
    const outside = () =>
      page.evaluate(
        (selectors) => selectors.filter((selector) => {
          const { top, bottom, left, right } = document.querySelector(selector).getBoundingClientRect();
          return top < 0 || left < 0 || bottom > innerHeight || right > innerWidth;
        }),
        PARTS,
      );
    await waitFor({ data: 'ready' });
    assert.deepEqual(await outside(), []);
    await button('Start').click();
    await waitForStep(20);
    await page.waitForFunction(() => Number(document.querySelector('.mosaic-canvas').dataset.batch) > 8);
    assert.equal(await page.evaluate(() => scrollY), 0);
    assert.deepEqual(await outside(), []);
  });
}

test('the opening is slow for some steps, and then ever faster until nothing holds a step up', () => {
  const pauses = Array.from({ length: 60 }, (_, step) => openingPause(step));
  assert.deepEqual(new Set(pauses.slice(0, 6)), new Set([900]));
  const last = pauses.indexOf(null);
  for (let step = 6; step < last; step += 1) assert.ok(pauses[step] < pauses[step - 1]);
  assert.ok(pauses.slice(last).every((pause) => pause === null));
  const seconds = pauses.slice(0, last).reduce((sum, pause) => sum + pause, 0) / 1000;
  assert.ok(seconds > 5 && seconds < 10, `${seconds} seconds in all`);
});

test('the first run of a browser begins slowly, later ones do not; the button ends it at once', browserTest(), async (t) => {
  const { page, button, waitFor, waitForStep, read } = await openPage(t, {
    newBrowser: true,
    path: '#preset=quick&model=logistic&sample_budget=4000&max_batch=8',
    server: { replace: beforeWorker(HELD_CLOCK) },
  });
  await waitFor({ data: 'ready' });
  await button('Start').click();
  await turns(page);
  await advance(page, 50);
  await waitForStep(1);
  const slow = button('Slow motion');
  assert.equal(await slow.getAttribute('aria-pressed'), 'true');
  await advance(page, 800);
  await turns(page);
  assert.equal((await read()).step, 1, 'too early');
  await advance(page, 100);
  await turns(page);
  await advance(page, 50);
  await waitForStep(2);
  await slow.click();
  assert.equal(await slow.getAttribute('aria-pressed'), 'false');
  // The clock that stands still holds nothing up any more.
  await waitFor({ phase: 'finished' });
  await button('Start again').click();
  await page.waitForFunction(() => document.getElementById('status').dataset.step === '500');
  assert.equal(await slow.getAttribute('aria-pressed'), 'false');
});

test('the title of the tab tells how far the run is', browserTest(), async (t) => {
  const { page, button, waitFor } = await openPage(t, { path: '#preset=quick&model=logistic&sample_budget=800&max_batch=8' });
  const { title } = await page.evaluate(() => ({ title: document.title }));
  assert.match(title, /^AdAdaGrad/);
  await waitFor({ data: 'ready' });
  await button('Step').click();
  await waitFor({ step: '1', phase: 'paused' });
  assert.equal(await page.title(), `Paused at 1% – ${title}`);
  await button('Resume').click();
  await waitFor({ phase: 'finished' });
  assert.equal(await page.title(), `Finished – ${title}`);
  await button('Reset').click();
  await waitFor({ phase: 'idle' });
  assert.equal(await page.title(), title);
});
