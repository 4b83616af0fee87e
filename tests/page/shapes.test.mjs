// Data of other shapes than MNIST's: colour, other sizes, other numbers of classes, and the networks that fit them.
import assert from 'node:assert/strict';
import test from 'node:test';
import { drop } from './support/data-files.mjs';
import { openEngine } from './support/engine.mjs';
import { loadModule } from './support/module.mjs';
import { browserTest, openPage } from './support/page.mjs';
import { saved } from './support/saved.mjs';
import { QUICK } from './support/settings.mjs';
import { cifar10, cifar100, CIFAR_10, colourOfClass, idxFiles } from './support/synthetic.mjs';

const { ModelFit, offeredModels } = await loadModule('settings/model-fit.ts');
const { isModelName, modelTitle } = await loadModule('settings/choices.ts');
const { mostConfused } = await loadModule('look/confused-pairs.ts');

const GREY = { channels: 1, height: 6, width: 20 };
const PATH = '#preset=quick&sample_budget=1000&evaluate_every=1000&max_batch=64&test.eta=0.05';

test('a network that was asked for comes back with the data that it suits', () => {
  const all = ['logistic', 'mlp', 'cnn', 'cifar-cnn', 'resnet-8'].map((name) => ({ name }));
  const [mnist, colour, tiny] = [{ channels: 1, height: 28, width: 28, classes: 10 }, { channels: 3, height: 32, width: 32, classes: 10 }, { channels: 1, height: 3, width: 3, classes: 2 }];
  const fit = new ModelFit();
  const config = { ...QUICK, model: 'cnn' };
  assert.equal(fit.fit(config, all, mnist), config, 'nothing changes');
  const inColour = fit.fit(config, all, colour);
  assert.equal(inColour.model, 'cifar-cnn');
  assert.equal(fit.asked(inColour).model, 'cnn', 'what the address says');
  assert.equal(fit.fit(inColour, all.slice(0, 2), tiny).model, 'mlp');
  assert.equal(fit.fit({ ...config, model: 'mlp' }, all, mnist).model, 'cnn');
  const chosen = { ...config, model: 'resnet-8' };
  assert.equal(fit.fit(chosen, all, colour), chosen);
  assert.equal(fit.fit({ ...config, model: 'resnet-32-8' }, all, tiny).model, 'resnet-32-8', 'of others the core tells');
  assert.deepEqual(offeredModels(all, mnist).map(({ name }) => name), ['logistic', 'mlp', 'cnn']);
  assert.equal(offeredModels(all, colour).length, 5);
});

test('networks are called by what they are', () => {
  const titles = { logistic: 'Softmax regression', 'mlp-64': 'MLP with 64 hidden units', 'cifar-cnn': 'CIFAR CNN', 'resnet-20': 'ResNet-20', 'resnet-20-32': 'ResNet-20 from 32 channels' };
  for (const [name, title] of Object.entries(titles)) {
    assert.equal(modelTitle(name), title);
    assert.ok(isModelName(name), name);
  }
  for (const name of ['', 'CNN', 'resnet', 'resnet-', 'mlp-x', 'own-00']) assert.ok(!isModelName(name), name);
});

test('the most frequent confusions come first, and what is right is none', () => {
  const pairs = mostConfused([5, 1, 0, 3, 9, 2, 0, 0, 4], 3);
  assert.deepEqual(pairs, [{ label: 1, predicted: 0, count: 3 }, { label: 1, predicted: 2, count: 2 }, { label: 0, predicted: 1, count: 1 }]);
});

test('CIFAR-10’s own files are learned from, in colour, and the model is saved and loaded', browserTest(), async (t) => {
  const { page, button, waitFor, read, screenshot } = await openPage(t, { path: PATH, context: { reducedMotion: 'reduce' } });
  await waitFor({ data: 'ready' });
  const cnn = page.locator('#setting-model');
  assert.equal(await cnn.inputValue(), 'cnn');
  await drop(page, cifar10({ training: 200, test: 50 }));
  await page.waitForFunction(() => /200 training images are ready/.test(document.getElementById('sentence').textContent));
  assert.match(await page.locator('#files-note-text').textContent(), /200 training images and 50 test images: 32 × 32 pixels in colour, 10 classes\..*not the published files/);
  assert.match(await page.locator('#lead-task').textContent(), /tell pictures apart here, in this tab, from your 200 images/);
  // A network for such images, and others to choose from.
  assert.equal(await cnn.inputValue(), 'cifar-cnn');
  assert.match(await page.locator('#engine-notes').textContent(), /The model is now CIFAR CNN/);
  assert.match(await cnn.locator('option:checked').textContent(), /^CIFAR CNN · 541,094 parameters$/);
  assert.deepEqual(await cnn.locator('option').evaluateAll((options) => options.map(({ value }) => value)), ['logistic', 'mlp', 'cnn', 'cifar-cnn', 'resnet-8', 'resnet-14', 'resnet-20', 'resnet18']);
  assert.equal(await page.getByRole('application', { name: 'Drawing pad' }).isVisible(), false, 'nobody draws in colour');
  await page.getByLabel('Pick a test image by number').waitFor();
  await page.locator('#mosaic-title').scrollIntoViewIfNeeded();
  await page.getByRole('button', { name: 'Run until the batch grows' }).click();
  await waitFor({ phase: 'paused' });
  const { nextBatch, step, batch } = await read();
  assert.ok(nextBatch > batch, `${batch}, then ${nextBatch}`);
  await page.waitForFunction((wanted) => document.querySelector('.mosaic-canvas').dataset.batch === String(wanted), nextBatch);
  const colours = await middleColours(page, nextBatch);
  const known = new Set(CIFAR_10.map((_, label) => `${colourOfClass(label)} 255`));
  assert.ok(colours.every((colour) => known.has(colour)), `colours that no image has: ${colours}`);
  assert.ok(new Set(colours).size > 1, 'images of several classes');
  const counts = page.getByRole('group', { name: 'Number of images per class' });
  assert.deepEqual(await counts.locator('dt').allTextContents(), CIFAR_10);
  // What the network sees and what its first layer looks for, in colour too.
  await page.locator('#look').scrollIntoViewIfNeeded();
  const filters = page.locator('.filter-list');
  await page.waitForFunction(() => document.querySelector('.filter-list').dataset.count !== undefined);
  assert.deepEqual(await filters.evaluate(({ dataset }) => [dataset.count, dataset.side]), ['16', '3']);
  const isColourful = (canvas) => {
    // A copy: reading the page's own canvas would change how the browser draws it.
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
    return [...data.keys()].some((index) => index % 4 === 0 && data[index + 3] === 255 && (data[index] !== data[index + 1] || data[index] !== data[index + 2]));
  };
  assert.ok(await filters.locator('canvas').first().evaluate(isColourful), 'a filter without colour');
  await page.waitForFunction(() => /^The network predicts: [a-z]+\.$/.test(document.querySelector('.probabilities-answer').textContent));
  assert.ok(await page.locator('.pad-seen canvas').evaluate(isColourful), 'a test image without colour');
  await page.waitForFunction(() => document.querySelector('.confusion').dataset.total === '50');
  assert.ok(await page.locator('.mistake canvas').first().evaluate(isColourful), 'a mistake without colour');
  await screenshot('1280-light-colour');
  const model = await saved(page, 'Save the model');
  assert.equal(model.name, `adadagrad-cifar-cnn-step-${step}.safetensors`);
  await button('Reset').click();
  await waitFor({ phase: 'idle' });
  await drop(page, [{ name: 'mine.safetensors', mimeType: '', buffer: model.bytes }]);
  await waitFor({ phase: 'paused', step: '0' });
  assert.equal(await page.locator('.run-name').last().inputValue(), 'From mine.safetensors');
  // A model of another network is named, also where it is none of MNIST's.
  await page.locator('#setting-model').selectOption('resnet-8');
  await drop(page, [{ name: 'mine.safetensors', mimeType: '', buffer: model.bytes }]);
  await page.waitForFunction(() => /It fits the model “CIFAR CNN”/.test(document.getElementById('files-note-text').textContent));
  // Back to MNIST, back to its network.
  await button('Reset').click();
  await waitFor({ phase: 'idle' });
  await page.locator('#setting-model').selectOption('cifar-cnn');
  await page.locator('#data-choice').selectOption('mnist');
  await waitFor({ data: 'ready' });
  await page.getByRole('application', { name: 'Drawing pad' }).waitFor();
  assert.deepEqual(await cnn.locator('option').evaluateAll((options) => options.map(({ value }) => value)).then((values) => values.slice(0, 3)), ['logistic', 'mlp', 'cnn']);
});

test('a network that other data do not fit is marked where it was chosen, with the reason below it', browserTest(), async (t) => {
  // 784 times two million weights can be counted in 32 bits, 3,072 times as many cannot.
  const { page, waitFor } = await openPage(t, { path: `${PATH}&model=mlp-2000000` });
  await waitFor({ data: 'ready' });
  const [model, mistake, problem] = ['#setting-model', '#mistake-model', '#settings-problem'].map((place) => page.locator(place));
  assert.equal(await model.inputValue(), 'mlp-2000000');
  assert.deepEqual([await model.getAttribute('aria-invalid'), await mistake.isVisible()], [null, false]);
  await drop(page, cifar10({ training: 20, test: 5 }));
  await mistake.waitFor({ state: 'visible' });
  const said = await mistake.textContent();
  assert.match(said, /^Model is mlp-2000000, but does not fit images of 32×32 pixels with 3 channels: layer \d+ .*\.$/);
  assert.equal(await problem.textContent(), said);
  assert.equal(await model.getAttribute('aria-invalid'), 'true');
  assert.ok((await model.getAttribute('aria-describedby')).split(' ').includes('mistake-model'), 'read out with the field');
  const marked = await page.locator('#settings-groups [aria-invalid]').evaluateAll((fields) => fields.map(({ id }) => id));
  assert.deepEqual(marked, ['setting-model'], 'no other field');
  await model.selectOption('logistic');
  await mistake.waitFor({ state: 'hidden' });
  assert.equal(await model.getAttribute('aria-invalid'), null);
  await problem.waitFor({ state: 'hidden' });
});

test('IDX images of another size and number of classes are learned from; a network that does not fit them is refused in words', browserTest(), async (t) => {
  const { page, button, waitFor } = await openPage(t, { path: PATH });
  await waitFor({ data: 'ready' });
  await drop(page, idxFiles({ training: 120, test: 40, classes: 4, first: 1, shape: GREY }));
  await page.waitForFunction(() => /120 training images are ready/.test(document.getElementById('sentence').textContent));
  assert.match(await page.locator('#files-note-text').textContent(), /20 × 6 pixels in grey, 4 classes\. The labels 1 to 4 are the classes 0 to 3\./);
  const counts = page.getByRole('group', { name: 'Number of images per class' });
  assert.deepEqual(await counts.locator('dt').allTextContents(), ['0', '1', '2', '3']);
  assert.equal(await page.locator('.confusion-table tbody td').count(), 16);
  // Any network by its address, where it fits.
  await page.evaluate((path) => void (location.hash = `${path}&model=resnet-20-4`), PATH);
  await page.waitForFunction(() => document.getElementById('setting-model').selectedOptions[0].textContent === 'ResNet-20 from 4 channels');
  await button('Step').click();
  await waitFor({ phase: 'paused', step: '1' });
  await button('Reset').click();
  await waitFor({ phase: 'idle' });
  await page.evaluate((path) => void (location.hash = `${path}&model=cifar-cnn`), PATH);
  const note = page.locator('#address-note');
  await page.waitForFunction(() => /Model is cifar-cnn, but does not fit images of 20×6 pixels with 1 channel: layer \d+ .* The preset’s value is used\./.test(document.getElementById('address-note').textContent));
  assert.doesNotMatch(await note.textContent(), /There is no setting/);
  await button('Start').click();
  await waitFor({ phase: 'finished' });
  await page.locator('#look').scrollIntoViewIfNeeded();
  await page.waitForFunction(() => document.querySelector('.confusion').dataset.total === '40');
});

test('of a hundred classes the likeliest and the most confused are shown', browserTest(), async (t) => {
  const { page, button, waitFor } = await openPage(t, { path: PATH });
  await waitFor({ data: 'ready' });
  await drop(page, cifar100({ training: 200, test: 100 }));
  await page.waitForFunction(() => /200 training images are ready/.test(document.getElementById('sentence').textContent));
  await page.locator('#setting-model').selectOption('logistic');
  await button('Step').click();
  await waitFor({ phase: 'paused', step: '1' });
  await page.locator('#look').scrollIntoViewIfNeeded();
  await page.waitForFunction(() => document.querySelector('.confused-pairs').dataset.total === '100');
  assert.equal(await page.locator('.confusion').isVisible(), false);
  assert.ok((await page.locator('.confused-pairs li').count()) > 3);
  await page.waitForFunction(() => document.querySelector('.probabilities').dataset.best !== undefined);
  const shares = await page.locator('.probability-value').allTextContents();
  assert.equal(shares.length, 10);
  assert.deepEqual([...shares].sort((one, other) => Number.parseFloat(other) - Number.parseFloat(one)), shares, 'likeliest first');
  assert.equal(await page.locator('.class-count').count(), 100);
});

const COLOUR = { ...QUICK, dataset: 'own', model: 'resnet-8', test: { ...QUICK.test, eta: 0.2 }, max_batch: 64, sample_budget: 250, evaluate_every: 250 };
const FILES = { training: 120, test: 20, classes: 3, shape: { channels: 3, height: 6, width: 6 } };

for (const [engine, flags] of [['cpu', {}], ['webgpu', { webgpu: true }]]) {
  test(`a ResNet learns colour images and goes on from a checkpoint: ${engine}`, browserTest(), async (t) => {
    const { start, evaluate } = await openEngine(t, { images: { training: 500, test: 100 }, ...flags });
    const files = idxFiles(FILES).map(({ name, buffer }) => ({ name, bytes: buffer }));
    const { shape, models } = await start({ files });
    assert.deepEqual(shape, { channels: 3, height: 6, width: 6, classes: 3 });
    assert.ok(models.some(({ name }) => name === 'resnet-8') && !models.some(({ name }) => name === 'cifar-cnn'));
    const { before, rest, again } = await evaluate(async ({ config, engine }) => {
      const { run, ask } = self.engine;
      const before = await run({ type: 'begin', run: 1, config, engine, stop: { steps: 3 }, parameters: null });
      const kernels = self.engine.all.findLast((report) => report.type === 'update' && report.kernels !== null)?.kernels ?? null;
      const { checkpoint } = await ask({ type: 'checkpoint', request: 1 }, 'checkpoint');
      const rest = await run({ type: 'continue', stop: null });
      const again = await run({ type: 'resume', run: 2, checkpoint: checkpoint.bytes, engine: { ...engine, kernels }, stop: null });
      return { before, rest, again };
    }, { config: COLOUR, engine: { choice: engine, kernels: null } });
    assert.equal(before.engine.engine, engine);
    assert.ok(rest.steps.some(({ samples }) => samples > COLOUR.initial_batch), 'the batch did not grow');
    assert.ok(rest.steps.at(-1).loss < before.steps[0].loss, `${before.steps[0].loss}, at the end ${rest.steps.at(-1).loss}`);
    assert.deepEqual(again.steps, rest.steps);
  });
}

/** Red, green, blue and opacity in the middle of each image of the mosaic. */
function middleColours(page, count) {
  return page.evaluate((wanted) => {
    const canvas = document.querySelector('.mosaic-canvas');
    const cell = Number(canvas.dataset.cell);
    const columns = Math.floor(canvas.width / cell);
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
    copy.drawImage(canvas, 0, 0);
    return Array.from({ length: wanted }, (_, image) => {
      const [left, top] = [(image % columns) * cell, Math.floor(image / columns) * cell];
      const [red, green, blue, opacity] = copy.getImageData(left + Math.floor(cell / 2) + 1, top + Math.floor(cell / 2) + 1, 1, 1).data;
      return `${[red, green, blue]} ${opacity}`;
    });
  }, count);
}
