/** Makes the problems: the same run for all engines, described by our own program. */
import initialise, { initial_parameters, presets, visited_samples } from '../../pkg/adadagrad_web.js';
import type { ImageFiles, RunConfig } from '../../pkg/adadagrad_web.js';
import { loadImages } from '../../src/dataset.js';
import { engineRow } from './engine-rows.js';
import type { EngineName } from './engine-rows.js';
import { PIXELS } from './engine.js';
import type { Batch, Problem } from './engine.js';
import { TRAINING_SAMPLES } from './plan.js';
import type { ModelName } from './plan.js';

/** Batches that engines without a data set of their own go round in: as many as this many images are. */
const KEPT_IMAGES = 16_384;
const MOST_BATCHES = 16;
const NO_END = Number.MAX_SAFE_INTEGER;

/** Bytes before the first pixel and the first label of an IDX file. */
const IMAGES_HEADER = 16;
const LABELS_HEADER = 8;

export class Problems {
  readonly #files: ImageFiles;
  readonly #start: RunConfig;

  private constructor(files: ImageFiles, start: RunConfig) {
    this.#files = files;
    this.#start = start;
  }

  static async load(): Promise<Problems> {
    const [files] = await Promise.all([loadImages(new URL('data/mnist/', document.baseURI).href, () => undefined), initialise()]);
    const preset = presets()[0];
    if (preset === undefined) throw new Error('the program has no presets');
    return new Problems(files, preset.config);
  }

  /** The paper's optimizer at a constant batch size, with the norm test's statistics. */
  of(model: ModelName, batch: number, engine: EngineName, checkSteps: number): Problem {
    const config: RunConfig = {
      ...this.#start,
      model,
      optimizer: { name: 'adagrad', initial_accumulator: 0, epsilon: 1e-10, weight_decay: 0 },
      learning_rate: 8e-3,
      schedule: { warm_up_samples: 0, decay: { name: 'constant' } },
      test: { name: 'norm', eta: 0.1, debiased: false },
      controller: { name: 'constant' },
      initial_batch: batch,
      min_batch: batch,
      max_batch: batch,
      sample_budget: NO_END,
      evaluate_every: NO_END,
    };
    const ours = engineRow(engine).side === 'ours';
    return {
      model,
      batch,
      config,
      parameters: initial_parameters(config),
      batches: ours ? [] : this.#batches(config, batch, checkSteps),
      files: ours ? this.#files : null,
    };
  }

  #batches(config: RunConfig, batch: number, checkSteps: number): Batch[] {
    const count = Math.max(checkSteps, Math.min(MOST_BATCHES, Math.floor(KEPT_IMAGES / batch)));
    return Array.from({ length: count }, (_, index) => this.#batch(config, index * batch, batch));
  }

  #batch(config: RunConfig, position: number, count: number): Batch {
    const images = this.#files.train_images.subarray(IMAGES_HEADER);
    const allLabels = this.#files.train_labels.subarray(LABELS_HEADER);
    const pixels = new Uint8Array(count * PIXELS);
    const labels = new Uint8Array(count);
    visited_samples(config, TRAINING_SAMPLES, position, count).forEach((sample, row) => {
      pixels.set(images.subarray(sample * PIXELS, (sample + 1) * PIXELS), row * PIXELS);
      labels[row] = allLabels[sample] ?? 0;
    });
    return { pixels, labels };
  }
}
