/** Settings that differ, in the words of the page. */
import type { RunConfig } from '../../pkg/adadagrad_web.js';
import { formatCount } from '../format.js';
import { CONTROLLERS, DATASETS, isControllerName, isOptimizerName, isTestName, modelTitle, NORMALISATIONS, OPTIMIZERS, TESTS } from '../settings/choices.js';
import { flatten } from '../settings/flat.js';
import type { FlatConfig, FlatValue } from '../settings/flat.js';
import { observedNames, titleOfObserved } from '../settings/observable.js';
import { isThreshold } from '../settings/rows.js';
import type { Row } from '../settings/rows.js';
import { AUGMENTATION_ROWS, CONTROLLER_ROWS, DECAY_ROWS, OPTIMIZER_ROWS, RUN_ROWS, SCHEDULE_ROWS, TEST_ROWS, TEXT_ROWS } from '../settings/table.js';
import { thresholdOf } from './thresholds.js';

/** Of what is no row of the table, but chosen by name. */
const LABELS: Readonly<Record<string, string>> = {
  dataset: 'data',
  normalisation: 'pixels',
  model: 'model',
  optimizer: 'optimizer',
  test: 'test',
  controller: 'controller',
  'schedule.decay': 'learning-rate decay',
};

/** The settings of a part, by the part's place. */
const ROWS: readonly (readonly [string, readonly Row[]])[] = [
  ['', RUN_ROWS],
  ['augmentation.', AUGMENTATION_ROWS],
  ['text.', TEXT_ROWS],
  ['schedule.', SCHEDULE_ROWS],
  ...([['optimizer.', OPTIMIZER_ROWS], ['test.', TEST_ROWS], ['controller.', CONTROLLER_ROWS], ['schedule.decay.', DECAY_ROWS]] as const).map(
    ([place, choices]): [string, readonly Row[]] => [place, choices.flatMap(({ fields }): readonly Row[] => fields)],
  ),
];

function rowAt(place: string): Row | undefined {
  for (const [part, rows] of ROWS) {
    const row = rows.find(({ name }) => place === `${part}${name}`);
    if (row !== undefined) return row;
  }
  return undefined;
}

/** Choices that are named in full. */
const TITLES: Readonly<Record<string, string>> = DATASETS;

/** What comes with a test, or with the rule for the next batch, and says little by itself. */
function isDetail(place: string): boolean {
  const row = rowAt(place);
  return row !== undefined && !isThreshold(row) && /^(test|controller)\./.test(place);
}

/** “η 0.5, learning rate 0.02”: what sets one run apart from the others; empty where nothing does. */
export function whatSetsApart(config: RunConfig, others: readonly RunConfig[]): string {
  const own = flatten(config);
  const rest = others.map(flatten);
  const differs = (place: string): boolean =>
    rest.some((flat) => {
      // What comes with a test or a rule is worth a word only where both have it.
      if (isDetail(place) && flat[place] === undefined) return false;
      // That a test comes with AdAdaGrad, and no test with a constant batch, goes without saying.
      if (place === 'controller' && hasUsualRule(own) && hasUsualRule(flat)) return false;
      return flat[place] !== own[place];
    });
  return Object.keys(own).filter(differs).map((place) => saySetting(place, own[place] ?? null)).join(', ');
}

/** “CNN, AdaGrad, learning rate 0.02, Norm test, η 1”: the settings that matter most. */
export function describeSettings(config: RunConfig): string {
  const flat = flatten(config);
  const threshold = thresholdOf(config.test);
  return [
    ...['model', 'optimizer', 'learning_rate', 'test'].map((place) => saySetting(place, flat[place] ?? null)),
    ...(hasUsualRule(flat) ? [] : [saySetting('controller', config.controller.name)]),
    ...(threshold === null ? [saySetting('initial_batch', config.initial_batch)] : [`${threshold.symbol} ${threshold.value}`]),
    saySetting('seed', config.seed),
  ].join(', ');
}

/** Every setting by its name and value, in words. */
export function allSettings(config: RunConfig): [label: string, value: string][] {
  return Object.entries(flatten(config)).map(([place, value]) => [labelOf(place), sayValue(place, value)]);
}

/** With a test AdAdaGrad, and without one a constant batch. */
function hasUsualRule({ test, controller }: FlatConfig): boolean {
  return controller === (test === null ? 'constant' : 'adadagrad');
}

/** “η 1 → 0.5”: what was changed from one to the other. */
export function whatChanged(from: RunConfig, to: RunConfig): string {
  const before = flatten(from);
  const after = flatten(to);
  const places = Object.keys(after).filter((place) => before[place] !== after[place]);
  return places.map((place) => `${labelOf(place)} ${sayValue(place, before[place] ?? null)} → ${sayValue(place, after[place] ?? null)}`).join(', ');
}

function saySetting(place: string, value: FlatValue): string {
  if (['optimizer', 'test', 'controller', 'model', 'dataset', 'normalisation'].includes(place)) return sayValue(place, value);
  return `${labelOf(place)} ${sayValue(place, value)}`;
}

function labelOf(place: string): string {
  const row = rowAt(place);
  if (row !== undefined) return isThreshold(row) ? row.symbol : row.title;
  return LABELS[place] ?? place.replace(/^.*\./, '').replaceAll('_', ' ');
}

function sayValue(place: string, value: FlatValue): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number') return Math.abs(value) >= 1000 && Math.abs(value) < 1e9 ? formatCount(value) : String(value);
  if (value === '') return 'none';
  if (value === null) return place === 'test' ? 'no test' : 'none';
  if (place === 'observe') return observedNames(value).map(titleOfObserved).join(' and ');
  if (place === 'normalisation') return NORMALISATIONS[value === 'training' ? 'training' : 'none'];
  if (place === 'model') return modelTitle(value);
  if (place === 'optimizer' && isOptimizerName(value)) return OPTIMIZERS[value].title;
  if (place === 'test' && isTestName(value)) return TESTS[value];
  if (place === 'controller' && isControllerName(value)) return CONTROLLERS[value];
  if (place === 'schedule.decay' && value === 'constant') return 'none';
  return TITLES[value] ?? value.replaceAll('_', ' ');
}
