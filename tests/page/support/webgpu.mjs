// Takes the GPU away from a page: the worker's devices are kept where a test can reach them.

const KEEP_DEVICES = Buffer.from(`
const requestDevice = GPUAdapter.prototype.requestDevice;
self.devices = [];
GPUAdapter.prototype.requestDevice = async function (...options) {
  const device = await requestDevice.apply(this, options);
  self.devices.push(device);
  return device;
};
`);

/** Options of servePage, with a worker that keeps its devices. */
export function keepDevices({ replace, ...options } = {}) {
  return {
    ...options,
    replace: (path, bytes) => (/worker.*\.js$/.test(path) ? Buffer.concat([KEEP_DEVICES, bytes]) : replace?.(path, bytes)),
  };
}

/** Loses the newest device, as a driver reset would. */
export async function loseDevice(page) {
  await worker(page).evaluate(() => self.devices.at(-1).destroy());
}

/** How many devices the worker has opened. */
export function deviceCount(page) {
  return worker(page).evaluate(() => self.devices.length);
}

/** From now on there is no adapter. */
export async function adapterVanishes(page) {
  await worker(page).evaluate(() => {
    GPU.prototype.requestAdapter = async () => null;
  });
}

function worker(page) {
  const [only] = page.workers();
  return only;
}
