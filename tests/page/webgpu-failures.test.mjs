// A GPU, a driver or a browser that never answers, throws or refuses: the run continues on the CPU, from its last
// copy and in plain words. Every function of WebGPU that a run calls is made to fail, at once or after some calls.
import assert from 'node:assert/strict';
import test from 'node:test';
import { drop, ownFiles } from './support/data-files.mjs';
import { browserTest, openPage } from './support/page.mjs';

/** Three steps of three micro-batches each (the GPU is waited for only then), and a measurement. */
const ADDRESS = '#preset=quick&model=logistic&test=none&initial_batch=2100&max_batch=2100&sample_budget=6300&evaluate_every=6300&engine=webgpu';
const SAMPLES = 6300;
/** What no visitor is to read. */
const RAW = /JsValue|Error|wgpu|DOMException|undefined|\{|::|\(|RuntimeError|unreachable/;

/**
 * Replaces functions of WebGPU in the worker. Once one of them keeps silent, seconds pass in milliseconds there: what
 * is waited for is the limit, not the clock.
 */
const STUBS = `
const setTimeoutOfBrowser = self.setTimeout.bind(self);
let keepsSilent = false;
self.setTimeout = (act, milliseconds, ...values) => setTimeoutOfBrowser(act, keepsSilent ? milliseconds / 1000 : milliseconds, ...values);
const throws = () => { throw new DOMException('stub {of: OperationError}', 'OperationError'); };
const rejects = () => Promise.reject(new DOMException('stub {of: OperationError}', 'OperationError'));
const never = () => { keepsSilent = true; return new Promise(() => {}); };
function replace(owner, name, calls, act) {
  const original = owner[name];
  let left = calls;
  owner[name] = function (...values) {
    left -= 1;
    return left < 0 ? act.call(this, original, values) : original.apply(this, values);
  };
}
`;

const stub = (owner, name, act, calls = 0) => `replace(${owner}.prototype, '${name}', ${calls}, ${act});`;

/** The page itself asks for an adapter first. */
const OF_THE_PAGE = 1;

const silences = {
  'an adapter that never comes': stub('GPU', 'requestAdapter', 'never', OF_THE_PAGE),
  'a device that never comes': stub('GPUAdapter', 'requestDevice', 'never'),
  'a buffer that is never mapped': stub('GPUBuffer', 'mapAsync', 'never'),
  'a buffer that is never mapped, in the middle of the run': stub('GPUBuffer', 'mapAsync', 'never', 5),
  'work that is never done': stub('GPUQueue', 'onSubmittedWorkDone', 'never'),
};

const refusals = {
  'requestAdapter throws': stub('GPU', 'requestAdapter', 'throws', OF_THE_PAGE),
  'requestDevice throws': stub('GPUAdapter', 'requestDevice', 'throws'),
  'requestDevice is refused': stub('GPUAdapter', 'requestDevice', 'rejects'),
  'requestDevice gives nothing': stub('GPUAdapter', 'requestDevice', 'async () => null'),
  'createBuffer throws': stub('GPUDevice', 'createBuffer', 'throws'),
  'createBuffer throws later': stub('GPUDevice', 'createBuffer', 'throws', 25),
  'createBuffer of the device itself throws': "replace(GPUAdapter.prototype, 'requestDevice', 0, async function (original, values) { const device = await original.apply(this, values); device.createBuffer = throws; return device; });",
  'createShaderModule throws': stub('GPUDevice', 'createShaderModule', 'throws'),
  'createComputePipeline throws': stub('GPUDevice', 'createComputePipeline', 'throws', 2),
  'getBindGroupLayout throws': stub('GPUComputePipeline', 'getBindGroupLayout', 'throws'),
  'createBindGroup throws': stub('GPUDevice', 'createBindGroup', 'throws', 3),
  'createCommandEncoder throws': stub('GPUDevice', 'createCommandEncoder', 'throws', 4),
  'beginComputePass throws': stub('GPUCommandEncoder', 'beginComputePass', 'throws'),
  'dispatchWorkgroups throws': stub('GPUComputePassEncoder', 'dispatchWorkgroups', 'throws', 9),
  'a pass cannot be ended': stub('GPUComputePassEncoder', 'end', 'throws', 2),
  'copyBufferToBuffer throws': stub('GPUCommandEncoder', 'copyBufferToBuffer', 'throws', 1),
  'finish throws': stub('GPUCommandEncoder', 'finish', 'throws', 3),
  'writeBuffer throws': stub('GPUQueue', 'writeBuffer', 'throws', 12),
  'submit throws': stub('GPUQueue', 'submit', 'throws', 5),
  'onSubmittedWorkDone throws': stub('GPUQueue', 'onSubmittedWorkDone', 'throws', 1),
  'mapAsync throws': stub('GPUBuffer', 'mapAsync', 'throws', 3),
  'mapAsync is refused': stub('GPUBuffer', 'mapAsync', 'rejects', 4),
  'getMappedRange gives bytes that are gone': stub('GPUBuffer', 'getMappedRange', '() => new ArrayBuffer(0)', 3),
  'a device without limits': "Object.defineProperty(GPUDevice.prototype, 'limits', { get: () => undefined });",
  'getMappedRange throws': stub('GPUBuffer', 'getMappedRange', 'throws', 3),
  'the driver has an internal error': "replace(GPUQueue.prototype, 'submit', 4, function (original, values) { original.apply(this, values); self.devices.at(-1).dispatchEvent(new GPUUncapturedErrorEvent('uncapturederror', { error: new GPUInternalError('stub {of: OperationError}') })); });",
};

const KEEP_DEVICES = "self.devices = []; replace(GPUAdapter.prototype, 'requestDevice', 0, async function (original, values) { const device = await original.apply(this, values); self.devices.push(device); return device; });";

/** A page whose worker gets other stubs each time it is loaded. */
async function pageWithStubs(t) {
  const stubs = { now: '' };
  const replace = (path, bytes) => (/worker.*\.js$/.test(path) ? Buffer.concat([Buffer.from(STUBS + stubs.now), bytes]) : undefined);
  const opened = await openPage(t, { webgpu: true, lacksAdapter: true, images: { training: 3000, test: 100 }, server: { replace }, path: ADDRESS, expectedComplaints: /stub \{of/i });
  const load = async (next) => {
    stubs.now = next;
    await opened.page.reload();
    await opened.waitFor({ data: 'ready' });
  };
  return { ...opened, load };
}

async function wholeRun({ page, read, button, waitFor }) {
  await button('Start').click();
  await waitFor({ phase: 'finished' });
  const notes = await page.locator('#engine-notes p').allTextContents();
  return { ...(await read()), notes, notice: await page.locator('#notice').isVisible(), hint: await page.locator('#engine-hint').textContent() };
}

/** The run is whole, the CPU has computed it to its end, and what is said of that is said in plain words. */
function continuesOnTheCpu(end, expected) {
  assert.equal(end.engine, 'cpu');
  assert.equal(end.samplesSeen, SAMPLES);
  assert.equal(end.step, 3);
  assert.equal(end.notice, false);
  assert.ok(end.testAccuracy > 0.5, `${end.testAccuracy}`);
  const told = end.notes.join(' ');
  assert.match(told, expected);
  assert.match(told, /the run continues on the CPU\.$/);
  assert.doesNotMatch(told, RAW);
  assert.match(end.hint, /WebGPU failed during this visit\. To try it again, reload the page\.$/);
}

test('a GPU that never answers leaves the run to the CPU', browserTest(), async (t) => {
  const opened = await pageWithStubs(t);
  for (const [what, stubs] of Object.entries(silences)) {
    await t.test(what, async () => {
      await opened.load(stubs);
      continuesOnTheCpu(await wholeRun(opened), /The GPU has not answered for \d+ seconds;/);
    });
  }

  await t.test('the same GPU is not taken again in this visit, nor by another worker', async () => {
    const { page, button, waitFor } = opened;
    await button('Reset').click();
    await waitFor({ phase: 'idle' });
    const next = await wholeRun(opened);
    assert.equal(next.engine, 'cpu');
    assert.deepEqual(next.notes, []);
    // Other data would wait for the next start, as long as a run is there.
    await button('Reset').click();
    await waitFor({ phase: 'idle' });
    await drop(page, ownFiles({ training: 700, test: 100 }));
    await page.waitForFunction(() => /700 training images are ready/.test(document.getElementById('sentence').textContent));
    assert.match((await wholeRun(opened)).hint, /WebGPU failed during this visit/);
  });
});

test('whatever WebGPU throws or refuses leaves the run to the CPU', browserTest(), async (t) => {
  const opened = await pageWithStubs(t);
  for (const [what, stubs] of Object.entries(refusals)) {
    await t.test(what, async () => {
      await opened.load(KEEP_DEVICES + stubs);
      continuesOnTheCpu(await wholeRun(opened), /^(The GPU refused a command|The GPU's driver refused to open the device|No GPU can be used here: the browser finds no adapter|The GPU was lost: [^.]*);/);
    });
  }
});

test('an adapter that tells nothing of itself is none that fails', browserTest(), async (t) => {
  const opened = await pageWithStubs(t);
  const { page, button, waitFor, read } = opened;
  // A trial of kernels at a real GPU's sizes would take SwiftShader minutes: it gets what a small one found.
  await waitFor({ data: 'ready' });
  await button('Step').click();
  await waitFor({ step: '1', phase: 'paused', engine: 'webgpu' });
  await page.evaluate(() => {
    const kernels = localStorage.getItem('adadagrad.kernels.google swiftshader');
    localStorage.setItem('adadagrad.kernels.an unnamed GPU', kernels);
  });
  const unnamed = async () => assert.match(await page.locator('#engine-hint').textContent(), /Adapter: an unnamed GPU\./);
  await opened.load("delete GPUAdapter.prototype.info; GPUAdapter.prototype.requestAdapterInfo = async () => ({ vendor: '' });");
  await unnamed();
  await opened.load("Object.defineProperty(GPUAdapter.prototype, 'info', { get: () => undefined });");
  await unnamed();
  await button('Step').click();
  await waitFor({ step: '1', phase: 'paused' });
  assert.equal((await read()).engine, 'webgpu');
});

test('an adapter that does not tell what it can is none, and a device that never tells its loss is one', browserTest(), async (t) => {
  const opened = await pageWithStubs(t);
  for (const stubs of ["Object.defineProperty(GPUAdapter.prototype, 'features', { get: throws });", "Object.defineProperty(GPUAdapter.prototype, 'limits', { get: () => undefined });"]) {
    await opened.load(stubs);
    assert.match(await opened.page.locator('#engine-hint').textContent(), /but the request for a GPU failed\./);
  }
  for (const lost of ['undefined', 'Promise.resolve()', 'rejects()']) {
    await opened.load(`Object.defineProperty(GPUDevice.prototype, 'lost', { get: () => ${lost} });`);
    const { engine, step, notes } = await wholeRun(opened);
    assert.deepEqual([engine, step, notes], ['webgpu', 3, []], lost);
  }
});

test('an adapter that comes late is taken from then on', browserTest(), async (t) => {
  const opened = await pageWithStubs(t);
  const { page, button, waitFor } = opened;
  const late = `replace(GPU.prototype, 'requestAdapter', 0, async function (original, values) {
    if (self.letItCome === undefined) {
      keepsSilent = true;
      await new Promise((resolve) => (self.letItCome = resolve));
      keepsSilent = false;
    }
    return original.apply(this, values);
  });`;
  await opened.load(late);
  const hint = page.locator('#engine-hint');
  assert.match(await hint.textContent(), /This browser did not answer the request for a GPU\./);
  await page.workers()[0].evaluate(() => self.letItCome());
  await waitFor({ data: 'ready', gpu: 'software' });
  assert.match(await hint.textContent(), /Adapter: google swiftshader\./);
  await button('Step').click();
  await waitFor({ step: '1', phase: 'paused', engine: 'webgpu' });
});

test('a browser that never answers, or fails, when it is asked for an adapter', browserTest(), async (t) => {
  const opened = await pageWithStubs(t);
  for (const [act, words] of [['never', /This browser did not answer the request for a GPU\./], ['throws', /but the request for a GPU failed\./], ['rejects', /but the request for a GPU failed\./]]) {
    await opened.load(stub('GPU', 'requestAdapter', act));
    const hint = await opened.page.locator('#engine-hint').textContent();
    assert.match(hint, words);
    assert.doesNotMatch(hint, RAW);
  }
});
