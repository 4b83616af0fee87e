// Learning from a text: the wall of sequences, what the network writes, what comes next, and texts of the visitor's.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { violations } from './support/axe.mjs';
import { drop, MNIST, SHAKESPEARE } from './support/data-files.mjs';
import { openEngine } from './support/engine.mjs';
import { leftIs } from './support/left-run.mjs';
import { loadModule } from './support/module.mjs';
import { browserTest, openPage } from './support/page.mjs';
import { saved } from './support/saved.mjs';
import { CATALOGUE, QUICK, TEXT } from './support/settings.mjs';
import { someText } from './support/small-data.mjs';
import { beforeWorker } from './support/steady.mjs';

const { fitText, mostWritten } = await loadModule('mosaic/text-grid.ts');
const { describeMosaic } = await loadModule('mosaic/words.ts');
const { ModelFit } = await loadModule('settings/model-fit.ts');
const { SettingsByKind } = await loadModule('settings/kinds.ts');
const { datasetInAddress, readAddress, writeAddress } = await loadModule('url/address.ts');
const package_ = fileURLToPath(new URL('../../www/pkg/', import.meta.url));

const CATALOGUE_WITH_TEXT = { ...CATALOGUE, presets: [...CATALOGUE.presets, { name: 'text', title: 'Text', config: TEXT }] };
const BOTH = { folders: [MNIST, SHAKESPEARE] };
const CONTEXT = 16;
/** Learned in seconds. */
const TINY = { ...TEXT, model: 'transformer-1-2-16', text: { tokens: 'characters', context: CONTEXT }, test: { ...TEXT.test, eta: 0.5 }, max_batch: 128, sample_budget: 800, evaluate_every: 300, seed: 3 };

test('letters are as large as fits, every sequence is drawn while it can be, and more are never larger', () => {
  for (const [context, density] of [[16, 1], [32, 2], [64, 1], [100, 1.5]]) {
    const [width, height] = [560 * density, 420 * density];
    let last = Infinity;
    let wasLetters = true;
    for (const count of [1, 2, 7, 8, 9, 100, 700, mostWritten(context, width, height)]) {
      const grid = fitText(count, context, width, height, density);
      assert.equal(grid.drawn, count);
      const rows = Math.ceil(count / grid.columns);
      assert.ok(grid.columns * grid.width <= width + 1e-6 && rows * grid.height <= height + 1e-6, `${count} sequences of ${context} leave the frame`);
      assert.ok(grid.characters * grid.lines >= context, 'a sequence has no room');
      assert.ok(grid.size <= last && (wasLetters || !grid.letters), 'more sequences must not be larger');
      assert.ok(!grid.letters || grid.size >= 5 * density, 'letters that cannot be read');
      [last, wasLetters] = [grid.size, grid.letters];
    }
    assert.ok(!wasLetters, 'thousands are tones');
    assert.equal(fitText(1e6, context, width, height, density).drawn, mostWritten(context, width, height));
    assert.ok(fitText(8, context, width, height, density).letters, 'the first eight can be read');
  }
  assert.equal(describeMosaic(64, 64, 12, { noun: 'sequence', size: ' of 32 characters' }), 'The batch of step 12: 64 training sequences of 32 characters, all shown.');
});

test('a text gets a transformer and its own settings, and images get theirs back', () => {
  const fit = new ModelFit();
  const shape = { channels: 1, height: 1, width: 32, classes: 73, sequence: true };
  const models = ['transformer-1-2-32', 'transformer-2-2-64'].map((name) => ({ name }));
  assert.equal(fit.fit(QUICK, models, shape).model, 'transformer-2-2-64');
  assert.equal(fit.fit({ ...TEXT, model: 'transformer-5-1-7' }, models, shape).model, 'transformer-5-1-7', 'of other sizes the core tells');
  assert.equal(new ModelFit().fit(TEXT, [{ name: 'cnn' }], { channels: 1, height: 28, width: 28, classes: 10 }).model, 'cnn');
  const kinds = new SettingsByKind();
  const images = { ...QUICK, learning_rate: 0.5 };
  const text = kinds.choose(images, 'shakespeare', true, CATALOGUE_WITH_TEXT.presets);
  assert.deepEqual(text, TEXT);
  const changed = { ...text, seed: 9 };
  assert.deepEqual(kinds.choose(changed, 'fashion_mnist', false, CATALOGUE_WITH_TEXT.presets), { ...images, dataset: 'fashion_mnist' });
  assert.deepEqual(kinds.choose(images, 'own', true, CATALOGUE_WITH_TEXT.presets), { ...changed, dataset: 'own' });
});

test('an address names a text and how it is read', () => {
  const read = (hash) => readAddress(hash, CATALOGUE_WITH_TEXT);
  for (const hash of ['#dataset=shakespeare', '#preset=text']) {
    assert.deepEqual([datasetInAddress(hash), read(hash).choices.settings, read(hash).problems], ['shakespeare', TEXT, []], hash);
  }
  const settings = { ...TEXT, text: { tokens: 'bytes', context: 48 }, model: 'transformer-3-4-96' };
  const address = writeAddress({ settings, engine: 'cpu', axis: 'steps', smoothing: 0, thresholds: false }, CATALOGUE_WITH_TEXT);
  assert.match(address, /preset=text.*model=transformer-3-4-96.*text\.tokens=bytes&text\.context=48/);
  assert.deepEqual(read(address).choices.settings, settings);
  const wrong = read('#preset=text&text.tokens=words&text.context=1.5');
  assert.deepEqual(wrong.choices.settings, TEXT);
  assert.deepEqual(wrong.problems.map((problem) => /^(Tokens|Context length) cannot be read/.test(problem)), [true, true]);
});

/** The training samples that a run visits, as the module says. */
async function visited(config, samples, position, count) {
  const { initSync, visited_samples: visitedSamples } = await import(join(package_, 'adadagrad_web.js'));
  initSync({ module: await readFile(join(package_, 'adadagrad_web_bg.wasm')) });
  return [...visitedSamples(config, samples, position, count)];
}

const sequencesIn = (text, context) => Math.floor((text.length - 1) / context);
const sequence = (text, context, sample) => text.subarray(sample * context, (sample + 1) * context).toString();

/** Inside the page: a whole run, and everything that is reported of it. */
async function runOnText({ config, engine }) {
  const { run, ask, send, next } = self.engine;
  send({ type: 'mosaic', on: true, most: 20 });
  const whole = await run({ type: 'begin', run: 1, config, engine, stop: null, parameters: null });
  const samples = [];
  for (const { step } of whole.evaluations) samples.push(await next('sample', { step }));
  const mosaic = self.engine.all.find((report) => report.type === 'mosaic' && report.step === 1);
  const follow = async (beginning, temperature, count) => {
    const { following } = await ask({ type: 'follow', request: 1, beginning, temperature, count, seed: 4 }, 'followed');
    return { ...following, probabilities: [...following.probabilities] };
  };
  const following = [await follow('Enter ', 1, 0), await follow('Enter ', 0, 12), await follow('Enter é', 1, 0)];
  // The same once more, from where half of it is made.
  const half = await run({ type: 'begin', run: 2, config, engine, stop: { steps: 6 }, parameters: null });
  const { checkpoint } = await ask({ type: 'checkpoint', request: 2 }, 'checkpoint');
  const rest = await run({ type: 'resume', run: 3, checkpoint: checkpoint.bytes, measures: checkpoint.measures, engine, stop: null });
  const last = await next('sample', { step: rest.evaluations.at(-1).step });
  const header = new TextDecoder().decode(checkpoint.bytes.subarray(8, 8 + Number(new DataView(checkpoint.bytes.buffer).getBigUint64(0, true))));
  const state = JSON.parse(JSON.parse(header).__metadata__.adadagrad);
  const ready = self.engine.all.filter((report) => report.type === 'ready');
  return { whole, samples, mosaic: { ...mosaic, tokens: [...mosaic.tokens] }, next: following, half, rest, last, state, ready };
}

test('a worker trains on a text: the known sequences, samples, what comes next, and the same again from a checkpoint', browserTest(), async (t) => {
  const { start, evaluate } = await openEngine(t, { images: BOTH });
  await start({ dataset: 'shakespeare' });
  const text = someText('training');
  const { whole, samples, mosaic, next, half, rest, last, state, ready } = await evaluate(runOnText, { config: TINY, engine: { choice: 'cpu', kernels: null } });
  // Cut as the settings say once the run begins.
  assert.deepEqual(ready.map(({ shape }) => shape.width), [64, CONTEXT]);
  const { trainingSamples, testSamples, shape, classNames } = ready.at(-1);
  assert.deepEqual([trainingSamples, testSamples], [sequencesIn(text, CONTEXT), sequencesIn(someText('test'), CONTEXT)]);
  assert.equal(new Set([...text.toString(), ...someText('test').toString()]).size, shape.classes);
  assert.equal(classNames.length, shape.classes);
  assert.ok(whole.steps.at(-1).samples > TINY.initial_batch, 'the batch never grew');
  const order = await visited(TINY, trainingSamples, 0, 8);
  assert.equal(mosaic.tokens.map((token) => classNames[token]).join(''), order.map((sample) => sequence(text, CONTEXT, sample)).join(''));
  // A sample for each measurement, of the same accuracy.
  assert.ok(whole.evaluations.length >= 3);
  assert.deepEqual(samples.map(({ step, accuracy }) => [step, accuracy]), whole.evaluations.map(({ step, accuracy }) => [step, accuracy]));
  for (const { text: written } of samples) assert.ok(written.length === 200 && [...written].every((character) => classNames.includes(character)), written);
  assert.equal(new Set(samples.map(({ text: written }) => written)).size, samples.length, 'other parameters write another text');
  assert.ok(whole.evaluations.at(-1).loss < whole.evaluations[0].loss, 'nothing was learned');
  const [plain, coldest, unknown] = next;
  assert.ok(Math.abs(plain.probabilities.reduce((sum, share) => sum + share) - 1) < 1e-9);
  const likeliest = plain.probabilities.indexOf(Math.max(...plain.probabilities));
  assert.equal(coldest.text[0], classNames[likeliest]);
  assert.deepEqual([coldest.text.length, coldest.probabilities[likeliest], plain.text, plain.unknown, unknown.unknown], [12, 1, '', '', 'é']);
  assert.deepEqual(unknown.probabilities, plain.probabilities, 'what is unknown is left out');
  assert.deepEqual([...half.steps, ...rest.steps], whole.steps);
  assert.equal(last.text, samples.at(-1).text, 'the same parameters and seed write the same');
  assert.equal(state.vocabulary.characters, classNames.join(''));
  assert.deepEqual(state.encoding, { tokens: { vocabulary: shape.classes } });
});

test('WebGPU makes the same steps on a text, and its measurements have samples', browserTest(), async (t) => {
  const { start, evaluate } = await openEngine(t, { webgpu: true, images: BOTH });
  await start({ dataset: 'shakespeare' });
  const config = { ...TINY, sample_budget: 200, evaluate_every: 100, max_batch: 64 };
  const made = await evaluate(async (config) => {
    const made = [];
    for (const [run, choice] of [[1, 'cpu'], [2, 'webgpu']]) {
      const result = await self.engine.run({ type: 'begin', run, config, engine: { choice, kernels: null }, stop: null, parameters: null });
      const samples = [];
      for (const { step } of result.evaluations) samples.push(await self.engine.next('sample', { step }));
      made.push({ ...result, samples });
    }
    return made;
  }, config);
  const [cpu, gpu] = made;
  assert.deepEqual(made.map(({ engine }) => engine.engine), ['cpu', 'webgpu']);
  assert.deepEqual(gpu.steps.map(({ samples, next_batch: next }) => [samples, next]), cpu.steps.map(({ samples, next_batch: next }) => [samples, next]));
  assert.ok(gpu.steps.at(-1).samples > gpu.steps[0].samples, 'the batch never grew');
  gpu.steps.forEach(({ loss }, index) => assert.ok(Math.abs(loss / cpu.steps[index].loss - 1) < 1e-3, `step ${index + 1}: ${loss}, on the CPU ${cpu.steps[index].loss}`));
  assert.deepEqual(gpu.samples.map(({ step, accuracy }) => [step, accuracy]), gpu.evaluations.map(({ step, accuracy }) => [step, accuracy]));
  assert.ok(gpu.samples.length >= 2 && gpu.samples.every(({ text }) => text.length === 200));
});

/** The GPU answers only when the worker has asked three times since how far the run is: it asks by a timer. */
const LATE_ANSWERS = `
  {
    let held = [];
    const timer = self.setTimeout.bind(self);
    self.setTimeout = (...options) => {
      for (const answer of held) answer.questions += 1;
      held.filter(({ questions }) => questions === 3).forEach(({ give }) => give());
      held = held.filter(({ questions }) => questions < 3);
      return timer(...options);
    };
    const map = GPUBuffer.prototype.mapAsync;
    GPUBuffer.prototype.mapAsync = async function (...options) {
      await map.apply(this, options);
      await new Promise((give) => held.push({ questions: 0, give }));
    };
  }`;

test('the last measurement has its sample too where the GPU answers late', browserTest(), async (t) => {
  const { start, run, next } = await openEngine(t, { webgpu: true, images: BOTH, server: { replace: beforeWorker(LATE_ANSWERS) } });
  await start({ dataset: 'shakespeare' });
  const config = { ...TINY, max_batch: 8, sample_budget: 16, evaluate_every: 16 };
  const { engine, evaluations } = await run({ type: 'begin', run: 1, config, engine: { choice: 'webgpu', kernels: null }, stop: null, parameters: null });
  assert.equal(engine.engine, 'webgpu');
  assert.deepEqual(evaluations.map(({ step }) => step), [2]);
  assert.equal((await next('sample', { step: 2 })).text.length, 200);
});

const PATH = `#preset=text&engine=cpu&model=transformer-1-2-16&text.context=${CONTEXT}&test.eta=0.5&max_batch=128&sample_budget=1600&evaluate_every=400`;

test('the tab learns to write', browserTest(), async (t) => {
  const { page, button, waitFor, read, set, screenshot } = await openPage(t, { images: BOTH, path: PATH, context: { reducedMotion: 'reduce' } });
  await waitFor({ data: 'ready' });
  const text = someText('training');
  const samples = sequencesIn(text, CONTEXT).toLocaleString('en-US');
  const says = (id, pattern) => page.waitForFunction(([where, source]) => new RegExp(source).test(document.getElementById(where).textContent), [id, pattern.source]);
  await says('sentence', new RegExp(`^${samples} training sequences are ready`));
  await says('lead-task', new RegExp(`learns to write as Shakespeare did here, in this tab, from ${samples} sequences from his plays`));
  assert.equal(await page.locator('#lead-samples').textContent(), 'sequences');
  assert.equal(await page.locator('#data-choice').inputValue(), 'shakespeare');
  assert.equal(await page.getByLabel('Context length').inputValue(), String(CONTEXT));
  assert.match(await page.locator('#setting-model option:checked').textContent(), /^Transformer with 1 layer, 2 heads and width 16/);
  // What is only for images is not there.
  for (const part of ['.pad-canvas', '.class-counts', '.confusion-table', '.filter-list', '#test-sample']) assert.equal(await page.locator(part).isVisible(), false, part);
  for (const field of ['Crop padding', 'Random flip', 'Normalise each channel']) assert.equal(await page.getByLabel(field).count(), 0, field);
  // The wall is the batch.
  await page.locator('.mosaic-stage').scrollIntoViewIfNeeded();
  await button('Step').click();
  await waitFor({ phase: 'paused', step: '1' });
  const canvas = page.locator('.mosaic-canvas');
  const { nextBatch } = await read();
  await page.waitForFunction((batch) => document.querySelector('.mosaic-canvas').dataset.batch === batch, String(nextBatch));
  assert.equal(await canvas.getAttribute('data-drawn'), String(nextBatch));
  await says('mosaic-text', new RegExp(`^The batch of step 2: ${nextBatch} training sequences of ${CONTEXT} characters, all shown\\.$`));
  const [first] = await visited({ ...TINY, seed: 0 }, sequencesIn(text, CONTEXT), 8, 1);
  assert.equal(await page.locator('#mosaic-first').textContent(), `The first sequence: ${sequence(text, CONTEXT, first)}`);
  const size = Number(await canvas.getAttribute('data-cell'));
  const frame = () => page.locator('.mosaic-stage').evaluate(({ offsetWidth, offsetHeight }) => [offsetWidth, offsetHeight]);
  const before = await frame();
  await screenshot('1280-light-text-wall');
  await button('Resume').click();
  await waitFor({ phase: 'finished' });
  const { batch, testAccuracy } = await read();
  assert.ok(batch > 8, 'the batch never grew');
  await page.waitForFunction((last) => document.querySelector('.mosaic-canvas').dataset.batch === last, String(batch));
  assert.ok(Number(await canvas.getAttribute('data-cell')) < size, 'the letters did not shrink');
  assert.deepEqual(await frame(), before);
  // What it writes, newest first.
  const written = page.locator('.written-list li');
  await page.waitForFunction((steps) => document.querySelector('.written-list li')?.dataset.step === steps, String((await read()).step));
  assert.ok((await written.count()) >= 4);
  const steps = await written.evaluateAll((items) => items.map(({ dataset }) => Number(dataset.step)));
  assert.deepEqual(steps, [...steps].sort((one, other) => other - one));
  assert.match(await written.first().locator('.written-head').textContent(), new RegExp(`: ${(100 * testAccuracy).toFixed(1)}% of the test text predicted correctly$`));
  assert.equal((await written.first().locator('.written-text').textContent()).length, 200);
  await says('sentence', /% of the characters of the test text are predicted correctly/);
  // What comes next.
  const prompt = page.getByLabel('Your text', { exact: true });
  await prompt.scrollIntoViewIfNeeded();
  await prompt.fill('To bé');
  await says('prompt-note', /^The training text does not contain “é”, so the network cannot read it\. It was left out\.$/);
  const shares = await page.locator('.look-next .probability-value').evaluateAll((values) => values.map(({ textContent }) => parseFloat(textContent)));
  assert.equal(shares.length, 10);
  assert.ok(shares.every((share, place) => share > 0 && (place === 0 || share <= shares[place - 1])), `${shares}`);
  assert.ok(shares.reduce((sum, share) => sum + share) <= 100.5);
  await prompt.fill('To be');
  await says('prompt-note', /^$/);
  await button('Write on').click();
  await page.waitForFunction(() => document.getElementById('prompt').value.length === 105);
  assert.ok((await prompt.inputValue()).startsWith('To be'));
  await screenshot('1280-light-text-written');
  assert.deepEqual(await violations(page), []);
  await page.setViewportSize({ width: 360, height: 740 });
  await page.emulateMedia({ colorScheme: 'dark' });
  assert.deepEqual(await violations(page, {}, ['color-contrast']), []);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'the page scrolls sideways');
  await screenshot('360-dark-text-written');
  await page.setViewportSize({ width: 1280, height: 900 });
  // A saved model is gone on with.
  const model = await saved(page, 'Save the model');
  await drop(page, [{ name: 'mine.safetensors', mimeType: '', buffer: model.bytes }]);
  await waitFor({ phase: 'paused', step: '0' });
  await button('Resume').click();
  await waitFor({ phase: 'finished' });
  assert.ok((await read()).testAccuracy > testAccuracy, 'it did not go on from the model');
  // Another way of reading, from the next run on.
  await button('Reset').click();
  await set({ 'Context length': 2 * CONTEXT });
  await says('sentence', new RegExp(`^${sequencesIn(text, 2 * CONTEXT).toLocaleString('en-US')} training sequences are ready`));
  await page.waitForFunction((context) => location.hash.includes('preset=text') && !location.hash.includes('dataset=') && !location.hash.includes('text.context=16') && context > 0, 2 * CONTEXT);
  await page.getByLabel('Tokens').selectOption('bytes');
  await page.waitForFunction(() => location.hash.includes('text.tokens=bytes'));
  await page.locator('#settings-problem').waitFor({ state: 'hidden' });
  // Back to images, with their settings and their tools.
  await page.locator('#data-choice').selectOption('mnist');
  await says('sentence', /training images are ready/);
  assert.equal(await page.locator('#setting-model').inputValue(), 'cnn');
  assert.equal(await page.getByRole('application', { name: 'Drawing pad' }).isVisible(), true);
  assert.equal(await page.locator('.written').isVisible(), false);
});

/** Columns of a saved run that no other run has. */
const MEASURED_TIMES = ['seconds', 'elapsed'];

test('a run on a text that was left goes on to the same steps', browserTest(), async (t) => {
  const { page, button, waitFor, read } = await openPage(t, { images: BOTH, path: PATH });
  await waitFor({ data: 'ready' });
  const finished = async () => {
    await waitFor({ phase: 'finished' });
    const { step, testAccuracy } = await read();
    await page.waitForFunction((last) => document.querySelector('.written-list li')?.dataset.step === last, String(step));
    const [head, ...lines] = (await saved(page, 'Save Run 1 as CSV')).bytes.toString().trimEnd().split('\n').map((line) => line.split(','));
    const steps = lines.map((line) => Object.fromEntries(line.flatMap((value, column) => (MEASURED_TIMES.includes(head[column]) ? [] : [[head[column], value]]))));
    return { steps, testAccuracy, written: await page.locator('.written-text').first().textContent() };
  };
  await button('Start').click();
  const whole = await finished();
  await page.reload();
  await waitFor({ data: 'ready' });
  for (const step of ['1', '2', '3']) {
    await button('Step').click();
    await waitFor({ phase: 'paused', step });
  }
  await leftIs(page, 3);
  await page.reload();
  const offer = page.locator('#left-run');
  await offer.waitFor({ state: 'visible' });
  assert.match(await offer.textContent(), /You left “Run 1” on Shakespeare at step 3/);
  await waitFor({ data: 'ready' });
  await button('Continue where you left off').click();
  const left = await finished();
  assert.ok(whole.steps.length > 10 && Number(whole.steps.at(-1).samples) > Number(whole.steps[3].samples), 'the batch never grew');
  assert.deepEqual(left, whole);
});

/** Every letter of an alphabet in long words, with an umlaut. */
const OWN = Array.from({ length: 600 }, (_, word) => `w\u00f6rd${(word * 7) % 100} `).join('');

test('a text of the visitor’s is learned from, and what is wrong with one is said', browserTest(), async (t) => {
  const { page, button, waitFor, read } = await openPage(t, { path: '#preset=quick&engine=cpu' });
  await waitFor({ data: 'ready' });
  const told = async (name, buffer, wanted) => {
    await drop(page, [{ name, mimeType: 'text/plain', buffer }]);
    await page.waitForFunction((source) => new RegExp(source, 's').test(document.getElementById('files-note-text').textContent), wanted.source);
  };
  const utf8 = Buffer.from(OWN);
  await told('latin-1.txt', Buffer.concat([utf8.subarray(0, 300), Buffer.from([0xe9, 0x20]), utf8]), /latin-1\.txt: byte 300 is not UTF-8 text: save the file as UTF-8\. The page still uses MNIST/);
  await told('utf-16.txt', Buffer.from(`\ufeff${OWN}`, 'utf16le'), /utf-16\.txt: not UTF-8 text, perhaps UTF-16/);
  await told('short.txt', utf8.subarray(0, 100), /short\.txt: the test part of the text has \d+ characters, but a sequence of 32 and the one behind it need 33/);
  const many = String.fromCodePoint(...Array.from({ length: 9000 }, (_, place) => 0x20000 + place));
  const all = Buffer.from(Array.from({ length: 8 }, (_, block) => [...many].map((character) => String.fromCodePoint(character.codePointAt(0) + 9000 * block)).join('')).join(''));
  await told('all.txt', all, /all\.txt: the text has 72000 different characters, but at most 65536 can be told apart/);
  assert.equal(await page.locator('#data-choice').inputValue(), 'mnist');
  await told('own.txt', utf8, /Your text holds \d+ training sequences and \d+ test sequences: sequences of 32 characters, of which there are 15 different ones/);
  await page.waitForFunction(() => /training sequences are ready/.test(document.getElementById('sentence').textContent));
  assert.deepEqual([await page.locator('#data-choice').inputValue(), await page.locator('#setting-model').inputValue()], ['own', 'transformer-2-2-64']);
  assert.match(await page.locator('#lead-task').textContent(), /learns to write like your text here, in this tab, from its \d+ sequences/);
  await page.getByLabel('Model', { exact: true }).selectOption('transformer-1-2-32');
  await button('Step').click();
  await waitFor({ phase: 'paused', step: '1' });
  assert.ok(Math.abs((await read()).loss - Math.log(15)) < 0.2, 'an untrained network guesses among 15');
});
