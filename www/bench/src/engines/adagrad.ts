/** The optimizer's numbers, for engines that write the update themselves: v ← v + g², x ← x − α g / (√v + ε). */
import type { Problem } from '../engine.js';

export interface AdagradNumbers {
  learningRate: number;
  epsilon: number;
}

export function adagradOf({ config }: Problem): AdagradNumbers {
  const { optimizer } = config;
  if (optimizer.name !== 'adagrad' || optimizer.initial_accumulator !== 0 || optimizer.weight_decay !== 0) {
    throw new Error('the bench compares plain AdaGrad only');
  }
  return { learningRate: config.learning_rate, epsilon: optimizer.epsilon };
}
