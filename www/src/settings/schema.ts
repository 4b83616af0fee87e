/** What settings must look like, wherever they come from, before anything of the page reads them. */
import * as v from 'valibot';
import type { BatchTest, Controller, Decay, Optimizer, RunConfig } from '../../pkg/adadagrad_web.js';
import { oneOf } from '../brief.js';
import { count, name, number, record, size, text, version } from '../schema.js';
import { hasModelTitle } from './choices.js';
import type { Choice, Row } from './rows.js';
import { CONTROLLER_ROWS, DECAY_ROWS, OPTIMIZER_ROWS, TEST_ROWS } from './table.js';

const flag = v.boolean('must be true or false');

/** Older files do not have them. */
const LATER: readonly string[] = ['window', 'window_kind'];

function entryOf(row: Row): v.GenericSchema {
  return LATER.includes(row.name) ? v.optional(valueOf(row), row.default) : valueOf(row);
}

function valueOf({ kind, least, texts }: Row): v.GenericSchema {
  switch (kind) {
    case 'number':
      return number;
    case 'optional':
      return v.nullable(number);
    case 'size':
    case 'count':
      return least > 0 ? size : count;
    case 'switch':
      return flag;
    case 'text':
      return texts.length === 0 ? text : name(texts);
  }
}

/** One of several, with its settings. Their types are written from the same rows. */
function choice<Settings>(choices: readonly Choice[], mistake: string): v.GenericSchema<Settings> {
  const options = choices.map((own) =>
    record({ name: v.literal(own.name), ...Object.fromEntries(own.fields.map((row) => [row.name, entryOf(row)])) }),
  );
  return v.variant('name', options, mistake) as unknown as v.GenericSchema<Settings>;
}

function namesOf(choices: readonly Choice[]): string {
  return `must be ${oneOf(choices.map((own) => own.name))}`;
}

const optimizer = choice<Optimizer>(OPTIMIZER_ROWS, 'must be an optimizer with its name');
const test = choice<BatchTest>(TEST_ROWS, 'must be a batch-size test with its name, or null');
const controller = choice<Controller>(CONTROLLER_ROWS, namesOf(CONTROLLER_ROWS));
const decay = choice<Decay>(DECAY_ROWS, namesOf(DECAY_ROWS));

export const runConfig = record({
  version: version(1),
  dataset: name(['mnist', 'fashion_mnist', 'cifar10', 'cifar100', 'shakespeare', 'own']),
  // Older files have neither.
  normalisation: v.optional(name(['none', 'training']), 'none'),
  augmentation: v.optional(record({ padding: count, flip: flag }), { padding: 0, flip: false }),
  // Older files do not have it.
  text: v.optional(record({ tokens: name(['characters', 'bytes']), context: size }), { tokens: 'characters', context: 64 }),
  model: v.pipe(text, v.check(hasModelTitle, 'must be the name of a network, such as logistic, cnn or resnet-20')),
  optimizer,
  // Older files have neither.
  decay_on: v.optional(name(['all', 'matrices']), 'all'),
  clip_norm: v.optional(number, 0),
  learning_rate: number,
  schedule: record({ warm_up_samples: count, decay }),
  test: v.nullable(test),
  controller,
  // Older files have neither.
  observe: v.optional(text, ''),
  coupling: v.optional(name(['none', 'linear', 'sqrt', 'sde', 'half_life']), 'none'),
  initial_batch: size,
  min_batch: size,
  max_batch: size,
  // Older files do not have it.
  parts: v.optional(count, 0),
  sample_budget: count,
  seed: count,
  evaluate_every: count,
});

/** The core declares the same settings (web/typescript): this compiles only while both agree. */
type Same<One, Other> = [One] extends [Other] ? ([Other] extends [One] ? true : false) : false;
true satisfies Same<v.InferOutput<typeof runConfig>, RunConfig>;
