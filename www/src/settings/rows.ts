/** How the page reads the core's table of settings (table.ts). */

/** One setting. */
export interface Row {
  name: string;
  /** As within a sentence. */
  title: string;
  /** Empty where it has none. */
  symbol: string;
  /** What it does: one sentence. */
  doc: string;
  /** `optional`: a number or null. `size` and `count`: whole numbers, of 32 bits and of any size. */
  kind: 'number' | 'optional' | 'size' | 'count' | 'switch' | 'text';
  default: number | boolean | string | null;
  /** The smallest whole number; 0 for other kinds. */
  least: number;
  /** “at least 0 and below 1”; empty where there is no upper end worth telling. */
  range: string;
  /** What a text may be; empty where that is not one of several. */
  texts: readonly string[];
  /** Whether it may change during a run. */
  retunable: boolean;
}

/** One of several things that settings name. */
export interface Choice {
  name: string;
  /** As within a sentence. */
  title: string;
  doc: string;
  /** Empty where that is common knowledge. */
  source: string;
  fields: readonly Row[];
  /** Of rules. */
  words?: Words;
}

/** Why a rule changed a batch or kept it: clauses with `{field}` or `{field:form}` for its settings; and what is known against it. */
export interface Words {
  grew: string;
  shrank: string;
  kept: string;
  /** A sentence, or empty. */
  against: string;
}

export function rowsOf(choices: readonly Choice[], name: string): readonly Row[] {
  return choices.find((choice) => choice.name === name)?.fields ?? [];
}

/** What a choice does: one sentence. */
export function docOf(choices: readonly Choice[], name: string): string {
  return choices.find((choice) => choice.name === name)?.doc ?? '';
}

/** Titles by name, as at the head of a sentence. */
export function titlesOf<Name extends string>(choices: readonly (Choice & { name: Name })[]): Readonly<Record<Name, string>> {
  return Object.fromEntries(choices.map(({ name, title }) => [name, capitalised(title)])) as Record<Name, string>;
}

export function capitalised(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A test has one or two: how much noise it allows. */
export function isThreshold({ title }: Row): boolean {
  return title === 'threshold';
}

/** Above a field of the form. */
export function labelOf(row: Row): string {
  return isThreshold(row) ? `Threshold ${row.symbol}` : capitalised(row.title);
}

/** Below a field of the form. */
export function hintOf({ doc, range }: Row): string {
  return range === '' ? doc : `${doc} It must be ${range}.`;
}

/** The settings of a choice where nothing says otherwise. */
export function defaultsOf(choices: readonly Choice[], name: string): { name: string } {
  return { name, ...Object.fromEntries(rowsOf(choices, name).map((row) => [row.name, row.default])) };
}
