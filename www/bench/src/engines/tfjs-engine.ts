/** A training step in TensorFlow.js, with a backward pass written for its fastest kernels. */
import * as tf from '@tensorflow/tfjs-core';
import { CLASSES, PIXELS, oneHot, scaled, tensorsOf } from '../engine.js';
import type { Engine, Problem } from '../engine.js';
import { adagradOf } from './adagrad.js';
import type { AdagradNumbers } from './adagrad.js';
import { convolutionalGradient, convolutionalParameters } from './tfjs-cnn.js';
import { denseGradient, denseParameters } from './tfjs-dense.js';
import { at } from './tfjs-parts.js';
import type { GradientOf } from './tfjs-parts.js';
import { stockGradient } from './tfjs-stock.js';

export class TfjsEngine implements Engine {
  readonly #backend: 'wasm' | 'webgpu';
  readonly #device: string;
  readonly #stock: boolean;
  #parameters: tf.Tensor[] = [];
  #memory: tf.Tensor[] = [];
  #batches: { images: tf.Tensor2D; targets: tf.Tensor2D }[] = [];
  #numbers: AdagradNumbers = { learningRate: 0, epsilon: 0 };
  #gradientOf: GradientOf = denseGradient;
  #step = 0;

  constructor(backend: 'wasm' | 'webgpu', device: string, stock: boolean) {
    this.#backend = backend;
    this.#device = device;
    this.#stock = stock;
  }

  prepare(problem: Problem): Promise<void> {
    const { model, batch } = problem;
    this.#numbers = adagradOf(problem);
    const tuned = model === 'cnn' ? convolutionalGradient : denseGradient;
    this.#gradientOf = this.#stock ? stockGradient(model) : tuned;
    const tensors = tensorsOf(problem).map(({ shape, values }) => tf.tensor(values, shape));
    this.#parameters = tf.tidy(() => (model === 'cnn' ? convolutionalParameters(tensors) : denseParameters(tensors)));
    tf.dispose(tensors);
    this.#memory = this.#parameters.map((tensor) => tf.zerosLike(tensor));
    this.#batches = problem.batches.map(({ pixels, labels }) => ({
      images: tf.tensor2d(scaled(pixels), [batch, PIXELS]),
      targets: tf.tensor2d(oneHot(labels), [batch, CLASSES]),
    }));
    return Promise.resolve();
  }

  async step(): Promise<number> {
    const batch = this.#batches[this.#step % this.#batches.length];
    if (batch === undefined) throw new Error('there are no images');
    this.#step += 1;
    const { loss, parameters, memory } = tf.tidy(() => {
      const { loss, gradients } = this.#gradientOf(this.#parameters, batch.images, batch.targets);
      return { loss, ...this.#update(gradients) };
    });
    tf.dispose([this.#parameters, this.#memory]);
    this.#parameters = parameters;
    this.#memory = memory;
    const [value] = this.#backend === 'wasm' ? loss.dataSync() : await loss.data();
    loss.dispose();
    return value ?? Number.NaN;
  }

  #update(gradients: tf.Tensor[]): { parameters: tf.Tensor[]; memory: tf.Tensor[] } {
    const { learningRate, epsilon } = this.#numbers;
    const memory = gradients.map((gradient, index) => tf.add(at(this.#memory, index), tf.square(gradient)));
    const parameters = gradients.map((gradient, index) => {
      const step = tf.div(tf.mul(gradient, learningRate), tf.add(tf.sqrt(at(memory, index)), epsilon));
      return tf.sub(at(this.#parameters, index), step);
    });
    return { parameters, memory };
  }

  describe(): string {
    return `TensorFlow.js ${tf.version_core}, ${this.#device}`;
  }

  dispose(): void {
    tf.dispose([this.#parameters, this.#memory]);
    this.#batches.forEach(({ images, targets }) => tf.dispose([images, targets]));
  }
}
