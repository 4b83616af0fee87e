/** What the networks have in common in TensorFlow.js. */
import * as tf from '@tensorflow/tfjs-core';

/** Gives the loss and, in the order of the parameters, their gradients. */
export type GradientOf = (
  parameters: readonly tf.Tensor[],
  images: tf.Tensor2D,
  targets: tf.Tensor2D,
) => { loss: tf.Scalar; gradients: tf.Tensor[] };

/** The element that must be there. */
export function at<T>(list: readonly T[], index: number): T {
  const value = list[index];
  if (value === undefined) throw new Error(`there is no tensor ${index}`);
  return value;
}

/** Mean softmax cross-entropy, and its gradient with respect to the outputs. */
export function softmaxLoss(outputs: tf.Tensor2D, targets: tf.Tensor2D): { loss: tf.Scalar; gradient: tf.Tensor2D } {
  const [samples] = outputs.shape;
  const shifted = tf.sub(outputs, tf.max(outputs, 1, true));
  const exponentials = tf.exp(shifted);
  const sums = tf.sum(exponentials, 1, true);
  const chosen = tf.sum(tf.mul(shifted, targets), 1);
  const loss = tf.mean<tf.Scalar>(tf.sub(tf.log(tf.reshape(sums, [samples])), chosen));
  const gradient = tf.mul<tf.Tensor2D>(tf.sub(tf.div(exponentials, sums), targets), 1 / samples);
  return { loss, gradient };
}
