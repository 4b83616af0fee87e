// What can be saved and loaded: runs as CSV and JSON, charts as SVG and PNG, models as safetensors, own data.
import assert from 'node:assert/strict';
import test from 'node:test';
import { BOTH_MNISTS, drop, ownFiles } from './support/data-files.mjs';
import { browserTest, openPage } from './support/page.mjs';
import { saved } from './support/saved.mjs';

const SMALL = '#preset=quick&model=logistic&sample_budget=4000&evaluate_every=2000';

test('a run is saved as CSV and JSON, to the last digit', browserTest(), async (t) => {
  const { page, button, waitFor, read } = await openPage(t, { path: SMALL });
  await waitFor({ data: 'ready' });
  await button('Start').click();
  await waitFor({ phase: 'finished' });
  const end = await read();
  const csv = await saved(page, 'Save Run 1 as CSV');
  assert.equal(csv.name, 'adadagrad-run-1.csv');
  const [head, ...lines] = csv.bytes.toString().trimEnd().split('\n').map((line) => line.split(','));
  assert.equal(lines.length, end.step);
  const last = Object.fromEntries(head.map((name, index) => [name, lines.at(-1)[index]]));
  assert.equal(Number(last.loss), end.loss);
  assert.equal(Number(last.samples), end.batch);
  assert.equal(Number(last.samples_seen), end.samplesSeen);
  assert.equal(Number(last.accuracy), end.testAccuracy);
  assert.equal(last.variance_along, '', 'what was not computed is empty');
  assert.equal(lines.filter((line) => line[head.indexOf('accuracy')] !== '').length, 2);

  const json = await saved(page, 'Save Run 1 as JSON');
  const run = JSON.parse(json.bytes);
  assert.deepEqual([run.format, run.version, run.computed_by.engine, run.config.model], ['adadagrad-run', 1, 'cpu', 'logistic']);
  // What made it is said in both.
  assert.deepEqual(Object.keys(run.made_with), ['version', 'commit', 'browser']);
  assert.match(run.made_with.commit, /^[0-9a-f]{12}(-dirty)?$|^unknown$/);
  assert.match(run.made_with.browser, /Chrome/);
  assert.deepEqual([last.engine, last.version, last.commit], ['cpu', run.made_with.version, run.made_with.commit]);
  assert.equal(run.steps.loss.at(-1), end.loss);
  assert.equal(run.steps.variance_along.at(-1), null);
  // Dropped on the page, it is drawn again.
  await button('Reset').click();
  await drop(page, [{ name: 'run.json', mimeType: 'application/json', buffer: json.bytes }]);
  await page.waitForFunction(() => document.querySelectorAll('#runs-body tr').length === 2);
  const figures = await page.evaluate(() => [...document.querySelectorAll('#runs-body tr')].map((row) => row.querySelector('.run-figure').textContent));
  assert.equal(figures[0], figures[1]);
});

test('CSV and JSON hold the same facts, why a step has no test among them', browserTest(), async (t) => {
  // Two images at a time, and a test that subtracts the noise: some batches are all noise.
  const { page, button, waitFor, set } = await openPage(t, { path: '#preset=quick&model=logistic&sample_budget=60&evaluate_every=40' });
  await waitFor({ data: 'ready' });
  await set({ 'Initial batch': 2, 'Largest batch': 3 });
  await page.getByLabel('Debiased ‖ḡ‖²', { exact: true }).check();
  await button('Start').click();
  await waitFor({ phase: 'finished' });
  const csv = await saved(page, 'Save Run 1 as CSV');
  const run = JSON.parse((await saved(page, 'Save Run 1 as JSON')).bytes);
  const [head, ...lines] = csv.bytes.toString().trimEnd().split('\n').map((line) => line.split(','));
  const measured = (name) => run.steps.step.map((step) => run.evaluations.find((evaluation) => evaluation.step === step)?.[name] ?? null);
  const columns = {
    ...run.steps,
    ...Object.fromEntries(Object.entries(run.reasons).map(([name, values]) => [`reasons.${name}`, values])),
    accuracy: measured('accuracy'),
    test_loss: measured('loss'),
  };
  const origin = ['engine', 'adapter', 'version', 'commit', 'browser'];
  assert.deepEqual(head, [...Object.keys(columns), ...origin]);
  head.slice(0, -origin.length).forEach((name, column) => {
    assert.deepEqual(lines.map((line) => line[column]), columns[name].map((value) => (value === null ? '' : String(value))), name);
  });
  const { required } = run.reasons;
  assert.equal(required.length, lines.length);
  assert.ok(required.includes('unbounded') || required.includes('non_positive_debiased_norm'), `${required}`);
  required.forEach((reason, row) => assert.equal(reason === null, run.steps.required[row] !== null, `step ${row + 1}`));
});

test('a chart is saved as SVG and PNG', browserTest(), async (t) => {
  const { page, button, waitFor } = await openPage(t);
  await waitFor({ data: 'ready' });
  await page.waitForFunction(() => /grew from/.test(document.querySelector('#chart-batch [role=img]').ariaLabel));
  const svg = await saved(page, 'Batch size: save as SVG');
  assert.equal(svg.name, 'adadagrad-batch.svg');
  const drawn = await page.evaluate((text) => {
    const image = new DOMParser().parseFromString(text, 'image/svg+xml');
    const paths = [...image.querySelectorAll('path')].map((path) => path.getAttribute('d'));
    const path = paths.sort((one, other) => other.length - one.length)[0] ?? '';
    return {
      broken: image.querySelector('parsererror') !== null,
      label: image.documentElement.getAttribute('aria-label'),
      texts: [...image.querySelectorAll('text')].map((element) => element.textContent),
      stairs: (path.match(/V/g) ?? []).length,
      numbers: !/NaN|Infinity/.test(text),
      dots: image.querySelectorAll('circle').length,
    };
  }, svg.bytes.toString());
  assert.equal(drawn.broken, false);
  assert.match(drawn.label, /Batch size: grew from 8 to/);
  for (const word of ['Batch size', 'used', 'required', 'Samples seen', '100']) assert.ok(drawn.texts.includes(word), word);
  assert.ok(drawn.stairs > 100 && drawn.dots > 100 && drawn.numbers, JSON.stringify(drawn));
  const png = await saved(page, 'Training loss: save as PNG');
  assert.equal(png.name, 'adadagrad-loss.png');
  assert.deepEqual([...png.bytes.subarray(0, 8)], [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  assert.ok(png.bytes.readUInt32BE(16) > 300 && png.bytes.length > 3000);
});

test('a model is saved as safetensors, and a run begins with it', browserTest(), async (t) => {
  const { page, button, waitFor, read } = await openPage(t, { path: SMALL });
  await waitFor({ data: 'ready' });
  assert.equal(await button('Save the model').getAttribute('aria-disabled'), 'true', 'there is none yet');
  await button('Start').click();
  await waitFor({ phase: 'finished' });
  const end = await read();
  const model = await saved(page, 'Save the model');
  assert.equal(model.name, `adadagrad-logistic-step-${end.step}.safetensors`);
  const length = Number(model.bytes.readBigUInt64LE(0));
  const header = JSON.parse(model.bytes.subarray(8, 8 + length).toString());
  assert.equal(length % 8, 0);
  const { __metadata__: metadata, ...tensors } = header;
  assert.equal(metadata.step, String(end.step));
  assert.match(metadata.program, /^adadagrad page \d+\.\d+\.\d+, commit /);
  const weights = Object.entries(tensors);
  assert.deepEqual(weights.map(([name]) => name).sort(), ['1.bias', '1.weight']);
  assert.deepEqual(tensors['1.weight'].shape, [10, 784]);
  assert.equal(model.bytes.length, 8 + length + 4 * 7850);
  // Begun with, its first loss is about the last one, and not that of a new network.
  await button('Reset').click();
  await waitFor({ phase: 'idle' });
  await page.locator('#model-file').setInputFiles({ name: 'mine.safetensors', mimeType: 'application/octet-stream', buffer: model.bytes });
  await waitFor({ phase: 'paused', step: '0' });
  await button('Step').click();
  await waitFor({ step: '1', phase: 'paused' });
  const begun = await read();
  assert.ok(begun.loss < 1.7, `a new network loses 2.3, this one ${begun.loss}`);
  assert.equal(await page.locator('.run-name').last().inputValue(), 'From mine.safetensors');
});

test('own IDX files are learned from, by button and dropped', browserTest(), async (t) => {
  const { page, button, waitFor, waitForStep } = await openPage(t, { path: SMALL });
  await waitFor({ data: 'ready' });
  const files = ownFiles({ training: 5000, test: 500 });
  await page.locator('#data-files').setInputFiles(files);
  await page.waitForFunction(() => /5,000 training images are ready/.test(document.getElementById('sentence').textContent));
  assert.equal(await page.locator('#data-choice').inputValue(), 'own');
  await button('Start').click();
  await waitForStep(3);
  await button('Reset').click();
  await waitFor({ phase: 'idle' });
  await drop(page, ownFiles({ training: 4200, test: 100 }));
  await page.waitForFunction(() => /4,200 training images are ready/.test(document.getElementById('sentence').textContent));
  await button('Step').click();
  await waitFor({ step: '1', phase: 'paused' });
  await button('Reset').click();
  // No batch can be larger than the data; a preset's neither.
  await drop(page, ownFiles({ training: 900, test: 100 }));
  const largest = page.locator('#setting-max-batch');
  await page.waitForFunction(() => /The largest batch is now 900/.test(document.getElementById('engine-notes').textContent));
  assert.equal(await largest.inputValue(), '900');
  await page.getByLabel('Preset', { exact: true }).selectOption('paper-logistic');
  assert.equal(await largest.inputValue(), '900');
  await button('Step').click();
  await waitFor({ step: '1', phase: 'paused' });
});

test('Fashion-MNIST can be chosen, and is part of the address', browserTest(), async (t) => {
  const { page, button, waitFor, waitForStep } = await openPage(t, { images: { folders: BOTH_MNISTS }, path: SMALL });
  await waitFor({ data: 'ready' });
  const offered = await page.locator('#data-choice option[value=fashion_mnist]').evaluate((option) => !option.disabled);
  // Only Debian and its like have its package.
  if (!offered && process.env.REQUIRE_DATA !== '1') return t.skip('Fashion-MNIST is not packed beside this page');
  await page.locator('#data-choice').selectOption('fashion_mnist');
  await waitFor({ data: 'ready' });
  await page.waitForFunction(() => location.hash.includes('dataset=fashion_mnist'));
  await button('Start').click();
  await waitFor({ phase: 'finished' });
  const fashion = await page.locator('#status').getAttribute('data-loss');
  await page.reload();
  await waitFor({ data: 'ready' });
  assert.equal(await page.locator('#data-choice').inputValue(), 'fashion_mnist');
  await button('Start').click();
  await waitForStep(1);
  await waitFor({ phase: 'finished' });
  assert.equal(await page.locator('#status').getAttribute('data-loss'), fashion, 'the same run again');
});

test('a run is printed on a sheet of its own, and the page is as before afterwards', browserTest(), async (t) => {
  const { page, button, waitFor, set } = await openPage(t, { path: SMALL });
  await waitFor({ data: 'ready' });
  await button('Start').click();
  await waitFor({ phase: 'finished' });
  await set({ Seed: 9 });
  await button('Start again').click();
  await page.waitForFunction(() => document.querySelectorAll('#runs .run-name').length === 2 && document.getElementById('status').dataset.phase === 'finished');
  const drawn = () => page.locator('#runs input[type=checkbox]').evaluateAll((boxes) => boxes.map(({ checked }) => checked));
  const before = await drawn();
  assert.deepEqual(before, [true, true]);
  await page.waitForFunction(() => document.getElementById('charts').dataset.drawn === 'newest');
  await page.evaluate(() => (window.print = () => window.dispatchEvent(new Event('beforeprint'))));
  const label = () => page.locator('#chart-loss [role=img]').getAttribute('aria-label');
  const both = await label();
  await button('Print Run 1').click();
  // At once: paper does not wait for a frame.
  const { drawnCurves, alone } = await page.evaluate(() => ({ drawnCurves: document.querySelectorAll('#chart-loss .chart-paper svg').length, alone: document.querySelector('#chart-loss [role=img]').getAttribute('aria-label') }));
  assert.equal(drawnCurves, 1);
  assert.notEqual(alone, both, 'the newest run');
  await page.emulateMedia({ media: 'print' });
  const text = await page.locator('#sheet').innerText();
  assert.match(text, /^Run 1\n/);
  assert.match(text, /\d+ steps over [\d,]+ samples, [\d,]+ per step on average, in .* of training; [\d.]+% of the test set predicted correctly\./);
  assert.match(text, /sample budget\s+4,000/);
  assert.match(text, /Computed by the CPU\. Made with adadagrad page /);
  assert.match(text, /To train it again: http.*#preset=quick&.*model=logistic/);
  const seen = await page.evaluate(() => ['#chart-batch', '#sheet', '#article', '#look', '.settings', '#runs', '.sections'].filter((selector) => document.querySelector(selector).checkVisibility()));
  assert.deepEqual(seen, ['#chart-batch', '#sheet']);
  await page.emulateMedia({ media: 'screen' });
  await page.evaluate(() => window.dispatchEvent(new Event('afterprint')));
  assert.deepEqual(await drawn(), before);
  assert.equal(await page.locator('#sheet').isVisible(), false);
  assert.equal(await page.locator('#article').isVisible(), true);
});
