/** Makes the problems: the same run for all engines, described by our own program. */
import initialise, { initial_parameters, presets, visited_samples } from '../../pkg/adadagrad_web.js';
import type { ImageFiles, RunConfig, TextFiles } from '../../pkg/adadagrad_web.js';
import { loadImages, loadText } from '../../src/dataset.js';
import { engineRow } from './engine-rows.js';
import type { EngineName } from './engine-rows.js';
import { PIXELS } from './engine.js';
import type { Batch, Problem } from './engine.js';
import { TEXT_MODEL, TRAINING_SAMPLES } from './plan.js';
import type { ModelName, Plan } from './plan.js';

/** Batches that engines without a data set of their own go round in: as many as this many images are. */
const KEPT_IMAGES = 16_384;
const MOST_BATCHES = 16;
const NO_END = Number.MAX_SAFE_INTEGER;
/** Tokens of a sequence, as natively. */
const CONTEXT = 64;

/** Bytes before the first pixel and the first label of an IDX file. */
const IMAGES_HEADER = 16;
const LABELS_HEADER = 8;

/** What is counted of a sample. */
export function positionsOf(model: ModelName): number {
  return model === TEXT_MODEL ? CONTEXT : 1;
}

export class Problems {
  readonly #images: ImageFiles;
  readonly #text: TextFiles | null;
  readonly #presets: ReturnType<typeof presets>;

  private constructor(images: ImageFiles, text: TextFiles | null) {
    this.#images = images;
    this.#text = text;
    this.#presets = presets();
  }

  static async load({ models }: Plan): Promise<Problems> {
    const folder = (name: string): string => new URL(`data/${name}/`, document.baseURI).href;
    const text = models.includes(TEXT_MODEL) ? loadText(folder('shakespeare'), () => undefined) : null;
    const [images] = await Promise.all([loadImages(folder('mnist'), () => undefined), initialise()]);
    return new Problems(images, await text);
  }

  /** A run at a constant batch size, with the norm test's statistics. */
  of(model: ModelName, batch: number, engine: EngineName, checkSteps: number): Problem {
    const ours = engineRow(engine).side === 'ours';
    const isText = model === TEXT_MODEL;
    const config: RunConfig = {
      ...(isText ? this.#textRun() : this.#imageRun()),
      model,
      schedule: { warm_up_samples: 0, decay: { name: 'constant' } },
      test: { name: 'norm', eta: 0.1, debiased: false },
      controller: { name: 'constant' },
      initial_batch: batch,
      min_batch: batch,
      max_batch: batch,
      sample_budget: NO_END,
      evaluate_every: NO_END,
    };
    const positions = positionsOf(model);
    if (ours) return { model, batch, positions, config, parameters: new Float32Array(), batches: [], files: isText ? this.#text : this.#images };
    if (isText) throw new Error('only our engines train the transformer here');
    return { model, batch, positions, config, parameters: initial_parameters(config), batches: this.#batches(config, batch, checkSteps), files: null };
  }

  /** The paper's optimizer. */
  #imageRun(): RunConfig {
    const optimizer = { name: 'adagrad', initial_accumulator: 0, epsilon: 1e-10, weight_decay: 0 } as const;
    return { ...this.#preset('quick'), optimizer, learning_rate: 8e-3 };
  }

  #textRun(): RunConfig {
    const config = this.#preset('text');
    return { ...config, text: { ...config.text, context: CONTEXT } };
  }

  #preset(name: string): RunConfig {
    const preset = this.#presets.find((candidate) => candidate.name === name);
    if (preset === undefined) throw new Error(`the program has no preset ${name}`);
    return preset.config;
  }

  #batches(config: RunConfig, batch: number, checkSteps: number): Batch[] {
    const count = Math.max(checkSteps, Math.min(MOST_BATCHES, Math.floor(KEPT_IMAGES / batch)));
    return Array.from({ length: count }, (_, index) => this.#batch(config, index * batch, batch));
  }

  #batch(config: RunConfig, position: number, count: number): Batch {
    const images = this.#images.train_images.subarray(IMAGES_HEADER);
    const allLabels = this.#images.train_labels.subarray(LABELS_HEADER);
    const pixels = new Uint8Array(count * PIXELS);
    const labels = new Uint8Array(count);
    visited_samples(config, TRAINING_SAMPLES, position, count).forEach((sample, row) => {
      pixels.set(images.subarray(sample * PIXELS, (sample + 1) * PIXELS), row * PIXELS);
      labels[row] = allLabels[sample] ?? 0;
    });
    return { pixels, labels };
  }
}
