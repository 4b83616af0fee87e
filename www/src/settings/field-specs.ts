/**
 * Which fields the settings have, given the settings themselves: pure data, drawn by panel.ts.
 * Each field reads one value from the RunConfig and gives back a changed RunConfig.
 */
import type { BatchTest, Controller, Decay, Defaults, ModelDescription, Optimizer, RunConfig } from '../../pkg/adadagrad_web.js';
import { formatCount } from '../format.js';
import type { Catalogue } from '../protocol.js';
import { againstRule } from '../rule-words.js';
import { chooseControllerWithTest, chooseDecay, chooseOptimizer, chooseTest, CONTROLLERS, DECAYS, isControllerName, isDecayName, isOptimizerName, isTestName, modelTitle, OPTIMIZERS, TESTS } from './choices.js';
import { isOfText } from '../samples.js';
import { MOST_OBSERVED } from './observable.js';
import { capitalised, docOf, hintOf, labelOf, rowsOf } from './rows.js';
import type { Row } from './rows.js';
import { AUGMENTATION_ROWS, CONTROLLER_ROWS, DECAY_ROWS, OPTIMIZER_ROWS, RUN_ROWS, SCHEDULE_ROWS, TEST_ROWS, TEXT_ROWS } from './table.js';

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

export interface TextSpec extends SpecBase {
  kind: 'text';
  value: string;
  change: (config: RunConfig, value: string) => RunConfig;
}

/** Several of many, by their names in one text. */
export interface SeveralSpec extends SpecBase {
  kind: 'several';
  value: string;
  change: (config: RunConfig, value: string) => RunConfig;
}

export type FieldSpec = NumberSpec | SelectSpec | CheckboxSpec | TextSpec | SeveralSpec;

export interface GroupSpec {
  id: string;
  title: string;
  /** Seldom needed: folded away at first. */
  folded: boolean;
  fields: FieldSpec[];
}

export const NO_TEST = 'No test';

/** Sizes are 32-bit numbers in the core. */
const LARGEST_SIZE = 2 ** 32 - 1;

type Values = Readonly<Record<string, number | boolean | string | null>>;

/** The form's fields for the settings in these rows: one for each, of its kind. */
function fieldsOf(
  rows: readonly Row[],
  values: Values,
  { idPrefix, place, titlePrefix }: { idPrefix: string; place: string; titlePrefix?: string },
  change: (config: RunConfig, key: string, value: number | boolean | string | null) => RunConfig,
): FieldSpec[] {
  return rows.map((row): FieldSpec => {
    const { name, title, kind, texts } = row;
    const base = {
      id: `${idPrefix}${name.replaceAll('_', '-')}`,
      place: place === '' ? name : `${place}.${name}`,
      label: titlePrefix === undefined ? labelOf(row) : `${titlePrefix}: ${title}`,
      hint: hintOf(row),
    };
    const value = values[name];
    const take = (config: RunConfig, next: number | boolean | string | null): RunConfig => change(config, name, next);
    switch (kind) {
      case 'switch':
        return { ...base, kind: 'checkbox', value: value === true, change: take };
      case 'text':
        if (texts.length === 0) return { ...base, kind: 'text', value: String(value), change: take };
        return { ...base, kind: 'select', value: String(value), options: texts.map((text) => ({ value: text, title: optionTitle(text) })), change: take };
      case 'number':
      case 'optional':
      case 'size':
      case 'count':
        return {
          ...base,
          kind: 'number',
          value: typeof value === 'number' ? value : null,
          whole: kind === 'size' || kind === 'count',
          optional: kind === 'optional',
          ...(kind === 'size' ? { most: LARGEST_SIZE } : {}),
          change: (config, next) => (next === null && kind !== 'optional' ? config : take(config, next)),
        };
    }
  });
}

/** Words that are no words within a sentence. */
const OPTION_TITLES: Readonly<Record<string, string>> = { sqrt: 'Square root', sde: 'SDE' };

function optionTitle(text: string): string {
  return OPTION_TITLES[text] ?? capitalised(text.replaceAll('_', ' '));
}

/** The value of one setting of a part, where the part has such a setting. */
function withSetting<Part extends { name: string }>(part: Part, key: string, value: number | boolean | string | null): Part {
  return key in part ? { ...part, [key]: value } : part;
}

export function settingsGroups(config: RunConfig, { models, defaults }: Catalogue): GroupSpec[] {
  return [
    { id: 'test', title: 'Batch-size test', folded: false, fields: testFields(config, defaults) },
    { id: 'batch', title: 'Batch size', folded: false, fields: batchFields(config) },
    { id: 'model', title: 'Model and optimizer', folded: false, fields: modelFields(config, models, defaults) },
    { id: 'length', title: 'Run', folded: false, fields: runFields(config) },
    { id: 'more', title: 'More', folded: true, fields: moreFields(config, defaults) },
    { id: 'observe', title: 'Report only', folded: true, fields: [observeField(config)] },
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
  key: 'clip_norm' | 'learning_rate' | 'initial_batch' | 'min_batch' | 'max_batch' | 'parts' | 'sample_budget' | 'seed' | 'evaluate_every',
  hint?: string,
): NumberSpec {
  const row: Row | undefined = RUN_ROWS.find(({ name }) => name === key);
  return {
    kind: 'number',
    id: key.replaceAll('_', '-'),
    place: key,
    label: capitalised(row?.title ?? key),
    ...(hint === undefined ? {} : { hint }),
    value: config[key],
    whole: row?.kind !== 'number',
    optional: false,
    ...(row?.kind === 'size' ? { most: LARGEST_SIZE } : {}),
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
    hint: docOf(OPTIMIZER_ROWS, config.optimizer.name),
    options: Object.entries(OPTIMIZERS).map(([value, { title }]) => ({ value, title })),
    change: (current, value) => (isOptimizerName(value) ? chooseOptimizer(current, value, defaults) : current),
  };
  const rate = plainNumber(config, 'learning_rate', 'PyTorch’s lr. Choosing an optimizer sets a usual value for it.');
  return [model, ...textFields(config), optimizer, rate];
}

/** How a text is read; images are not read so. */
function textFields(config: RunConfig): FieldSpec[] {
  if (!isOfText(config)) return [];
  return fieldsOf(TEXT_ROWS, { ...config.text }, { idPrefix: 'text-', place: 'text' }, (current, key, value) => ({
    ...current,
    text: { ...current.text, [key]: value },
  }));
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
    hint: config.test === null ? 'Nothing is tested. A rule that needs no test can still change the batch size.' : docOf(TEST_ROWS, config.test.name),
    value: config.test?.name ?? 'none',
    options: [
      ...Object.entries(TESTS).map(([value, title]) => ({ value, title })),
      { value: 'none', title: NO_TEST },
    ],
    change: (current, value) => chooseTest(current, isTestName(value) ? value : null, defaults),
  };
  if (config.test === null) return [test, ...controllerFields(config, defaults)];
  const thresholds = fieldsOf(rowsOf(TEST_ROWS, config.test.name), config.test as unknown as Values, { idPrefix: 'test-', place: 'test' }, (current, key, value) =>
    current.test === null ? current : { ...current, test: withSetting<BatchTest>(current.test, key, value) },
  );
  return [test, ...thresholds, ...controllerFields(config, defaults)];
}

function controllerFields({ controller }: RunConfig, defaults: Defaults): FieldSpec[] {
  const rule: SelectSpec = {
    kind: 'select',
    id: 'controller',
    place: 'controller',
    label: 'Rule for the next batch',
    hint: `${docOf(CONTROLLER_ROWS, controller.name)} ${againstRule(controller.name)}`.trim(),
    value: controller.name,
    options: Object.entries(CONTROLLERS).map(([value, title]) => ({ value, title })),
    change: (current, value) => (isControllerName(value) ? chooseControllerWithTest(current, value, defaults) : current),
  };
  const settings = fieldsOf(rowsOf(CONTROLLER_ROWS, controller.name), controller as unknown as Values, { idPrefix: 'controller-', place: 'controller' }, (current, key, value) => ({
    ...current,
    controller: withSetting<Controller>(current.controller, key, value),
  }));
  return [rule, ...settings];
}

function batchFields(config: RunConfig): FieldSpec[] {
  const initial = plainNumber(config, 'initial_batch', 'In samples. A constant batch keeps this size.');
  const largest = plainNumber(config, 'max_batch');
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
    plainNumber(config, 'sample_budget', 'The run ends after this number of training samples.'),
    plainNumber(config, 'seed', 'The same seed gives the same run.'),
  ];
}

function moreFields(config: RunConfig, defaults: Defaults): FieldSpec[] {
  return [
    plainNumber(config, 'evaluate_every', 'The number of training samples between two measurements.'),
    plainNumber(config, 'min_batch'),
    plainNumber(config, 'parts', 'A batch is cut into at most this number of parts, which the workers of the CPU engine share; 0: the network’s own number. WebGPU needs no parts.'),
    ...wordFields(config),
    ...(isOfText(config) ? [] : imageFields(config)),
    ...scheduleFields(config, defaults),
    ...optimizerParameterFields(config.optimizer),
    plainNumber(config, 'clip_norm', 'A larger gradient is scaled down to this norm before the step; 0: no limit.'),
  ];
}

/** The run's own settings that are words. */
function wordFields({ coupling, decay_on }: RunConfig): FieldSpec[] {
  const rows: readonly Row[] = RUN_ROWS;
  return fieldsOf(rows.filter(({ name }) => name === 'coupling' || name === 'decay_on'), { coupling, decay_on }, { idPrefix: '', place: '' }, (current, key, value) => ({ ...current, [key]: value }));
}

function observeField({ observe }: RunConfig): SeveralSpec {
  return {
    kind: 'several',
    id: 'observe',
    place: 'observe',
    label: 'Report only',
    hint: `Computed in each step and shown next to the figure, but without effect on the run. Up to ${MOST_OBSERVED}, which cannot change during a run.`,
    value: observe,
    change: (current, value) => ({ ...current, observe: value }),
  };
}

function imageFields({ augmentation, normalisation }: RunConfig): FieldSpec[] {
  return [
    ...fieldsOf(AUGMENTATION_ROWS, { ...augmentation }, { idPrefix: 'augmentation-', place: 'augmentation' }, (current, key, value) => ({
      ...current,
      augmentation: { ...current.augmentation, [key]: value },
    })),
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
  const { decay: _, ...own } = schedule;
  const warmUp = fieldsOf(SCHEDULE_ROWS, own, { idPrefix: '', place: 'schedule' }, (current, key, value) => ({
    ...current,
    schedule: { ...current.schedule, [key]: value },
  }));
  const decay: SelectSpec = {
    kind: 'select',
    id: 'decay',
    place: 'schedule.decay',
    label: 'Learning-rate decay',
    hint: `After the warm-up. ${docOf(DECAY_ROWS, schedule.decay.name)}`,
    value: schedule.decay.name,
    options: Object.entries(DECAYS).map(([value, title]) => ({ value, title })),
    change: (current, value) => (isDecayName(value) ? chooseDecay(current, value, defaults) : current),
  };
  const settings = fieldsOf(rowsOf(DECAY_ROWS, schedule.decay.name), schedule.decay as unknown as Values, { idPrefix: 'decay-', place: 'schedule.decay' }, (current, key, value) => ({
    ...current,
    schedule: { ...current.schedule, decay: withSetting<Decay>(current.schedule.decay, key, value) },
  }));
  return [...warmUp, decay, ...settings];
}

function optimizerParameterFields(optimizer: Optimizer): FieldSpec[] {
  const where = { idPrefix: 'optimizer-', place: 'optimizer', titlePrefix: OPTIMIZERS[optimizer.name].title };
  return fieldsOf(rowsOf(OPTIMIZER_ROWS, optimizer.name), optimizer as unknown as Values, where, (current, key, value) => ({
    ...current,
    optimizer: withSetting<Optimizer>(current.optimizer, key, value),
  }));
}
