/** A run as plain data: what is exported, kept from visit to visit, and recorded for those who have not trained yet. */
import type { Reason, RunConfig, Telemetry } from '../../pkg/adadagrad_web.js';
import type { StepRecord } from '../protocol.js';
import { REASON_COLUMNS, STEP_COLUMNS, StepLog } from './step-log.js';
import type { ReasonColumn, StepColumn, StoredLog } from './step-log.js';
import { TrainedRun } from './trained-run.js';
import type { Change, ComputedBy, TimedEvaluation } from './trained-run.js';

export interface RunFile {
  format: 'adadagrad-run';
  version: 1;
  name: string;
  config: RunConfig;
  computed_by: ComputedBy | null;
  changes: Change[];
  evaluations: TimedEvaluation[];
  /** One array a column, one number (or null) a step, in the order of the steps. */
  steps: Record<StepColumn, (number | null)[]>;
  /** Why a step has no variance, no required size: as long as the columns above. Files of earlier pages have none. */
  reasons?: Record<ReasonColumn, (Reason | null)[]>;
}

export function writeRunFile(run: TrainedRun): RunFile {
  const column = (name: StepColumn): (number | null)[] => Array.from(run.log.column(name), (value) => (Number.isNaN(value) ? null : value));
  const why = (name: ReasonColumn): (Reason | null)[] => Array.from({ length: run.log.length }, (_, row) => run.log.reason(name, row));
  return {
    format: 'adadagrad-run',
    version: 1,
    name: run.name,
    config: run.config,
    computed_by: run.computedBy,
    changes: run.changes,
    evaluations: run.evaluations,
    steps: Object.fromEntries(STEP_COLUMNS.map((name) => [name, column(name)])) as RunFile['steps'],
    reasons: Object.fromEntries(REASON_COLUMNS.map((name) => [name, why(name)])) as NonNullable<RunFile['reasons']>,
  };
}

/** Null when the content is no such file. */
export function readRunFile(content: unknown, parts: { id: string; slot: number; recorded?: boolean }): TrainedRun | null {
  if (!isRunFile(content)) return null;
  const run = new TrainedRun({ ...parts, name: content.name, config: content.config });
  run.computedBy = content.computed_by;
  content.steps.step.forEach((_, index) => run.log.restore(recordAt(content, index), content.steps.elapsed[index] ?? 0));
  run.evaluations = content.evaluations;
  run.changes = content.changes;
  return run;
}

function recordAt({ steps, reasons }: RunFile, index: number): StepRecord {
  const values = Object.fromEntries(STEP_COLUMNS.map((name) => [name, steps[name][index] ?? null]));
  return { ...(values as unknown as StepRecord), version: 1, reasons: reasonsAt(reasons, index) };
}

function reasonsAt(columns: RunFile['reasons'], index: number): Telemetry['reasons'] {
  const found = REASON_COLUMNS.map((name) => [name, columns?.[name]?.[index] ?? null] as const);
  return Object.fromEntries(found.filter(([, reason]) => reason !== null));
}

function isRunFile(content: unknown): content is RunFile {
  if (typeof content !== 'object' || content === null) return false;
  const file = content as Partial<RunFile>;
  if (file.format !== 'adadagrad-run' || file.version !== 1 || typeof file.name !== 'string') return false;
  if (typeof file.config !== 'object' || typeof file.steps !== 'object') return false;
  if (!Array.isArray(file.evaluations) || !Array.isArray(file.changes)) return false;
  const { steps } = file;
  return STEP_COLUMNS.every((name) => Array.isArray(steps[name]) && steps[name].length === steps.step.length);
}

/** A run as the browser keeps it: columns as they are in memory, which costs no time to write. */
export interface StoredRun {
  format: 'adadagrad-stored-run';
  version: 1;
  id: string;
  name: string;
  config: RunConfig;
  computedBy: ComputedBy | null;
  changes: Change[];
  evaluations: TimedEvaluation[];
  log: StoredLog;
}

export function storeRun(run: TrainedRun): StoredRun {
  const { id, name, config, computedBy, changes, evaluations } = run;
  return { format: 'adadagrad-stored-run', version: 1, id, name, config, computedBy, changes, evaluations, log: run.log.stored() };
}

/** Null when the content is no such run: it was written by another version of the page. */
export function readStoredRun(content: unknown, { slot }: { slot: number }): TrainedRun | null {
  if (!isStoredRun(content)) return null;
  const { id, name, config } = content;
  const run = new TrainedRun({ id, name, slot, config });
  run.computedBy = content.computedBy;
  run.changes = content.changes;
  run.evaluations = content.evaluations;
  run.log = StepLog.fromStored(content.log);
  return run;
}

function isStoredRun(content: unknown): content is StoredRun {
  if (typeof content !== 'object' || content === null) return false;
  const stored = content as Partial<StoredRun>;
  const columns = stored.log?.columns as Partial<StoredLog['columns']> | undefined;
  return (
    stored.format === 'adadagrad-stored-run' &&
    stored.version === 1 &&
    columns !== undefined &&
    STEP_COLUMNS.every((name) => columns[name] instanceof Float64Array)
  );
}
