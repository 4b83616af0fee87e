/** What can be chosen, under which names, and the values a choice begins with. */
import type { BatchTest, Optimizer } from '../../pkg/adadagrad_web.js';

export type OptimizerName = Optimizer['name'];
export type TestName = BatchTest['name'];
export type OptimizerNamed<Name extends OptimizerName> = Extract<Optimizer, { name: Name }>;
export type TestNamed<Name extends TestName> = Extract<BatchTest, { name: Name }>;

interface OptimizerChoice<Name extends OptimizerName> {
  title: string;
  /** PyTorch's defaults where PyTorch has the optimizer. */
  parameters: OptimizerNamed<Name>;
  /** A rate that trains MNIST sensibly; set when the optimizer is chosen. */
  learningRate: number;
}

export const OPTIMIZERS: { [Name in OptimizerName]: OptimizerChoice<Name> } = {
  adagrad: {
    title: 'AdaGrad',
    parameters: { name: 'adagrad', initial_accumulator: 0, epsilon: 1e-10, weight_decay: 0 },
    learningRate: 0.02,
  },
  adagrad_norm: { title: 'AdaGrad-Norm', parameters: { name: 'adagrad_norm', initial_norm: 0.01 }, learningRate: 0.5 },
  adam: {
    title: 'Adam',
    parameters: { name: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0 },
    learningRate: 0.001,
  },
  adamw: {
    title: 'AdamW',
    parameters: { name: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.01 },
    learningRate: 0.001,
  },
  rmsprop: {
    title: 'RMSProp',
    parameters: { name: 'rmsprop', alpha: 0.99, epsilon: 1e-8, weight_decay: 0 },
    learningRate: 0.001,
  },
  sgd: { title: 'SGD', parameters: { name: 'sgd', weight_decay: 0 }, learningRate: 0.05 },
  momentum: {
    title: 'SGD with momentum',
    parameters: { name: 'momentum', momentum: 0.9, weight_decay: 0 },
    learningRate: 0.01,
  },
  nesterov: {
    title: 'SGD with Nesterov momentum',
    parameters: { name: 'nesterov', momentum: 0.9, weight_decay: 0 },
    learningRate: 0.01,
  },
};

interface TestChoice<Name extends TestName> {
  title: string;
  defaults: TestNamed<Name>;
}

export const TESTS: { [Name in TestName]: TestChoice<Name> } = {
  norm: { title: 'Norm test', defaults: { name: 'norm', eta: 1, debiased: false } },
  inner_product: {
    title: 'Inner product test',
    defaults: { name: 'inner_product', theta: 0.9, leave_one_out: false },
  },
  orthogonality: { title: 'Orthogonality test', defaults: { name: 'orthogonality', nu: 5.84 } },
  augmented: {
    title: 'Augmented inner product test',
    defaults: { name: 'augmented', theta: 0.9, nu: 5.84, leave_one_out: false },
  },
  coordinate_norm: {
    title: 'Coordinate-wise norm test',
    defaults: { name: 'coordinate_norm', eta: 1, quantile: 0.5 },
  },
  worker_norm: { title: 'Worker-gradient norm test', defaults: { name: 'worker_norm', eta: 1, workers: 8 } },
};

/** Keeps the threshold η where both the old and the new test have one, so that tests can be compared. */
export function chooseTest(name: TestName, previous: BatchTest | null): BatchTest {
  const test: BatchTest = { ...TESTS[name].defaults };
  if ('eta' in test && previous !== null && 'eta' in previous) return { ...test, eta: previous.eta };
  return test;
}

export function isOptimizerName(name: string): name is OptimizerName {
  return Object.hasOwn(OPTIMIZERS, name);
}

export function isTestName(name: string): name is TestName {
  return Object.hasOwn(TESTS, name);
}
