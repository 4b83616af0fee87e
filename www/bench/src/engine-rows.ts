/** The engines that are compared: one row each. `engine-loaders.ts` knows their programs. */

export type Hardware = 'wasm' | 'webgpu';

export interface EngineRow {
  name: string;
  label: string;
  side: 'ours' | 'rival';
  hardware: Hardware;
  /** Whether it may use several threads; then it gets shared memory. */
  threads: boolean;
  /** Whether it is measured unless engines are named. */
  standard: boolean;
  /** How it was set up. */
  note: string;
}

export const ENGINES = [
  {
    name: 'ours',
    label: 'ours, norm test on',
    side: 'ours',
    hardware: 'wasm',
    threads: false,
    standard: true,
    note: 'The page’s own WebAssembly engine; a step takes its images from the packed data set.',
  },
  {
    name: 'ours-plain',
    label: 'ours, no test',
    side: 'ours',
    hardware: 'wasm',
    threads: false,
    standard: true,
    note: 'The same without statistics.',
  },
  {
    name: 'ours-workers',
    label: 'ours, norm test on, workers',
    side: 'ours',
    hardware: 'wasm',
    threads: false,
    standard: true,
    note: 'The same with a worker for each processor, up to four, where the batch is worth it; no shared memory.',
  },
  {
    name: 'ours-workers-plain',
    label: 'ours, no test, workers',
    side: 'ours',
    hardware: 'wasm',
    threads: false,
    standard: false,
    note: 'The same without statistics.',
  },
  {
    name: 'jax-wasm',
    label: 'jax-js',
    side: 'rival',
    hardware: 'wasm',
    threads: false,
    standard: true,
    note: 'WebAssembly. Convolutions as products over patches that are gathered by index tables, 64 images at a time, with a hand-written backward pass; dense networks by jit and valueAndGrad.',
  },
  {
    name: 'jax-wasm-threads',
    label: 'jax-js, threads',
    side: 'rival',
    hardware: 'wasm',
    threads: true,
    standard: true,
    note: 'The same on shared memory, with its pool of a worker for each processor.',
  },
  {
    name: 'tfjs-wasm',
    label: 'TensorFlow.js',
    side: 'rival',
    hardware: 'wasm',
    threads: false,
    standard: true,
    note: 'WebAssembly with SIMD. All three products of a convolution as XNNPACK convolutions, max-pooling’s gradient by that of a dilation, transposes written out before matrix products.',
  },
  {
    name: 'tfjs-wasm-threads',
    label: 'TensorFlow.js, threads',
    side: 'rival',
    hardware: 'wasm',
    threads: true,
    standard: true,
    note: 'The same with its threaded program, asked for as many threads as there are processors; version 4.22.0 tells that it takes one.',
  },
  {
    name: 'ours-webgpu',
    label: 'ours, norm test on',
    side: 'ours',
    hardware: 'webgpu',
    threads: false,
    standard: false,
    note: 'The page’s own WebGPU engine.',
  },
  {
    name: 'ours-webgpu-plain',
    label: 'ours, no test',
    side: 'ours',
    hardware: 'webgpu',
    threads: false,
    standard: false,
    note: 'The same without statistics.',
  },
  {
    name: 'jax-webgpu',
    label: 'jax-js',
    side: 'rival',
    hardware: 'webgpu',
    threads: false,
    standard: false,
    note: 'The same steps on WebGPU.',
  },
  {
    name: 'tfjs-webgpu',
    label: 'TensorFlow.js',
    side: 'rival',
    hardware: 'webgpu',
    threads: false,
    standard: false,
    note: 'The same steps on WebGPU.',
  },
  {
    name: 'jax-wasm-stock',
    label: 'jax-js as it comes',
    side: 'rival',
    hardware: 'wasm',
    threads: false,
    standard: false,
    note: 'Its own convolutions and gradients, by jit and valueAndGrad.',
  },
  {
    name: 'tfjs-wasm-stock',
    label: 'TensorFlow.js as it comes',
    side: 'rival',
    hardware: 'wasm',
    threads: false,
    standard: false,
    note: 'Its own operations and gradients.',
  },
  {
    name: 'jax-webgpu-stock',
    label: 'jax-js as it comes',
    side: 'rival',
    hardware: 'webgpu',
    threads: false,
    standard: false,
    note: 'Its own convolutions and gradients, by jit and valueAndGrad.',
  },
  {
    name: 'tfjs-webgpu-stock',
    label: 'TensorFlow.js as it comes',
    side: 'rival',
    hardware: 'webgpu',
    threads: false,
    standard: false,
    note: 'Its own operations and gradients.',
  },
] as const satisfies readonly EngineRow[];

export type EngineName = (typeof ENGINES)[number]['name'];

export function isEngineName(word: string): word is EngineName {
  return ENGINES.some((row) => row.name === word);
}

export function engineRow(name: EngineName): EngineRow {
  const row = ENGINES.find((candidate) => candidate.name === name);
  if (row === undefined) throw new Error(`there is no engine ${name}`);
  return row;
}
