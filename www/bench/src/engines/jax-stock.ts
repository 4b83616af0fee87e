/** The convolutional network as jax-js's own operations and gradients make it; dense ones are that anyway. */
import { jit, lax, nn, numpy as np, valueAndGrad } from '@jax-js/jax';
import type { Problem } from '../engine.js';
import type { AdagradNumbers } from './adagrad.js';
import { updated, uploaded } from './jax-parts.js';
import type { Step } from './jax-parts.js';

export function stockConvolutionalStep(problem: Problem, numbers: AdagradNumbers): Step {
  const batches = uploaded(problem);
  const gradientOf = jit(valueAndGrad((parameters: np.Array[], images: np.Array, targets: np.Array) => {
    const [weights1, bias1, weights2, bias2, weights3, bias3] = parameters as [
      np.Array,
      np.Array,
      np.Array,
      np.Array,
      np.Array,
      np.Array,
    ];
    const first = layer(images.reshape([-1, 1, 28, 28]), weights1, bias1);
    const features = layer(first, weights2, bias2).reshape([-1, 1568]);
    const outputs = np.matmul(features, weights3.transpose()).add(bias3);
    return nn.logSoftmax(outputs, -1).mul(targets).sum().mul(-1 / problem.batch);
  }));
  const update = jit((parameters: np.Array[], memory: np.Array[], gradients: np.Array[]) =>
    updated(parameters, memory, gradients, numbers),
  );
  return (state, batch) => {
    const { images, targets } = batches[batch] as { images: np.Array; targets: np.Array };
    const kept = state.parameters.map((values) => values.ref);
    const [value, gradients] = gradientOf(kept, images.ref, targets.ref) as [np.Array, np.Array[]];
    const [parameters, memory] = update(state.parameters, state.memory, gradients) as [np.Array[], np.Array[]];
    Object.assign(state, { parameters, memory });
    return Promise.resolve(value);
  };
}

/** Convolution, ReLU, max-pooling. */
function layer(images: np.Array, weights: np.Array, bias: np.Array): np.Array {
  const convolved = lax.convGeneralDilated(images, weights, [1, 1], 'SAME');
  const active = nn.relu(convolved.add(bias.reshape([-1, 1, 1])));
  const [samples, channels, height, width] = active.shape as [number, number, number, number];
  return np.max(active.reshape([samples, channels, height / 2, 2, width / 2, 2]), [3, 5]);
}
