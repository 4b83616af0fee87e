/** One wrong setting in an address is no reason to drop the others: finds out which can be run together. */
import type { RunConfig } from '../../pkg/adadagrad_web.js';
import { applyWords } from '../settings/flat.js';
import type { Catalogue } from '../protocol.js';

export interface AllowedWords {
  words: ReadonlyMap<string, string>;
  /** The settings that were left out, and why. */
  refusals: { place: string; problem: string }[];
}

type Words = ReadonlyMap<string, string>;

/** `base` can be run. `check` tells what is wrong with settings, or null. */
export async function allowedWords(
  base: RunConfig,
  words: Words,
  catalogue: Catalogue,
  check: (config: RunConfig) => Promise<string | null>,
): Promise<AllowedWords> {
  const problemOf = (some: Words): Promise<string | null> => check(applyWords(base, some, catalogue).config);
  const problem = await problemOf(words);
  if (problem === null) return { words, refusals: [] };
  // Mostly one is wrong: most likely the one that the problem names.
  const isNamed = (place: string): boolean => problem.startsWith(`${place.split('.').at(-1) ?? place} `);
  const suspects = [...words.keys()].sort((one, other) => Number(isNamed(other)) - Number(isNamed(one)));
  for (const place of suspects) {
    const others = new Map(words);
    others.delete(place);
    if ((await problemOf(others)) === null) return { words: others, refusals: [{ place, problem }] };
  }
  return addedOneByOne(words, problemOf);
}

/** Keeps each word that can be run with those kept before it. */
async function addedOneByOne(words: Words, problemOf: (some: Words) => Promise<string | null>): Promise<AllowedWords> {
  let kept: Words = new Map();
  const refusals: AllowedWords['refusals'] = [];
  for (const [place, word] of words) {
    const more = new Map(kept).set(place, word);
    const problem = await problemOf(more);
    if (problem === null) kept = more;
    else refusals.push({ place, problem });
  }
  return { words: kept, refusals };
}
