/**
 * Which fields the settings have, given the settings themselves: pure data, drawn by panel.ts.
 * Each field reads one value from the RunConfig and gives back a changed RunConfig.
 */
import type { BatchTest, ModelDescription, Optimizer, RunConfig } from '../../pkg/adadagrad_web.js';
import { formatCount } from '../format.js';
import { chooseTest, isOptimizerName, isTestName, OPTIMIZERS, TESTS } from './choices.js';
import type { OptimizerName, TestName } from './choices.js';

interface SpecBase {
  id: string;
  label: string;
  hint?: string;
}

export interface NumberSpec extends SpecBase {
  kind: 'number';
  /** Where a flattened RunConfig (flat.ts) has it: `test.eta`. */
  place: string;
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

export function settingsGroups(config: RunConfig, models: ModelDescription[]): GroupSpec[] {
  return [
    { id: 'test', title: 'Batch-size test', folded: false, fields: testFields(config) },
    { id: 'batch', title: 'Batch size', folded: false, fields: batchFields(config) },
    { id: 'model', title: 'Model and optimizer', folded: false, fields: modelFields(config, models) },
    { id: 'length', title: 'Run', folded: false, fields: runFields(config) },
    { id: 'more', title: 'More', folded: true, fields: moreFields(config) },
  ];
}

/** All number fields of these settings, by their place in them. */
export function numberSpecs(config: RunConfig): Map<string, NumberSpec> {
  const fields = settingsGroups(config, []).flatMap((group) => group.fields);
  return new Map(fields.flatMap((field) => (field.kind === 'number' ? [[field.place, field] as const] : [])));
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

function modelFields(config: RunConfig, models: ModelDescription[]): FieldSpec[] {
  const model: SelectSpec = {
    kind: 'select',
    id: 'model',
    label: 'Model',
    value: config.model,
    options: models.map(({ name, parameters }) => ({
      value: name,
      title: `${modelTitle(name)} · ${formatCount(parameters)} parameters`,
    })),
    change: (current, value) => {
      const chosen = models.find(({ name }) => name === value);
      return chosen === undefined ? current : { ...current, model: chosen.name };
    },
  };
  const optimizer: SelectSpec = {
    kind: 'select',
    id: 'optimizer',
    label: 'Optimizer',
    value: config.optimizer.name,
    options: Object.entries(OPTIMIZERS).map(([value, { title }]) => ({ value, title })),
    change: (current, value) => (isOptimizerName(value) ? withOptimizer(current, value) : current),
  };
  return [model, optimizer, plainNumber(config, 'learning_rate', 'Learning rate')];
}

export function modelTitle(name: ModelDescription['name']): string {
  return { logistic: 'Logistic', mlp: 'MLP', cnn: 'CNN' }[name];
}

function withOptimizer(config: RunConfig, name: OptimizerName): RunConfig {
  const { parameters, learningRate } = OPTIMIZERS[name];
  return { ...config, optimizer: { ...parameters }, learning_rate: learningRate };
}

function testFields(config: RunConfig): FieldSpec[] {
  const test: SelectSpec = {
    kind: 'select',
    id: 'test',
    label: 'Test',
    value: config.test?.name ?? 'none',
    options: [
      ...Object.entries(TESTS).map(([value, { title }]) => ({ value, title })),
      { value: 'none', title: 'No test: constant batch' },
    ],
    change: (current, value) => withTest(current, isTestName(value) ? value : null),
  };
  if (config.test === null) return [test];
  return [test, ...thresholdFields(config.test), ...growthFields(config)];
}

function withTest(config: RunConfig, name: TestName | null): RunConfig {
  if (name === null) return { ...config, test: null, controller: { name: 'constant' } };
  const growthCap = config.controller.name === 'adadagrad' ? config.controller.growth_cap : null;
  return {
    ...config,
    test: chooseTest(name, config.test),
    controller: { name: 'adadagrad', growth_cap: growthCap },
  };
}

function thresholdFields(test: BatchTest): FieldSpec[] {
  switch (test.name) {
    case 'norm':
      return [
        testNumber('eta', 'Threshold η', test.eta, 'A smaller threshold allows less noise, so it requires larger batches.'),
        testCheckbox('debiased', 'Debiased ‖ḡ‖²', test.debiased),
      ];
    case 'inner_product':
      return [
        testNumber('theta', 'Threshold ϑ', test.theta),
        testCheckbox('leave_one_out', 'Exclude each sample from its own mean', test.leave_one_out),
      ];
    case 'orthogonality':
      return [testNumber('nu', 'Threshold ν', test.nu)];
    case 'augmented':
      return [
        testNumber('theta', 'Threshold ϑ', test.theta),
        testNumber('nu', 'Threshold ν', test.nu),
        testCheckbox('leave_one_out', 'Exclude each sample from its own mean', test.leave_one_out),
      ];
    case 'coordinate_norm':
      return [
        testNumber('eta', 'Threshold η', test.eta),
        testNumber('quantile', 'Fraction of coordinates', test.quantile, '1 tests every coordinate, as in the paper.'),
      ];
    case 'worker_norm':
      return [
        testNumber('eta', 'Threshold η', test.eta),
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
  const first = plainNumber(config, 'initial_batch', config.test === null ? 'Batch' : 'First batch');
  const largest = plainNumber(config, 'max_batch', 'Largest batch');
  return [{ ...first, change: changeFirstBatch }, largest];
}

/** A batch never shrinks below its first size, so the least size goes with the first while both are equal. */
function changeFirstBatch(config: RunConfig, value: number | null): RunConfig {
  if (value === null) return config;
  const least = config.min_batch === config.initial_batch || config.min_batch > value ? value : config.min_batch;
  return { ...config, initial_batch: value, min_batch: least };
}

function runFields(config: RunConfig): FieldSpec[] {
  return [
    plainNumber(config, 'sample_budget', 'Sample budget', 'The run ends after this number of training images.'),
    plainNumber(config, 'seed', 'Seed', 'The same seed gives the same run.'),
  ];
}

const PARAMETER_LABELS: Record<string, string> = {
  weight_decay: 'Weight decay',
  momentum: 'Momentum',
  initial_accumulator: 'Initial accumulator',
  epsilon: 'Epsilon',
  initial_norm: 'Initial norm',
  alpha: 'Smoothing α',
  beta1: 'Beta 1',
  beta2: 'Beta 2',
};

function moreFields(config: RunConfig): FieldSpec[] {
  return [
    plainNumber(config, 'evaluate_every', 'Measure accuracy every', 'The number of training images between two measurements.'),
    plainNumber(config, 'min_batch', 'Least batch'),
    {
      kind: 'number',
      id: 'warm-up-samples',
      place: 'schedule.warm_up_samples',
      label: 'Warm-up samples',
      hint: 'The learning rate rises from 0 over this number of images.',
      value: config.schedule.warm_up_samples,
      whole: true,
      optional: false,
      change: (current, value) =>
        value === null ? current : { ...current, schedule: { ...current.schedule, warm_up_samples: value } },
    },
    ...optimizerParameterFields(config.optimizer),
  ];
}

function optimizerParameterFields(optimizer: Optimizer): NumberSpec[] {
  return Object.entries(optimizer).flatMap(([key, value]) => {
    const label = PARAMETER_LABELS[key];
    if (label === undefined || typeof value !== 'number') return [];
    return [optimizerNumber(key, `${OPTIMIZERS[optimizer.name].title}: ${label.toLowerCase()}`, value)];
  });
}

function optimizerNumber(key: string, label: string, value: number): NumberSpec {
  return {
    kind: 'number',
    id: `optimizer-${key.replaceAll('_', '-')}`,
    place: `optimizer.${key}`,
    label,
    value,
    whole: false,
    optional: false,
    change: (config, next) =>
      next === null || !(key in config.optimizer) ? config : { ...config, optimizer: { ...config.optimizer, [key]: next } },
  };
}
