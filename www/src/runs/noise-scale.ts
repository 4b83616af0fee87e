/**
 * The gradient noise scale of a run, from its telemetry: B = v ∕ (n − v/b), smoothed as a ratio of averages, because an
 * average of ratios is dominated by the batches whose signal is nearly 0. As in the core (`NoiseAverage`).
 */
import type { StepLog } from './step-log.js';

/** What an average keeps of itself with each step: the core's default. */
export const KEPT = 0.95;

interface Averages {
  noise: number;
  signal: number;
}

interface Known extends Averages {
  scales: Float64Array<ArrayBuffer>;
  rows: number;
  lastStep: number;
  measured: boolean;
}

/** Values of steps that were there before stay as they are: only new ones are computed. */
const known = new WeakMap<StepLog, Known>();

export interface NoiseScales {
  /** One for each logged step; NaN where noise dominates, or nothing was measured. */
  values: Float64Array;
  /** Whether the variance was measured at any step. */
  measured: boolean;
}

export function noiseScales(log: StepLog): NoiseScales {
  const before = known.get(log);
  const usable = before !== undefined && before.rows <= log.length && log.value('step', before.rows - 1) === before.lastStep;
  let { noise, signal, measured }: Averages & { measured: boolean } = usable ? before : { noise: 0, signal: 0, measured: false };
  const scales = extended(usable ? before.scales : null, log.length);
  const [variances, norms, samples] = [log.column('variance'), log.column('mean_norm_sq'), log.column('samples')];
  for (let row = usable ? before.rows : 0; row < log.length; row += 1) {
    const variance = variances[row] ?? NaN;
    scales[row] = NaN;
    // What one step lacks, the averages keep.
    if (!Number.isFinite(variance)) continue;
    measured = true;
    noise = KEPT * noise + (1 - KEPT) * variance;
    signal = KEPT * signal + (1 - KEPT) * ((norms[row] ?? NaN) - variance / (samples[row] ?? NaN));
    if (signal > 0) scales[row] = noise / signal;
  }
  known.set(log, { scales, noise, signal, measured, rows: log.length, lastStep: log.last('step') ?? -1 });
  return { values: scales.subarray(0, log.length), measured };
}

function extended(array: Float64Array<ArrayBuffer> | null, length: number): Float64Array<ArrayBuffer> {
  if (array !== null && array.length >= length) return array;
  const larger = new Float64Array(Math.max(1024, length * 2));
  if (array !== null) larger.set(array);
  return larger;
}
