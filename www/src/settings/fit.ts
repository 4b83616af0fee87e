/** Batches that fit into the data. */
import type { RunConfig } from '../../pkg/adadagrad_web.js';

/** The settings with no batch larger than there are training samples; the same object where none was. */
export function fitBatches(config: RunConfig, trainingSamples: number): RunConfig {
  if (config.max_batch <= trainingSamples) return config;
  const most = (size: number): number => Math.min(size, trainingSamples);
  return { ...config, max_batch: trainingSamples, min_batch: most(config.min_batch), initial_batch: most(config.initial_batch) };
}
