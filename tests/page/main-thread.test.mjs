// The page's own thread stays free: with everything in view, by many steps, by long runs, while a GPU trains. And nothing
// shifts.
import assert from 'node:assert/strict';
import test from 'node:test';
import { hold } from './support/held.mjs';
import { ALL_IMAGES, browserTest, openPage } from './support/page.mjs';
import { chartsDrawn, frames } from './support/steady.mjs';
import { blockMainThread, stalls, startTrace, stopTrace, taskLengths } from './support/trace.mjs';

/** A fast machine makes many steps in few tasks; each frame is a task at least. */
const FRAMES_JUDGED = 100;
const MANY_THUMBNAILS = 20_000;
/** So high that the mosaic, the figure, all charts and the look inside are seen together. */
const TALL = { width: 1280, height: 6400 };

test('with everything in view the main thread stays free', browserTest(), async (t) => {
  const { page, browser, button, waitFor, waitForStep, read, set } = await openPage(t, { context: { viewport: TALL }, prepare: watch, images: { test: 500 } });
  await waitFor({ data: 'ready' });
  // The run must not end before the test set has been looked through; how large a batch is, the worker alone feels.
  await set({ 'Sample budget': 1_000_000_000, 'Largest batch': 128 });
  await page.locator('#test-sample-button').click();
  await forget(page);
  await startTrace(browser, page);
  await button('Start').click();
  await waitForStep(40);
  await page.locator('.mistake').first().waitFor();
  const { step } = await read();
  await waitForStep(step + 20);
  await frames(page, FRAMES_JUDGED);
  await button('Pause').click();
  await waitFor({ phase: 'paused' });
  const trace = await stopTrace(browser, page);
  const { longTasks } = await page.evaluate(() => globalThis.watched);
  // By the clock a task also takes what other programs take from it: that is told, and not judged.
  t.diagnostic(`by the clock, over 50 ms: ${longTasks.map(Math.round).join(', ') || 'none'}`);
  wasFree(t, trace);
});

test('nor with tens of thousands of thumbnails on a fine screen', browserTest(), async (t) => {
  const context = { viewport: { width: 1280, height: 1400 }, deviceScaleFactor: 2 };
  const { page, browser, button, waitFor, waitForStep, read, set } = await openPage(t, { images: ALL_IMAGES, context });
  await waitFor({ data: 'ready' });
  await page.getByLabel('Preset', { exact: true }).selectOption('paper-logistic');
  await set({ 'Sample budget': 1_000_000_000 });
  await page.locator('#mosaic-title').scrollIntoViewIfNeeded();
  await startTrace(browser, page);
  await button('Start').click();
  await page.waitForFunction((least) => Number(document.querySelector('.mosaic-canvas').dataset.drawn) > least, MANY_THUMBNAILS);
  // It is drawn once more.
  await waitForStep((await read()).step + 10);
  await frames(page, FRAMES_JUDGED);
  await button('Pause').click();
  await waitFor({ phase: 'paused' });
  wasFree(t, await stopTrace(browser, page));
});

test('several long runs drawn together leave the main thread free', browserTest(), async (t) => {
  const { page, browser, button, waitFor } = await openPage(t, { path: '#preset=quick&model=logistic&sample_budget=60000&evaluate_every=30000&smoothing=0.9' });
  await waitFor({ data: 'ready' });
  await startTrace(browser, page);
  await button('Adaptive, small or large batch').click();
  await page.waitForFunction(() => /^Compared:/.test(document.getElementById('comparison-note').textContent));
  await page.getByLabel('Compare thresholds').check();
  await page.locator('label[for=axis-seconds]').click();
  await chartsDrawn(page);
  await frames(page, FRAMES_JUDGED);
  wasFree(t, await stopTrace(browser, page));
});

test('thousands of tiny steps leave the main thread free', browserTest(), async (t) => {
  const { page, browser, read, button, waitFor, waitForStep, set } = await openPage(t);
  await waitFor({ data: 'ready' });
  await page.getByLabel('Model', { exact: true }).selectOption('logistic');
  await set({ Test: 'No test', 'Sample budget': 10_000_000 });
  await startTrace(browser, page);
  await button('Start').click();
  await waitForStep(4000);
  await frames(page, FRAMES_JUDGED);
  const { batch } = await read();
  await button('Reset').click();
  await waitFor({ phase: 'idle' });
  wasFree(t, await stopTrace(browser, page));
  assert.equal(batch, 8);
});

test('the main thread stays free while the GPU trains', browserTest(), async (t) => {
  const { page, browser, read, button, waitFor, waitForStep, set } = await openPage(t, { webgpu: true, images: { test: 100 } });
  await waitFor({ data: 'ready' });
  await page.getByLabel('Model', { exact: true }).selectOption('logistic');
  await set({ Test: 'No test', 'Sample budget': 10_000_000 });
  await page.locator('#engine-choice').getByText('WebGPU', { exact: true }).click();
  await button('Start').click();
  await waitForStep(1);
  await startTrace(browser, page);
  await waitForStep(30);
  await frames(page, FRAMES_JUDGED);
  const { engine } = await read();
  const trace = await stopTrace(browser, page);
  await button('Reset').click();
  assert.equal(engine, 'webgpu');
  wasFree(t, trace);
});

test('the measurement of main-thread tasks can fail', browserTest(), async (t) => {
  const { page, browser, waitFor } = await openPage(t);
  await waitFor({ data: 'ready' });
  for (const { tasks, pieces, complaint } of [
    { tasks: 1, pieces: 50, complaint: /^a task took/ },
    { tasks: 6, pieces: 12, complaint: /^more than a few tasks/ },
  ]) {
    await startTrace(browser, page);
    await frames(page, FRAMES_JUDGED);
    for (let task = 0; task < tasks; task += 1) await blockMainThread(page, pieces);
    const trace = await stopTrace(browser, page);
    assert.ok(stalls(trace).some((stall) => complaint.test(stall)), `${tasks} tasks of ${pieces} pieces of work went unseen`);
  }
});

test('loading shifts nothing, is painted before module and data are there, and training shifts nothing either', browserTest(), async (t) => {
  for (const width of [360, 1280]) {
    const held = hold(/\.(wasm|gz)$/);
    const { page, button, waitFor, waitForStep } = await openPage(t, { offline: true, context: { viewport: { width, height: 800 } }, prepare: watch, server: { replace: held.replace } });
    // What is largest is painted while nothing of what training needs has come.
    await page.waitForFunction(() => globalThis.watched.largestPaint > 0);
    const painted = await page.evaluate(() => globalThis.watched.largestPaint);
    held.release();
    await waitFor({ data: 'ready' });
    await button('Start').click();
    await waitForStep(30);
    await button('Pause').click();
    await waitFor({ phase: 'paused' });
    const { shift, shifted, largestPaint } = await page.evaluate(() => globalThis.watched);
    t.diagnostic(`${width} px: layout shift ${shift.toFixed(4)}, largest paint after ${Math.round(largestPaint)} ms; shifted: ${[...new Set(shifted)].join(', ')}`);
    assert.ok(shift < 0.05, `${width} px: a layout shift of ${shift}, by ${shifted.join(', ')}`);
    assert.equal(largestPaint, painted, `${width} px: something larger was painted later`);
  }
});

test('the page itself is in order, and asks nothing of the visitor', browserTest(), async (t) => {
  const { page, waitFor } = await openPage(t);
  await waitFor({ data: 'ready' });
  const facts = await page.evaluate(() => ({
    doctype: document.doctype?.name,
    mode: document.compatMode,
    charset: document.characterSet,
    language: document.documentElement.lang,
    title: document.title,
    description: document.querySelector('meta[name=description]')?.content ?? '',
    viewport: document.querySelector('meta[name=viewport]')?.content ?? '',
    insecure: [...document.querySelectorAll('[href], [src]')].map((element) => element.href ?? element.src).filter((address) => /^http:/.test(address) && !address.startsWith(location.origin)),
    pictures: [...document.images].filter((image) => !image.hasAttribute('alt')).length,
  }));
  assert.deepEqual([facts.doctype, facts.mode, facts.charset, facts.language], ['html', 'CSS1Compat', 'UTF-8', 'en']);
  assert.ok(facts.title.length > 10 && facts.description.length > 50 && /width=device-width/.test(facts.viewport));
  assert.doesNotMatch(facts.viewport, /user-scalable|maximum-scale/);
  assert.deepEqual([facts.insecure, facts.pictures], [[], 0]);
});

/** No task of the main thread took long; of processor time, which waiting for other programs does not add to. */
function wasFree(t, trace) {
  const { cpuMilliseconds, pieceMilliseconds } = trace;
  const { usual, longest } = taskLengths(cpuMilliseconds);
  t.diagnostic(`of ${cpuMilliseconds.length} main-thread tasks the longest took ${longest.toFixed(1)} ms, all but a few at most ${usual.toFixed(1)} ms, a piece of work ${pieceMilliseconds?.toFixed(1)} ms`);
  assert.ok(cpuMilliseconds.length > FRAMES_JUDGED / 2, `only ${cpuMilliseconds.length} timed main-thread tasks in the trace`);
  assert.deepEqual(stalls(trace), []);
}

/** Keeps what the browser itself says of long tasks, layout shifts and the largest paint. */
async function watch(page) {
  await page.addInitScript(() => {
    if (globalThis.PerformanceObserver === undefined || globalThis.document === undefined) return;
    globalThis.watched = { longTasks: [], shift: 0, shifted: [], largestPaint: 0 };
    const observe = (type, take) => new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true });
    observe('longtask', ({ duration }) => globalThis.watched.longTasks.push(duration));
    observe('largest-contentful-paint', ({ startTime }) => (globalThis.watched.largestPaint = startTime));
    observe('layout-shift', ({ value, hadRecentInput, sources }) => {
      if (hadRecentInput) return;
      globalThis.watched.shift += value;
      for (const { node } of sources) globalThis.watched.shifted.push(node?.id || node?.className || node?.parentElement?.id || String(node?.nodeName));
    });
  });
}

function forget(page) {
  return page.evaluate(() => {
    globalThis.watched.longTasks = [];
  });
}
