/**
 * A RunConfig as a flat list of names and values, and back: for the address, for telling two runs apart in words.
 * What is chosen by name stands under its own place (`test` is `norm`), its settings below it (`test.eta`).
 */
import type { RunConfig } from '../../pkg/adadagrad_web.js';
import { chooseTest, isOptimizerName, isTestName, OPTIMIZERS } from './choices.js';

export type FlatValue = string | number | boolean | null;
export type FlatConfig = Record<string, FlatValue>;

/** In this order, because a choice brings values of its own with it. */
const CHOICES = ['dataset', 'model', 'optimizer', 'test', 'controller', 'schedule.decay'] as const;
type Choice = (typeof CHOICES)[number];

const NAMES: Record<Choice, readonly string[]> = {
  dataset: ['mnist', 'fashion_mnist', 'own'],
  model: ['logistic', 'mlp', 'cnn'],
  optimizer: Object.keys(OPTIMIZERS),
  test: ['norm', 'inner_product', 'orthogonality', 'augmented', 'coordinate_norm', 'worker_norm', 'none'],
  controller: ['adadagrad', 'constant'],
  'schedule.decay': ['constant', 'cosine', 'step'],
};

const DECAYS: Record<string, RunConfig['schedule']['decay']> = {
  constant: { name: 'constant' },
  cosine: { name: 'cosine', final_fraction: 0 },
  step: { name: 'step', every_samples: 60_000, factor: 0.5 },
};

export function flatten(config: RunConfig): FlatConfig {
  const flat: FlatConfig = {};
  const visit = (place: string, value: unknown): void => {
    if (typeof value !== 'object' || value === null) {
      flat[place] = value as FlatValue;
      return;
    }
    for (const [key, part] of Object.entries(value)) visit(key === 'name' ? place : place === '' ? key : `${place}.${key}`, part);
  };
  visit('', config);
  delete flat['version'];
  return flat;
}

/** What has to be said of `config` to somebody who has `base`: names first, then what they do not bring with them. */
export function differences(base: RunConfig, config: RunConfig): FlatConfig {
  const wanted = flatten(config);
  const before = flatten(base);
  const said: FlatConfig = {};
  let reached = base;
  for (const choice of CHOICES) {
    const name = wanted[choice] ?? 'none';
    if (name === (before[choice] ?? 'none')) continue;
    said[choice] = name;
    reached = choose(reached, choice, String(name));
  }
  const known = flatten(reached);
  for (const [place, value] of Object.entries(wanted)) {
    if (!isChoice(place) && known[place] !== value) said[place] = value;
  }
  return said;
}

export interface Reading {
  config: RunConfig;
  /** One sentence for everything that could not be read. */
  problems: string[];
}

/** The reverse of `differences`, from words: what is unknown or broken is left out, and said. */
export function applyWords(base: RunConfig, words: ReadonlyMap<string, string>): Reading {
  const problems: string[] = [];
  let config = base;
  for (const choice of CHOICES) {
    const word = words.get(choice);
    if (word === undefined) continue;
    if (NAMES[choice].includes(word)) config = choose(config, choice, word);
    else problems.push(`“${choice}=${word}” is none of ${NAMES[choice].join(', ')}.`);
  }
  for (const [place, word] of words) {
    if (isChoice(place)) continue;
    const flat = flatten(config);
    const known = Object.hasOwn(flat, place) ? flat[place] : undefined;
    if (known === undefined) {
      problems.push(`There is no setting “${place}” with these settings.`);
      continue;
    }
    const value = readWord(word, known, place);
    if (value === undefined) problems.push(`“${place}=${word}” is no ${typeof known === 'boolean' ? 'yes or no' : 'number'}.`);
    else config = withValue(config, place, value);
  }
  return { config, problems };
}

export function writeWord(value: FlatValue): string {
  return value === null ? 'none' : String(value);
}

function readWord(word: string, known: FlatValue, place: string): FlatValue | undefined {
  if (typeof known === 'boolean') return word === 'true' ? true : word === 'false' ? false : undefined;
  if (word === 'none') return place === 'controller.growth_cap' ? null : undefined;
  const value = word.trim() === '' ? NaN : Number(word);
  return Number.isFinite(value) ? value : undefined;
}

function isChoice(place: string): place is Choice {
  return CHOICES.some((choice) => choice === place);
}

function choose(config: RunConfig, choice: Choice, name: string): RunConfig {
  switch (choice) {
    case 'dataset':
      return { ...config, dataset: name as RunConfig['dataset'] };
    case 'model':
      return { ...config, model: name as RunConfig['model'] };
    case 'optimizer':
      if (!isOptimizerName(name)) return config;
      return { ...config, optimizer: { ...OPTIMIZERS[name].parameters }, learning_rate: OPTIMIZERS[name].learningRate };
    case 'test':
      if (!isTestName(name)) return { ...config, test: null, controller: { name: 'constant' } };
      return { ...config, test: chooseTest(name, config.test), controller: controllerBeside(config) };
    case 'controller':
      return { ...config, controller: name === 'constant' ? { name: 'constant' } : controllerBeside(config) };
    case 'schedule.decay':
      return { ...config, schedule: { ...config.schedule, decay: DECAYS[name] ?? config.schedule.decay } };
  }
}

function controllerBeside({ controller }: RunConfig): RunConfig['controller'] {
  return controller.name === 'adadagrad' ? controller : { name: 'adadagrad', growth_cap: null };
}

/** A copy with another value at a place that is there. */
function withValue(config: RunConfig, place: string, value: FlatValue): RunConfig {
  const copy = structuredClone(config);
  const path = place.split('.');
  const last = path.pop();
  let target = copy as unknown as Record<string, unknown>;
  for (const key of path) target = target[key] as Record<string, unknown>;
  if (last !== undefined) target[last] = value;
  return copy;
}
