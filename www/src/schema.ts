/**
 * The parts that schemas of the page's own are built from, and their mistakes as sentences. valibot checks; types come
 * from the schemas.
 */
import * as v from 'valibot';
import { inOneLine } from './brief.js';

/** An object with these entries; others are dropped, so that nothing unknown reaches the page. */
export function record<const Entries extends v.ObjectEntries>(entries: Entries) {
  return v.object(entries, ({ expected }) => (expected.startsWith('"') ? 'is missing' : 'must be an object'));
}

export const number = v.pipe(v.number('must be a number'), v.finite('must be a finite number'));

/** A whole number from 0. */
export const count = v.pipe(number, v.safeInteger('must be a whole number'), v.minValue(0, 'must not be negative'));

/** A number of samples, images or parts, which is at least 1. */
export const size = v.pipe(number, v.safeInteger('must be a whole number'), v.minValue(1, 'must be at least 1'));

/** The version of what was written: another one may look like this one and mean something else. */
export function version<const Read extends number>(read: Read) {
  return v.custom<Read>(
    (value) => value === read,
    ({ input }) => {
      if (!Number.isSafeInteger(input)) return `must be ${read}`;
      return `is ${String(input)}, but this page reads version ${read}: ${Number(input) > read ? 'reload the page to get its newest version' : 'an older page wrote it'}`;
    },
  );
}

/** A part of a whole. */
export const share = v.pipe(number, v.minValue(0, 'must be from 0 to 1'), v.maxValue(1, 'must be from 0 to 1'));

/** A number that may have overflowed: JSON writes null for what is no finite number. */
export const measure = v.pipe(
  v.custom<number | null>((value) => value === null || typeof value === 'number', 'must be a number'),
  v.transform((value) => value ?? NaN),
);

const LONGEST_TEXT = 200;

/** A text that is shown: one line, cut to a readable length. */
export const text = v.pipe(
  v.string('must be a string'),
  v.transform((words) => inOneLine(words.slice(0, LONGEST_TEXT))),
);

/** One of these names. */
export function name<const Names extends readonly string[]>(names: Names) {
  return v.picklist(names, `must be ${names.join(' or ')}`);
}

/** A list of such items. Only the first item with a mistake is told, so that a long list has no longer answer. */
export function list<Item extends v.GenericSchema>(item: Item) {
  return v.pipe(
    v.array(v.unknown(), 'must be a list'),
    v.rawTransform(({ dataset, addIssue, NEVER }): v.InferOutput<Item>[] => {
      const items: v.InferOutput<Item>[] = [];
      for (const [key, value] of dataset.value.entries()) {
        const reading = v.safeParse(item, value, { abortEarly: true });
        if (!reading.success) {
          const [issue] = reading.issues;
          addIssue({ message: issue.message, path: [{ type: 'array', origin: 'value', input: dataset.value, key, value }, ...(issue.path ?? [])] });
          return NEVER;
        }
        items.push(reading.output);
      }
      return items;
    }),
  );
}

export type Parsed<Value> = { value: Value; mistakes: readonly [] } | { value: null; mistakes: readonly string[] };

/** The value, or a sentence for each mistake: `config.test.eta must be a number.` */
export function parse<Schema extends v.GenericSchema>(schema: Schema, content: unknown): Parsed<v.InferOutput<Schema>> {
  const reading = v.safeParse(schema, content);
  if (reading.success) return { value: reading.output, mistakes: [] };
  return { value: null, mistakes: reading.issues.map((issue) => `${v.getDotPath(issue) ?? 'The content'} ${issue.message}.`) };
}
