// The training worker itself: checkpoints, other settings in a run, looks at the test set, pictures of the batch.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { openEngine } from './support/engine.mjs';
import { browserTest, pageFolder } from './support/page.mjs';
import { QUICK } from './support/settings.mjs';
import { FEW } from './support/small-data.mjs';
import { afterReport, beforeWorker, commandAfter, tickingClock } from './support/steady.mjs';
import { gpuRests, keepDevices, trainingWorker } from './support/webgpu.mjs';

const TEST_IMAGES = 100;
const SMALL_TEST_SET = { test: TEST_IMAGES };
const CPU = { choice: 'cpu', kernels: null };
const WEBGPU = { choice: 'webgpu', kernels: null };
const package_ = fileURLToPath(new URL('../../www/pkg/', import.meta.url));

const CONFIG = { ...QUICK, model: 'logistic', sample_budget: 20_000, seed: 5, evaluate_every: 5000 };

/**
 * Inside the page: runs to a checkpoint, on to the end, and once more from the checkpoint; `retuned`: settings that are
 * given before the checkpoint.
 */
async function runTwice({ config, retuned, engine, stop }) {
  const { run, ask } = self.engine;
  const before = await run({ type: 'begin', run: 1, config, engine, stop, parameters: null });
  // Another trial could choose other kernels, whose sums round otherwise.
  const kernels = self.engine.reports.findLast((report) => report.type === 'update' && report.kernels !== null)?.kernels ?? null;
  if (retuned) await ask({ type: 'retune', config: retuned }, 'retuned');
  const { checkpoint } = await ask({ type: 'checkpoint', request: 1 }, 'checkpoint');
  const rest = await run({ type: 'continue', stop: null });
  const whole = await ask({ type: 'parameters', request: 2 }, 'parameters');
  const again = await run({ type: 'resume', run: 2, checkpoint: checkpoint.bytes, engine: { ...engine, kernels }, stop: null });
  const resumed = self.engine.reports.find((report) => report.type === 'resumed');
  const repeated = await ask({ type: 'parameters', request: 3 }, 'parameters');
  const same = whole.values.length === repeated.values.length && whole.values.every((value, place) => Object.is(value, repeated.values[place]));
  const moved = whole.values.some((value) => value !== 0);
  return { before, rest, again, checkpoint: { ...checkpoint, bytes: checkpoint.bytes.length }, resumed, same: same && moved, step: whole.step };
}

function checkTwice({ before, rest, again, checkpoint, resumed, same, step }, config) {
  assert.equal(checkpoint.step, before.steps.length);
  assert.equal(checkpoint.samples_seen, before.steps.at(-1).samples_seen);
  assert.equal(resumed.step, checkpoint.step);
  assert.equal(resumed.samplesSeen, checkpoint.samples_seen);
  assert.deepEqual(resumed.config, config);
  assert.ok(rest.steps.length > 2, `only ${rest.steps.length} steps after the checkpoint`);
  assert.equal(rest.phase, 'finished');
  assert.deepEqual(again.steps, rest.steps);
  assert.deepEqual(again.evaluations, rest.evaluations);
  assert.equal(step, rest.steps.at(-1).step);
  assert.ok(same, 'other parameters');
}

test('a run that goes on from a checkpoint makes the same steps to the bit', browserTest(), async (t) => {
  const { evaluate } = await openEngine(t, { images: SMALL_TEST_SET });
  for (const model of ['logistic', 'mlp', 'cnn']) {
    const config = { ...CONFIG, model, sample_budget: model === 'cnn' ? 1500 : 8000 };
    checkTwice(await evaluate(runTwice, { config, engine: CPU, stop: { steps: 5 } }), config);
  }
});

test('so does one whose settings were changed before the checkpoint, and one with another optimizer', browserTest(), async (t) => {
  const { evaluate } = await openEngine(t, { images: SMALL_TEST_SET });
  const retuned = { ...CONFIG, learning_rate: 0.01, test: { ...CONFIG.test, eta: 0.7 }, min_batch: 40, sample_budget: 9000 };
  const checked = await evaluate(runTwice, { config: CONFIG, retuned, engine: CPU, stop: { steps: 3 } });
  checkTwice(checked, retuned);
  assert.equal(checked.rest.steps[0].samples, 40, 'the next batch is as large as the new settings ask');
  assert.equal(checked.rest.steps[0].learning_rate, 0.01);
  const adam = { ...CONFIG, optimizer: { name: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.001 }, learning_rate: 0.001 };
  checkTwice(await evaluate(runTwice, { config: adam, engine: CPU, stop: { steps: 4 } }), adam);
});

test('settings that change while a step is under way hold from the next one on', browserTest(), async (t) => {
  const config = { ...CONFIG, model: 'mlp', initial_batch: 5000, max_batch: 5000, sample_budget: 15_000 };
  const inside = ({ type, phase, done, total }) => type === 'update' && phase === 'running' && done > 0 && done < total;
  const retune = commandAfter(inside, { type: 'retune', config: { ...config, learning_rate: 0.001 } });
  const { evaluate } = await openEngine(t, { images: SMALL_TEST_SET, server: { replace: beforeWorker(tickingClock(10) + retune) } });
  const { retuned, steps } = await evaluate(async ({ config, engine }) => {
    const { steps } = await self.engine.run({ type: 'begin', run: 1, config, engine, stop: null, parameters: null });
    return { retuned: (await self.engine.next('retuned')).retuned, steps };
  }, { config, engine: CPU });
  assert.deepEqual([retuned.step, retuned.samples_seen], [2, 5000]);
  assert.deepEqual(steps.map((step) => step.learning_rate), [0.02, 0.001, 0.001]);
});

test('settings that cannot change in a run are refused in words, and nothing changes', browserTest(), async (t) => {
  const { ask, run, evaluate } = await openEngine(t, { images: SMALL_TEST_SET });
  const refusal = async (config) => (await ask({ type: 'retune', config }, 'refused-retune')).message;
  assert.equal(await refusal(CONFIG), 'No run has settings to change.');
  await run({ type: 'begin', run: 1, config: CONFIG, engine: CPU, stop: { steps: 2 }, parameters: null });
  assert.equal(await refusal({ ...CONFIG, seed: 6 }), 'Seed cannot change during a run: start a new run to change it.');
  assert.match(await refusal({ ...CONFIG, model: 'mlp' }), /^Model cannot change/);
  assert.match(await refusal({ ...CONFIG, test: { name: 'orthogonality', nu: 1 } }), /^Test cannot change/);
  assert.match(await refusal({ ...CONFIG, learning_rate: 0 }), /^Learning_rate is 0, but must be a number above 0/);
  const more = await run({ type: 'continue', stop: { steps: 1 } });
  assert.equal(more.steps[0].learning_rate, CONFIG.learning_rate);
  const early = await evaluate(async (config) => {
    self.engine.send({ type: 'retune', config });
    return (await self.engine.next('retuned')).retuned;
  }, { ...CONFIG, controller: { name: 'adadagrad', growth_cap: null, window: 1, window_kind: 'sliding' } });
  assert.equal(early.step, 4, 'what may change, does');
});

test('a run can stop at the step that makes the batch grow', browserTest(), async (t) => {
  const { run } = await openEngine(t, { images: SMALL_TEST_SET });
  const config = { ...CONFIG, controller: { name: 'adadagrad', growth_cap: 1.3, window: 1, window_kind: 'sliding' } };
  let steps = (await run({ type: 'begin', run: 1, config, engine: CPU, stop: 'growth', parameters: null })).steps;
  let waited = 0;
  for (let stop = 0; stop < 4; stop += 1) {
    const [last, others] = [steps.at(-1), steps.slice(0, -1)];
    waited += others.length;
    assert.ok(last.next_batch > last.samples, `stopped at ${last.samples}, then ${last.next_batch}`);
    assert.ok(others.every((step) => step.next_batch === step.samples), 'it stopped late');
    steps = (await run({ type: 'continue', stop: 'growth' })).steps;
  }
  assert.ok(waited > 0, 'the batch grew with every step');
});

test('questions are answered: drawings, parameters, test images', browserTest(), async (t) => {
  const { ask, run, evaluate } = await openEngine(t, { images: SMALL_TEST_SET });
  const pixels = [...new Uint8Array(784)];
  const nothing = await evaluate((drawing) => self.engine.ask({ type: 'classify', request: 1, pixels: Uint8Array.from(drawing) }, 'classified'), pixels);
  assert.deepEqual([nothing.step, nothing.probabilities], [null, null]);
  assert.equal((await ask({ type: 'parameters', request: 2 }, 'parameters')).values, null);
  assert.equal((await ask({ type: 'checkpoint', request: 3 }, 'checkpoint')).checkpoint, null);
  assert.equal((await ask({ type: 'test-image', request: 4, sample: TEST_IMAGES }, 'test-image')).pixels, null);
  await run({ type: 'begin', run: 1, config: CONFIG, engine: CPU, stop: null, parameters: null });
  const [images, labels] = [await idx('t10k-images-idx3-ubyte', 16), await idx('t10k-labels-idx1-ubyte', 8)];
  const answers = await evaluate(async (samples) => {
    const answers = [];
    for (const sample of samples) {
      const { pixels } = await self.engine.ask({ type: 'test-image', request: sample, sample }, 'test-image');
      const { step, probabilities } = await self.engine.ask({ type: 'classify', request: sample, pixels }, 'classified');
      answers.push({ pixels: [...pixels], step, probabilities: [...probabilities] });
    }
    return answers;
  }, Array.from({ length: 50 }, (_, sample) => sample));
  const right = answers.filter(({ pixels: found, step, probabilities }, sample) => {
    assert.deepEqual(found, [...images.subarray(sample * 784, (sample + 1) * 784)]);
    assert.ok(step > 10);
    const sum = probabilities.reduce((one, other) => one + other, 0);
    assert.ok(Math.abs(sum - 1) < 1e-5, `probabilities add up to ${sum}`);
    return probabilities.indexOf(Math.max(...probabilities)) === labels[sample];
  });
  assert.ok(right.length >= 40, `${right.length} of 50 right`);
  const { step, model, length } = await evaluate(async () => {
    const { step, model, values } = await self.engine.ask({ type: 'parameters', request: 9 }, 'parameters');
    return { step, model, length: values.length };
  });
  assert.deepEqual([step, model.name, model.parameters, length], [answers[0].step, 'logistic', 7850, 7850]);
});

/** The values of one of the page's data files. */
async function idx(name, header, dataset = 'mnist') {
  return gunzipSync(await readFile(join(pageFolder, 'data', dataset, `${name}.gz`))).subarray(header);
}

/** Several micro-batches, and more mistakes than are shown. */
const TESTED = 2000;

test('a look goes through the whole test set, beside training and after it', browserTest(), async (t) => {
  const { evaluate } = await openEngine(t, { images: { test: TESTED } });
  const labels = (await idx('t10k-labels-idx1-ubyte', 8)).subarray(0, TESTED);
  const { beside, evaluations, last, images, expected } = await evaluate(async ({ config, engine }) => {
    const { ask, send, run, next, worker } = self.engine;
    send({ type: 'look', on: true });
    // A run that goes on until it has been looked at.
    const beside = await ask({ type: 'begin', run: 1, config: { ...config, sample_budget: 1_000_000_000 }, engine, stop: null, parameters: null }, 'look', ({ look }) => look.step > 0);
    const { steps, evaluations } = await run({ type: 'begin', run: 2, config, engine, stop: null, parameters: null });
    const end = steps.at(-1).step;
    const last = await next('look', ({ run: of, look }) => of === 2 && look.step === end);
    const expected = [];
    for (const { sample } of last.look.mistakes.slice(0, 3)) {
      worker.postMessage({ type: 'test-image', request: sample, sample });
      expected.push([...(await next('test-image', { request: sample })).pixels]);
    }
    return { beside: beside.look, evaluations, last: last.look, images: [...last.images.subarray(0, 3 * 784)], expected: expected.flat() };
  }, { config: { ...CONFIG, model: 'mlp', sample_budget: 20_000, evaluate_every: 20_000 }, engine: CPU });
  assert.equal(beside.samples, TESTED, 'beside training');
  assert.equal(last.samples, TESTED);
  assert.equal(last.correct / TESTED, evaluations.at(-1).accuracy);
  const sum = (numbers) => numbers.reduce((one, other) => one + other, 0);
  for (let label = 0; label < 10; label += 1) {
    assert.equal(sum(last.confusion.slice(label * 10, label * 10 + 10)), labels.filter((other) => other === label).length);
  }
  assert.equal(sum(last.confusion.filter((_, place) => place % 11 === 0)), last.correct);
  assert.equal(last.mistakes.length, 24);
  last.mistakes.forEach(({ sample, label, predicted, probability }, place) => {
    assert.equal(label, labels[sample]);
    assert.notEqual(label, predicted);
    assert.ok(probability <= (last.mistakes[place - 1]?.probability ?? 1) && probability > 0.5, `${probability}`);
  });
  assert.deepEqual(images, expected);
});

test('the images of the batch are those that the step learns from, not too many and not too often', browserTest(), async (t) => {
  const { evaluate } = await openEngine(t, { images: SMALL_TEST_SET });
  const train = await idx('train-images-idx3-ubyte', 16);
  const labels = await idx('train-labels-idx1-ubyte', 8);
  const { initSync, visited_samples: visitedSamples } = await import(join(package_, 'adadagrad_web.js'));
  initSync({ module: await readFile(join(package_, 'adadagrad_web_bg.wasm')) });
  const config = { ...CONFIG, test: { ...CONFIG.test, eta: 0.1 }, sample_budget: 200_000, max_batch: 512 };
  const { shown, often, milliseconds } = await evaluate(async ({ config, engine }) => {
    const { send, run, next } = self.engine;
    send({ type: 'mosaic', on: true, most: 100 });
    await run({ type: 'begin', run: 1, config, engine, stop: { steps: 6 }, parameters: null });
    const shown = [await next('mosaic', { step: 7 })];
    self.engine.worker.postMessage({ type: 'mosaic', on: true, most: 2000 });
    await run({ type: 'continue', stop: { steps: 1 } });
    shown.push(await next('mosaic', { step: 8 }));
    const begun = performance.now();
    await run({ type: 'continue', stop: null });
    const often = self.engine.reports.filter((report) => report.type === 'mosaic').length;
    const milliseconds = performance.now() - begun;
    return { shown: shown.map((mosaic) => ({ ...mosaic, pixels: self.engine.base64(mosaic.pixels), classes: [...mosaic.classes] })), often, milliseconds };
  }, { config, engine: CPU });
  const [small, large] = shown;
  assert.deepEqual([small.batch, small.count, small.shape], [512, 100, { channels: 1, height: 28, width: 28 }]);
  assert.deepEqual([large.batch, large.count, large.shape], [512, 512, { channels: 1, height: 14, width: 14 }]);
  for (const { step, batch, count, shape, pixels: sent, classes } of shown) {
    const pixels = [...Buffer.from(sent, 'base64')];
    const side = shape.width;
    // Eight, then twice as many with each step.
    const position = step === 7 ? 8 * 63 : 8 * 127;
    visitedSamples(config, FEW.training, position, count).forEach((sample, place) => {
      const image = train.subarray(sample * 784, (sample + 1) * 784);
      assert.deepEqual(pixels.slice(place * side * side, (place + 1) * side * side), smaller(image, side), `image ${place}`);
    });
    // The classes are those of the whole batch, not of what is drawn.
    const expected = Array(10).fill(0);
    for (const sample of visitedSamples(config, FEW.training, position, batch)) expected[labels[sample]] += 1;
    assert.deepEqual(classes, expected);
  }
  assert.ok(often <= milliseconds / 250 + 2, `${often} mosaics in ${milliseconds} ms`);
});

/** Each pixel the rounded mean of those that it covers. */
function smaller(image, side) {
  const cell = 28 / side;
  return Array.from({ length: side * side }, (_, place) => {
    const [row, column] = [Math.floor(place / side) * cell, (place % side) * cell];
    let sum = 0;
    for (let y = 0; y < cell; y += 1) for (let x = 0; x < cell; x += 1) sum += image[(row + y) * 28 + column + x];
    return Math.round(sum / (cell * cell));
  });
}

test('on WebGPU too a run goes on from a checkpoint, and either engine goes on with the other’s', browserTest(), async (t) => {
  const { evaluate } = await openEngine(t, { webgpu: true, images: SMALL_TEST_SET });
  const config = { ...CONFIG, sample_budget: 2200, evaluate_every: 1000, test: { ...CONFIG.test, eta: 0.3 }, max_batch: 200 };
  checkTwice(await evaluate(runTwice, { config, engine: WEBGPU, stop: { steps: 4 } }), config);
  // At the largest batch steps are under way ahead of the one that is weighed.
  const retuned = { ...config, learning_rate: 0.01 };
  checkTwice(await evaluate(runTwice, { config, retuned, engine: WEBGPU, stop: { steps: 9 } }), retuned);
  const { gpu, cpu, back } = await evaluate(async ({ config, engines: [webgpu, cpu] }) => {
    const { run, ask } = self.engine;
    await run({ type: 'begin', run: 1, config, engine: webgpu, stop: { steps: 8 }, parameters: null });
    const { checkpoint } = await ask({ type: 'checkpoint', request: 1 }, 'checkpoint');
    const onGpu = await run({ type: 'continue', stop: null });
    const onCpu = await run({ type: 'resume', run: 2, checkpoint: checkpoint.bytes, engine: cpu, stop: null });
    const half = await run({ type: 'resume', run: 3, checkpoint: checkpoint.bytes, engine: cpu, stop: { steps: 2 } });
    const other = await ask({ type: 'checkpoint', request: 2 }, 'checkpoint');
    const back = await run({ type: 'resume', run: 4, checkpoint: other.checkpoint.bytes, engine: webgpu, stop: null });
    return { gpu: onGpu.steps, cpu: onCpu.steps, back: [...half.steps, ...back.steps] };
  }, { config, engines: [WEBGPU, CPU] });
  const outline = (steps) => steps.map(({ step, samples, samples_seen }) => [step, samples, samples_seen]);
  for (const others of [cpu, back]) {
    assert.deepEqual(outline(others), outline(gpu));
    others.forEach(({ loss }, place) => assert.ok(Math.abs(loss - gpu[place].loss) < 1e-4, `step ${others[place].step}: ${loss}, ${gpu[place].loss}`));
  }
});

test('a GPU that is paused inside a step gives a checkpoint of the last one', browserTest(), async (t) => {
  const batch = 2500;
  // In the second step.
  const inside = ({ type, phase, steps, done, total }) => {
    if (type !== 'update') return false;
    self.stepsMade = (self.stepsMade ?? 0) + steps.length;
    return self.stepsMade === 1 && phase === 'running' && done > 0 && done < total;
  };
  const replace = beforeWorker(tickingClock(10) + commandAfter(inside, { type: 'pause' }));
  const { evaluate } = await openEngine(t, { webgpu: true, images: SMALL_TEST_SET, server: { replace } });
  const config = { ...CONFIG, model: 'mlp', initial_batch: batch, max_batch: batch, sample_budget: 3 * batch, test: null, controller: { name: 'constant' } };
  const { checkpoint, paused, rest, again } = await evaluate(async ({ config, engine }) => {
    const { run, ask } = self.engine;
    await run({ type: 'begin', run: 1, config, engine, stop: { steps: 1 }, parameters: null });
    const { kernels } = self.engine.reports.findLast((report) => report.type === 'update' && report.kernels !== null);
    await run({ type: 'continue', stop: null });
    const paused = self.engine.reports.findLast((report) => report.type === 'update' && report.phase === 'paused');
    const { checkpoint } = await ask({ type: 'checkpoint', request: 1 }, 'checkpoint');
    const rest = await run({ type: 'continue', stop: null });
    const again = await run({ type: 'resume', run: 2, checkpoint: checkpoint.bytes, engine: { ...engine, kernels }, stop: null });
    return { checkpoint: { ...checkpoint, bytes: null }, paused, rest, again };
  }, { config, engine: WEBGPU });
  assert.ok(paused.done > 0 && paused.done < paused.total, `not inside a step: ${paused.done} of ${paused.total}`);
  assert.deepEqual([checkpoint.step, checkpoint.samples_seen], [1, batch]);
  assert.deepEqual(rest.steps.map(({ step }) => step), [2, 3]);
  assert.deepEqual(again.steps, rest.steps);
});

for (const [engine, flags] of [[CPU, {}], [WEBGPU, { webgpu: true }]]) {
  test(`a measurement that is due at a checkpoint is made when the run goes on: ${engine.choice}`, browserTest(), async (t) => {
    const inside = ({ type, run, phase, activity }) => type === 'update' && run === 1 && phase === 'running' && activity === 'evaluating';
    const replace = beforeWorker(tickingClock(10) + commandAfter(inside, { type: 'pause' }));
    const { evaluate } = await openEngine(t, { images: { test: 3000 }, server: { replace }, ...flags });
    const config = { ...CONFIG, model: 'mlp', initial_batch: 100, max_batch: 100, sample_budget: 400, evaluate_every: 200, test: null, controller: { name: 'constant' } };
    const { paused, checkpoint, rest, again } = await evaluate(async ({ config, engine }) => {
      const { run, ask } = self.engine;
      const paused = await run({ type: 'begin', run: 1, config, engine, stop: null, parameters: null });
      const { checkpoint } = await ask({ type: 'checkpoint', request: 1 }, 'checkpoint');
      const rest = await run({ type: 'continue', stop: null });
      const again = await run({ type: 'resume', run: 2, checkpoint: checkpoint.bytes, measures: checkpoint.measures, engine, stop: null });
      return { paused, checkpoint: [checkpoint.step, checkpoint.measures], rest, again };
    }, { config, engine });
    assert.deepEqual([paused.phase, paused.steps.length, paused.evaluations], ['paused', 2, []]);
    assert.deepEqual(checkpoint, [2, true]);
    assert.deepEqual(rest.evaluations.map(({ step }) => step), [2, 4]);
    assert.deepEqual([again.steps, again.evaluations], [rest.steps, rest.evaluations]);
  });
}

test('whoever gets a checkpoint was told of every step before it', browserTest(), async (t) => {
  // Once the first step was told, the worker no longer asks the GPU how far it is, which goes on by itself, to the end.
  const unasked = `
    let asksNoMore = false;
    const questions = [];
    const later = self.setTimeout.bind(self);
    self.setTimeout = (act, milliseconds, ...values) => (asksNoMore && milliseconds <= 20 ? questions.push(act) : later(act, milliseconds, ...values));
    self.askAgain = () => {
      asksNoMore = false;
      for (const act of questions.splice(0)) act();
    };`;
  const prelude = unasked + afterReport(({ type, steps }) => type === 'update' && steps.some(({ step }) => step === 1), '() => (asksNoMore = true)', 2);
  const { page, evaluate } = await openEngine(t, { webgpu: true, images: SMALL_TEST_SET, server: keepDevices(prelude) });
  const config = { ...CONFIG, initial_batch: 8, max_batch: 8, sample_budget: 1600, test: null, controller: { name: 'constant' } };
  for (const pauses of [false, true]) {
    await evaluate(async ({ config, engine }) => {
      self.engine.send({ type: 'begin', run: 1, config, engine, stop: null, parameters: null });
      await self.engine.next('update', ({ steps }) => steps.length > 0);
    }, { config, engine: WEBGPU });
    await gpuRests(page);
    const { early, told, measured, checkpoint } = await evaluate(async (pauses) => {
      const updates = () => self.engine.reports.filter(({ type }) => type === 'update');
      const steps = () => updates().flatMap(({ steps }) => steps.map(({ step }) => step));
      const early = steps();
      if (pauses) self.engine.worker.postMessage({ type: 'pause' });
      self.engine.worker.postMessage({ type: 'checkpoint', request: 1 });
      const { checkpoint } = await self.engine.next('checkpoint');
      return { early, told: steps(), measured: updates().flatMap(({ evaluations }) => evaluations.map(({ step }) => step)), checkpoint: checkpoint.step };
    }, pauses);
    assert.ok(early.length < checkpoint, 'the worker was told of every step without a checkpoint');
    assert.deepEqual(told, Array.from({ length: checkpoint }, (_, index) => index + 1));
    assert.deepEqual(measured, [checkpoint], 'the measurement at the end');
    await trainingWorker(page).evaluate(() => self.askAgain());
  }
});

test('a look sees what a GPU has learned', browserTest(), async (t) => {
  const { evaluate } = await openEngine(t, { webgpu: true, images: SMALL_TEST_SET });
  const config = { ...CONFIG, sample_budget: 4000, test: { ...CONFIG.test, eta: 0.3 }, max_batch: 64 };
  const { looks, accuracy } = await evaluate(async ({ config, engine }) => {
    const { send, run } = self.engine;
    send({ type: 'look', on: true });
    const looks = [];
    let accuracy = null;
    for (const stop of [{ steps: 20 }, { steps: 7 }, null]) {
      const command = stop?.steps === 20 ? { type: 'begin', run: 1, config, engine, stop, parameters: null } : { type: 'continue', stop };
      const { steps, evaluations } = await run(command);
      accuracy = evaluations.at(-1)?.accuracy ?? accuracy;
      const wanted = steps.at(-1).step;
      looks.push((await self.engine.next('look', ({ look }) => look.step === wanted)).look);
    }
    return { looks, accuracy };
  }, { config, engine: WEBGPU });
  assert.deepEqual(looks.slice(0, 2).map((look) => look?.step), [20, 27]);
  assert.ok(Math.abs(looks[2].correct / TEST_IMAGES - accuracy) <= 1 / TEST_IMAGES, `${looks[2].correct} of ${TEST_IMAGES}, measured ${accuracy}`);
});

test('a run begins with the parameters of a file, and says what is wrong with it', browserTest(), async (t) => {
  const { evaluate, ask } = await openEngine(t, { images: SMALL_TEST_SET });
  const config = { ...CONFIG, sample_budget: 8000 };
  const { first, other, saved } = await evaluate(async ({ config, engine }) => {
    const { run, ask } = self.engine;
    await run({ type: 'begin', run: 1, config, engine, stop: null, parameters: null });
    const { checkpoint } = await ask({ type: 'checkpoint', request: 1 }, 'checkpoint');
    const trained = await run({ type: 'begin', run: 2, config, engine, stop: { steps: 1 }, parameters: checkpoint.bytes });
    const untrained = await run({ type: 'begin', run: 3, config, engine, stop: { steps: 1 }, parameters: null });
    return { first: trained.steps[0], other: untrained.steps[0], saved: self.engine.base64(checkpoint.bytes) };
  }, { config, engine: CPU });
  assert.deepEqual([first.step, first.samples], [1, 8]);
  assert.ok(first.loss < 1 && other.loss > 2, `${first.loss}, ${other.loss}`);
  const { header, data } = unpack(Buffer.from(saved, 'base64'));
  assert.deepEqual(header['1.weight'].shape, [10, 784]);
  assert.deepEqual(Object.keys(header).sort(), ['1.bias', '1.weight', '__metadata__', 'optimizer.0.1.bias', 'optimizer.0.1.weight']);

  const begin = (bytes, changes) => evaluate(async ({ config, engine, bytes }) => {
    const parameters = self.engine.bytes(bytes);
    return self.engine.run({ type: 'begin', run: 4, config, engine, stop: { steps: 1 }, parameters }).then(({ steps }) => steps[0].loss, (error) => error.message);
  }, { config: { ...config, ...changes }, engine: CPU, bytes: Buffer.from(bytes).toString('base64') });
  // As PyTorch writes it: parameters alone.
  const tensors = Object.fromEntries(['1.bias', '1.weight'].map((name) => [name, header[name]]));
  const end = Math.max(...Object.values(tensors).map(({ data_offsets: [, last] }) => last));
  const alone = pack({ __metadata__: { format: 'pt' }, ...tensors }, data.subarray(0, end));
  assert.equal(await begin(alone), first.loss);
  assert.match(await begin(alone, { model: 'mlp' }), /^The tensor 1\.weight has the shape \[10, 784\], but \[128, 784\] is expected\.$/);
  assert.match(await begin(alone.subarray(0, 100)), /^Not a valid safetensors file: its header is longer than the file\.$/);
  assert.match(await begin(pack(header, data.subarray(0, 1000))), /^Not a valid safetensors file: the header places the tensor .* beyond the end of the file\.$/);
  assert.match(await begin(new TextEncoder().encode('<!doctype html><html>')), /^Not a valid safetensors file/);
  // As others name them, with a tensor that is none of a layer's, and as version 1 of the files did.
  const named = Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name.replace('1.', 'module.net.10.'), tensor]));
  const counter = { dtype: 'I64', shape: [], data_offsets: [end, end + 8] };
  assert.equal(await begin(pack({ ...named, 'module.steps': counter }, data.subarray(0, end + 8))), first.loss);
  const half = { ...tensors, '1.bias': { ...tensors['1.bias'], dtype: 'I32' } };
  assert.match(await begin(pack(half, data)), /has values of type I32, but F32, F16, BF16 or F64 is expected\.$/);
  const resume = async (bytes) => evaluate(async ({ engine, bytes }) => {
    return self.engine.run({ type: 'resume', run: 5, checkpoint: self.engine.bytes(bytes), engine, stop: null }).then(() => 'went on', (error) => error.message);
  }, { engine: CPU, bytes: Buffer.from(bytes).toString('base64') });
  assert.equal(await resume(alone), 'The file contains parameters, but not the state of a run: only a new run can start from them.');
  const state = JSON.parse(header.__metadata__.adadagrad);
  const changed = (changes) => pack({ ...header, __metadata__: { adadagrad: JSON.stringify({ ...state, ...changes }) } }, data);
  assert.equal(await resume(changed({ config: { ...state.config, dataset: 'fashion_mnist' } })), 'Its run was trained on fashion_mnist, but mnist is loaded.');
  assert.equal(await resume(changed({ training_samples: 10 })), `Its run was trained on 10 samples, but the loaded data set has ${FEW.training}.`);
  assert.equal(await resume(changed({ training_data: '00'.repeat(32) })), 'Its run was trained on other data than the data set that is loaded.');
  assert.equal(await resume(changed({ version: 4 })), 'The checkpoint has version 4, but this program reads versions 1 to 3.');
  assert.match(await resume(changed({ progress: { ...state.progress, next_batch: 0 } })), /^The run's state is inconsistent/);
  // Numbers that no program can hold.
  const written = (field, number) => {
    const text = header.__metadata__.adadagrad.replace(new RegExp(`("${field}":)[^,}]+`), `$1${number}`);
    return pack({ ...header, __metadata__: { adadagrad: text } }, data);
  };
  assert.match(await resume(written('next_batch', '1e400')), /is not a valid run state: progress\.next_batch is /);
  assert.match(await resume(written('initial_batch', '-1')), /is not a valid run state: config\.initial_batch is /);
  assert.match(await resume(written('learning_rate', '1e400')), /learning.rate/i);
  const old = Object.fromEntries(Object.entries(header).map(([name, tensor]) => [name.replace('1.', 'layers.0.'), tensor]));
  const { training_data: digest, ...first_version } = { ...state, version: 1 };
  assert.match(digest, /^[0-9a-f]{64}$/);
  assert.equal(await resume(pack({ ...old, __metadata__: { adadagrad: JSON.stringify(first_version) } }, data)), 'went on');
  assert.equal(await resume(changed({})), 'went on');
  assert.equal((await ask({ type: 'checkpoint', request: 8 }, 'checkpoint')).checkpoint.step, state.progress.steps);
});

/** A safetensors file's header and data, without our own code. */
function unpack(bytes) {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  assert.equal(length % 8, 0);
  return { header: JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))), data: bytes.subarray(8 + length) };
}

function pack(header, data) {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

test('files of the visitor’s own are told apart, whatever their order and names', browserTest(), async (t) => {
  const { start, run, evaluate } = await openEngine(t, { images: SMALL_TEST_SET });
  const files = await ownFiles({ train: 300, test: 100 });
  const { dataset, trainingSamples, testSamples } = await start({ files: [files[3], files[0], files[2], files[1]] });
  assert.deepEqual([dataset, trainingSamples, testSamples], ['own', 300, 100]);
  const config = { ...CONFIG, dataset: 'own', max_batch: 300, sample_budget: 6000 };
  const { evaluations } = await run({ type: 'begin', run: 1, config, engine: CPU, stop: null, parameters: null });
  assert.ok(evaluations.at(-1).accuracy > 0.6, `${evaluations.at(-1).accuracy}`);
  const other = await evaluate(({ config, engine }) => {
    return self.engine.run({ type: 'begin', run: 2, config, engine, stop: null, parameters: null }).catch((error) => error.message);
  }, { config: { ...config, dataset: 'mnist' }, engine: CPU });
  assert.equal(other, 'Dataset is mnist, but own is loaded.');
  // Packed, under names that tell nothing: the larger ones are for training.
  const packed = files.map(({ bytes }, place) => ({ name: `${'dbca'[place]}.bin`, bytes: place % 2 === 0 ? gzipSync(bytes) : bytes }));
  const ready = await start({ files: packed });
  assert.deepEqual([ready.trainingSamples, ready.testSamples], [300, 100]);
});

test('files as other programs leave them are the same data', browserTest(), async (t) => {
  const { start, run } = await openEngine(t, { images: SMALL_TEST_SET });
  const files = await ownFiles({ train: 300, test: 100 });
  const config = { ...CONFIG, dataset: 'own', max_batch: 300, sample_budget: 2000 };
  const trained = async (changed) => {
    const { trainingSamples, testSamples } = await start({ files: changed });
    assert.deepEqual([trainingSamples, testSamples], [300, 100]);
    const { steps, evaluations } = await run({ type: 'begin', run: 1, config, engine: CPU, stop: null, parameters: null });
    return { steps, evaluations };
  };
  const expected = await trained(files);
  const renamed = (rename, change) => files.map(({ name, bytes }) => ({ name: rename(name), bytes: change(bytes) }));
  const zeros = Buffer.alloc(64);
  // Padded by a tape or an archive, in two members.
  const packed = (bytes) => Buffer.concat([gzipSync(bytes.subarray(0, 40)), gzipSync(bytes.subarray(40)), zeros]);
  assert.deepEqual(await trained(renamed((name) => `${name}.gz`, packed)), expected);
  // As torchvision leaves them, beside files that are something else.
  const others = [{ name: 'train-images.csv', bytes: zeros }, { name: 'xnist-images-idx3-ubyte', bytes: zeros }];
  const both = [...others, ...renamed((name) => `${name}.gz`, () => zeros), ...renamed((name) => name, (bytes) => Buffer.concat([bytes, zeros]))];
  assert.deepEqual(await trained(both), expected);
  const emnist = (name) => `emnist-digits-${name.replace('t10k', 'test')}`;
  assert.deepEqual(await trained(renamed(emnist, onTheirSides)), expected);
  const qmnist = (name) => `qmnist-${name.replace('t10k', 'test').replace('idx1-ubyte', 'idx2-int')}`;
  assert.deepEqual(await trained(renamed(qmnist, withWideLabels)), expected);
});

/** EMNIST's images lie on their sides; labels stay as they are. */
function onTheirSides(bytes) {
  if (bytes[3] !== 3) return bytes;
  const turned = Buffer.from(bytes);
  const side = 28;
  for (let place = 16; place < bytes.length; place += 1) {
    const image = place - ((place - 16) % (side * side));
    const [row, column] = [Math.floor((place - image) / side), (place - image) % side];
    turned[image + column * side + row] = bytes[place];
  }
  return turned;
}

/** QMNIST has eight 32-bit numbers per label; images stay as they are. */
function withWideLabels(bytes) {
  if (bytes[3] !== 1) return bytes;
  const header = Buffer.from([0, 0, 0x0c, 2, ...bytes.subarray(4, 8), 0, 0, 0, 8]);
  const rows = [...bytes.subarray(8)].map((label) => Buffer.from(Uint32Array.of(label, 4, 2426, 7, 46, 52_215, 0, 0).buffer).swap32());
  return Buffer.concat([header, ...rows]);
}

test('own files that cannot be used are refused with the file and the reason', browserTest(), async (t) => {
  const { start } = await openEngine(t, { images: SMALL_TEST_SET });
  const [images, labels, testImages, testLabels] = await ownFiles({ train: 30, test: 10 });
  const refusal = async (...files) => {
    const message = await start({ files }).then(() => 'no refusal', (error) => error.message);
    return message.replace(/^page\.evaluate: Error: /, '').split('\n')[0];
  };
  const damaged = (file, change) => {
    const bytes = Buffer.from(file.bytes);
    return { ...file, bytes: change(bytes) ?? bytes };
  };
  assert.match(await refusal(images, labels, testImages), /^Four files are needed.* t10k-labels-idx1-ubyte is missing\.$/);
  assert.match(await refusal(...[images, labels, testImages].map(({ bytes }, place) => ({ name: `${place}`, bytes }))), /^Four files are needed.*There are 3\.$/);
  assert.match(await refusal(images, labels, testImages, testImages), /^Two of the four files should hold images.*but there are 3\.$/);
  const page = { name: 'index.html', bytes: Buffer.from('<!doctype html>') };
  assert.match(await refusal(images, labels, testImages, page), /^index\.html is not an IDX file/);
  const wide = damaged(images, (bytes) => {
    bytes.writeUInt32BE(32, 12);
    return Buffer.concat([bytes, Buffer.alloc(30 * 28 * 4)]);
  });
  assert.match(await refusal(wide, labels, testImages, testLabels), /^The images in train-images-idx3-ubyte are 1×28×32 .*, but those in t10k-images-idx3-ubyte are 1×28×28\.$/);
  const short = damaged(testImages, (bytes) => bytes.subarray(0, -1));
  assert.match(await refusal(images, labels, short, testLabels), /^t10k-images-idx3-ubyte should hold 7856 bytes .* but it holds 7855\.$/);
  const eleventh = damaged(testLabels, (bytes) => void (bytes[8 + 4] = 10));
  assert.match(await refusal(images, labels, testImages, eleventh), /^Label 5 in t10k-labels-idx1-ubyte is 10, but the highest label for training is 9\.$/);
  const cut = damaged(images, (bytes) => gzipSync(bytes).subarray(0, -20));
  assert.match(await refusal(cut, labels, testImages, testLabels), /^train-images-idx3-ubyte cannot be unpacked/);
  const [, fewer] = await ownFiles({ train: 29, test: 10 });
  assert.match(await refusal(images, fewer, testImages, testLabels), /^train-images-idx3-ubyte holds 30 images, but train-labels-idx1-ubyte holds 29 labels\.$/);
  const twins = [images, labels, { ...images, name: 'a' }, { ...labels, name: 'b' }].map((file, place) => ({ ...file, name: `${'wxyz'[place]}` }));
  assert.match(await refusal(...twins), /^w and y have ambiguous names/);
});

/** The page's own data, fewer of them: training images and labels, test images and labels. */
async function ownFiles(counts) {
  const files = [];
  for (const [prefix, count] of [['train', counts.train], ['t10k', counts.test]]) {
    for (const [kind, header, bytesEach] of [['images-idx3', 16, 784], ['labels-idx1', 8, 1]]) {
      const name = `${prefix}-${kind}-ubyte`;
      const bytes = Buffer.from((await idx(name, 0)).subarray(0, header + count * bytesEach));
      bytes.writeUInt32BE(count, 4);
      files.push({ name, bytes });
    }
  }
  return files;
}

const noFashion = existsSync(join(pageFolder, 'data/fashion_mnist')) ? {} : { skip: 'the page was built without Fashion-MNIST' };

test('Fashion-MNIST is learned too', browserTest(noFashion), async (t) => {
  const { start, run, evaluate } = await openEngine(t);
  const { dataset, trainingSamples, testSamples } = await start({ dataset: 'fashion_mnist' });
  assert.deepEqual([dataset, trainingSamples, testSamples], ['fashion_mnist', 60_000, 10_000]);
  const { available } = await evaluate(() => self.engine.next('datasets'));
  assert.deepEqual(available, ['mnist', 'fashion_mnist', 'shakespeare']);
  const config = { ...CONFIG, dataset: 'fashion_mnist', model: 'mlp', sample_budget: 40_000, evaluate_every: 40_000 };
  const { evaluations } = await run({ type: 'begin', run: 1, config, engine: CPU, stop: null, parameters: null });
  assert.ok(evaluations.at(-1).accuracy > 0.7 && evaluations.at(-1).accuracy < 0.95, `${evaluations.at(-1).accuracy}`);
});
