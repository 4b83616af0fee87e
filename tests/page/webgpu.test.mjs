// WebGPU in the worker, on Chromium's software adapter: the same training as on the CPU, and the way back from
// trouble. Sizes are tiny, because that adapter is slow.
import assert from 'node:assert/strict';
import test from 'node:test';
import { loadModule } from './support/module.mjs';
import { browserTest, openPage } from './support/page.mjs';
import { afterReport, eventually, frames, turns } from './support/steady.mjs';
import { LOSE_ADAPTER, LOSE_DEVICE, adapterVanishes, deviceCount, gpuCounts, gpuRests, keepDevices } from './support/webgpu.mjs';

const TEST_IMAGES = 100;
const SMALL_TEST_SET = { test: TEST_IMAGES };

test('WebGPU makes the same steps as the CPU, and names its adapter', browserTest(), async (t) => {
  // Of all training images, so that the batch grows within these few steps.
  const opened = await openPage(t, { webgpu: true, images: { training: 60_000, test: TEST_IMAGES } });
  const { page, waitFor } = opened;
  await waitFor({ data: 'ready' });
  for (const [model, steps] of [['logistic', 6], ['mlp', 4], ['cnn', 3]]) {
    await page.getByLabel('Model', { exact: true }).selectOption(model);
    const gpu = await record(opened, 'WebGPU', steps);
    const cpu = await record(opened, 'CPU', steps);
    assert.equal(gpu.state.engine, 'webgpu');
    assert.match(gpu.state.adapter, /swiftshader/i);
    assert.ok(gpu.state.deviceBytes > 10_000, `${gpu.state.deviceBytes} bytes of device memory`);
    assert.match(gpu.line, /Runs on WebGPU \(google swiftshader, a software adapter\).*MB of GPU memory in addition to the data set/);
    assert.equal(cpu.state.engine, 'cpu');
    assert.match(cpu.line, /Runs on the CPU.*You chose the CPU\./);
    compare(model, gpu.steps, cpu.steps);
  }
});

/** Makes steps one by one on an engine. */
async function record({ page, read, button, waitFor }, engine, steps) {
  await chooseEngine(page, engine);
  const made = [];
  for (let step = 1; step <= steps; step += 1) {
    await button('Step').click();
    await waitFor({ step: String(step), phase: 'paused' });
    const { batch, nextBatch, loss, required } = await read();
    made.push({ batch, nextBatch, loss, required });
  }
  const state = await read();
  // What is said of a run that rests is said with the next frame.
  await frames(page, 2);
  const line = await page.locator('#engine').textContent();
  await button('Reset').click();
  await waitFor({ phase: 'idle', step: '0' });
  return { steps: made, state, line };
}

/** The same batch sizes; losses and required sizes as near as sums in f32 in another order come. */
function compare(what, gpu, cpu) {
  const sizes = (steps) => steps.map(({ batch, nextBatch }) => [batch, nextBatch]);
  assert.deepEqual(sizes(gpu), sizes(cpu), what);
  assert.ok(gpu.some(({ batch }) => batch > gpu[0].batch), `${what}: the batch never grew`);
  gpu.forEach(({ loss, required }, index) => {
    near(loss, cpu[index].loss, 1e-4, `${what}, loss of step ${index + 1}`);
    near(required, cpu[index].required, 1e-2, `${what}, required size of step ${index + 1}`);
  });
}

function near(found, expected, tolerance, what) {
  // NaN fails.
  assert.ok(Math.abs(found - expected) <= tolerance * Math.abs(expected), `${what}: ${found}, on the CPU ${expected}`);
}

/** The line about the engine follows a run a few times a second. */
function engineSays(page, pattern) {
  return eventually(() => page.locator('#engine').textContent(), (line) => assert.match(line, pattern));
}

function chooseEngine(page, name) {
  return page.locator('#engine-choice').getByText(name, { exact: true }).click();
}

test('a whole run on WebGPU: accuracy is measured, and agrees with the CPU’s', browserTest(), async (t) => {
  const { page, read, button, waitFor, set } = await openPage(t, { webgpu: true, images: SMALL_TEST_SET });
  await waitFor({ data: 'ready' });
  await page.getByLabel('Model', { exact: true }).selectOption('logistic');
  await set({ 'Sample budget': 2000 });
  const finish = async (engine) => {
    await chooseEngine(page, engine);
    await button('Start').click();
    await waitFor({ phase: 'finished' });
    const end = await read();
    await button('Reset').click();
    await waitFor({ phase: 'idle' });
    return end;
  };
  const gpu = await finish('WebGPU');
  const cpu = await finish('CPU');
  assert.ok(gpu.samplesSeen >= 2000);
  assert.ok(Math.abs(gpu.testAccuracy - cpu.testAccuracy) <= 2 / TEST_IMAGES, `${gpu.testAccuracy}, on the CPU ${cpu.testAccuracy}`);
  assert.ok(gpu.testAccuracy > 0.5, `${gpu.testAccuracy}`);
  near(gpu.loss, cpu.loss, 1e-2, 'the last loss');
});

test('Pause, Step and Reset are heard inside a step on the GPU', browserTest(), async (t) => {
  const { page, read, button, waitFor, set } = await openPage(t, { webgpu: true, images: { training: 20_000, test: TEST_IMAGES }, server: keepDevices() });
  await waitFor({ data: 'ready' });
  await page.getByLabel('Model', { exact: true }).selectOption('mlp');
  await set({ 'Largest batch': 20000, 'Initial batch': 20000, 'Sample budget': 600000 });
  await chooseEngine(page, 'WebGPU');
  const work = async () => {
    await page.waitForFunction(() => Number(document.getElementById('status').dataset.done) > 100);
  };
  await button('Start').click();
  await work();
  await button('Pause').click();
  await waitFor({ phase: 'paused' });
  const paused = await read();
  assert.equal(paused.step, 0);
  assert.ok(paused.done < paused.total, `not inside a step: ${paused.done} of ${paused.total}`);
  // What was on its way to the device is finished; then nothing more is submitted to it.
  await gpuRests(page);
  const { submitted } = await gpuCounts(page);
  await turns(page, 10);
  assert.equal((await gpuCounts(page)).submitted, submitted, 'work went on during the pause');
  await button('Resume').click();
  await page.waitForFunction((done) => Number(document.getElementById('status').dataset.done) > done, paused.done);
  await button('Reset').click();
  await waitFor({ phase: 'idle', step: '0' });
  await turns(page);
  assert.equal((await read()).phase, 'idle');
  await set({ 'Initial batch': 8 });
  for (const step of [1, 2, 3]) {
    await button('Step').click();
    await waitFor({ step: String(step), phase: 'paused' });
    await turns(page);
    assert.equal((await read()).step, step, 'Step makes exactly one step');
  }
});

test('Auto refuses a software adapter and says why', browserTest(), async (t) => {
  const { page, read, button, waitFor, waitForStep } = await openPage(t, { webgpu: true });
  await waitFor({ data: 'ready' });
  const why = /This browser offers only a software adapter \(google swiftshader\), which is slower than WebAssembly\./;
  assert.match(await page.locator('#engine-hint').textContent(), why);
  await button('Start').click();
  await waitForStep(1);
  assert.equal((await read()).engine, 'cpu');
  await button('Pause').click();
  await waitFor({ phase: 'paused' });
  await engineSays(page, why);
});

test('without an adapter both Auto and WebGPU compute on the CPU and say why', browserTest(), async (t) => {
  const { page, read, button, waitFor, waitForStep } = await openPage(t);
  await waitFor({ data: 'ready' });
  for (const [choice, beginning] of [['Auto', /Auto chose the CPU\./], ['WebGPU', /You chose WebGPU, but the run uses the CPU\./]]) {
    await chooseEngine(page, choice);
    assert.match(await page.locator('#engine-hint').textContent(), beginning);
    assert.match(await page.locator('#engine-hint').textContent(), /finds no GPU/);
    await button('Start').click();
    await waitForStep(1);
    assert.equal((await read()).engine, 'cpu');
    await engineSays(page, beginning);
    await button('Reset').click();
    await waitFor({ phase: 'idle' });
  }
});

test('a browser without WebGPU is told apart from one without an adapter', browserTest(), async (t) => {
  const remove = Buffer.from('delete WorkerNavigator.prototype.gpu;');
  const { page, waitFor } = await openPage(t, {
    server: { replace: (path, bytes) => (/worker.*\.js$/.test(path) ? Buffer.concat([remove, bytes]) : undefined) },
  });
  await waitFor({ data: 'ready' });
  assert.match(await page.locator('#engine-hint').textContent(), /This browser has no WebGPU\./);
});

/** Makes the worker see another adapter than SwiftShader, which computes all the same, while `isOn` says so. */
function pretend(info, isOn = () => true) {
  const getters = Object.entries(info).map(([key, value]) => `${key}: { get: () => ${JSON.stringify(value)} }`);
  const begin = Buffer.from(`Object.defineProperties(GPUAdapterInfo.prototype, { ${getters.join(', ')} });`);
  return { replace: (path, bytes) => (isOn() && /worker.*\.js$/.test(path) ? Buffer.concat([begin, bytes]) : undefined) };
}

test('Auto takes WebGPU where there is a hardware adapter', browserTest(), async (t) => {
  const info = { vendor: 'acme', architecture: 'rocket', isFallbackAdapter: false };
  let pretends = false;
  const opened = await openPage(t, { webgpu: true, images: SMALL_TEST_SET, server: pretend(info, () => pretends) });
  const { page, read, button, waitFor, waitForStep } = opened;
  await waitFor({ data: 'ready' });
  // A trial of kernels at a real GPU's sizes would take SwiftShader minutes: it gets what a small one found.
  await page.getByLabel('Model', { exact: true }).selectOption('logistic');
  await chooseEngine(page, 'WebGPU');
  await button('Start').click();
  await waitForStep(1);
  await chooseEngine(page, 'Auto');
  await page.waitForFunction(() => location.hash.includes('engine=auto'));
  await page.evaluate(() => {
    const kernels = localStorage.getItem('adadagrad.kernels.google swiftshader');
    localStorage.setItem('adadagrad.kernels.acme rocket', kernels);
  });
  pretends = true;
  await page.reload();
  await waitFor({ data: 'ready' });
  assert.match(await page.locator('#engine-hint').textContent(), /Auto chose WebGPU.*Adapter: acme rocket\./);
  await page.getByLabel('Model', { exact: true }).selectOption('logistic');
  await button('Start').click();
  await waitForStep(3);
  const { engine, adapter } = await read();
  assert.deepEqual({ engine, adapter }, { engine: 'webgpu', adapter: 'acme rocket' });
  await engineSays(page, /^Runs on WebGPU \(acme rocket\), in a worker/);
});

test('a software adapter that does not say that it is one is known by its name', browserTest(), async (t) => {
  const info = { vendor: 'mesa', architecture: '', description: 'llvmpipe (LLVM 19)', isFallbackAdapter: false };
  const { page, waitFor } = await openPage(t, { webgpu: true, server: pretend(info) });
  await waitFor({ data: 'ready' });
  assert.match(await page.locator('#engine-hint').textContent(), /only a software adapter \(llvmpipe \(LLVM 19\)\)/);
});

test('the choice is remembered, and an engine changed during a run counts from the next start', browserTest(), async (t) => {
  const { page, read, button, waitFor, waitForStep, set } = await openPage(t, { webgpu: true });
  await waitFor({ data: 'ready' });
  await page.getByLabel('Model', { exact: true }).selectOption('logistic');
  await set({ 'Sample budget': 100_000_000, 'Largest batch': 64 });
  await page.locator('#engine-auto').focus();
  await page.keyboard.press('ArrowRight');
  assert.ok(await page.getByRole('radio', { name: 'WebGPU' }).isChecked(), 'the choice follows the arrow keys');
  await button('Start').click();
  await waitForStep(3);
  await chooseEngine(page, 'CPU');
  assert.ok(await page.locator('#settings-pending').isVisible());
  const { step } = await read();
  await waitForStep(step + 2);
  assert.equal((await read()).engine, 'webgpu');
  await chooseEngine(page, 'WebGPU');
  assert.equal(await page.locator('#settings-pending').isVisible(), false);
  await page.reload();
  await waitFor({ data: 'ready' });
  assert.ok(await page.getByRole('radio', { name: 'WebGPU' }).isChecked());
});

test('the kernels that were chosen are remembered for the adapter', browserTest(), async (t) => {
  const { page, button, waitFor } = await openPage(t, { webgpu: true, images: SMALL_TEST_SET });
  await waitFor({ data: 'ready' });
  await page.getByLabel('Model', { exact: true }).selectOption('logistic');
  await chooseEngine(page, 'WebGPU');
  const key = 'adadagrad.kernels.google swiftshader';
  const stored = () => page.evaluate((key) => localStorage.getItem(key), key);
  const step = async () => {
    await button('Step').click();
    await waitFor({ step: '1', phase: 'paused', engine: 'webgpu' });
    await button('Reset').click();
    await waitFor({ phase: 'idle' });
  };
  assert.equal(await stored(), null);
  await step();
  const found = await stored();
  assert.ok(typeof JSON.parse(found).variants === 'object', found);
  // Another choice: were a new one made, it would be replaced.
  const [kernel, variant] = Object.entries(JSON.parse(found).variants)[0];
  const choice = JSON.parse(found);
  choice.variants[kernel] = variant === 'plain' ? 'tiles' : 'plain';
  const other = JSON.stringify(choice);
  await page.evaluate(([key, value]) => localStorage.setItem(key, value), [key, other]);
  await step();
  assert.equal(await stored(), other);
  await page.evaluate(([key, value]) => localStorage.setItem(key, value), [key, '{"version":0}']);
  await step();
  assert.ok(typeof JSON.parse(await stored()).variants === 'object', 'what cannot be used is replaced');
});

test('kernels that are remembered in a broken form are as none', async () => {
  const { recallKernels } = await loadModule('engine/memory.ts');
  const kept = { 'adadagrad.kernels.cut off': '{"version":', 'adadagrad.kernels.a number': '7', 'adadagrad.kernels.whole': '{"version":0}' };
  globalThis.localStorage = { getItem: (key) => kept[key] ?? null };
  assert.deepEqual(['cut off', 'a number', 'unknown', 'whole'].map(recallKernels), [null, null, null, { version: 0 }]);
});

/** A run of many small steps; `prelude`: what its worker runs first. */
async function longRun(t, prelude = '') {
  const opened = await openPage(t, { webgpu: true, images: SMALL_TEST_SET, server: keepDevices(prelude) });
  const { page, read, button, waitFor, set } = opened;
  await waitFor({ data: 'ready' });
  await page.getByLabel('Model', { exact: true }).selectOption('logistic');
  await set({ 'Growth cap': '1.02', 'Initial batch': 16, 'Sample budget': 5000 });
  await chooseEngine(page, 'WebGPU');
  await button('Start').click();
  await waitFor({ phase: 'finished' });
  await frames(page, 2);
  const notes = await page.locator('#engine-notes p').allTextContents();
  return { ...opened, end: await read(), notes, line: await page.locator('#engine').textContent() };
}

/** Whether a report tells of this step, or of one after it. */
const reaches = (step) => `({ type, steps }) => type === 'update' && (steps.at(-1)?.step ?? 0) >= ${step}`;

test('a run whose GPU is lost twice ends with the very same numbers; one whose GPU does not come back goes on with the CPU', browserTest(), async (t) => {
  const { end: expected, notes: calmNotes, page: calmPage } = await longRun(t);
  assert.deepEqual(calmNotes, []);
  assert.equal(await calmPage.locator('#engine-notes').isVisible(), false);
  assert.ok(expected.step > 80, `${expected.step} steps`);

  await t.test('lost twice', async () => {
    const lost = await longRun(t, [10, 60].map((step) => afterReport(reaches(step), LOSE_DEVICE)).join('\n'));
    const { step, batch, samplesSeen, loss, testAccuracy, engine } = lost.end;
    assert.deepEqual(
      { step, batch, samplesSeen, loss, testAccuracy, engine },
      {
        step: expected.step,
        batch: expected.batch,
        samplesSeen: expected.samplesSeen,
        loss: expected.loss,
        testAccuracy: expected.testAccuracy,
        engine: 'webgpu',
      },
    );
    assert.equal(await deviceCount(lost.page), 3, 'the first device, and one after each loss');
    assert.ok(lost.notes.length >= 1);
    for (const note of lost.notes) assert.match(note, /^The GPU was lost: [^.]*; (opening it again and repeating \d+ steps|trying again)\.$/);
  });

  await t.test('gone for good', async () => {
    const { end, notes, line, screenshot } = await longRun(t, afterReport(reaches(20), LOSE_ADAPTER));
    t.diagnostic(notes.join(' '));
    assert.equal(end.engine, 'cpu');
    assert.equal(end.phase, 'finished');
    assert.match(notes.join(' '), /^The GPU was lost.*the run continues on the CPU\.$/);
    assert.match(line, /WebGPU on google swiftshader failed, so the run continued on the CPU\./);
    await screenshot('1280-light-gone-on-with-the-processor');
    // The same samples in the same order; sizes may differ by rounding once sums differ in their last bits.
    near(end.step, expected.step, 0.02, 'steps');
    near(end.loss, expected.loss, 0.02, 'the last loss');
    assert.ok(Math.abs(end.testAccuracy - expected.testAccuracy) <= 2 / TEST_IMAGES);
  });
});

test('a GPU that is lost while accuracy is measured leaves the measurement to the CPU', browserTest(), async (t) => {
  const prelude = afterReport(({ type, activity }) => type === 'update' && activity === 'evaluating', LOSE_ADAPTER);
  const { page, read, button, waitFor, set } = await openPage(t, { webgpu: true, images: { test: 3000 }, server: keepDevices(prelude) });
  await waitFor({ data: 'ready' });
  await page.getByLabel('Model', { exact: true }).selectOption('mlp');
  await set({ 'Sample budget': 500 });
  const finish = async (engine) => {
    await chooseEngine(page, engine);
    await button('Start').click();
    await waitFor({ phase: 'finished' });
    const end = await read();
    await button('Reset').click();
    await waitFor({ phase: 'idle' });
    return end;
  };
  const lost = await finish('WebGPU');
  const cpu = await finish('CPU');
  assert.equal(lost.engine, 'cpu');
  assert.equal(lost.step, cpu.step);
  near(lost.loss, cpu.loss, 1e-3, 'the last loss');
  assert.ok(Math.abs(lost.testAccuracy - cpu.testAccuracy) <= 0.002, `${lost.testAccuracy}, on the CPU ${cpu.testAccuracy}`);
});

test('a GPU that is gone before the first step leaves the run to the CPU', browserTest(), async (t) => {
  const { page, read, button, waitFor, waitForStep } = await openPage(t, { webgpu: true });
  await waitFor({ data: 'ready' });
  await adapterVanishes(page);
  await chooseEngine(page, 'WebGPU');
  await button('Start').click();
  await waitForStep(1);
  assert.equal((await read()).engine, 'cpu');
  assert.match(await page.locator('#engine-notes').textContent(), /No GPU can be used here.*the run continues on the CPU\./);
  await button('Reset').click();
  await waitFor({ phase: 'idle' });
  assert.equal(await page.locator('#engine-notes').isVisible(), false);
});

test('a loss that is no number stops the run on WebGPU too', browserTest(), async (t) => {
  const { page, notice, read, button, waitFor, set } = await openPage(t, { webgpu: true });
  await waitFor({ data: 'ready' });
  await page.getByLabel('Model', { exact: true }).selectOption('mlp');
  await set({ Optimizer: 'SGD', 'Learning rate': '1e30' });
  await chooseEngine(page, 'WebGPU');
  await button('Start').click();
  await notice.waitFor({ state: 'visible' });
  assert.match(await notice.textContent(), /The run has stopped.*Lower the learning rate/s);
  assert.equal((await read()).phase, 'failed');
});
