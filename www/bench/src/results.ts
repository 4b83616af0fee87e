/** What was measured, as the page shows it and as it is written to a file. */
import { ENGINES, engineRow } from './engine-rows.js';
import type { EngineName, EngineRow, Hardware } from './engine-rows.js';
import type { ModelName, Plan } from './plan.js';

/** The version of this form. */
export const FORMAT_VERSION = 1;

export interface Cell {
  model: ModelName;
  batch: number;
  engine: EngineName;
  /** Samples (of a text, tokens) per second of each round; empty when the engine was given up. */
  rounds: number[];
  samplesPerSecond: Spread | null;
  /** Steps in all rounds. */
  steps: number;
  /** The losses of the first steps, that all engines must agree on. */
  losses: number[];
  /** Why there are no figures, in a sentence. */
  failure: string | null;
}

export interface Spread {
  median: number;
  minimum: number;
  maximum: number;
}

/** One of our engines beside the fastest rival on the same hardware. */
export interface Ratio {
  model: ModelName;
  batch: number;
  hardware: Hardware;
  engine: EngineName;
  rival: EngineName;
  ratio: number;
}

export interface Results {
  version: typeof FORMAT_VERSION;
  plan: Plan;
  browser: string;
  processors: number;
  crossOriginIsolated: boolean;
  adapter: string | null;
  /** By engine: versions and device. */
  engines: Partial<Record<EngineName, string>>;
  cells: Cell[];
  ratios: Ratio[];
}

export function spread(values: readonly number[]): Spread | null {
  const sorted = [...values].sort((left, right) => left - right);
  const [minimum, maximum] = [sorted.at(0), sorted.at(-1)];
  const [lower, upper] = [sorted.at((sorted.length - 1) >> 1), sorted.at(sorted.length >> 1)];
  if (minimum === undefined || maximum === undefined || lower === undefined || upper === undefined) return null;
  return { median: (lower + upper) / 2, minimum, maximum };
}

/** For each model and batch size: ours over the fastest rival. */
export function ratios(cells: readonly Cell[]): Ratio[] {
  const measured = cells.flatMap((cell) =>
    cell.samplesPerSecond === null ? [] : [{ ...cell, speed: cell.samplesPerSecond.median, row: engineRow(cell.engine) }],
  );
  return measured
    .filter(({ row }) => row.side === 'ours')
    .flatMap(({ model, batch, engine, speed, row }) => {
      const rivals = measured.filter(
        (other) =>
          other.row.side === 'rival' &&
          other.model === model &&
          other.batch === batch &&
          other.row.hardware === row.hardware,
      );
      const fastest = rivals.reduce<(typeof rivals)[number] | null>(
        (best, other) => (best === null || other.speed > best.speed ? other : best),
        null,
      );
      if (fastest === null) return [];
      return [{ model, batch, hardware: row.hardware, engine, rival: fastest.engine, ratio: speed / fastest.speed }];
    });
}

/** The rows of the engines that a plan names, in the order of the list of all engines. */
export function rowsOf(plan: Plan): (EngineRow & { name: EngineName })[] {
  return ENGINES.filter((row) => plan.engines.includes(row.name));
}
