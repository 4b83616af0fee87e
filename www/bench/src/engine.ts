/** What an engine must be able to do to be measured. It lives in a worker of its own. */
import type { DatasetFiles, RunConfig } from '../../pkg/adadagrad_web.js';
import { TEXT_MODEL } from './plan.js';
import type { ImageModelName, ModelName } from './plan.js';

/** The work: which network, from which parameters, on which images. */
export interface Problem {
  model: ModelName;
  batch: number;
  /** What is counted of a sample: the tokens of a sequence; an image counts as one. */
  positions: number;
  /** The run that all engines make; `controller` is constant. */
  config: RunConfig;
  /** D values, layer by layer: weights (`[out, in]` or `[out, in, height, width]`), then biases. Empty for engines that make them themselves. */
  parameters: Float32Array;
  /** The run's first batches; engines that keep no data set of their own go round and round in them. */
  batches: Batch[];
  /** The whole data set, for engines that take their images from it. */
  files: DatasetFiles | null;
}

export interface Batch {
  /** b × 784 bytes, 0 to 255. */
  pixels: Uint8Array;
  labels: Uint8Array;
}

export interface Engine {
  /** Everything that happens once: programs, parameters, images onto the device. */
  prepare(problem: Problem): Promise<void>;
  /** One whole training step on the next batch; its loss before the update. */
  step(): Promise<number>;
  /** The versions and the device that it runs on, in words. */
  describe(): string;
  dispose(): void;
}

export const PIXELS = 784;
export const CLASSES = 10;

/** Shapes of weights and biases by layer, as in `Problem.parameters`. */
export const SHAPES: Record<ImageModelName, readonly (readonly number[])[]> = {
  logistic: [[10, 784], [10]],
  mlp: [[128, 784], [128], [10, 128], [10]],
  cnn: [[16, 1, 5, 5], [16], [32, 16, 5, 5], [32], [10, 1568], [10]],
};

/** Cuts the flat parameters into their tensors. */
export function tensorsOf(problem: Problem): { shape: number[]; values: Float32Array }[] {
  let start = 0;
  return SHAPES[imageModel(problem)].map((shape) => {
    const length = shape.reduce((product, size) => product * size, 1);
    start += length;
    return { shape: [...shape], values: problem.parameters.slice(start - length, start) };
  });
}

/** The network of a problem of images. */
function imageModel({ model }: Problem): ImageModelName {
  if (model === TEXT_MODEL) throw new Error('this engine has no transformer here');
  return model;
}

/** Pixels as every engine sees them: 0 to 1. */
export function scaled(pixels: Uint8Array): Float32Array {
  return Float32Array.from(pixels, (value) => value / 255);
}

export function oneHot(labels: Uint8Array): Float32Array {
  const rows = new Float32Array(labels.length * CLASSES);
  labels.forEach((label, row) => (rows[row * CLASSES + label] = 1));
  return rows;
}
