/** What settings must look like, wherever they come from, before anything of the page reads them. */
import * as v from 'valibot';
import type { RunConfig } from '../../pkg/adadagrad_web.js';
import { count, name, number, record, size, text } from '../schema.js';
import { hasModelTitle } from './choices.js';

const optimizer = v.variant(
  'name',
  [
    record({ name: v.literal('sgd'), weight_decay: number }),
    record({ name: v.literal('momentum'), momentum: number, weight_decay: number }),
    record({ name: v.literal('nesterov'), momentum: number, weight_decay: number }),
    record({ name: v.literal('adagrad'), initial_accumulator: number, epsilon: number, weight_decay: number }),
    record({ name: v.literal('adagrad_norm'), initial_norm: number }),
    record({ name: v.literal('rmsprop'), alpha: number, epsilon: number, weight_decay: number }),
    record({ name: v.literal('adam'), beta1: number, beta2: number, epsilon: number, weight_decay: number }),
    record({ name: v.literal('adamw'), beta1: number, beta2: number, epsilon: number, weight_decay: number }),
  ],
  'must be an optimizer with its name',
);

const flag = v.boolean('must be true or false');

const test = v.variant(
  'name',
  [
    record({ name: v.literal('norm'), eta: number, debiased: flag }),
    record({ name: v.literal('inner_product'), theta: number, leave_one_out: flag }),
    record({ name: v.literal('orthogonality'), nu: number }),
    record({ name: v.literal('augmented'), theta: number, nu: number, leave_one_out: flag }),
    record({ name: v.literal('coordinate_norm'), eta: number, quantile: number }),
    record({ name: v.literal('worker_norm'), eta: number, workers: size }),
  ],
  'must be a batch-size test with its name, or null',
);

const controller = v.variant(
  'name',
  [record({ name: v.literal('adadagrad'), growth_cap: v.nullable(number) }), record({ name: v.literal('constant') })],
  'must be adadagrad or constant',
);

const decay = v.variant(
  'name',
  [
    record({ name: v.literal('constant') }),
    record({ name: v.literal('cosine'), final_fraction: number }),
    record({ name: v.literal('step'), every_samples: size, factor: number }),
  ],
  'must be constant, cosine or step',
);

export const runConfig = record({
  version: v.literal(1, 'must be 1'),
  dataset: name(['mnist', 'fashion_mnist', 'cifar10', 'cifar100', 'own']),
  // Older files have neither.
  normalisation: v.optional(name(['none', 'training']), 'none'),
  augmentation: v.optional(record({ padding: count, flip: flag }), { padding: 0, flip: false }),
  model: v.pipe(text, v.check(hasModelTitle, 'must be the name of a network, such as logistic, cnn or resnet-20')),
  optimizer,
  learning_rate: number,
  schedule: record({ warm_up_samples: count, decay }),
  test: v.nullable(test),
  controller,
  initial_batch: size,
  min_batch: size,
  max_batch: size,
  sample_budget: count,
  seed: count,
  evaluate_every: count,
});

/** The core declares the same settings (web/typescript/session.d.ts): this compiles only while both agree. */
type Same<One, Other> = [One] extends [Other] ? ([Other] extends [One] ? true : false) : false;
true satisfies Same<v.InferOutput<typeof runConfig>, RunConfig>;
