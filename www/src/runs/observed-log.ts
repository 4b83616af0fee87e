/** What the steps of a run only report (`observe`), in columns: for each name a size, the smoothed size, and why one is missing. */
import type { Observation } from '../../pkg/adadagrad_web.js';
import type { StepRecord } from '../protocol.js';
import { reasonCode, reasonOf } from './reason-codes.js';

export interface ObservedColumns {
  /** NaN stands for null. */
  size: Float64Array<ArrayBuffer>;
  smoothed: Float64Array<ArrayBuffer>;
  /** NOT_REPORTED where a step says nothing of it. */
  why: Int8Array<ArrayBuffer>;
}

export type StoredObserved = Record<string, ObservedColumns>;

const NOT_REPORTED = -1;
const FIRST_CAPACITY = 1024;

export class ObservedLog {
  readonly #columns = new Map<string, ObservedColumns>();

  get names(): string[] {
    return [...this.#columns.keys()];
  }

  set(row: number, observed: StepRecord['observed'] = {}): void {
    for (const name of Object.keys(observed)) if (!this.#columns.has(name)) this.#columns.set(name, columnsFor(FIRST_CAPACITY));
    for (const [name, before] of this.#columns) {
      const columns = row < before.why.length ? before : grown(before, Math.max(row + 1, 2 * before.why.length));
      this.#columns.set(name, columns);
      const own = observed[name];
      columns.size[row] = own?.size ?? NaN;
      columns.smoothed[row] = own?.smoothed ?? NaN;
      columns.why[row] = own === undefined ? NOT_REPORTED : reasonCode(own.reason);
    }
  }

  /** Null where the step says nothing of it. */
  get(name: string, row: number): Observation | null {
    const columns = this.#columns.get(name);
    const why = columns?.why[row] ?? NOT_REPORTED;
    if (columns === undefined || why === NOT_REPORTED) return null;
    const reason = reasonOf(why);
    return { size: numberOrNull(columns.size[row]), smoothed: numberOrNull(columns.smoothed[row]), ...(reason === null ? {} : { reason }) };
  }

  /** All that a step reports, as the worker told it. */
  at(row: number): Pick<StepRecord, 'observed'> {
    const found = this.names.map((name) => [name, this.get(name, row)] as const).filter((entry): entry is [string, Observation] => entry[1] !== null);
    return found.length === 0 ? {} : { observed: Object.fromEntries(found) };
  }

  /** A row takes the place of another. */
  move(from: number, to: number): void {
    for (const { size, smoothed, why } of this.#columns.values()) {
      size[to] = size[from] ?? NaN;
      smoothed[to] = smoothed[from] ?? NaN;
      why[to] = why[from] ?? NOT_REPORTED;
    }
  }

  stored(length: number): StoredObserved {
    const copies = [...this.#columns].map(([name, before]) => {
      const { size, smoothed, why } = before.why.length < length ? grown(before, length) : before;
      return [name, { size: size.slice(0, length), smoothed: smoothed.slice(0, length), why: why.slice(0, length) }] as const;
    });
    return Object.fromEntries(copies);
  }

  restore(stored: StoredObserved): void {
    for (const [name, columns] of Object.entries(stored)) this.#columns.set(name, grown(columns, Math.max(FIRST_CAPACITY, columns.why.length)));
  }
}

function columnsFor(capacity: number): ObservedColumns {
  return { size: new Float64Array(capacity).fill(NaN), smoothed: new Float64Array(capacity).fill(NaN), why: new Int8Array(capacity).fill(NOT_REPORTED) };
}

function grown({ size, smoothed, why }: ObservedColumns, capacity: number): ObservedColumns {
  const larger = columnsFor(capacity);
  larger.size.set(size);
  larger.smoothed.set(smoothed);
  larger.why.set(why);
  return larger;
}

function numberOrNull(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}
