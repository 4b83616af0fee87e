/** Where the engines' programs are: each is loaded only by the worker that runs it. */
import type { EngineName } from './engine-rows.js';
import type { Engine } from './engine.js';

export const LOADERS: Record<EngineName, () => Promise<Engine>> = {
  ours: async () => new (await import('./engines/ours.js')).OurEngine('cpu', { test: true }),
  'ours-plain': async () => new (await import('./engines/ours.js')).OurEngine('cpu', { test: false }),
  'ours-workers': async () => new (await import('./engines/ours.js')).OurEngine('cpu', { test: true, team: true }),
  'ours-workers-plain': async () => new (await import('./engines/ours.js')).OurEngine('cpu', { test: false, team: true }),
  'ours-webgpu': async () => new (await import('./engines/ours.js')).OurEngine('webgpu', { test: true }),
  'ours-webgpu-plain': async () => new (await import('./engines/ours.js')).OurEngine('webgpu', { test: false }),
  'jax-wasm': async () => (await import('./engines/jax.js')).create('wasm'),
  'jax-wasm-threads': async () => (await import('./engines/jax.js')).create('wasm'),
  'jax-webgpu': async () => (await import('./engines/jax.js')).create('webgpu'),
  'tfjs-wasm': async () => (await import('./engines/tfjs.js')).create('wasm'),
  'tfjs-wasm-threads': async () => (await import('./engines/tfjs.js')).create('wasm'),
  'tfjs-webgpu': async () => (await import('./engines/tfjs.js')).create('webgpu'),
  'jax-wasm-stock': async () => (await import('./engines/jax.js')).create('wasm', true),
  'jax-webgpu-stock': async () => (await import('./engines/jax.js')).create('webgpu', true),
  'tfjs-wasm-stock': async () => (await import('./engines/tfjs.js')).create('wasm', true),
  'tfjs-webgpu-stock': async () => (await import('./engines/tfjs.js')).create('webgpu', true),
};
