/** TensorFlow.js, on its WebAssembly and WebGPU backends. */
import * as tf from '@tensorflow/tfjs-core';
import type { Engine } from '../engine.js';
import { TfjsEngine } from './tfjs-engine.js';

/** `stock`: with its own gradients throughout. */
export async function create(backend: 'wasm' | 'webgpu', stock = false): Promise<Engine> {
  const wasm = backend === 'wasm' ? await import('./tfjs-wasm.js') : null;
  if (wasm !== null) await wasm.register();
  else await import('@tensorflow/tfjs-backend-webgpu');
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js cannot start its ${backend} backend here`);
  await tf.ready();
  const device = wasm === null ? 'WebGPU' : `WebAssembly, ${wasm.threads()}`;
  return new TfjsEngine(backend, device, stock);
}
