/** The version of RunConfig and Telemetry that this build reads and writes. */
export type FormatVersion = 1;

/** As settings name a network: `logistic`, `mlp`, `mlp-64`, `cnn`, `cifar-cnn`, `resnet-20`, `resnet-20-32`, `resnet18`, … */
export type ModelName = string;

/** What one sample of a data set is: an image, or a sequence of `width` tokens, of which there are `classes`. */
export interface SampleShape {
  channels: number;
  height: number;
  width: number;
  classes: number;
  /** Absent for images. */
  sequence?: true;
}

/** What data are for a run. */
export interface DataFacts {
  training_samples: number;
  test_samples: number;
  shape: SampleShape;
  /** What each token of a text is called: the character, or a byte that is none in hexadecimal. Empty for images. */
  token_names: string[];
}

/** `own`: files of the visitor's. */
export type DatasetName = "mnist" | "fashion_mnist" | "cifar10" | "cifar100" | "shakespeare" | "own";

/** `training`: by the mean and the standard deviation of each channel over all training images. */
export type Normalisation = "none" | "training";

/** How training images are varied at random. */
export interface Augmentation {
  /** Pixels around the image that a crop may take in; 0: no crop. */
  padding: number;
  /** Every other visit, on average, shows the image mirrored. */
  flip: boolean;
}

/** How a text is read; no matter for images. */
export interface TextSettings {
  /** What its tokens are. */
  tokens: "characters" | "bytes";
  /** Tokens of a sample: the positions of a sequence. */
  context: number;
}

export interface Schedule {
  /** The rate climbs linearly from 0 over this many samples. */
  warm_up_samples: number;
  decay: Decay;
}

/** Everything that decides a run: the same RunConfig gives the same run, bit for bit, on the same engine. */
export interface RunConfig {
  version: FormatVersion;
  dataset: DatasetName;
  normalisation: Normalisation;
  augmentation: Augmentation;
  text: TextSettings;
  model: ModelName;
  optimizer: Optimizer;
  /** Which parameters the optimizer's weight decay applies to. */
  decay_on: 'all' | 'matrices';
  /** Where the norm of the mean gradient is larger, the step is made with the gradient scaled down to it; 0: no limit. */
  clip_norm: number;
  learning_rate: number;
  schedule: Schedule;
  /** null: no test, which AdAdaGrad cannot do without. */
  test: BatchTest | null;
  controller: Controller;
  /** Names of what is reported and decides nothing, with blanks between them. */
  observe: string;
  coupling: Coupling;
  initial_batch: number;
  min_batch: number;
  max_batch: number;
  /** Largest number of parts that a batch is cut into; 0: that of the network. */
  parts: number;
  /** The run stops at the first step after which samples_seen >= sample_budget. */
  sample_budget: number;
  seed: number;
  /** Test accuracy is measured each time this many more samples were seen, and at the end. */
  evaluate_every: number;
}

/** What a change of the batch size does to the learning rate and to Adam's beta. */
export type Coupling = "none" | "linear" | "sqrt" | "sde" | "half_life";

export type Reason =
  | "non_finite"
  | "single_sample"
  | "zero_mean_gradient"
  | "non_positive_debiased_norm"
  | "single_worker"
  | "missing_evidence"
  | "unbounded"
  | "non_positive_loss"
  | "no_step_times"
  | "other_steps"
  | "no_beta_left";

/** What a step says of something that is observed. */
export interface Observation {
  /** The size that this batch asks for: a real number. */
  size: number | null;
  /** The same as a ratio of running averages. */
  smoothed: number | null;
  /** Why one of the two is null. */
  reason?: Reason;
}

/** One training step in plain numbers; null where it was not computed or is undefined (then see `reasons`). */
export interface Telemetry {
  version: FormatVersion;
  /** Counts from 1. */
  step: number;
  /** Size of this step's batch, b. */
  samples: number;
  /** Samples seen since the start, this batch included. */
  samples_seen: number;
  /** Mean loss of the batch before the update, in nats. */
  loss: number;
  /** Share of the batch classified rightly before the update. */
  training_accuracy: number;
  learning_rate: number;
  /** Of runs in which a coupling changes them. */
  beta1?: number;
  beta2?: number;
  /** n = |mean gradient|^2. */
  mean_norm_sq: number;
  /** S = sum of |g_i|^2. */
  sum_squared_norms: number | null;
  /** v, the trace of the sample covariance. The norm test passes when variance / samples <= eta^2 * mean_norm_sq. */
  variance: number | null;
  variance_along: number | null;
  variance_orthogonal: number | null;
  /** The chosen quantile of Var_j / mean_j^2 over the coordinates. */
  coordinate_ratio: number | null;
  /** v estimated from the parts' mean gradients alone. */
  worker_variance: number | null;
  /** T, the batch size that would pass the test: a real number. */
  required: number | null;
  /** The threshold that this batch would just pass (for `augmented`: theta, with nu scaled alike). */
  threshold: number | null;
  /** The size that the rule wanted: a real number, before rounding, limits, windows and waiting. */
  wanted: number | null;
  next_batch: number;
  /** What is observed, by its name. */
  observed?: Record<string, Observation>;
  /** `controller`: why the rule kept the size for want of something to decide from. */
  reasons: { variance?: Reason; required?: Reason; controller?: Reason };
}

/** What can compute a run: the processor, or a GPU that works by itself. */
export type EngineName = "cpu" | "webgpu";

/** Which kernels are fastest on an adapter. The page only keeps it and hands it back. */
export type KernelChoice = { [key: string]: unknown };

/** What was done since the last call of Session.advance. A due evaluation is always carried on, even with `steps` = 0. */
export interface Progress {
  /** The steps that were finished, oldest first. */
  steps: (Telemetry & { /** Wall-clock seconds that the step took, pauses left out. */ seconds: number })[];
  /** Accuracy measurements that were finished, oldest first. */
  evaluations: { step: number; samples_seen: number; accuracy: number; loss: number }[];
  /** What the visitor should know of the engine's way through trouble, oldest first. */
  notices: string[];
  /** That the run does not progress: from which step on, what is seen, and the way out. Each is told once. */
  sightings: { step: number; words: string }[];
  /** Which kernels were chosen for the adapter, once. */
  kernels: KernelChoice | null;
  /** `opening`: the GPU is being made ready. */
  activity: "opening" | "training" | "evaluating" | "finished";
  /** The work at hand: `done` of `total` sample visits of the present step (or evaluation). */
  done: number;
  total: number;
  /** What computes now: a run that WebGPU cannot carry on is carried on by the CPU. */
  engine: EngineName;
  /** Bytes of GPU memory in use. */
  device_bytes: number;
}

/** What is done with the parts of a batch: both sweeps of a step, and a measurement of accuracy. */
export type TeamTask = "accumulate" | "project" | "evaluate";

/** Work that several workers may do: the parts from `first_part` to before `end_part`, which is their number. */
export interface SharedWork {
  task: TeamTask;
  /** The step's place in the order of samples; 0 for a measurement. */
  start: number;
  /** Samples of all parts. */
  batch: number;
  first_part: number;
  end_part: number;
}

/** What workers must know for it. */
export interface SharedVectors {
  parameters: Float32Array;
  /** To project; else null. */
  mean_gradient: Float32Array | null;
}

/** What a worker found in a part. */
export interface PartResult {
  /** Which part it is, and its numbers. */
  numbers: Uint8Array;
  /** Sums over the parameters; null where there are none. */
  values: Float32Array<ArrayBuffer> | null;
}

/** Of a data set of images or of a text. */
export type DatasetFiles = ImageFiles | TextFiles;

/** The files of a text: one that is to be divided, or training and test part. */
export interface TextFiles {
  texts: Uint8Array[];
}

/** The four decompressed IDX files: of grey images (three dimensions) or of one to four channels (four dimensions). */
export interface ImageFiles {
  train_images: Uint8Array;
  train_labels: Uint8Array;
  test_images: Uint8Array;
  test_labels: Uint8Array;
  classes: number;
}

/** Files of the visitor's. */
export type OwnFiles = DatasetFiles & {
  /** What the classes are called; empty where nothing says so. */
  class_names: string[];
  /** What the visitor should know about how they were read: sentences. */
  notes: string[];
};

export interface ModelDescription {
  name: ModelName;
  parameters: number;
  /** One readable line for each layer. */
  layers: string[];
  /** Where weights and biases lie in Session.parameters(), in that order. */
  tensors: TensorPlace[];
}

export interface TensorPlace {
  /** As in a safetensors file: `0.weight`. */
  name: string;
  /** [out, in], [out, in, height, width], or [out] for biases; the last varies fastest. */
  shape: number[];
  /** Of its first value. */
  offset: number;
}

/** The whole test set, seen with the parameters of one moment. */
export interface Look {
  /** After which step: 0 before the first. */
  step: number;
  samples: number;
  correct: number;
  /** A row for each class: how often a sample of class `row` was taken for one of class `column`. */
  confusion: number[];
  /** At most 24, most confident first. */
  mistakes: { /** Its place in the test set. */ sample: number; label: number; predicted: number; probability: number }[];
}

/** What a run goes on from. */
export interface Checkpoint {
  step: number;
  samples_seen: number;
  /** Accuracy is due to be measured after that step, and was not yet. */
  measures: boolean;
  /** A safetensors file with the run's state. */
  bytes: Uint8Array;
}

/** Where the run of a checkpoint stands. */
export interface Resumed {
  config: RunConfig;
  step: number;
  samples_seen: number;
  next_batch: number;
}

export interface NewestParameters {
  /** After which step. */
  step: number;
  model: ModelDescription;
  values: Float32Array;
}

export interface Classification {
  /** After which step the parameters were these. */
  step: number;
  /** One for each class. */
  probabilities: Float32Array;
}

/** What the network of a measurement writes. */
export interface WrittenSample {
  step: number;
  accuracy: number;
  text: string;
}

/** What follows a text. */
export interface Following {
  /** After which step the parameters were these. */
  step: number;
  /** Characters that the text of the run does not have, each once: they were left out. */
  unknown: string;
  /** Of each token to come next. */
  probabilities: Float64Array;
  /** Drawn one after another. */
  text: string;
}

export interface LookProgress {
  look: Look | null;
  /** Of a text. */
  sample: WrittenSample | null;
  more: boolean;
}

/** Settings that were changed while a run goes on. */
export interface Retuned {
  /** The first step that they hold for, the samples seen before it, and its batch. */
  step: number;
  samples_seen: number;
  next_batch: number;
  config: RunConfig;
}

/** One of each thing that settings name, with its default settings. */
export interface Defaults {
  optimizers: Optimizer[];
  tests: BatchTest[];
  decays: Decay[];
}

export interface Preset {
  name: string;
  title: string;
  config: RunConfig;
}
