/**
 * Which fields the settings have, given the settings themselves: pure data, drawn by panel.ts.
 * Each field reads one value from the RunConfig and gives back a changed RunConfig.
 */
import type { BatchTest, Decay, Defaults, ModelDescription, Optimizer, RunConfig } from '../../pkg/adadagrad_web.js';
import { formatCount } from '../format.js';
import type { Catalogue } from '../protocol.js';
import { chooseDecay, chooseOptimizer, chooseTest, DECAYS, isDecayName, isOptimizerName, isTestName, modelTitle, OPTIMIZERS, TESTS } from './choices.js';

interface SpecBase {
  id: string;
  /** Where a flattened RunConfig (flat.ts) has it: `test.eta`. */
  place: string;
  label: string;
  hint?: string;
}

export interface NumberSpec extends SpecBase {
  kind: 'number';
  value: number | null;
  whole: boolean;
  /** An empty field means null here; elsewhere it is a mistake. */
  optional: boolean;
  /** The largest number that the core can store there; without it, any that a number can hold. */
  most?: number;
  change: (config: RunConfig, value: number | null) => RunConfig;
}

export interface SelectSpec extends SpecBase {
  kind: 'select';
  value: string;
  options: { value: string; title: string }[];
  change: (config: RunConfig, value: string) => RunConfig;
}

export interface CheckboxSpec extends SpecBase {
  kind: 'checkbox';
  value: boolean;
  change: (config: RunConfig, value: boolean) => RunConfig;
}

export type FieldSpec = NumberSpec | SelectSpec | CheckboxSpec;

export interface GroupSpec {
  id: string;
  title: string;
  /** Seldom needed: folded away at first. */
  folded: boolean;
  fields: FieldSpec[];
}

/** Sizes are 32-bit numbers in the core. */
const LARGEST_SIZE = 2 ** 32 - 1;

export function settingsGroups(config: RunConfig, { models, defaults }: Catalogue): GroupSpec[] {
  return [
    { id: 'test', title: 'Batch-size test', folded: false, fields: testFields(config, defaults) },
    { id: 'batch', title: 'Batch size', folded: false, fields: batchFields(config) },
    { id: 'model', title: 'Model and optimizer', folded: false, fields: modelFields(config, models, defaults) },
    { id: 'length', title: 'Run', folded: false, fields: runFields(config) },
    { id: 'more', title: 'More', folded: true, fields: moreFields(config, defaults) },
  ];
}

/** All fields of these settings, by their place in them. */
export function fieldSpecs(config: RunConfig, catalogue: Catalogue): Map<string, FieldSpec> {
  const fields = settingsGroups(config, catalogue).flatMap((group) => group.fields);
  return new Map(fields.map((field) => [field.place, field]));
}

/** A number field of the RunConfig's own, not of one of its parts. */
function plainNumber(
  config: RunConfig,
  key: 'learning_rate' | 'initial_batch' | 'min_batch' | 'max_batch' | 'sample_budget' | 'seed' | 'evaluate_every',
  label: string,
  hint?: string,
): NumberSpec {
  return {
    kind: 'number',
    id: key.replaceAll('_', '-'),
    place: key,
    label,
    ...(hint === undefined ? {} : { hint }),
    value: config[key],
    whole: key !== 'learning_rate',
    optional: false,
    ...(key.endsWith('_batch') ? { most: LARGEST_SIZE } : {}),
    change: (current, value) => (value === null ? current : { ...current, [key]: value }),
  };
}

function modelFields(config: RunConfig, models: ModelDescription[], defaults: Defaults): FieldSpec[] {
  const model: SelectSpec = {
    kind: 'select',
    id: 'model',
    place: 'model',
    label: 'Model',
    value: config.model,
    options: modelOptions(config, models),
    change: (current, value) => ({ ...current, model: value }),
  };
  const optimizer: SelectSpec = {
    kind: 'select',
    id: 'optimizer',
    place: 'optimizer',
    label: 'Optimizer',
    value: config.optimizer.name,
    options: Object.entries(OPTIMIZERS).map(([value, { title }]) => ({ value, title })),
    change: (current, value) => (isOptimizerName(value) ? chooseOptimizer(current, value, defaults) : current),
  };
  const rate = plainNumber(config, 'learning_rate', 'Learning rate', 'PyTorch’s lr. Choosing an optimizer sets a usual value for it.');
  return [model, optimizer, rate];
}

/** Those that fit the data, and the one that is chosen: an address may name any. */
function modelOptions({ model }: RunConfig, models: ModelDescription[]): SelectSpec['options'] {
  const options = models.map(({ name, parameters }) => ({ value: name, title: `${modelTitle(name)} · ${formatCount(parameters)} parameters` }));
  return models.some(({ name }) => name === model) ? options : [...options, { value: model, title: modelTitle(model) }];
}

function testFields(config: RunConfig, defaults: Defaults): FieldSpec[] {
  const test: SelectSpec = {
    kind: 'select',
    id: 'test',
    place: 'test',
    label: 'Test',
    value: config.test?.name ?? 'none',
    options: [
      ...Object.entries(TESTS).map(([value, title]) => ({ value, title })),
      { value: 'none', title: 'No test: constant batch' },
    ],
    change: (current, value) => chooseTest(current, isTestName(value) ? value : null, defaults),
  };
  if (config.test === null) return [test];
  return [test, ...thresholdFields(config.test), ...growthFields(config)];
}

const LENGTH = 'A smaller threshold allows less noise, so it requires larger batches.';
const ALONG = 'Limits the noise along the mean gradient.';
const ACROSS = 'Limits the noise orthogonal to the mean gradient.';

function thresholdFields(test: BatchTest): FieldSpec[] {
  switch (test.name) {
    case 'norm':
      return [
        testNumber('eta', 'Threshold η', test.eta, LENGTH),
        testCheckbox('debiased', 'Debiased ‖ḡ‖²', test.debiased),
      ];
    case 'inner_product':
      return [
        testNumber('theta', 'Threshold ϑ', test.theta, ALONG),
        testCheckbox('leave_one_out', 'Exclude each sample from its own mean', test.leave_one_out),
      ];
    case 'orthogonality':
      return [testNumber('nu', 'Threshold ν', test.nu, ACROSS)];
    case 'augmented':
      return [
        testNumber('theta', 'Threshold ϑ', test.theta, ALONG),
        testNumber('nu', 'Threshold ν', test.nu, ACROSS),
        testCheckbox('leave_one_out', 'Exclude each sample from its own mean', test.leave_one_out),
      ];
    case 'coordinate_norm':
      return [
        testNumber('eta', 'Threshold η', test.eta, LENGTH),
        testNumber('quantile', 'Fraction of coordinates', test.quantile, '1 tests every coordinate, as in the paper.'),
      ];
    case 'worker_norm':
      return [
        testNumber('eta', 'Threshold η', test.eta, LENGTH),
        testNumber('workers', 'Parts', test.workers, 'The number of parts of the batch from which the noise is estimated.'),
      ];
  }
}

type TestKey = 'eta' | 'theta' | 'nu' | 'quantile' | 'workers';

function testNumber(key: TestKey, label: string, value: number, hint?: string): NumberSpec {
  return {
    kind: 'number',
    id: `test-${key}`,
    place: `test.${key}`,
    label,
    ...(hint === undefined ? {} : { hint }),
    value,
    whole: key === 'workers',
    optional: false,
    ...(key === 'workers' ? { most: LARGEST_SIZE } : {}),
    change: (config, next) => (next === null ? config : changeTest(config, key, next)),
  };
}

function testCheckbox(key: 'debiased' | 'leave_one_out', label: string, value: boolean): CheckboxSpec {
  return {
    kind: 'checkbox',
    id: `test-${key.replaceAll('_', '-')}`,
    place: `test.${key}`,
    label,
    value,
    change: (config, next) => changeTest(config, key, next),
  };
}

/** Changes one field of the test if the test has it. */
function changeTest(config: RunConfig, key: TestKey | 'debiased' | 'leave_one_out', value: number | boolean): RunConfig {
  if (config.test === null || !(key in config.test)) return config;
  return { ...config, test: { ...config.test, [key]: value } };
}

function growthFields(config: RunConfig): FieldSpec[] {
  if (config.controller.name !== 'adadagrad') return [];
  return [
    {
      kind: 'number',
      id: 'growth-cap',
      place: 'controller.growth_cap',
      label: 'Growth cap',
      hint: 'The largest growth factor in one step. Empty: no cap, as in the paper.',
      value: config.controller.growth_cap,
      whole: false,
      optional: true,
      change: (current, value) => ({ ...current, controller: { name: 'adadagrad', growth_cap: value } }),
    },
  ];
}

function batchFields(config: RunConfig): FieldSpec[] {
  const initial = plainNumber(config, 'initial_batch', 'Initial batch', 'In samples. Without a test, every batch has this size.');
  const largest = plainNumber(config, 'max_batch', 'Largest batch');
  return [{ ...initial, change: changeInitialBatch }, largest];
}

/** A batch never shrinks below its initial size, so the smallest size goes with it while both are equal. */
function changeInitialBatch(config: RunConfig, value: number | null): RunConfig {
  if (value === null) return config;
  const smallest = config.min_batch === config.initial_batch || config.min_batch > value ? value : config.min_batch;
  return { ...config, initial_batch: value, min_batch: smallest };
}

function runFields(config: RunConfig): FieldSpec[] {
  return [
    plainNumber(config, 'sample_budget', 'Sample budget', 'The run ends after this number of training samples.'),
    plainNumber(config, 'seed', 'Seed', 'The same seed gives the same run.'),
  ];
}

function moreFields(config: RunConfig, defaults: Defaults): FieldSpec[] {
  return [
    plainNumber(config, 'evaluate_every', 'Measure accuracy every', 'The number of training samples between two measurements.'),
    plainNumber(config, 'min_batch', 'Smallest batch'),
    ...imageFields(config),
    ...scheduleFields(config, defaults),
    ...optimizerParameterFields(config.optimizer),
  ];
}

function imageFields({ augmentation, normalisation }: RunConfig): FieldSpec[] {
  return [
    {
      kind: 'number',
      id: 'crop-padding',
      place: 'augmentation.padding',
      label: 'Crop padding',
      hint: 'Training images are padded with this number of black pixels on each side, 0 to 32, and cropped at random. 0: no crop.',
      value: augmentation.padding,
      whole: true,
      optional: false,
      most: LARGEST_SIZE,
      change: (current, value) => (value === null ? current : { ...current, augmentation: { ...current.augmentation, padding: value } }),
    },
    {
      kind: 'checkbox',
      id: 'random-flip',
      place: 'augmentation.flip',
      label: 'Random horizontal flip',
      value: augmentation.flip,
      change: (current, value) => ({ ...current, augmentation: { ...current.augmentation, flip: value } }),
    },
    {
      kind: 'checkbox',
      id: 'normalise',
      place: 'normalisation',
      label: 'Normalise each channel',
      hint: 'By its mean and its standard deviation over all training images.',
      value: normalisation === 'training',
      change: (current, value) => ({ ...current, normalisation: value ? 'training' : 'none' }),
    },
  ];
}

function scheduleFields({ schedule }: RunConfig, defaults: Defaults): FieldSpec[] {
  const warmUp: NumberSpec = {
    kind: 'number',
    id: 'warm-up-samples',
    place: 'schedule.warm_up_samples',
    label: 'Warm-up samples',
    hint: 'The learning rate rises linearly from 0 over this number of samples. 0: no warm-up.',
    value: schedule.warm_up_samples,
    whole: true,
    optional: false,
    change: (current, value) =>
      value === null ? current : { ...current, schedule: { ...current.schedule, warm_up_samples: value } },
  };
  const decay: SelectSpec = {
    kind: 'select',
    id: 'decay',
    place: 'schedule.decay',
    label: 'Learning-rate decay',
    hint: 'After the warm-up. Cosine: half a cosine wave until the sample budget ends. Step: a factor at equal intervals.',
    value: schedule.decay.name,
    options: Object.entries(DECAYS).map(([value, title]) => ({ value, title })),
    change: (current, value) => (isDecayName(value) ? chooseDecay(current, value, defaults) : current),
  };
  return [warmUp, decay, ...decayFields(schedule.decay)];
}

function decayFields(decay: Decay): NumberSpec[] {
  switch (decay.name) {
    case 'constant':
      return [];
    case 'cosine':
      return [
        decayNumber('final_fraction', 'Final fraction of the learning rate', decay.final_fraction, 'What is left of it at the end of the sample budget: 0 to 1.'),
      ];
    case 'step':
      return [
        decayNumber('every_samples', 'Samples between decays', decay.every_samples, 'After each interval of this length, the learning rate is multiplied by the decay factor.'),
        decayNumber('factor', 'Decay factor', decay.factor, 'Above 0 and at most 1.'),
      ];
  }
}

type DecayKey = 'final_fraction' | 'every_samples' | 'factor';

function decayNumber(key: DecayKey, label: string, value: number, hint: string): NumberSpec {
  return {
    kind: 'number',
    id: `decay-${key.replaceAll('_', '-')}`,
    place: `schedule.decay.${key}`,
    label,
    hint,
    value,
    whole: key === 'every_samples',
    optional: false,
    change: (config, next) => {
      const { schedule } = config;
      if (next === null || !(key in schedule.decay)) return config;
      return { ...config, schedule: { ...schedule, decay: { ...schedule.decay, [key]: next } } };
    },
  };
}

/** Named as in PyTorch where PyTorch has them. */
const PARAMETERS: Readonly<Record<string, { label: string; hint: string }>> = {
  weight_decay: { label: 'weight decay', hint: 'L2 regularisation, added to the gradient; AdamW decouples it from the gradient.' },
  momentum: { label: 'momentum', hint: 'The momentum factor, at least 0 and below 1.' },
  initial_accumulator: { label: 'initial accumulator', hint: 'The initial value of the sums of squared gradients.' },
  epsilon: { label: 'epsilon', hint: 'Added to the square root in the denominator.' },
  initial_norm: { label: 'initial norm', hint: 'The square root of the initial value of the sum of squared gradient norms.' },
  alpha: { label: 'alpha', hint: 'The decay rate of the running mean of squared gradients, at least 0 and below 1.' },
  beta1: { label: 'beta1', hint: 'The decay rate of the first moment, at least 0 and below 1.' },
  beta2: { label: 'beta2', hint: 'The decay rate of the second moment, at least 0 and below 1.' },
};

function optimizerParameterFields(optimizer: Optimizer): NumberSpec[] {
  return Object.entries(optimizer).flatMap(([key, value]) => {
    const parameter = PARAMETERS[key];
    if (parameter === undefined || typeof value !== 'number') return [];
    return [optimizerNumber(key, `${OPTIMIZERS[optimizer.name].title}: ${parameter.label}`, value, parameter.hint)];
  });
}

function optimizerNumber(key: string, label: string, value: number, hint: string): NumberSpec {
  return {
    kind: 'number',
    id: `optimizer-${key.replaceAll('_', '-')}`,
    place: `optimizer.${key}`,
    label,
    hint,
    value,
    whole: false,
    optional: false,
    change: (config, next) =>
      next === null || !(key in config.optimizer) ? config : { ...config, optimizer: { ...config.optimizer, [key]: next } },
  };
}
