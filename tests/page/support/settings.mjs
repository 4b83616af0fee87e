// The quick preset as the page has it: what tests change a field or two of.
export const QUICK = {
  version: 1,
  dataset: 'mnist',
  normalisation: 'none',
  augmentation: { padding: 0, flip: false },
  text: { tokens: 'characters', context: 64 },
  model: 'cnn',
  optimizer: { name: 'adagrad', initial_accumulator: 0, epsilon: 1e-10, weight_decay: 0 },
  learning_rate: 0.02,
  schedule: { warm_up_samples: 0, decay: { name: 'constant' } },
  test: { name: 'norm', eta: 1, debiased: false },
  controller: { name: 'adadagrad', growth_cap: 2, window: 1, window_kind: 'sliding' },
  observe: '',
  coupling: 'none',
  initial_batch: 8,
  min_batch: 1,
  max_batch: 4096,
  decay_on: 'all',
  clip_norm: 0,
  parts: 0,
  sample_budget: 100_000,
  seed: 0,
  evaluate_every: 8000,
};

/** The preset for texts. */
export const TEXT = {
  ...QUICK,
  dataset: 'shakespeare',
  text: { tokens: 'characters', context: 32 },
  model: 'transformer-2-2-64',
  optimizer: { name: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.01 },
  decay_on: 'matrices',
  learning_rate: 0.003,
  test: { name: 'norm', eta: 0.8, debiased: false },
  max_batch: 1024,
  sample_budget: 60_000,
  evaluate_every: 4000,
};

/** One of each thing that settings name, as the core has them by default (tests/page/defaults.test.mjs compares them). */
export const DEFAULTS = {
  optimizers: [
    { name: 'sgd', weight_decay: 0 },
    { name: 'momentum', momentum: 0.9, weight_decay: 0 },
    { name: 'nesterov', momentum: 0.9, weight_decay: 0 },
    { name: 'adagrad', initial_accumulator: 0, epsilon: 1e-10, weight_decay: 0 },
    { name: 'adagrad_norm', initial_norm: 0.01 },
    { name: 'adagrad_norm_delayed', beta: 1 },
    { name: 'rmsprop', alpha: 0.99, epsilon: 1e-8, weight_decay: 0 },
    { name: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0 },
    { name: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.01 },
  ],
  tests: [
    { name: 'norm', eta: 0.1, debiased: false },
    { name: 'inner_product', theta: 0.9, leave_one_out: false },
    { name: 'orthogonality', nu: 5.84 },
    { name: 'augmented', theta: 0.9, nu: 5.84, leave_one_out: false },
    { name: 'coordinate_norm', eta: 0.1, quantile: 1 },
    { name: 'worker_norm', eta: 0.1, workers: 4 },
  ],
  decays: [{ name: 'constant' }, { name: 'cosine', final_fraction: 0 }, { name: 'step', every_samples: 60_000, factor: 0.5 }],
};

/** What the wasm module offers, as far as the page's pure modules read it. */
export const CATALOGUE = { presets: [{ name: 'quick', title: 'Quick', config: QUICK }], models: [], defaults: DEFAULTS };
