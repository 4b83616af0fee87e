/** What is measured: models, batch sizes, engines, and for how long. All of it can stand in the page's address. */
import { ENGINES, isEngineName } from './engine-rows.js';
import type { EngineName } from './engine-rows.js';

export interface Plan {
  models: ModelName[];
  batches: number[];
  engines: EngineName[];
  /** Each engine has its turn once in a round. */
  rounds: number;
  /** How long a turn lasts; a step under way is finished. */
  seconds: number;
  /** An engine that takes longer for its first steps, or for one turn, is given up. */
  limitSeconds: number;
}

/** Networks for images, which every engine trains. */
const IMAGE_MODELS = ['logistic', 'mlp', 'cnn'] as const;
export type ImageModelName = (typeof IMAGE_MODELS)[number];
/** Of a text, whose tokens are counted: only ours are measured. */
export const TEXT_MODEL = 'transformer';
const MODELS = [...IMAGE_MODELS, TEXT_MODEL] as const;
export type ModelName = (typeof MODELS)[number];

/** What is counted of a model's work. */
export function unitOf(model: ModelName): string {
  return model === TEXT_MODEL ? 'Tokens' : 'Samples';
}

export const TRAINING_SAMPLES = 60_000;

const DEFAULTS: Plan = {
  models: [...IMAGE_MODELS],
  batches: [16, 64, 256, 1024, 4096],
  engines: ENGINES.filter((row) => row.standard).map((row) => row.name),
  rounds: 3,
  seconds: 1,
  limitSeconds: 60,
};

/** Reads `?models=cnn&batches=16,64&engines=ours,tfjs-wasm&rounds=3&seconds=1&limit=60`. */
export function readPlan(address: URLSearchParams): Plan {
  return {
    models: list(address, 'models', DEFAULTS.models, (word) => MODELS.find((model) => model === word)),
    batches: list(address, 'batches', DEFAULTS.batches, batchSize),
    engines: list(address, 'engines', DEFAULTS.engines, (word) => (isEngineName(word) ? word : undefined)),
    rounds: number(address, 'rounds', DEFAULTS.rounds, (value) => Number.isInteger(value) && value >= 1),
    seconds: number(address, 'seconds', DEFAULTS.seconds, (value) => value > 0),
    limitSeconds: number(address, 'limit', DEFAULTS.limitSeconds, (value) => value > 0),
  };
}

function batchSize(word: string): number | undefined {
  const batch = Number(word);
  return Number.isInteger(batch) && batch >= 2 && batch <= TRAINING_SAMPLES ? batch : undefined;
}

function list<T>(address: URLSearchParams, name: string, otherwise: T[], read: (word: string) => T | undefined): T[] {
  const text = address.get(name);
  if (text === null || text === '') return otherwise;
  return text.split(',').map((word) => {
    const value = read(word.trim());
    if (value === undefined) throw new Error(`“${word}” is not among the possible ${name}.`);
    return value;
  });
}

function number(address: URLSearchParams, name: string, otherwise: number, fits: (value: number) => boolean): number {
  const text = address.get(name);
  if (text === null || text === '') return otherwise;
  const value = Number(text);
  if (!Number.isFinite(value) || !fits(value)) throw new Error(`“${text}” cannot be the value of ${name}.`);
  return value;
}
