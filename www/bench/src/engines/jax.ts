/** jax-js, on its WebAssembly and WebGPU backends. */
import { defaultDevice, init, numpy as np } from '@jax-js/jax';
import { tensorsOf } from '../engine.js';
import type { Engine, Problem } from '../engine.js';
import { adagradOf } from './adagrad.js';
import { array } from './jax-parts.js';
import type { State, Step } from './jax-parts.js';
import { convolutionalStep } from './jax-cnn.js';
import { denseStep } from './jax-dense.js';
import { stockConvolutionalStep } from './jax-stock.js';

/** `stock`: with its own convolutions and gradients throughout. */
export async function create(device: 'wasm' | 'webgpu', stock = false): Promise<Engine> {
  const devices = await init(device);
  if (!devices.includes(device)) throw new Error(`jax-js cannot start its ${device} backend here`);
  defaultDevice(device);
  return new JaxEngine(device, stock);
}

class JaxEngine implements Engine {
  readonly #device: 'wasm' | 'webgpu';
  readonly #stock: boolean;
  #state: State = { parameters: [], memory: [] };
  #step: Step | null = null;
  #batches = 0;
  #steps = 0;

  constructor(device: 'wasm' | 'webgpu', stock: boolean) {
    this.#device = device;
    this.#stock = stock;
  }

  prepare(problem: Problem): Promise<void> {
    const tensors = tensorsOf(problem);
    this.#state = {
      parameters: tensors.map(({ shape, values }) => array(values, shape)),
      memory: tensors.map(({ shape }) => np.zeros(shape)),
    };
    const numbers = adagradOf(problem);
    const convolutional = this.#stock ? stockConvolutionalStep : convolutionalStep;
    this.#step = (problem.model === 'cnn' ? convolutional : denseStep)(problem, numbers);
    this.#batches = problem.batches.length;
    return Promise.resolve();
  }

  async step(): Promise<number> {
    if (this.#step === null) throw new Error('no step has been prepared');
    const loss = await this.#step(this.#state, this.#steps % this.#batches);
    this.#steps += 1;
    // Without threads there is nothing to wait for.
    const single = this.#device === 'wasm' && globalThis.SharedArrayBuffer === undefined;
    const [value] = single ? loss.dataSync() : await loss.data();
    return value ?? Number.NaN;
  }

  describe(): string {
    return `jax-js ${__VERSIONS__.jax}, ${this.#device}`;
  }

  dispose(): void {
    [...this.#state.parameters, ...this.#state.memory].forEach((values) => values.dispose());
  }
}
