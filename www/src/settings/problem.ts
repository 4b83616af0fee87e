/**
 * The core names settings as they are called in a RunConfig ("initial_batch is 1, but must be from 8 to 4096").
 * Here its sentence gets the names that the page shows, and is led to the field that it is about.
 */
import { shortened } from '../brief.js';
import { asSentence } from '../words-of-errors.js';
import type { PageState } from '../state.js';
import { fieldSpecs } from './field-specs.js';
import type { FieldSpec } from './field-specs.js';

export interface SettingsProblem {
  message: string;
  /** The field to mark; null when the sentence is about none that is shown. */
  fieldId: string | null;
}

export function inPageWords(problem: string, fields: ReadonlyMap<string, FieldSpec>): SettingsProblem {
  const named = new Map([...fields.values()].map((field) => [settingName(field), field]));
  // The setting that it is about, and the rest, in which plain words are no names: `large` is a setting of a rule.
  const [own = ''] = /^[\w.]*/.exec(problem) ?? [];
  const field = named.get(own.split('.').at(-1) ?? '');
  const rest = problem.slice(own.length).replace(/\b[a-z]+_\w*/g, (word) => labelled(word, named.get(word)));
  return { message: asSentence(shortened(`${labelled(own, field)}${rest}`)), fieldId: field?.id ?? null };
}

/** What the page calls the field of a setting, where there is one. */
function labelled(word: string, field: FieldSpec | undefined): string {
  return field === undefined ? word : withinSentence(field.label);
}

/**
 * Why the setting `place` of an address, written there as `word`, gave way to the preset's. The core's sentence may be about
 * another setting, with which that one does not go.
 */
export function refusalInPageWords(place: string, word: string, problem: string, fields: ReadonlyMap<string, FieldSpec>): string {
  const { message, fieldId } = inPageWords(problem, fields);
  const field = fields.get(place);
  if (field === undefined || field.id === fieldId) return `${message} The preset’s value is used.`;
  return `${field.label} cannot be ${word}. ${message} The preset’s ${withinSentence(field.label)} is used.`;
}

/** The core names the last part of a setting's place alone: `eta` for `test.eta`. */
function settingName({ place }: FieldSpec): string {
  return place.split('.').at(-1) ?? place;
}

/** “Learning rate” as “learning rate”; what starts with a proper name (“RMSProp: alpha”) stays. */
function withinSentence(label: string): string {
  return /^[A-Z][a-z]+([ -]|$)/.test(label) ? label.charAt(0).toLowerCase() + label.slice(1) : label;
}

/** Why the settings shown cannot be run, for the place where Start is pressed; null where they can. */
export function hindranceOf({ settings, settingsProblem, data, catalogue }: PageState): string | null {
  const problem = settingsProblem.value;
  const config = settings.value;
  if (problem === null || config === null || catalogue.value === null) return null;
  if (data.value.name === 'ready' && data.value.trainingSamples < 2 && config.test !== null) {
    return 'A test compares the samples within a batch, so it needs at least two. Choose “No test” in the settings, or other data.';
  }
  return inPageWords(problem, fieldSpecs(config, catalogue.value)).message;
}
