/**
 * A RunConfig as a flat list of names and values, and back: for the address, for telling two runs apart in words.
 * What is chosen by name stands under its own place (`test` is `norm`), its settings below it (`test.eta`).
 */
import type { RunConfig } from '../../pkg/adadagrad_web.js';
import { quoted } from '../brief.js';
import { readNumber } from '../numbers.js';
import { chooseTest, isOptimizerName, isTestName, OPTIMIZERS } from './choices.js';
import { numberSpecs } from './field-specs.js';
import type { NumberSpec } from './field-specs.js';

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

/** The form has no fields for the decay of the learning rate; of its numbers, these are counts. */
const WHOLE_WITHOUT_FIELD = ['schedule.decay.every_samples'];

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
  /** The words that were used. */
  used: Map<string, string>;
  /** One sentence, in the page's words, for each word that could not be used. */
  problems: string[];
}

/** The reverse of `differences`, from words. What is unknown or wrong keeps the base's value, and is told. */
export function applyWords(base: RunConfig, words: ReadonlyMap<string, string>): Reading {
  const problems: string[] = [];
  const used = new Map<string, string>();
  let config = base;
  for (const choice of CHOICES) {
    const word = words.get(choice);
    if (word === undefined) continue;
    if (NAMES[choice].includes(word)) {
      config = choose(config, choice, word);
      used.set(choice, word);
    } else {
      problems.push(`${quoted(`${choice}=${word}`)} is none of ${NAMES[choice].join(', ')}.`);
    }
  }
  // A number changes no place of another: which there are is settled by the choices.
  const places = flatten(config);
  const fields = numberSpecs(config);
  for (const [place, word] of words) {
    if (isChoice(place)) continue;
    const known = Object.hasOwn(places, place) ? places[place] : undefined;
    if (known === undefined) {
      problems.push(`There is no setting ${quoted(place)} with these settings.`);
      continue;
    }
    const { value, mistake } = readWord(place, word, known, fields.get(place));
    if (value === undefined) {
      problems.push(`${settingTitle(place, fields)} cannot be read from ${quoted(`${place}=${word}`)}. ${mistake} It stays ${writeWord(known)}.`);
    } else {
      config = withValue(config, place, value);
      used.set(place, word);
    }
  }
  return { config, used, problems };
}

/** What the page calls a setting. */
export function settingTitle(place: string, fields: ReadonlyMap<string, NumberSpec>): string {
  return fields.get(place)?.label ?? place;
}

export function writeWord(value: FlatValue): string {
  return value === null ? 'none' : String(value);
}

/** The value that a word gives a setting; undefined, with what is wrong in a sentence, where it gives none. */
function readWord(place: string, word: string, known: FlatValue, field: NumberSpec | undefined): { value: FlatValue | undefined; mistake: string } {
  if (typeof known === 'boolean') {
    return { value: word === 'true' ? true : word === 'false' ? false : undefined, mistake: 'It must be true or false.' };
  }
  if (word === 'none' && field?.optional === true) return { value: null, mistake: '' };
  const { value, mistake } = readNumber(word, field === undefined ? { whole: WHOLE_WITHOUT_FIELD.includes(place) } : { ...field, optional: false });
  return mistake === null ? { value, mistake: '' } : { value: undefined, mistake };
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
