/**
 * The steps of one run, each as it was logged: numbers in columns, never averaged. When there are too many, every
 * second one is left out, so that a run of a million steps costs no more memory than one of a few ten thousand.
 */
import type { Observation, Reason, Telemetry } from '../../pkg/adadagrad_web.js';
import type { StepRecord } from '../protocol.js';
import { ObservedLog } from './observed-log.js';
import type { StoredObserved } from './observed-log.js';
import { reasonCode, reasonOf } from './reason-codes.js';

const MOST_STEPS = 65_536;
const FIRST_CAPACITY = 1024;

/** Telemetry's numbers under telemetry's names, and `elapsed`: seconds of training from the start to this step's end. */
export const STEP_COLUMNS = [
  'step',
  'samples',
  'samples_seen',
  'loss',
  'training_accuracy',
  'learning_rate',
  'mean_norm_sq',
  'sum_squared_norms',
  'variance',
  'variance_along',
  'variance_orthogonal',
  'coordinate_ratio',
  'worker_variance',
  'required',
  'threshold',
  'next_batch',
  'seconds',
  'elapsed',
  'wanted',
] as const;
export type StepColumn = (typeof STEP_COLUMNS)[number];

/** Runs that earlier pages kept have no values there. */
export const LATER_COLUMNS: readonly StepColumn[] = ['wanted'];

/** What there can be a reason for not having. */
export const REASON_COLUMNS = ['variance', 'required', 'controller'] as const satisfies (keyof Telemetry['reasons'])[];
export type ReasonColumn = (typeof REASON_COLUMNS)[number];

type Columns = Record<StepColumn, Float64Array<ArrayBuffer>>;

export interface StoredLog {
  columns: Columns;
  whyNoVariance: Int8Array<ArrayBuffer>;
  whyNotRequired: Int8Array<ArrayBuffer>;
  /** Earlier pages did not keep it. */
  whyHeld?: Int8Array<ArrayBuffer> | undefined;
  observed: StoredObserved;
  stride: number;
}

export class StepLog {
  /** NaN stands for null. */
  #columns: Columns = createColumns(FIRST_CAPACITY);
  #whyNoVariance = new Int8Array(FIRST_CAPACITY);
  #whyNotRequired = new Int8Array(FIRST_CAPACITY);
  #whyHeld = new Int8Array(FIRST_CAPACITY);
  #observed = new ObservedLog();
  #length = 0;
  #stride = 1;
  #elapsed = 0;

  get length(): number {
    return this.#length;
  }

  /** Every so-manieth step is kept. */
  get stride(): number {
    return this.#stride;
  }

  add(record: StepRecord): void {
    this.#elapsed += record.seconds;
    if ((record.step - 1) % this.#stride === 0) this.restore(record, this.#elapsed);
  }

  /** Adds a step that was logged before, after so many seconds of training. */
  restore(record: StepRecord, elapsed: number): void {
    this.#elapsed = elapsed;
    if (this.#length === MOST_STEPS) this.#leaveOutEverySecond();
    if (this.#length === this.#columns.step.length) this.#grow();
    const index = this.#length;
    for (const name of STEP_COLUMNS) this.#columns[name][index] = name === 'elapsed' ? elapsed : (record[name] ?? NaN);
    this.#whyNoVariance[index] = reasonCode(record.reasons.variance);
    this.#whyNotRequired[index] = reasonCode(record.reasons.required);
    this.#whyHeld[index] = reasonCode(record.reasons.controller);
    this.#observed.set(index, record.observed);
    this.#length += 1;
  }

  column(name: StepColumn): Float64Array {
    return this.#columns[name].subarray(0, this.#length);
  }

  /** The value at a row; null where it was not computed. */
  value(name: StepColumn, index: number): number | null {
    const value = this.#columns[name][index];
    return value === undefined || index >= this.#length || Number.isNaN(value) ? null : value;
  }

  last(name: StepColumn): number | null {
    return this.value(name, this.#length - 1);
  }

  /** Why there is no such value at a row; null where there is one, or no reason is known. */
  reason(name: ReasonColumn, index: number): Reason | null {
    const codes = { variance: this.#whyNoVariance, required: this.#whyNotRequired, controller: this.#whyHeld }[name];
    return index < this.#length ? reasonOf(codes[index]) : null;
  }

  /** What is only reported, by name. */
  get observedNames(): string[] {
    return this.#observed.names;
  }

  /** What a row only reports; null where it says nothing of that. */
  observed(name: string, index: number): Observation | null {
    return index < this.#length ? this.#observed.get(name, index) : null;
  }

  /** The step as the worker reported it. */
  record(index: number): StepRecord {
    const number = (name: StepColumn): number => this.#columns[name][index] ?? NaN;
    const optional = (name: StepColumn): number | null => this.value(name, index);
    return {
      version: 1,
      step: number('step'),
      samples: number('samples'),
      samples_seen: number('samples_seen'),
      loss: number('loss'),
      training_accuracy: number('training_accuracy'),
      learning_rate: number('learning_rate'),
      mean_norm_sq: number('mean_norm_sq'),
      sum_squared_norms: optional('sum_squared_norms'),
      variance: optional('variance'),
      variance_along: optional('variance_along'),
      variance_orthogonal: optional('variance_orthogonal'),
      coordinate_ratio: optional('coordinate_ratio'),
      worker_variance: optional('worker_variance'),
      required: optional('required'),
      threshold: optional('threshold'),
      wanted: optional('wanted'),
      next_batch: number('next_batch'),
      ...this.#observed.at(index),
      reasons: this.#reasons(index),
      seconds: number('seconds'),
    };
  }

  /** The row of the last step at or before this one; -1 when there is none. */
  rowOfStep(step: number): number {
    return lastAtMost(this.column('step'), step);
  }

  /** Forgets what came after a step: the run goes on from there. */
  cutAfter(step: number): void {
    this.#length = this.rowOfStep(step) + 1;
    this.#elapsed = this.last('elapsed') ?? 0;
  }

  copy(): StepLog {
    return StepLog.fromStored(this.stored());
  }

  /** Copies of the columns, for a place outside the page. */
  stored(): StoredLog {
    const columns = Object.fromEntries(STEP_COLUMNS.map((name) => [name, this.column(name).slice()])) as Columns;
    return {
      columns,
      whyNoVariance: this.#whyNoVariance.slice(0, this.#length),
      whyNotRequired: this.#whyNotRequired.slice(0, this.#length),
      whyHeld: this.#whyHeld.slice(0, this.#length),
      observed: this.#observed.stored(this.#length),
      stride: this.#stride,
    };
  }

  static fromStored({ columns, whyNoVariance, whyNotRequired, whyHeld, observed, stride }: StoredLog): StepLog {
    const log = new StepLog();
    log.#length = columns.step.length;
    log.#stride = stride;
    while (log.#columns.step.length < log.#length) log.#grow();
    for (const name of STEP_COLUMNS) {
      if (columns[name].length === 0) log.#columns[name].fill(NaN, 0, log.#length);
      else log.#columns[name].set(columns[name]);
    }
    log.#whyNoVariance.set(whyNoVariance);
    log.#whyNotRequired.set(whyNotRequired);
    if (whyHeld !== undefined) log.#whyHeld.set(whyHeld);
    log.#observed.restore(observed);
    log.#elapsed = log.last('elapsed') ?? 0;
    return log;
  }

  #reasons(index: number): Telemetry['reasons'] {
    const known = REASON_COLUMNS.map((name) => [name, this.reason(name, index)] as const);
    return Object.fromEntries(known.filter(([, reason]) => reason !== null));
  }

  #grow(): void {
    const capacity = this.#columns.step.length * 2;
    const columns = createColumns(capacity);
    for (const name of STEP_COLUMNS) columns[name].set(this.#columns[name]);
    this.#columns = columns;
    this.#whyNoVariance = grown(this.#whyNoVariance, capacity);
    this.#whyNotRequired = grown(this.#whyNotRequired, capacity);
    this.#whyHeld = grown(this.#whyHeld, capacity);
  }

  #leaveOutEverySecond(): void {
    for (let index = 0; 2 * index < this.#length; index += 1) {
      for (const name of STEP_COLUMNS) this.#columns[name][index] = this.#columns[name][2 * index] ?? NaN;
      this.#whyNoVariance[index] = this.#whyNoVariance[2 * index] ?? 0;
      this.#whyNotRequired[index] = this.#whyNotRequired[2 * index] ?? 0;
      this.#whyHeld[index] = this.#whyHeld[2 * index] ?? 0;
      this.#observed.move(2 * index, index);
    }
    this.#length = Math.ceil(this.#length / 2);
    this.#stride *= 2;
  }
}

function createColumns(capacity: number): Columns {
  return Object.fromEntries(STEP_COLUMNS.map((name) => [name, new Float64Array(capacity)])) as Columns;
}

function grown(array: Int8Array<ArrayBuffer>, capacity: number): Int8Array<ArrayBuffer> {
  const larger = new Int8Array(capacity);
  larger.set(array);
  return larger;
}

/** The index of the last of ascending values that is at most `limit`; -1 when none is. */
export function lastAtMost(ascending: ArrayLike<number>, limit: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] ?? Infinity) <= limit) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
