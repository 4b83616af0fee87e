/** What the networks have in common in jax-js. Its functions take (and free) the arrays they are given. */
import { numpy as np } from '@jax-js/jax';
import { CLASSES, oneHot, scaled } from '../engine.js';
import type { Problem } from '../engine.js';
import type { AdagradNumbers } from './adagrad.js';

/** Values of parameters and of AdaGrad's sums; both are replaced by every step. */
export interface State {
  parameters: np.Array[];
  memory: np.Array[];
}

/** One step on the batch of this number; its loss. Takes the state's arrays and puts new ones there. */
export type Step = (state: State, batch: number) => Promise<np.Array>;

export function array(values: Float32Array | Int32Array, shape: readonly number[]): np.Array {
  return np.array(values as Float32Array<ArrayBuffer>).reshape([...shape]);
}

/** Images and one-hot labels of each batch. */
export function uploaded({ batches, batch }: Problem): { images: np.Array; targets: np.Array }[] {
  return batches.map(({ pixels, labels }) => ({
    images: array(scaled(pixels), [batch, pixels.length / batch]),
    targets: array(oneHot(labels), [batch, CLASSES]),
  }));
}

/** AdaGrad: new parameters and new sums of squares. */
export function updated(
  parameters: np.Array[],
  memory: np.Array[],
  gradients: np.Array[],
  { learningRate, epsilon }: AdagradNumbers,
): [np.Array[], np.Array[]] {
  const newParameters: np.Array[] = [];
  const newMemory: np.Array[] = [];
  parameters.forEach((values, index) => {
    const [old, gradient] = [memory[index], gradients[index]];
    if (old === undefined || gradient === undefined) throw new Error(`parameters ${index} have no gradient`);
    const sum = old.add(np.square(gradient.ref));
    newMemory.push(sum.ref);
    newParameters.push(values.sub(gradient.mul(learningRate).div(np.sqrt(sum).add(epsilon))));
  });
  return [newParameters, newMemory];
}
