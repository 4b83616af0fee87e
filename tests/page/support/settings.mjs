// The quick preset as the page has it: what tests change a field or two of.
export const QUICK = {
  version: 1,
  dataset: 'mnist',
  model: 'cnn',
  optimizer: { name: 'adagrad', initial_accumulator: 0, epsilon: 1e-10, weight_decay: 0 },
  learning_rate: 0.02,
  schedule: { warm_up_samples: 0, decay: { name: 'constant' } },
  test: { name: 'norm', eta: 1, debiased: false },
  controller: { name: 'adadagrad', growth_cap: 2 },
  initial_batch: 8,
  min_batch: 1,
  max_batch: 4096,
  sample_budget: 100_000,
  seed: 0,
  evaluate_every: 8000,
};
