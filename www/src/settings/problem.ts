/**
 * The core names settings as they are called in a RunConfig ("initial_batch is 1, but must be from 8 to 4096").
 * Here its sentence gets the names that the page shows, and is led to the field that it is about.
 */
import type { PageState } from '../state.js';
import { settingsGroups } from './field-specs.js';
import type { FieldSpec } from './field-specs.js';

export interface SettingsProblem {
  message: string;
  /** The field to mark; null when the sentence is about none that is shown. */
  fieldId: string | null;
}

export function inPageWords(problem: string, fields: FieldSpec[]): SettingsProblem {
  let message = problem;
  for (const field of fields) {
    message = message.replace(new RegExp(`\\b${settingName(field)}\\b`, 'g'), field.label.toLowerCase());
  }
  const blamed = fields.find((field) => problem.startsWith(`${settingName(field)} `));
  return { message: message.charAt(0).toUpperCase() + message.slice(1) + (/[.!?]$/.test(message) ? '' : '.'), fieldId: blamed?.id ?? null };
}

/** `test-eta` stands for the setting `eta`, `growth-cap` for `growth_cap`. */
function settingName(field: FieldSpec): string {
  return field.id.replace(/^(test|optimizer)-/, '').replaceAll('-', '_');
}

/** Why the settings shown cannot be run, for the place where Start is pressed; null where they can. */
export function hindranceOf({ settings, settingsProblem, data, catalogue }: PageState): string | null {
  const problem = settingsProblem.value;
  const config = settings.value;
  if (problem === null || config === null) return null;
  if (data.value.name === 'ready' && data.value.trainingSamples < 2 && config.test !== null) {
    return 'A test compares the images within a batch, so it needs at least two. Choose “No test: constant batch” in the settings, or other data.';
  }
  return inPageWords(problem, settingsGroups(config, catalogue.value?.models ?? []).flatMap(({ fields }) => fields)).message;
}
