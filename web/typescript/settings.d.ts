/** What is chosen by name, with its settings: written from the core's table of settings. */

export type Optimizer =
  | { name: "sgd"; weight_decay: number }
  | { name: "momentum"; momentum: number; weight_decay: number }
  | { name: "nesterov"; momentum: number; weight_decay: number }
  | { name: "adagrad"; initial_accumulator: number; epsilon: number; weight_decay: number }
  | { name: "adagrad_norm"; initial_norm: number }
  | { name: "adagrad_norm_delayed"; beta: number }
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
  | { name: "adadagrad"; growth_cap: number | null; window: number; window_kind: "sliding" | "block" }
  | { name: "cabs"; ema: number; scale: number }
  | { name: "dive_batch"; delta: number; every_epochs: number; scale_learning_rate: boolean }
  | { name: "gradient_noise_scale"; sensor: "plain" | "preconditioned" | "sign"; scale: number; ema: number }
  | { name: "ada_batch_grad"; theta: number; nu: number; window: number; window_kind: "sliding" | "block" }
  | { name: "accordion"; small: number; large: number; threshold: number }
  | { name: "cost_aware"; sensor: "plain" | "preconditioned" | "sign"; ema: number; gain: number; warm_up: number; dwell: number; fixed_time: number | null; time_per_sample: number | null }
  | { name: "constant" }
  | { name: "stages"; schedule: string }
  | { name: "linear"; last_batch: number; over_samples: number }
  | { name: "geometric"; every_epochs: number; factor: number; gamma: number }
  | { name: "smith"; milestones: string; factor: number; limit: number | null }
  | { name: "seesaw"; milestones: string; cut: number }
  | { name: "big_batch"; growth: number }
  | { name: "simi_grad"; target: number };

export type Decay =
  | { name: "constant" }
  | { name: "cosine"; final_fraction: number }
  | { name: "step"; every_samples: number; factor: number };
