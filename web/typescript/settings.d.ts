/** What is chosen by name, with its settings: written from the core's table of settings. */

export type Optimizer =
  | { name: "sgd"; weight_decay: number }
  | { name: "momentum"; momentum: number; weight_decay: number }
  | { name: "nesterov"; momentum: number; weight_decay: number }
  | { name: "adagrad"; initial_accumulator: number; epsilon: number; weight_decay: number }
  | { name: "adagrad_norm"; initial_norm: number }
  | { name: "rmsprop"; alpha: number; epsilon: number; weight_decay: number }
  | { name: "adam"; beta1: number; beta2: number; epsilon: number; weight_decay: number }
  | { name: "adamw"; beta1: number; beta2: number; epsilon: number; weight_decay: number };

export type BatchTest =
  | { name: "norm"; eta: number; debiased: boolean }
  | { name: "inner_product"; theta: number; leave_one_out: boolean }
  | { name: "orthogonality"; nu: number }
  | { name: "augmented"; theta: number; nu: number; leave_one_out: boolean }
  | { name: "coordinate_norm"; eta: number; quantile: number }
  | { name: "worker_norm"; eta: number; workers: number };

export type Controller =
  | { name: "adadagrad"; growth_cap: number | null }
  | { name: "constant" };

export type Decay =
  | { name: "constant" }
  | { name: "cosine"; final_fraction: number }
  | { name: "step"; every_samples: number; factor: number };
