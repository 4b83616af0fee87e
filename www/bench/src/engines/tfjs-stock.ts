/** The networks as TensorFlow.js's own operations and gradients make them. */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import { at } from './tfjs-parts.js';
import type { GradientOf } from './tfjs-parts.js';
import type { ModelName } from '../plan.js';

export function stockGradient(model: ModelName): GradientOf {
  const outputsOf = model === 'cnn' ? convolutional : dense;
  return (parameters, images, targets) => {
    const lossOf = (...values: tf.Tensor[]): tf.Scalar => {
      const logarithms = tf.logSoftmax(outputsOf(values, images));
      return tf.neg(tf.mean(tf.sum(tf.mul(logarithms, targets), 1)));
    };
    const { value, grads } = tf.valueAndGrads<tf.Scalar>(lossOf)([...parameters]);
    return { loss: value, gradients: grads };
  };
}

function dense(parameters: tf.Tensor[], images: tf.Tensor2D): tf.Tensor2D {
  let values = images;
  for (let index = 0; index < parameters.length; index += 2) {
    if (index > 0) values = tf.relu(values);
    values = tf.add(tf.matMul(values, at(parameters, index) as tf.Tensor2D), at(parameters, index + 1));
  }
  return values;
}

function convolutional(parameters: tf.Tensor[], images: tf.Tensor2D): tf.Tensor2D {
  const [samples] = images.shape;
  let values = tf.reshape(images, [samples, 28, 28, 1]) as tf.Tensor4D;
  for (const index of [0, 2]) {
    const convolved = tf.conv2d(values, at(parameters, index) as tf.Tensor4D, 1, 'same');
    values = tf.maxPool(tf.relu(tf.add<tf.Tensor4D>(convolved, at(parameters, index + 1))), 2, 2, 'valid');
  }
  return dense(parameters.slice(4), tf.reshape(values, [samples, -1]) as tf.Tensor2D);
}
