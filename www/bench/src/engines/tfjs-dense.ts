/** Dense networks: `logistic` and `mlp`. Weights are kept [in, out], as TensorFlow.js multiplies them. */
import * as tf from '@tensorflow/tfjs-core';
import { at, softmaxLoss } from './tfjs-parts.js';
import type { GradientOf } from './tfjs-parts.js';

export function denseParameters(tensors: tf.Tensor[]): tf.Tensor[] {
  return tensors.map((tensor) => (tensor.rank === 2 ? tf.transpose(tensor) : tf.clone(tensor)));
}

/**
 * Transposes are written out: only a product of plain matrices reaches the fast kernel on WebAssembly. And the weight
 * gradient is computed as its own transpose, so that the images, the largest of the matrices, need none.
 */
export const denseGradient: GradientOf = (parameters, images, targets) => {
  const inputs: tf.Tensor2D[] = [images];
  const layers = parameters.length / 2;
  const weights = (layer: number): tf.Tensor2D => at(parameters, 2 * layer) as tf.Tensor2D;
  let outputs = images;
  for (let layer = 0; layer < layers; layer += 1) {
    const bias = at(parameters, 2 * layer + 1);
    const activation = layer < layers - 1 ? 'relu' : 'linear';
    outputs = tf.fused.matMul({ a: outputs, b: weights(layer), bias, activation }) as tf.Tensor2D;
    inputs.push(outputs);
  }
  const { loss, gradient } = softmaxLoss(outputs, targets);
  const gradients: tf.Tensor[] = [];
  let flowing = gradient;
  for (let layer = layers - 1; layer >= 0; layer -= 1) {
    const input = at(inputs, layer);
    const transposed = tf.matMul(tf.transpose(flowing), input);
    gradients.unshift(tf.transpose(transposed), tf.sum(flowing, 0));
    if (layer > 0) flowing = tf.mul(tf.matMul(flowing, tf.transpose(weights(layer))), tf.step(input));
  }
  return { loss, gradients };
};
