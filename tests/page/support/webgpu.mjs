// A worker whose GPU a test can count on, wait for, and take away.
import { WORKER, beforeWorker } from './steady.mjs';

const WATCH = `
self.devices = [];
/** How much was made or submitted, and how many answers of the browser are still to come. */
self.gpu = { made: 0, submitted: 0, pending: 0 };
const watch = (prototype, name, note) => {
  const original = prototype[name];
  prototype[name] = function (...options) {
    const result = original.apply(this, options);
    note(result);
    return result;
  };
};
const pend = (promise) => {
  self.gpu.pending += 1;
  const end = () => void (self.gpu.pending -= 1);
  promise.then(end, end);
};
watch(GPU.prototype, 'requestAdapter', pend);
watch(GPUAdapter.prototype, 'requestDevice', (promise) => {
  pend(promise);
  self.gpu.made += 1;
  promise.then((device) => self.devices.push(device), () => undefined);
});
for (const name of ['createShaderModule', 'createComputePipeline']) watch(GPUDevice.prototype, name, () => (self.gpu.made += 1));
watch(GPUDevice.prototype, 'createComputePipelineAsync', (promise) => {
  pend(promise);
  self.gpu.made += 1;
});
watch(GPUDevice.prototype, 'popErrorScope', pend);
watch(GPUBuffer.prototype, 'mapAsync', pend);
watch(GPUQueue.prototype, 'onSubmittedWorkDone', pend);
watch(GPUQueue.prototype, 'submit', () => (self.gpu.submitted += 1));
`;

/** Options of servePage, with a worker that is watched; `prelude`: what it runs besides. */
export function keepDevices(prelude = '') {
  return { replace: beforeWorker(WATCH + prelude) };
}

/** For `afterReport`: loses the newest device, as a driver reset would. */
export const LOSE_DEVICE = '() => self.devices.at(-1).destroy()';

/** For `afterReport`: the same, and from now on there is no adapter. */
export const LOSE_ADAPTER = '() => { GPU.prototype.requestAdapter = async () => null; self.devices.at(-1).destroy(); }';

/** How many devices the worker has opened. */
export function deviceCount(page) {
  return trainingWorker(page).evaluate(() => self.devices.length);
}

/** What the worker has made of the GPU and submitted to it so far. */
export function gpuCounts(page) {
  return trainingWorker(page).evaluate(() => ({ ...self.gpu }));
}

/** Waits until the worker has opened a device and the browser owes it no answer: whatever was to be prepared is. */
export async function gpuRests(page) {
  await trainingWorker(page).evaluate(async () => {
    const turn = () => new Promise((resolve) => setTimeout(resolve, 30));
    for (let calm = 0; calm < 3; calm = self.devices.length > 0 && self.gpu.pending === 0 ? calm + 1 : 0) await turn();
  });
}

/** From now on there is no adapter. */
export async function adapterVanishes(page) {
  await trainingWorker(page).evaluate(() => {
    GPU.prototype.requestAdapter = async () => null;
  });
}

/** The page's own, or the one that a test has started after it; none of a team's. */
export function trainingWorker(page) {
  return page.workers().findLast((candidate) => WORKER.test(candidate.url()));
}
