/**
 * What can be computed and reported while it decides nothing: tests, noise scales and rules, each with its sentence. Settings
 * name them in one text, with blanks between.
 */
import { oneOf, quoted } from '../brief.js';
import { CONTROLLERS, NOISE_SCALES, TESTS } from './choices.js';
import { docOf } from './rows.js';
import { CONTROLLER_ROWS, TEST_ROWS } from './table.js';

export interface Quantity {
  name: string;
  title: string;
  /** A sentence. */
  doc: string;
}

/** The core has room for no more. */
export const MOST_OBSERVED = 8;

const NOISE_SCALE_DOCS: Readonly<Record<string, string>> = {
  noise_scale: 'The variance of the gradients, divided by the squared norm of their mean.',
  noise_scale_preconditioned: 'The same for gradients that are divided by the square roots of the optimizer’s second moments.',
  noise_scale_sign: 'The squared sum of the coordinates’ standard deviations, divided by the squared sum of the mean’s absolute values.',
};

/** By kind. A constant batch wants no size, so there is nothing to report of it. */
export const OBSERVABLE: readonly { title: string; quantities: readonly Quantity[] }[] = [
  { title: 'Tests', quantities: TEST_ROWS.map(({ name }) => ({ name, title: TESTS[name], doc: docOf(TEST_ROWS, name) })) },
  { title: 'Noise scales', quantities: Object.entries(NOISE_SCALES).map(([name, title]) => ({ name, title, doc: NOISE_SCALE_DOCS[name] ?? '' })) },
  {
    title: 'Rules',
    quantities: CONTROLLER_ROWS.filter(({ name }) => name !== 'constant').map(({ name }) => ({ name, title: CONTROLLERS[name], doc: docOf(CONTROLLER_ROWS, name) })),
  },
];

const QUANTITIES = OBSERVABLE.flatMap(({ quantities }) => quantities);

/** The names in a text, as the core reads it. */
export function observedNames(text: string): string[] {
  return text.split(/[ ,\t\n]/).filter((name) => name !== '');
}

/** What the page calls it. */
export function titleOfObserved(name: string): string {
  return QUANTITIES.find((known) => known.name === name)?.title ?? name.replaceAll('_', ' ');
}

/** With one more name, or without it; in the order in which they are offered. */
export function withObserved(text: string, name: string, chosen: boolean): string {
  const names = new Set(observedNames(text));
  if (chosen) names.add(name);
  else names.delete(name);
  return QUANTITIES.map((known) => known.name).filter((known) => names.has(known)).join(' ');
}

/** What is wrong with a text, in a sentence; null where nothing is. */
export function mistakeInObserved(text: string): string | null {
  const names = observedNames(text);
  const unknown = names.find((name) => !QUANTITIES.some((known) => known.name === name));
  if (unknown !== undefined) return `${quoted(unknown)} is not one of ${oneOf(QUANTITIES.map(({ name }) => name))}.`;
  if (new Set(names).size < names.length) return 'A name is listed twice.';
  return names.length > MOST_OBSERVED ? `At most ${MOST_OBSERVED} can be reported.` : null;
}
