/** What a step costs where a run was made: t₀ + t₁·b seconds for a batch of b samples. */
import type { StepLog } from '../runs/step-log.js';

export interface StepCost {
  /** t₀, seconds per step. */
  fixed: number;
  /** t₁, seconds per sample. */
  perSample: number;
}

/** Sizes closer together than this do not tell what a step costs by itself from what its samples cost. */
const LEAST_SPREAD = 4;

/**
 * Least squares of relative errors, over the median time of each size: so small steps count like large ones, and a step
 * that was interrupted does not count. Neither part is below 0. Null where the sizes are too close together, or too few
 * steps were long enough to be timed.
 */
export function stepCost(log: StepLog): StepCost | null {
  const times = medianTimes(log);
  const sizes = times.map(([size]) => size);
  if (times.length < 2 || Math.max(...sizes) < LEAST_SPREAD * Math.min(...sizes)) return null;
  // Of 1 = t₀·x + t₁·y with x = 1/time and y = size/time: the normal equations.
  let [xx, xy, yy, x1, y1] = [0, 0, 0, 0, 0];
  for (const [size, seconds] of times) {
    const [x, y] = [1 / seconds, size / seconds];
    xx += x * x;
    xy += x * y;
    yy += y * y;
    x1 += x;
    y1 += y;
  }
  const determinant = xx * yy - xy * xy;
  const [fixed, perSample] = [(x1 * yy - y1 * xy) / determinant, (y1 * xx - x1 * xy) / determinant];
  // A line with a negative end is none that a machine has: without that part.
  if (fixed < 0) return { fixed: 0, perSample: y1 / yy };
  if (perSample < 0) return { fixed: x1 / xx, perSample: 0 };
  return { fixed, perSample };
}

export function secondsOf({ fixed, perSample }: StepCost, batch: number): number {
  return fixed + perSample * batch;
}

/** By size. */
function medianTimes(log: StepLog): [number, number][] {
  const bySize = new Map<number, number[]>();
  const seconds = log.column('seconds');
  log.column('samples').forEach((size, row) => {
    const time = seconds[row] ?? 0;
    // Some browsers' clocks are too coarse for a short step.
    if (time <= 0) return;
    const times = bySize.get(size);
    if (times === undefined) bySize.set(size, [time]);
    else times.push(time);
  });
  return [...bySize].map(([size, times]) => [size, median(times)]);
}

function median(values: number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
