/**
 * A RunConfig as a flat list of names and values, and back: for the address, for telling two runs apart in words.
 * What is chosen by name stands under its own place (`test` is `norm`), its settings below it (`test.eta`).
 */
import type { RunConfig } from '../../pkg/adadagrad_web.js';
import { oneOf, quoted } from '../brief.js';
import { readList, readNumber } from '../numbers.js';
import type { Catalogue } from '../protocol.js';
import { chooseController, chooseDecay, chooseOptimizer, chooseTest, CONTROLLERS, DECAYS, isControllerName, isDecayName, isModelName, isOptimizerName, isTestName, MODEL_EXAMPLES, NORMALISATIONS, OPTIMIZERS, TESTS } from './choices.js';
import { fieldSpecs } from './field-specs.js';
import type { FieldSpec } from './field-specs.js';
import { mistakeInObserved, observedNames } from './observable.js';

export type FlatValue = string | number | boolean | null;
export type FlatConfig = Record<string, FlatValue>;

/** In this order, because a choice brings values of its own with it. */
const CHOICES = ['dataset', 'normalisation', 'model', 'optimizer', 'test', 'controller', 'schedule.decay'] as const;
type Choice = (typeof CHOICES)[number];

const NAMES: Record<Choice, readonly string[]> = {
  // Those that lie beside the page, and the visitor's.
  dataset: ['mnist', 'fashion_mnist', 'shakespeare', 'own'],
  normalisation: Object.keys(NORMALISATIONS),
  model: MODEL_EXAMPLES,
  optimizer: Object.keys(OPTIMIZERS),
  test: [...Object.keys(TESTS), 'none'],
  controller: Object.keys(CONTROLLERS),
  'schedule.decay': Object.keys(DECAYS),
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
export function differences(base: RunConfig, config: RunConfig, catalogue: Catalogue): FlatConfig {
  const wanted = flatten(config);
  const before = flatten(base);
  const said: FlatConfig = {};
  let reached = base;
  for (const choice of CHOICES) {
    const name = wanted[choice] ?? 'none';
    if (name === (before[choice] ?? 'none')) continue;
    said[choice] = name;
    reached = choose(reached, choice, String(name), catalogue);
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
export function applyWords(base: RunConfig, words: ReadonlyMap<string, string>, catalogue: Catalogue): Reading {
  const problems: string[] = [];
  const used = new Map<string, string>();
  let config = base;
  for (const choice of CHOICES) {
    const word = words.get(choice);
    if (word === undefined) continue;
    if (choice === 'model' ? isModelName(word) : NAMES[choice].includes(word)) {
      config = choose(config, choice, word, catalogue);
      used.set(choice, word);
    } else {
      problems.push(`${quoted(`${choice}=${word}`)} is not valid: ${choice} must be ${oneOf(NAMES[choice].filter((name) => name !== 'own'))}.`);
    }
  }
  // A number changes no place of another: which there are is settled by the choices.
  const places = flatten(config);
  const fields = fieldSpecs(config, catalogue);
  for (const [place, word] of words) {
    if (isChoice(place)) continue;
    const known = Object.hasOwn(places, place) ? places[place] : undefined;
    if (known === undefined) {
      problems.push(`There is no setting ${quoted(place)} with these settings.`);
      continue;
    }
    const { value, mistake } = readWord(word, known, fields.get(place));
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
function settingTitle(place: string, fields: ReadonlyMap<string, FieldSpec>): string {
  return fields.get(place)?.label ?? place;
}

export function writeWord(value: FlatValue): string {
  return value === null ? 'none' : String(value);
}

/** The value that a word gives a setting; undefined, with what is wrong in a sentence, where it gives none. */
function readWord(word: string, known: FlatValue, field: FieldSpec | undefined): { value: FlatValue | undefined; mistake: string } {
  if (typeof known === 'boolean') {
    return { value: word === 'true' ? true : word === 'false' ? false : undefined, mistake: 'It must be true or false.' };
  }
  if (field?.kind === 'text') {
    const { value, mistake } = readList(word);
    return { value: value ?? undefined, mistake: mistake ?? '' };
  }
  if (field?.kind === 'several') return readObserved(word);
  if (field?.kind === 'select') {
    const names = field.options.map((option) => option.value);
    return { value: names.includes(word) ? word : undefined, mistake: `It must be ${oneOf(names)}.` };
  }
  const number = field?.kind === 'number' ? field : { whole: false, optional: false };
  if (word === 'none' && number.optional) return { value: null, mistake: '' };
  // Addresses write a blank as “+”, so that “1e+3” arrives with a blank.
  const { value, mistake } = readNumber(word.replace(/(\de) (\d)/i, '$1+$2'), { ...number, optional: false });
  return mistake === null ? { value, mistake: '' } : { value: undefined, mistake };
}

function readObserved(word: string): { value: FlatValue | undefined; mistake: string } {
  const mistake = mistakeInObserved(word);
  return { value: mistake === null ? observedNames(word).join(' ') : undefined, mistake: mistake ?? '' };
}

function isChoice(place: string): place is Choice {
  return CHOICES.some((choice) => choice === place);
}

function choose(config: RunConfig, choice: Choice, name: string, { defaults }: Catalogue): RunConfig {
  switch (choice) {
    case 'dataset':
      return { ...config, dataset: name as RunConfig['dataset'] };
    case 'normalisation':
      return { ...config, normalisation: name as RunConfig['normalisation'] };
    case 'model':
      return { ...config, model: name };
    case 'optimizer':
      return isOptimizerName(name) ? chooseOptimizer(config, name, defaults) : config;
    case 'test':
      return chooseTest(config, isTestName(name) ? name : null, defaults);
    case 'controller':
      return isControllerName(name) ? chooseController(config, name) : config;
    case 'schedule.decay':
      return isDecayName(name) ? chooseDecay(config, name, defaults) : config;
  }
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
