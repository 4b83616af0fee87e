/**
 * The page's state as its address, and back. What stands after # is never sent to a server; an anchor (#article) is
 * told apart by having no “=”.
 */
import type { DatasetName, Preset, RunConfig } from '../../pkg/adadagrad_web.js';
import { ENGINE_CHOICES, isEngineChoice } from '../engine/choice.js';
import type { EngineChoice } from '../engine/choice.js';
import { oneOf, quoted } from '../brief.js';
import { readNumber } from '../numbers.js';
import type { Catalogue } from '../protocol.js';
import { RUN_WORD } from '../recorded/run-link.js';
import { applyWords, differences, writeWord } from '../settings/flat.js';
import { HORIZONTAL_AXES, isHorizontalAxis } from '../state.js';
import type { HorizontalAxis } from '../state.js';

/** All that a visitor can choose. */
export interface Choices {
  settings: RunConfig;
  engine: EngineChoice;
  axis: HorizontalAxis;
  /** From 0 (not at all) to 0.99. */
  smoothing: number;
  thresholds: boolean;
}

export interface AddressReading {
  choices: Partial<Choices>;
  /** The preset's settings, which the rest changes. */
  base: RunConfig | null;
  /** The words that change them. */
  words: ReadonlyMap<string, string>;
  /** One sentence for each word that could not be used. */
  problems: string[];
}

const MOST_SMOOTHING = 0.99;

export function writeAddress(choices: Choices, catalogue: Catalogue): string {
  const { base, name } = nearestPreset(choices.settings, catalogue);
  const words = new URLSearchParams({ preset: name, seed: String(choices.settings.seed) });
  for (const [place, value] of Object.entries(differences(base, choices.settings, catalogue))) words.set(place, writeWord(value));
  words.set('engine', choices.engine);
  words.set('axis', choices.axis);
  if (choices.smoothing > 0) words.set('smoothing', String(choices.smoothing));
  if (choices.thresholds) words.set('thresholds', 'true');
  return `#${words.toString()}`;
}

/** Null when the address says nothing about the state. */
export function readAddress(hash: string, catalogue: Catalogue): AddressReading | null {
  if (!hash.includes('=')) return null;
  const pairs = [...new URLSearchParams(hash.replace(/^#/, ''))];
  const words = new Map(pairs);
  const problems: string[] = [];
  if (words.size < pairs.length) problems.push(...describeRepeated(pairs));
  const take = (key: string): string | undefined => {
    const word = words.get(key);
    words.delete(key);
    return word;
  };
  take(RUN_WORD);
  // What an address that names a text leaves out is what suits one.
  const usual = words.get('dataset') === 'shakespeare' ? TEXT_PRESET : undefined;
  const base = readPreset(take('preset') ?? usual, catalogue.presets, problems);
  const choices: Partial<Choices> = {};
  const engine = take('engine');
  if (isEngineChoice(engine)) choices.engine = engine;
  else if (engine !== undefined) problems.push(`${quoted(`engine=${engine}`)} is not valid: engine must be ${oneOf(ENGINE_CHOICES)}.`);
  const axis = take('axis');
  if (isHorizontalAxis(axis)) choices.axis = axis;
  else if (axis !== undefined) problems.push(`${quoted(`axis=${axis}`)} is not valid: axis must be ${oneOf(HORIZONTAL_AXES)}.`);
  const smoothing = take('smoothing');
  if (smoothing !== undefined) readSmoothing(smoothing, choices, problems);
  const thresholds = take('thresholds');
  if (thresholds === 'true' || thresholds === 'false') choices.thresholds = thresholds === 'true';
  else if (thresholds !== undefined) problems.push(`Compare thresholds cannot be read from ${quoted(`thresholds=${thresholds}`)}. It must be true or false.`);
  let used: ReadonlyMap<string, string> = new Map();
  if (base !== null) {
    if (words.get('dataset') === 'own') {
      words.delete('dataset');
      problems.push('An address cannot hold your files. Choose them again, under Data.');
    }
    const reading = applyWords(base, words, catalogue);
    choices.settings = reading.config;
    used = reading.used;
    problems.push(...reading.problems);
  }
  return { choices, base, words: used, problems };
}

/** What an address says twice, and differently. */
function describeRepeated(pairs: readonly [string, string][]): string[] {
  const last = new Map(pairs);
  const repeated = new Set(pairs.filter(([key, word]) => last.get(key) !== word).map(([key]) => key));
  return [...repeated].map((key) => `${quoted(key)} is given more than once: the last one, ${quoted(last.get(key) ?? '')}, is used.`);
}

function readPreset(name: string | undefined, presets: readonly Preset[], problems: string[]): RunConfig | null {
  const preset = presets.find((candidate) => candidate.name === name);
  if (preset !== undefined) return preset.config;
  if (name !== undefined) problems.push(`There is no preset ${quoted(name)}.`);
  return presets[0]?.config ?? null;
}

function readSmoothing(word: string, choices: Partial<Choices>, problems: string[]): void {
  const { value, mistake } = readNumber(word, { whole: false });
  if (value !== null && value >= 0 && value <= MOST_SMOOTHING) choices.smoothing = value;
  else problems.push(`Smoothing cannot be read from ${quoted(`smoothing=${word}`)}. ${mistake ?? `It must be from 0 to ${MOST_SMOOTHING}.`}`);
}

/** The preset that leaves least to say. */
function nearestPreset(settings: RunConfig, catalogue: Catalogue): { base: RunConfig; name: string } {
  let nearest = { base: settings, name: '', said: Infinity };
  for (const { name, config } of catalogue.presets) {
    const said = Object.keys(differences(config, settings, catalogue)).length;
    if (said < nearest.said) nearest = { base: config, name, said };
  }
  return nearest;
}

/** The preset for texts, whose data are one. */
const TEXT_PRESET = 'text';

/** The data to fetch, which is known before the presets are. */
export function datasetInAddress(hash: string): DatasetName {
  const words = new URLSearchParams(hash.replace(/^#/, ''));
  const dataset = words.get('dataset') ?? (words.get('preset') === TEXT_PRESET ? 'shakespeare' : 'mnist');
  return dataset === 'fashion_mnist' || dataset === 'shakespeare' ? dataset : 'mnist';
}
