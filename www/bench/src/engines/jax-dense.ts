/** Dense networks: `logistic` and `mlp`, as one compiled function of jax-js. */
import { jit, nn, numpy as np, valueAndGrad } from '@jax-js/jax';
import type { Problem } from '../engine.js';
import type { AdagradNumbers } from './adagrad.js';
import { updated, uploaded } from './jax-parts.js';
import type { Step } from './jax-parts.js';

export function denseStep(problem: Problem, numbers: AdagradNumbers): Step {
  const batches = uploaded(problem);
  const loss = (parameters: np.Array[], images: np.Array, targets: np.Array): np.Array => {
    const last = parameters.length / 2 - 1;
    let values = images;
    for (let layer = 0; layer <= last; layer += 1) {
      const [weights, bias] = parameters.slice(2 * layer) as [np.Array, np.Array];
      values = np.matmul(values, weights.transpose()).add(bias);
      if (layer < last) values = nn.relu(values);
    }
    return nn.logSoftmax(values, -1).mul(targets).sum().mul(-1 / problem.batch);
  };
  const whole = jit((parameters: np.Array[], memory: np.Array[], images: np.Array, targets: np.Array) => {
    const kept = parameters.map((values) => values.ref);
    const [value, gradients] = valueAndGrad(loss)(kept, images, targets) as [np.Array, np.Array[]];
    return [value, ...updated(parameters, memory, gradients, numbers)];
  });
  return (state, batch) => {
    const { images, targets } = batches[batch] as { images: np.Array; targets: np.Array };
    const [value, parameters, memory] = whole(state.parameters, state.memory, images.ref, targets.ref) as [
      np.Array,
      np.Array[],
      np.Array[],
    ];
    Object.assign(state, { parameters, memory });
    return Promise.resolve(value);
  };
}
