/**
 * Batches that fit into the data. What the visitor asked for and what the data at hand are enough for are two things:
 * after a small data set, a larger one gives back the batches that were asked for.
 */
import type { RunConfig } from '../../pkg/adadagrad_web.js';

const SIZES = ['max_batch', 'min_batch', 'initial_batch'] as const;
type Sizes = Pick<RunConfig, (typeof SIZES)[number]>;

/** The settings with no batch larger than there are training samples; the same object where none was. */
export function fitBatches(config: RunConfig, trainingSamples: number): RunConfig {
  if (config.max_batch <= trainingSamples) return config;
  const most = (size: number): number => Math.min(size, trainingSamples);
  return { ...config, max_batch: trainingSamples, min_batch: most(config.min_batch), initial_batch: most(config.initial_batch) };
}

export class BatchFit {
  /** What was asked for, and what was given in its place; null while both are the same. */
  #cut: { asked: Sizes; given: Sizes } | null = null;

  /** The settings as they fit the data; the same object where nothing changes. */
  fit(config: RunConfig, trainingSamples: number): RunConfig {
    const asked = this.asked(config);
    const given = fitBatches(asked, trainingSamples);
    this.#cut = given === asked ? null : { asked: sizesOf(asked), given: sizesOf(given) };
    return SIZES.every((size) => given[size] === config[size]) ? config : given;
  }

  /** The settings as the visitor asked for them: sizes that were changed since they were cut are a wish of their own. */
  asked(config: RunConfig): RunConfig {
    const cut = this.#cut;
    if (cut === null) return config;
    const next = { ...config };
    for (const size of SIZES) if (config[size] === cut.given[size]) next[size] = cut.asked[size];
    // A largest batch that was asked for since leaves no room for more.
    next.min_batch = Math.min(next.min_batch, next.max_batch);
    next.initial_batch = Math.min(next.initial_batch, next.max_batch);
    return next;
  }

  /** The settings are others altogether: a preset's, an address's, another run's. */
  forget(): void {
    this.#cut = null;
  }
}

function sizesOf({ max_batch, min_batch, initial_batch }: Sizes): Sizes {
  return { max_batch, min_batch, initial_batch };
}
