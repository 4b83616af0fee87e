/** Settings that differ, in the words of the page. */
import type { RunConfig } from '../../pkg/adadagrad_web.js';
import { formatCount } from '../format.js';
import { DATASETS, isOptimizerName, isTestName, modelTitle, NORMALISATIONS, OPTIMIZERS, TESTS } from '../settings/choices.js';
import { flatten } from '../settings/flat.js';
import type { FlatValue } from '../settings/flat.js';
import { thresholdOf } from './thresholds.js';

const LABELS: Record<string, string> = {
  dataset: 'data',
  normalisation: 'pixels',
  'augmentation.padding': 'crop padding',
  'augmentation.flip': 'random flip',
  model: 'model',
  optimizer: 'optimizer',
  test: 'test',
  'test.eta': 'η',
  'test.theta': 'ϑ',
  'test.nu': 'ν',
  'test.debiased': 'debiased',
  'test.leave_one_out': 'leave one out',
  'test.quantile': 'fraction of coordinates',
  'test.workers': 'parts',
  controller: 'controller',
  'controller.growth_cap': 'growth cap',
  learning_rate: 'learning rate',
  'schedule.warm_up_samples': 'warm-up samples',
  'schedule.decay': 'learning-rate decay',
  'schedule.decay.final_fraction': 'final fraction of the learning rate',
  'schedule.decay.every_samples': 'samples between decays',
  'schedule.decay.factor': 'decay factor',
  initial_batch: 'initial batch',
  min_batch: 'smallest batch',
  max_batch: 'largest batch',
  sample_budget: 'sample budget',
  seed: 'seed',
  evaluate_every: 'accuracy measured every',
};

/** Choices that are named in full. */
const TITLES: Readonly<Record<string, string>> = DATASETS;

const DETAILS = new Set(['controller.growth_cap', 'test.debiased', 'test.leave_one_out', 'test.quantile', 'test.workers']);

/** “η 0.5, learning rate 0.02”: what sets one run apart from the others; empty where nothing does. */
export function whatSetsApart(config: RunConfig, others: readonly RunConfig[]): string {
  const own = flatten(config);
  const rest = others.map(flatten);
  const differs = (place: string): boolean =>
    rest.some((flat) => {
      // What comes with a test is worth a word only where both have it.
      if (place === 'controller' || (DETAILS.has(place) && flat[place] === undefined)) return false;
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
    ...(threshold === null ? [saySetting('initial_batch', config.initial_batch)] : [`${threshold.symbol} ${threshold.value}`]),
    saySetting('seed', config.seed),
  ].join(', ');
}

/** “η 1 → 0.5”: what was changed from one to the other. */
export function whatChanged(from: RunConfig, to: RunConfig): string {
  const before = flatten(from);
  const after = flatten(to);
  const places = Object.keys(after).filter((place) => before[place] !== after[place]);
  return places.map((place) => `${labelOf(place)} ${sayValue(place, before[place] ?? null)} → ${sayValue(place, after[place] ?? null)}`).join(', ');
}

function saySetting(place: string, value: FlatValue): string {
  if (['optimizer', 'test', 'model', 'dataset', 'normalisation'].includes(place)) return sayValue(place, value);
  return `${labelOf(place)} ${sayValue(place, value)}`;
}

function labelOf(place: string): string {
  return LABELS[place] ?? place.replace(/^.*\./, '').replaceAll('_', ' ');
}

function sayValue(place: string, value: FlatValue): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number') return Math.abs(value) >= 1000 && Math.abs(value) < 1e9 ? formatCount(value) : String(value);
  if (value === null) return place === 'test' ? 'no test' : 'none';
  if (place === 'normalisation') return NORMALISATIONS[value === 'training' ? 'training' : 'none'];
  if (place === 'model') return modelTitle(value);
  if (place === 'optimizer' && isOptimizerName(value)) return OPTIMIZERS[value].title;
  if (place === 'test' && isTestName(value)) return TESTS[value];
  if (place === 'schedule.decay' && value === 'constant') return 'none';
  return TITLES[value] ?? value.replaceAll('_', ' ');
}
