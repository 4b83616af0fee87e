/**
 * The paper's convolutional network. TensorFlow.js has no kernels for the gradients of convolution weights and of
 * max-pooling on WebAssembly, so both are written as operations that it does have.
 */
import * as tf from '@tensorflow/tfjs-core';
import { at, softmaxLoss } from './tfjs-parts.js';
import type { GradientOf } from './tfjs-parts.js';

const PADDING = 2;
const FEATURES = 1568;

/** [out, in, h, w] to [h, w, in, out]; the last layer's inputs from channels first to channels last. */
export function convolutionalParameters(tensors: tf.Tensor[]): tf.Tensor[] {
  const [weights1, bias1, weights2, bias2, weights3, bias3] = [0, 1, 2, 3, 4, 5].map((index) => at(tensors, index));
  if (!weights1 || !bias1 || !weights2 || !bias2 || !weights3 || !bias3) throw new Error('six tensors are needed');
  const channelsLast = tf.transpose(tf.reshape(weights3, [10, 32, 7, 7]), [2, 3, 1, 0]);
  return [
    tf.transpose(weights1, [2, 3, 1, 0]),
    tf.clone(bias1),
    tf.transpose(weights2, [2, 3, 1, 0]),
    tf.clone(bias2),
    tf.reshape(channelsLast, [FEATURES, 10]),
    tf.clone(bias3),
  ];
}

export const convolutionalGradient: GradientOf = (parameters, images, targets) => {
  const [samples] = images.shape;
  const weights1 = at(parameters, 0) as tf.Tensor4D;
  const weights2 = at(parameters, 2) as tf.Tensor4D;
  const weights3 = at(parameters, 4) as tf.Tensor2D;
  const pixels = tf.reshape(images, [samples, 28, 28, 1]) as tf.Tensor4D;

  const active1 = convolution(pixels, weights1, at(parameters, 1));
  const pooled1 = tf.maxPool(active1, 2, 2, 'valid');
  const active2 = convolution(pooled1, weights2, at(parameters, 3));
  const pooled2 = tf.maxPool(active2, 2, 2, 'valid');
  const features = tf.reshape(pooled2, [samples, FEATURES]) as tf.Tensor2D;
  const outputs = tf.add<tf.Tensor2D>(tf.matMul(features, weights3), at(parameters, 5));
  const { loss, gradient } = softmaxLoss(outputs, targets);

  const intoPooled2 = tf.reshape(tf.matMul(gradient, tf.transpose(weights3)), [samples, 7, 7, 32]);
  const intoActive2 = throughPool(active2, pooled2, intoPooled2);
  const flipped = tf.transpose(tf.reverse(weights2, [0, 1]), [0, 1, 3, 2]) as tf.Tensor4D;
  const intoPooled1 = tf.conv2d(intoActive2, flipped, 1, 'same');
  const intoActive1 = throughPool(active1, pooled1, intoPooled1);
  // One channel: the transpose is that of a matrix, which has a faster kernel.
  const pixelsBySample = tf.reshape(tf.transpose(images), [1, 28, 28, samples]) as tf.Tensor4D;
  const pooledByChannel = tf.transpose(pooled1, [3, 1, 2, 0]) as tf.Tensor4D;
  return {
    loss,
    gradients: [
      weightGradient(pixelsBySample, intoActive1),
      biasGradient(intoActive1),
      weightGradient(pooledByChannel, intoActive2),
      biasGradient(intoActive2),
      tf.matMul(tf.transpose(features), gradient),
      tf.sum(gradient, 0),
    ],
  };
};

function convolution(input: tf.Tensor4D, filter: tf.Tensor4D, bias: tf.Tensor): tf.Tensor4D {
  return tf.fused.conv2d({ x: input, filter, strides: 1, pad: 'same', bias, activation: 'relu' });
}

/**
 * The weight gradient is itself a convolution, in which channels and samples change places: inputs
 * [in, h, w, samples] with the output gradient [h, w, samples, out] as a filter.
 */
function weightGradient(input: tf.Tensor4D, outputGradient: tf.Tensor4D): tf.Tensor {
  const filter = tf.transpose(outputGradient, [1, 2, 0, 3]) as tf.Tensor4D;
  return tf.transpose(tf.conv2d(input, filter, 1, PADDING), [1, 2, 0, 3]);
}

function biasGradient(outputGradient: tf.Tensor4D): tf.Tensor {
  const [samples, height, width, channels] = outputGradient.shape;
  return tf.sum(tf.reshape(outputGradient, [samples * height * width, channels]), 0);
}

/**
 * Back through max-pooling and the ReLU before it. A dilation with a filter of zeros is a max-pooling whose
 * gradient goes to the first of the largest values.
 */
function throughPool(active: tf.Tensor4D, pooled: tf.Tensor4D, gradient: tf.Tensor): tf.Tensor4D {
  const dy = tf.mul(gradient, tf.step(pooled));
  const filter = tf.zeros([2, 2, active.shape[3]]);
  const inputs = { x: active, filter, dy };
  const attributes = { strides: [2, 2], pad: 'valid', dilations: [1, 1] };
  return tf.engine().runKernel('Dilation2DBackpropInput', inputs, attributes) as tf.Tensor4D;
}
