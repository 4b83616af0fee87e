/**
 * A test's threshold, and what another one would have asked for. Telemetry's `threshold` is the one that the batch
 * would just pass, and the required size goes with one over the threshold squared: T(θ) = b · (threshold ∕ θ)².
 */
import type { BatchTest } from '../../pkg/adadagrad_web.js';
import { isThreshold, rowsOf } from '../settings/rows.js';
import { TEST_ROWS } from '../settings/table.js';
import type { StepLog } from './step-log.js';

export interface Threshold {
  /** The name of the setting. */
  key: string;
  symbol: string;
  value: number;
}

/** The threshold that telemetry's `threshold` is about. */
export function thresholdOf(test: BatchTest | null): Threshold | null {
  const row = test === null ? undefined : rowsOf(TEST_ROWS, test.name).find(isThreshold);
  const value = row === undefined ? undefined : (test as unknown as Record<string, unknown>)[row.name];
  return row === undefined || typeof value !== 'number' ? null : { key: row.name, symbol: row.symbol, value };
}

/** Half of it, the threshold itself, and its double. */
export function thresholdsBeside(test: BatchTest | null): { value: number; label: string }[] {
  const own = thresholdOf(test);
  if (own === null) return [];
  return [0.5, 1, 2].map((factor) => {
    const value = Number((own.value * factor).toPrecision(6));
    return { value, label: `${own.symbol} = ${value}` };
  });
}

/** The size that a row's batch would have needed under another threshold; null where the test had no answer. */
export function requiredAt(log: StepLog, row: number, threshold: number): number | null {
  const samples = log.value('samples', row);
  const justPassing = log.value('threshold', row);
  return samples === null || justPassing === null ? null : samples * (justPassing / threshold) ** 2;
}
