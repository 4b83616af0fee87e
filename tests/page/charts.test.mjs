// What the charts draw is what was logged: every point a real step, smoothing beside it, other thresholds exactly.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test from 'node:test';
import { loadModule } from './support/module.mjs';
import { browserTest, openPage } from './support/page.mjs';
import { chartsDrawn } from './support/steady.mjs';

const { rowsToDraw, smooth } = await loadModule('charts/points.ts');
const { StepLog } = await loadModule('runs/step-log.ts');
const { requiredAt, thresholdsBeside } = await loadModule('runs/thresholds.ts');
const recorded = JSON.parse(await readFile(new URL('../../www/src/recorded/quick.json', import.meta.url), 'utf8'));

function record(step, others = {}) {
  return {
    version: 1, step, samples: 8, samples_seen: 8 * step, loss: 1 / step, training_accuracy: 0.5, learning_rate: 0.02, mean_norm_sq: 2,
    sum_squared_norms: 20, variance: 3, variance_along: null, variance_orthogonal: null, coordinate_ratio: null, worker_variance: null,
    required: 12, threshold: 1.5, wanted: 12, next_batch: 8, reasons: {}, seconds: 0.25, ...others,
  };
}

test('of a long run the extremes are drawn, the first and the last step too', () => {
  const values = Float64Array.from({ length: 50_000 }, (_, row) => Math.sin(row / 700));
  values[31_234] = 9;
  values[7777] = -9;
  values[100] = NaN;
  const rows = rowsToDraw(values, 1000);
  assert.ok(rows.length <= 1002);
  for (const row of [0, 7777, 31_234, 49_999]) assert.ok(rows.includes(row), `row ${row}`);
  rows.slice(1).forEach((row, index) => assert.ok(row > rows[index], 'ascending'));
  assert.deepEqual(rowsToDraw(values.subarray(0, 5), 1000), [0, 1, 2, 3, 4]);
  assert.deepEqual(rowsToDraw(new Float64Array(0), 1000), []);
  // A stretch in which nothing was computed does not hide what was.
  const sparse = new Float64Array(10_000).fill(NaN);
  sparse[5001] = 1;
  assert.ok(rowsToDraw(sparse, 100).includes(5001));
});

test('smoothing is a mean that is corrected for its beginning, and passes over what is missing', () => {
  const constant = smooth(new Float64Array(50).fill(3), 0.9, false);
  constant.forEach((value) => assert.ok(Math.abs(value - 3) < 1e-12));
  const [, second] = smooth([1, 2], 0.5, false);
  assert.ok(Math.abs(second - (0.25 * 1 + 0.5 * 2) / 0.75) < 1e-12);
  assert.deepEqual([...smooth([1, 2, 3], 0, false)], [1, 2, 3]);
  assert.ok(Math.abs(smooth([1, 100], 0.5, true)[1] - 100 ** (0.5 / 0.75)) < 1e-9, 'logarithms on a logarithmic axis');
  assert.deepEqual([...smooth([4, NaN, 4], 0.5, false)], [4, 4, 4]);
});

test('a run of a million steps keeps real steps, and no more than there is room for', () => {
  const log = new StepLog();
  for (let step = 1; step <= 300_000; step += 1) log.add(record(step));
  assert.ok(log.length <= 65_536 && log.length > 20_000, `${log.length} rows`);
  const steps = log.column('step');
  for (let row = 0; row < log.length; row += 1) assert.equal(steps[row], 1 + row * log.stride);
  // Nothing is averaged, and the time of the steps that were left out is not lost.
  assert.equal(log.value('loss', 5), 1 / steps[5]);
  assert.equal(log.last('elapsed'), 0.25 * log.last('step'));
});

test('a step comes back as it was logged, with what was not computed and why', () => {
  const log = new StepLog();
  const given = record(1, { required: null, threshold: null, variance: null, reasons: { variance: 'single_sample', required: 'unbounded' } });
  log.add(given);
  log.add(record(2));
  assert.deepEqual(log.record(0), given);
  assert.deepEqual(log.copy().record(1), record(2));
  log.cutAfter(1);
  assert.equal(log.length, 1);
  log.add(record(2, { seconds: 1 }));
  assert.equal(log.last('elapsed'), 1.25);
});

test('what another threshold would have required follows exactly from what was logged', () => {
  const log = new StepLog();
  // v/(η² n) for η = 1 is 24; the threshold that just passes is √(v/(b n)).
  log.add(record(1, { samples: 6, variance: 48, mean_norm_sq: 2, required: 24, threshold: 2 }));
  assert.equal(requiredAt(log, 0, 1), 24);
  assert.equal(requiredAt(log, 0, 0.5), 96);
  assert.equal(requiredAt(log, 0, 2), 6);
  assert.deepEqual(thresholdsBeside({ name: 'norm', eta: 1, debiased: false }).map(({ label }) => label), ['η = 0.5', 'η = 1', 'η = 2']);
  assert.deepEqual(thresholdsBeside(null), []);
  // The real run agrees with itself.
  const { steps } = recorded;
  steps.step.forEach((_, row) => {
    const derived = steps.samples[row] * steps.threshold[row] ** 2;
    assert.ok(Math.abs(derived - steps.required[row]) <= 1e-4 * derived, `row ${row}: ${derived} and ${steps.required[row]}`);
  });
});

/** The rows of a chart's table twin: the position, then a value for each line. */
async function table(page, id) {
  const twin = page.locator(`#chart-${id} details`);
  if ((await twin.getAttribute('open')) === null) await twin.locator('summary').click();
  await twin.locator('tbody tr').first().waitFor();
  return twin.evaluate((element) => ({
    head: [...element.querySelectorAll('thead th')].map((cell) => cell.textContent),
    rows: [...element.querySelectorAll('tbody tr')].map((row) => [...row.children].map((cell) => cell.textContent)),
  }));
}

async function closeTables(page) {
  for (const summary of await page.locator('.table-twin[open] summary').all()) await summary.click();
}

test('each chart has a table twin with the steps that were logged', browserTest(), async (t) => {
  const { page, button, waitFor, read } = await openPage(t, { path: '#preset=quick&model=logistic&sample_budget=30000' });
  await waitFor({ data: 'ready' });
  assert.equal(await page.locator('.table-twin table').count(), 0, 'none is made before it is opened');
  await button('Start').click();
  await waitFor({ phase: 'finished' });
  const end = await read();
  await page.waitForFunction((batch) => document.querySelector('#chart-batch [role=img]').ariaLabel.endsWith(batch), end.batch.toLocaleString('en-US'));
  const batch = await table(page, 'batch');
  assert.equal(batch.head[0], 'Samples seen');
  assert.deepEqual([...batch.head.slice(1)].sort(), ['required', 'used']);
  assert.ok(batch.rows.length > 20 && batch.rows.length <= 50, `${batch.rows.length} rows`);
  const used = batch.head.indexOf('used');
  assert.equal(batch.rows[0][used], '8');
  assert.deepEqual([batch.rows.at(-1)[0], batch.rows.at(-1)[used]], [end.samplesSeen.toLocaleString('en-US'), end.batch.toLocaleString('en-US')]);
  await closeTables(page);
  // Steps and seconds count from the first to the last step.
  await page.locator('label[for=axis-steps]').click();
  await chartsDrawn(page);
  const bySteps = await table(page, 'loss');
  assert.equal(bySteps.head[0], 'Step');
  assert.equal(bySteps.rows.at(-1)[0], String(end.step));
  await closeTables(page);
  await page.locator('label[for=axis-seconds]').click();
  await chartsDrawn(page);
  const bySeconds = await table(page, 'accuracy');
  assert.equal(bySeconds.head[0], 'Seconds of training');
  for (const id of ['batch', 'test', 'loss', 'accuracy', 'speed']) assert.ok((await table(page, id)).rows.length >= 2, id);
});

test('smoothing hides no logged value; several thresholds are drawn on demand', browserTest(), async (t) => {
  const { page, waitFor } = await openPage(t);
  await waitFor({ data: 'ready' });
  await page.waitForFunction(() => /grew from/.test(document.querySelector('#chart-batch [role=img]').ariaLabel));
  const picture = () => page.evaluate(() => document.querySelector('#chart-loss canvas').toDataURL());
  const raw = await table(page, 'loss');
  await closeTables(page);
  const before = await picture();
  await page.getByLabel('Smoothing').fill('0.9');
  await page.waitForFunction((old) => document.querySelector('#chart-loss canvas').toDataURL() !== old, before);
  assert.equal(await page.locator('#smoothing-value').textContent(), '0.9');
  const smoothed = await table(page, 'loss');
  assert.deepEqual(smoothed.rows, raw.rows, 'the table goes on telling what was logged');
  await page.getByLabel('Compare thresholds').check();
  await page.waitForFunction(() => /η = 0\.5/.test(document.querySelector('#chart-batch .chart-legend').textContent));
  const { head, rows } = await table(page, 'batch');
  const number = (text) => Number(text.replaceAll(',', ''));
  const column = (label) => rows.map((row) => number(row[head.indexOf(label)]));
  const [half, own, double] = ['η = 0.5', 'η = 1', 'η = 2'].map(column);
  // Sizes are rounded up as they are shown.
  own.forEach((size, row) => {
    assert.ok(Math.abs(half[row] - 4 * size) <= 4, `row ${row}: ${half[row]} is not four times ${size}`);
    assert.ok(Math.abs(4 * double[row] - size) <= 4, `row ${row}: ${double[row]} is not a quarter of ${size}`);
  });
});

test('the cursor is in all charts at once and tells a logged step', browserTest(), async (t) => {
  const { page, waitFor } = await openPage(t, { path: '#preset=quick&axis=steps' });
  await waitFor({ data: 'ready' });
  await page.waitForFunction(() => /grew from/.test(document.querySelector('#chart-batch [role=img]').ariaLabel));
  await page.locator('#chart-batch .u-over').scrollIntoViewIfNeeded();
  await page.locator('#chart-batch .u-over').hover({ position: { x: 300, y: 60 } });
  await page.waitForFunction(() => /step \d+: [\d,]+ samples seen/.test(document.getElementById('cursor-readout').textContent));
  const values = () => page.evaluate(() => [...document.querySelectorAll('#chart-batch, #charts .chart')].map((chart) => chart.querySelector('.chart-legend').textContent));
  const [batch, , loss] = await values();
  const told = batch.match(/used([\d,]+)/)[1].replaceAll(',', '');
  const rows = recorded.steps.samples.flatMap((samples, row) => (String(samples) === told ? [row] : []));
  assert.ok(rows.length > 0, `no step had a batch of ${told}`);
  const lossTold = Number(loss.match(/loss([\d.]+)/)[1]);
  assert.ok(rows.some((row) => Math.abs(recorded.steps.loss[row] - lossTold) <= 0.005 * lossTold), 'all charts tell the same step');
  // The figure of the test follows, and returns to the last step.
  const step = /step (\d+):/.exec(await page.locator('#cursor-readout').textContent())[1];
  await page.waitForFunction((text) => document.getElementById('figure-sentence').textContent.includes(text), `step ${step}:`);
  await page.mouse.move(5, 5);
  await page.waitForFunction((text) => document.getElementById('figure-sentence').textContent.includes(text), `step ${recorded.steps.step.length}:`);
});
