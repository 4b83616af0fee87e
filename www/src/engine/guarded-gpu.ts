/**
 * WebGPU as the wasm module may use it. An exception that passes through the module leaves its steps half done, and
 * wgpu turns many into a panic; after either nothing in there can be trusted. So none gets in: what the browser throws
 * is reported to the device's error handler as a refused command, and the module goes on from its last copy elsewhere.
 * What the browser leaves out (an adapter's `info`) is filled in.
 *
 * What never answers is none of this file's concern: the module itself waits no longer than a limit.
 */

type Method = (...values: unknown[]) => unknown;
type Methods = Record<string, Method | undefined>;
type ErrorHandler = ((event: { error: object }) => void) | null;

/** Methods that answer with a promise. */
const PROMISING = new Set(['requestAdapter', 'requestDevice', 'mapAsync', 'onSubmittedWorkDone']);
/** wgpu takes this one's exceptions as values. */
const MAY_THROW = 'getMappedRange';
/** Methods that give an object: nothing else in its place is taken for one. */
const MAKING = /^(create\w+|begin\w+Pass|finish|getBindGroupLayout|getMappedRange)$/;
/** Names under which adapters that compute on the processor are known: not every browser marks them. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b|software/i;

/** By the browser's prototype, the one that takes its place. */
const guardedPrototypes = new Map<object, object>();
/** Methods that others put on the objects themselves. */
const replaced = new WeakMap<object, Methods>();
/** Which device an object belongs to. */
const devices = new WeakMap<object, GPUDevice>();
const errorHandlers = new WeakMap<object, ErrorHandler>();

/** What the browser offers; null where it has none, or extensions put something else in its place. */
export function offeredGpu(): GPU | null {
  try {
    const { gpu } = navigator as { gpu?: unknown };
    return typeof gpu === 'object' ? (gpu as GPU | null) : null;
  } catch {
    return null;
  }
}

/** Puts a guarded `navigator.gpu` in the place of the browser's, where there is one. */
export function guardGpu(): void {
  const gpu = offeredGpu();
  if (gpu === null) return;
  let ask = (options: GPURequestAdapterOptions): Promise<GPUAdapter | null> => gpu.requestAdapter(options);
  const requestAdapter = async (options: GPURequestAdapterOptions): Promise<GPUAdapter | null> => {
    const adapter = (await ask(options)) ?? null;
    // wgpu panics at anything else.
    if (adapter !== null && !(adapter instanceof GPUAdapter)) throw new TypeError('this is no adapter');
    return adapter === null ? null : guardAdapter(adapter);
  };
  const guarded = { wgslLanguageFeatures: gpu.wgslLanguageFeatures, requestAdapter };
  if (Reflect.defineProperty(navigator, 'gpu', { configurable: true, value: guarded })) return;
  // Somebody has put one there that cannot be replaced: then its function is.
  const { requestAdapter: original } = gpu;
  ask = (options) => original.call(gpu, options);
  Reflect.defineProperty(gpu, 'requestAdapter', { configurable: true, value: requestAdapter });
}

async function guardAdapter(adapter: GPUAdapter): Promise<GPUAdapter> {
  mustTellOfItself(adapter);
  const older = adapter as { requestAdapterInfo?: () => Promise<GPUAdapterInfo>; isFallbackAdapter?: boolean };
  const told: Partial<GPUAdapterInfo> = (adapter as { info?: GPUAdapterInfo }).info ?? (await older.requestAdapterInfo?.()) ?? {};
  const { vendor = '', architecture = '', device = '', description = '', subgroupMinSize = 4, subgroupMaxSize = 128 } = told;
  const isMarked = told.isFallbackAdapter === true || older.isFallbackAdapter === true;
  const isFallbackAdapter = isMarked || [vendor, architecture, device, description].some((text) => SOFTWARE.test(text));
  const info = { vendor, architecture, device, description, subgroupMinSize, subgroupMaxSize, isFallbackAdapter };
  Object.defineProperty(adapter, 'info', { configurable: true, value: info });
  return guard(adapter);
}

/** What wgpu asks for without a doubt: a panic would follow. */
function mustTellOfItself({ limits, features }: GPUAdapter | GPUDevice): void {
  const told: readonly unknown[] = [limits, features];
  if (told.some((part) => typeof part !== 'object' || part === null)) throw new TypeError('this GPU does not tell its limits or features');
}

/** A loss whose promise is missing or rejected cannot be distinguished from none: the commands that follow fail. */
function lossOf(device: GPUDevice): Promise<GPUDeviceLostInfo> {
  return new Promise((resolve) => {
    Promise.resolve(device.lost as unknown).then(
      (info) => {
        if (info instanceof GPUDeviceLostInfo) resolve(info);
      },
      () => undefined,
    );
  });
}

function guardDevice(device: GPUDevice): GPUDevice {
  mustTellOfItself(device);
  const lost = lossOf(device);
  Object.defineProperty(device, 'lost', { configurable: true, get: () => lost });
  devices.set(device, device);
  devices.set(device.queue, device);
  guard(device.queue);
  Object.defineProperty(device, 'onuncapturederror', {
    configurable: true,
    get: () => errorHandlers.get(device) ?? null,
    set: (handler: ErrorHandler) => errorHandlers.set(device, handler),
  });
  device.addEventListener('uncapturederror', ({ error }) => report(device, error));
  return guard(device);
}

/** Gives an object of the browser's the guarded methods. */
function guard<T extends object>(object: T): T {
  const own: Methods = {};
  for (const [name, value] of Object.entries(object)) {
    if (typeof value !== 'function') continue;
    own[name] = value as Method;
    Reflect.deleteProperty(object, name);
  }
  replaced.set(object, own);
  Object.setPrototypeOf(object, guardedPrototype(Object.getPrototypeOf(object) as object));
  return object;
}

function guardedPrototype(prototype: object): object {
  const known = guardedPrototypes.get(prototype);
  if (known !== undefined) return known;
  const guarded = Object.create(prototype) as object;
  for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (typeof value !== 'function' || name === 'constructor') continue;
    // Looked up at each call: tools that watch WebGPU put other methods in the place of the browser's at any time.
    const called = function (this: object, ...values: unknown[]): unknown {
      return call(this, name, replaced.get(this)?.[name] ?? (prototype as Methods)[name], values);
    };
    const set = function (this: object, method: Method): void {
      replaced.set(this, { ...replaced.get(this), [name]: method });
    };
    Object.defineProperty(guarded, name, { configurable: true, get: () => called, set });
  }
  guardedPrototypes.set(prototype, guarded);
  return guarded;
}

function call(object: object, name: string, method: Method | undefined, values: unknown[]): unknown {
  try {
    const answer = Reflect.apply(method as Method, object, values) as unknown;
    if (name === 'requestDevice') return Promise.resolve(answer).then((device) => guardDevice(device as GPUDevice));
    if (PROMISING.has(name)) return Promise.resolve(answer);
    if (isOfWebGpu(answer)) return adopt(answer, devices.get(object));
    if (name === MAY_THROW && !holds(answer, values)) throw new TypeError('the mapped bytes are not there');
    if (MAKING.test(name) && (typeof answer !== 'object' || answer === null)) throw new TypeError(`${name} gave nothing`);
    return answer;
  } catch (error) {
    report(devices.get(object), error);
    if (name === MAY_THROW) throw error;
    return PROMISING.has(name) ? refusal() : HUSK;
  }
}

/** Whether a mapped range has the bytes that were asked for. */
function holds(range: unknown, [, size]: unknown[]): boolean {
  return range instanceof ArrayBuffer && range.byteLength >= Number(size ?? 0);
}

/** Takes an object over that a device, or one of its objects, has made. */
function adopt(made: object, device: GPUDevice | undefined): object {
  if (device !== undefined) devices.set(made, device);
  return guard(made);
}

function isOfWebGpu(value: unknown): value is object {
  return Object.prototype.toString.call(value).startsWith('[object GPU');
}

/** wgpu knows two kinds of error and panics at any other. */
function report(device: GPUDevice | undefined, error: unknown): void {
  if (device === undefined) return;
  const isKnown = error instanceof GPUValidationError || error instanceof GPUOutOfMemoryError;
  errorHandlers.get(device)?.({ error: isKnown ? error : new GPUValidationError(wordsOf(error)) });
}

function wordsOf(error: unknown): string {
  return String((error as { message?: unknown } | null | undefined)?.message ?? error);
}

/** A promise that is rejected, which nobody has to look at. */
function refusal(): Promise<never> {
  const promise = Promise.reject<never>(new Error('WebGPU refused this'));
  promise.catch(() => undefined);
  return promise;
}

/** The attributes of buffers, encoders and query sets, which are read as what they are: a method would be no text. */
const ATTRIBUTES = new Map<string, unknown>([['label', ''], ['size', 0], ['usage', 0], ['mapState', 'unmapped'], ['count', 0], ['type', '']]);

/** Stands for what could not be made: whatever is asked of it does nothing. */
const HUSK: object = new Proxy(() => undefined, {
  get: (_, key) => {
    const name = String(key);
    if (name === 'then') return undefined;
    if (ATTRIBUTES.has(name)) return ATTRIBUTES.get(name);
    return PROMISING.has(name) ? refusal : HUSK;
  },
  apply: () => HUSK,
});
