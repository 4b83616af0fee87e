/**
 * A run as plain data: what is exported, kept from visit to visit, and recorded for those who have not trained yet. What
 * is read goes through a schema first, so that a file can be wrong in any way without harm to the page.
 */
import * as v from 'valibot';
import type { Checkpoint, Reason, Telemetry } from '../../pkg/adadagrad_web.js';
import type { StepRecord } from '../protocol.js';
import { count, list, measure, name, number, parse, record, share, text, version } from '../schema.js';
import { MOST_OBSERVED } from '../settings/observable.js';
import { runConfig } from '../settings/schema.js';
import type { MadeWith } from './made-with.js';
import { LATER_COLUMNS, REASON_COLUMNS, STEP_COLUMNS, StepLog } from './step-log.js';
import type { ReasonColumn, StepColumn } from './step-log.js';
import { reasonCode, reasonOf } from './reason-codes.js';
import { TrainedRun } from './trained-run.js';

/** The run, or one sentence for each mistake. */
export type RunReading = { run: TrainedRun; mistakes: readonly [] } | { run: null; mistakes: readonly string[] };

const FORMAT = 'adadagrad-run';
const STORED_FORMAT = 'adadagrad-stored-run';
const VERSION = 1;

const elapsed = v.pipe(number, v.minValue(0, 'must not be negative'));

const computedBy = v.nullable(record({ engine: name(['cpu', 'webgpu']), adapter: v.nullable(text) }));

/** Files of earlier pages have none. */
const madeWith = v.optional(v.nullable(record({ version: text, commit: text, browser: text })), null);

/** A run has some name: it stands in sentences, and on buttons. */
const title = v.pipe(
  text,
  v.transform((words) => words.trim() || 'Unnamed run'),
);

const change = record({ step: count, samplesSeen: count, elapsed, config: runConfig, text });

const evaluation = record({ step: count, samples_seen: count, accuracy: share, loss: measure, elapsed });

const followEachOther = (items: { step: number }[]): boolean => isAscending(items.map(({ step }) => step));

type AnyColumns = Record<StepColumn, ArrayLike<number | null>>;

/** Every step has these; the others can be undefined. */
const WHOLE_COLUMNS = ['step', 'samples', 'samples_seen', 'next_batch'] as const satisfies StepColumn[];
const ORDERED_COLUMNS = ['step', 'samples_seen', 'elapsed'] as const satisfies StepColumn[];

const LENGTHS = 'must be columns of one length';
const haveOneLength = (columns: AnyColumns): boolean =>
  STEP_COLUMNS.every((column) => columns[column].length === columns.step.length || (LATER_COLUMNS.includes(column) && columns[column].length === 0));

const WHOLE = `must have whole numbers as ${WHOLE_COLUMNS.join(', ')}`;
const areWhole = (columns: AnyColumns): boolean => WHOLE_COLUMNS.every((column) => every(columns[column], isCount));

const ORDER = 'must be in the order of their steps';
const areOrdered = (columns: AnyColumns): boolean => ORDERED_COLUMNS.every((column) => isAscending(columns[column])) && isStrictlyAscending(columns.step);

function every(values: ArrayLike<number | null>, holds: (value: number | null) => boolean): boolean {
  for (let index = 0; index < values.length; index += 1) if (!holds(values[index] ?? null)) return false;
  return true;
}

function isCount(value: number | null): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 1;
}

function isAscending(values: ArrayLike<number | null>): boolean {
  let last = 0;
  return every(values, (value) => {
    const follows = value !== null && value >= last;
    last = value ?? NaN;
    return follows;
  });
}

/** No step is made twice. */
function isStrictlyAscending(values: ArrayLike<number | null>): boolean {
  let last = -Infinity;
  return every(values, (value) => {
    const follows = value !== null && value > last;
    last = value ?? NaN;
    return follows;
  });
}

function columnsOf<Name extends string, Column extends v.GenericSchema>(names: readonly Name[], column: Column): Record<Name, Column> {
  return Object.fromEntries(names.map((key) => [key, column])) as Record<Name, Column>;
}

const isNumberOrNull = (value: unknown): boolean => value === null || Number.isFinite(value);
const changes = v.pipe(list(change), v.check((items) => followEachOther(items), ORDER));

const evaluations = v.pipe(list(evaluation), v.check((items) => followEachOther(items), ORDER));

const numbers = v.custom<(number | null)[]>((values) => Array.isArray(values) && values.every(isNumberOrNull), 'must be a list of numbers');

/** Reasons that only another version of the page knows are left out. */
const reasons = v.fallback(record(columnsOf(REASON_COLUMNS, v.fallback(v.array(v.unknown()), []))), () => ({ variance: [], required: [], controller: [] }));

/** By names such as settings have: they are put into the heads of tables. */
const observedName = v.pipe(v.string(), v.regex(/^[a-z0-9_]{1,40}$/, 'must be the name of a test, a noise scale or a rule'));

function observedOf<Columns extends v.GenericSchema>(columns: Columns) {
  return v.pipe(
    v.record(observedName, columns, 'must be an object'),
    v.check((all) => new Set(Object.values(all).flatMap((own) => Object.values(own as Record<string, ArrayLike<unknown>>).map(({ length }) => length))).size <= 1, LENGTHS),
    v.check((all) => Object.keys(all).length <= MOST_OBSERVED, `must have at most ${MOST_OBSERVED} names`),
  );
}

const runFile = record({
  format: v.literal(FORMAT, `must be ${FORMAT}`),
  version: version(VERSION),
  name: title,
  config: runConfig,
  computed_by: computedBy,
  made_with: madeWith,
  changes,
  evaluations,
  /** One array per column, one number (or null) per step, in the order of the steps. */
  steps: v.pipe(
    record({ ...columnsOf(STEP_COLUMNS, numbers), wanted: v.optional(numbers, []) }),
    v.check((columns) => haveOneLength(columns), LENGTHS),
    v.check((columns) => areWhole(columns), WHOLE),
    v.check((columns) => areOrdered(columns), ORDER),
  ),
  /** Why a step has no variance, no required size: as long as the columns above. Files of earlier pages have none. */
  reasons,
  /** What is only reported, by name: one entry per step. Files of earlier pages have none. */
  observed: v.optional(observedOf(record({ size: numbers, smoothed: numbers, reason: v.array(v.unknown(), 'must be a list') })), {}),
});

type Written = Omit<v.InferOutput<typeof runFile>, 'reasons' | 'observed' | 'made_with'> & {
  made_with?: MadeWith;
  reasons: Record<ReasonColumn, (Reason | null)[]>;
  observed?: Record<string, { size: (number | null)[]; smoothed: (number | null)[]; reason: (Reason | null)[] }>;
};

function hasFormat(content: unknown, format: string): boolean {
  return parse(record({ format: v.literal(format) }), content).value !== null;
}

/** What else is wrong with a file of another version says nothing; null where the version is this one, or the format another. */
function mistakeInVersion(content: unknown, format: string): readonly string[] | null {
  const { mistakes } = parse(record({ version: version(VERSION) }), content);
  return mistakes.length > 0 && hasFormat(content, format) ? mistakes : null;
}

export function writeRunFile(run: TrainedRun): Written {
  const column = (key: StepColumn): (number | null)[] => Array.from(run.log.column(key), (value) => (Number.isFinite(value) ? value : null));
  const why = (key: ReasonColumn): (Reason | null)[] => Array.from({ length: run.log.length }, (_, row) => run.log.reason(key, row));
  return {
    format: FORMAT,
    version: VERSION,
    name: run.name,
    config: run.config,
    computed_by: run.computedBy,
    ...(run.madeWith === null ? {} : { made_with: run.madeWith }),
    changes: run.changes,
    evaluations: run.evaluations,
    steps: Object.fromEntries(STEP_COLUMNS.map((key) => [key, column(key)])) as Written['steps'],
    reasons: Object.fromEntries(REASON_COLUMNS.map((key) => [key, why(key)])) as Written['reasons'],
    ...(run.log.observedNames.length === 0 ? {} : { observed: writeObserved(run.log) }),
  };
}

function writeObserved(log: StepLog): NonNullable<Written['observed']> {
  const columns = log.observedNames.map((key) => {
    const rows = Array.from({ length: log.length }, (_, row) => log.observed(key, row));
    return [key, { size: rows.map((row) => row?.size ?? null), smoothed: rows.map((row) => row?.smoothed ?? null), reason: rows.map((row) => row?.reason ?? null) }];
  });
  return Object.fromEntries(columns) as NonNullable<Written['observed']>;
}

export function readRunFile(content: unknown, parts: { id: string; slot: number; recorded?: boolean }): RunReading {
  const { value: file, mistakes } = parse(runFile, content);
  if (file === null) return { run: null, mistakes: mistakeInVersion(content, FORMAT) ?? mistakes };
  const run = new TrainedRun({ ...parts, name: file.name, config: file.config });
  run.computedBy = file.computed_by;
  run.madeWith = file.made_with;
  file.steps.step.forEach((_, index) => run.log.restore(recordAt(file, index), file.steps.elapsed[index] ?? 0));
  run.evaluations = file.evaluations;
  run.changes = file.changes;
  return { run, mistakes: [] };
}

const RUNS_FORMAT = 'adadagrad-runs';

/** Several runs in one file. */
export function writeRunsFile(runs: readonly TrainedRun[]): { format: typeof RUNS_FORMAT; version: typeof VERSION; runs: Written[] } {
  return { format: RUNS_FORMAT, version: VERSION, runs: runs.map(writeRunFile) };
}

const runsFile = record({
  format: v.literal(RUNS_FORMAT, `must be ${RUNS_FORMAT}`),
  version: version(VERSION),
  runs: v.pipe(v.array(v.unknown(), 'must be a list'), v.minLength(1, 'must not be empty')),
});
/** What a file of one run or of several holds, each still to be read; or what is wrong with the file as a whole. */
export function runsIn(content: unknown): { runs: readonly unknown[]; mistakes: readonly string[] } {
  if (!hasFormat(content, RUNS_FORMAT)) return { runs: [content], mistakes: [] };
  const { value: file, mistakes } = parse(runsFile, content);
  return { runs: file?.runs ?? [], mistakes: mistakeInVersion(content, RUNS_FORMAT) ?? mistakes };
}

function recordAt({ steps, reasons: columns, observed }: v.InferOutput<typeof runFile>, index: number): StepRecord {
  const values = Object.fromEntries(STEP_COLUMNS.map((key) => [key, steps[key][index] ?? null]));
  return { ...(values as unknown as StepRecord), version: VERSION, reasons: reasonsAt(columns, index), ...observedAt(observed, index) };
}

function observedAt(observed: v.InferOutput<typeof runFile>['observed'], index: number): Pick<StepRecord, 'observed'> {
  const found = Object.entries(observed).map(([key, { size, smoothed, reason: reasonsOfRows }]) => {
    const reason = reasonOf(reasonCode(reasonsOfRows[index]));
    return [key, { size: size[index] ?? null, smoothed: smoothed[index] ?? null, ...(reason === null ? {} : { reason }) }] as const;
  });
  return found.length === 0 ? {} : { observed: Object.fromEntries(found) };
}

function reasonsAt(columns: Record<ReasonColumn, unknown[]>, index: number): Telemetry['reasons'] {
  const found = REASON_COLUMNS.map((key) => [key, columns[key][index] ?? null] as const);
  return Object.fromEntries(found.filter(([, reason]) => reason !== null));
}

const floats = v.instance(Float64Array, 'must be a column of numbers');

/** A run as the browser keeps it: columns as they are in memory, which costs no time to write. */
const storedRun = record({
  format: v.literal(STORED_FORMAT, `must be ${STORED_FORMAT}`),
  version: version(VERSION),
  id: v.pipe(v.string('must be a string'), v.nonEmpty('must not be empty')),
  name: title,
  config: runConfig,
  computedBy,
  madeWith,
  changes,
  evaluations,
  log: v.pipe(
    record({
      columns: v.pipe(
        record({ ...columnsOf(STEP_COLUMNS, floats), wanted: v.optional(floats, () => new Float64Array()) }),
        v.check((columns) => haveOneLength(columns), LENGTHS),
        v.check((columns) => areWhole(columns), WHOLE),
        v.check((columns) => areOrdered(columns), ORDER),
      ),
      whyNoVariance: v.instance(Int8Array, 'must be a column of small numbers'),
      whyNotRequired: v.instance(Int8Array, 'must be a column of small numbers'),
      // Earlier pages did not keep it.
      whyHeld: v.optional(v.instance(Int8Array, 'must be a column of small numbers')),
      observed: v.optional(observedOf(record({ size: floats, smoothed: floats, why: v.instance(Int8Array, 'must be a column of small numbers') })), () => ({})),
      stride: v.pipe(count, v.minValue(1, 'must be at least 1')),
    }),
    v.check(
      ({ columns, whyNoVariance, whyNotRequired, whyHeld }) =>
        [whyNoVariance, whyNotRequired, whyHeld ?? whyNotRequired].every(({ length }) => length === columns.step.length),
      LENGTHS,
    ),
  ),
});

export type StoredRun = v.InferOutput<typeof storedRun>;

export function storeRun(run: TrainedRun): StoredRun {
  const { id, name: own, config, computedBy: by, madeWith: using, changes: made, evaluations: measured } = run;
  return { format: STORED_FORMAT, version: VERSION, id, name: own, config, computedBy: by, madeWith: using, changes: made, evaluations: measured, log: run.log.stored() };
}

export function readStoredRun(content: unknown, { slot }: { slot: number }): RunReading {
  const { value: stored, mistakes } = parse(storedRun, content);
  if (stored === null) return { run: null, mistakes };
  const { id, name: own, config, computedBy: by, madeWith: using, changes: made, evaluations: measured, log } = stored;
  const run = new TrainedRun({ id, name: own, slot, config });
  run.computedBy = by;
  run.madeWith = using;
  run.changes = made;
  run.evaluations = measured;
  run.log = StepLog.fromStored(log);
  return { run, mistakes: [] };
}

/** Earlier pages did not say whether a measurement was due. */
const checkpoint = record({
  step: count,
  samples_seen: count,
  measures: v.optional(v.boolean('must be true or false'), false),
  bytes: v.instance(Uint8Array, 'must be bytes'),
});

/** Null when the content is no checkpoint. */
export function readCheckpoint(content: unknown): Checkpoint | null {
  return parse(checkpoint, content).value;
}
