/**
 * The messages between the page and its training worker.
 * Every payload that describes training has the types that the wasm module itself declares.
 */
import type {
  Checkpoint, DatasetName, Defaults, Following, KernelChoice, Look, ModelDescription, Preset, Progress, Retuned, RunConfig, SampleShape, TextSettings, WrittenSample,
} from '../pkg/adadagrad_web.js';
import type { AdapterReport, EngineChoice, EngineDecision } from './engine/choice.js';
import type { ImageShape } from './samples.js';
import type { MemberReport } from './team/messages.js';

export type StepRecord = Progress['steps'][number];
export type Evaluation = Progress['evaluations'][number];
export type Activity = Progress['activity'];

/** What the wasm module offers. */
export interface Catalogue {
  presets: Preset[];
  /** Those that fit the data at hand. */
  models: ModelDescription[];
  defaults: Defaults;
}

/** Where a run stands. `failed`: a step could not be made; the run can be begun anew. */
export type RunPhase = 'idle' | 'running' | 'paused' | 'finished' | 'failed';

/** What there is to learn from. */
export type DataSource =
  /** Data that lies beside the page. `root`: the folder of all data sets (the worker's own address is another folder). */
  | { kind: 'address'; dataset: Exclude<DatasetName, 'own'>; root: string }
  /**
   * Files of the visitor's, in any order; others may be among them: the four IDX files of a data set, packed (.gz) or not,
   * or the binary files of CIFAR-10 or CIFAR-100; or a text.
   */
  | { kind: 'files'; files: File[] };

/** How a text is read where no settings say it yet. */
export const USUAL_TEXT: TextSettings = { tokens: 'characters', context: 64 };

/** Files of the visitor's, and how a text is to be read. */
export interface OwnFilesQuestion {
  files: readonly File[];
  text: TextSettings;
}

/** What a look at files of the visitor's finds: what there is, with what is to be known about it, or why the files cannot be used. */
export type OwnFilesLook = { training: number; test: number; shape: SampleShape; notes: string[] } | { problem: string };

/** What the worker that looks at files says: first that it has begun, then what it found. */
export type OwnFilesReport = 'begun' | OwnFilesLook;

/** When a run pauses by itself: after so many steps, after the step that makes the batch grow, or never (null). */
export type StopAfter = { steps: number } | 'growth' | null;

/** Messages with a `request` are answered by a report with the same number. */
export type Command =
  /** The first message. `text`: how a text is read, until a run says it. */
  | { type: 'open'; source: DataSource; text: TextSettings }
  /** A run that is likely to be begun next: while there is none, a GPU is made ready for it. */
  | { type: 'prepare'; config: RunConfig; engine: EngineWish }
  /** `parameters`: a safetensors file to begin from; null: drawn from the seed. */
  | { type: 'begin'; run: number; config: RunConfig; engine: EngineWish; stop: StopAfter; parameters: Uint8Array | null }
  /** Goes on from a checkpoint as if it had never stopped. */
  | { type: 'resume'; run: number; checkpoint: Uint8Array; measures: boolean; engine: EngineWish; stop: StopAfter }
  /** A worker that the page has started for the team cannot go on; `message`: why, where that is known. */
  | { type: 'member-failed'; member: number; message: string }
  | { type: 'continue'; stop: StopAfter }
  | { type: 'pause' }
  | { type: 'reset' }
  | { type: 'validate'; request: number; config: RunConfig }
  /** Other settings from the next step on. */
  | { type: 'retune'; config: RunConfig }
  | { type: 'checkpoint'; request: number }
  /** `pixels`: an image as the data at hand have them, plane by plane. */
  | { type: 'classify'; request: number; pixels: Uint8Array }
  /** How a text goes on, with `count` more tokens. */
  | { type: 'follow'; request: number; beginning: string; temperature: number; count: number; seed: number }
  | { type: 'parameters'; request: number }
  | { type: 'test-image'; request: number; sample: number }
  /** Whether a run could begin with these settings and this safetensors file. */
  | { type: 'check-model'; request: number; config: RunConfig; parameters: Uint8Array }
  /** Whether the test set is looked through again and again. */
  | { type: 'look'; on: boolean }
  /** Whether the samples of the present batch are sent, and how many at most. */
  | { type: 'mosaic'; on: boolean; most: number }
  /** No run is to take WebGPU any more: it failed in this visit. `reason`: a sentence. */
  | { type: 'distrust'; reason: string }
  /** Slow motion: at least so long from step to step; null: as fast as can be. */
  | { type: 'pace'; millisecondsPerStep: number | null };

/** What the visitor chose, and the kernels that are remembered for the adapter. */
export interface EngineWish {
  choice: EngineChoice;
  kernels: KernelChoice | null;
}

/** What computes the run at hand, and why. */
export interface RunEngine extends EngineDecision {
  /** Bytes of the adapter's memory in use; 0 for the CPU. */
  deviceBytes: number;
  /** Workers of the tab that compute together; 0: one alone, or a GPU. */
  workers: number;
}

export type Sighting = Progress['sightings'][number];

/** All that happened since the last update of the same run. */
export interface Update {
  type: 'update';
  run: number;
  phase: RunPhase;
  steps: StepRecord[];
  evaluations: Evaluation[];
  /** What the engine has to say to the visitor, in sentences. */
  notices: string[];
  /** That the run does not progress. */
  sightings: Sighting[];
  /** Which kernels were chosen, to be remembered for the adapter. */
  kernels: KernelChoice | null;
  /** Null before a run. */
  engine: RunEngine | null;
  activity: Activity;
  done: number;
  total: number;
  samplesPerSecond: number | null;
  memoryBytes: number;
}

export type FailureKind =
  /** A data file beside the page is missing or damaged: nothing can be trained. */
  | 'data'
  /** The same of the visitor's own files. */
  | 'files'
  /** A run could not begin with what it was given: settings, a model. */
  | 'refused'
  /** A run cannot be gone on with from where it was left. */
  | 'unresumed'
  /** A step failed, because a loss is not a number: the next run may go well. */
  | 'training'
  /** A part of the program could not be loaded: the page itself has to be. */
  | 'start'
  /** The worker or the wasm module broke down: both must be started anew. */
  | 'crash'
  /** The data did not come through: the server did not answer, or nothing more arrived and trying again did not help. */
  | 'stalled'
  /** This browser, or where the page is shown, lacks what training needs. */
  | 'unsupported';

export interface Failure {
  type: 'failure';
  kind: FailureKind;
  /** The run that failed; null when no run is to blame. */
  run: number | null;
  message: string;
}

/** A checkpoint; null: there is no run, or it ended before it could be made. */
export interface CheckpointReport {
  type: 'checkpoint';
  request: number;
  run: number;
  checkpoint: Checkpoint | null;
}

export interface Classified {
  type: 'classified';
  request: number;
  /** After which step; null without a run. */
  step: number | null;
  /** One for each class; null without a run. */
  probabilities: Float32Array | null;
}

export interface Followed {
  type: 'followed';
  request: number;
  /** Null without a run, or where its outputs are no numbers. */
  following: Following | null;
}

export interface ParametersReport {
  type: 'parameters';
  request: number;
  /** After which step; null without a run. */
  step: number | null;
  model: ModelDescription | null;
  /** Cut into layers by ModelDescription.tensors; null without a run. */
  values: Float32Array | null;
}

export interface TestImage {
  type: 'test-image';
  request: number;
  sample: number;
  /** Plane by plane, row by row; null where there is no such sample. */
  pixels: Uint8Array | null;
}

/** The answer to a question whether something can be used. */
export interface Validated {
  type: 'validated';
  request: number;
  /** What is wrong with it; null when nothing is. */
  problem: string | null;
}

export interface LookReport {
  type: 'look';
  run: number;
  look: Look;
  /** The mistakes' images, one after another, in their order. */
  images: Uint8Array;
}

/** What the network of a measurement writes. */
export interface SampleReport extends WrittenSample {
  type: 'sample';
  run: number;
}

/** The samples of the batch at hand, at most four times a second. */
export type Mosaic = ImageMosaic | TextMosaic;

interface SomeOfBatch {
  type: 'mosaic';
  run: number;
  /** Which step it is the batch of. */
  step: number;
  /** Its size. */
  batch: number;
  /** How many of its samples these are, the first ones. */
  count: number;
}

export interface TextMosaic extends SomeOfBatch {
  kind: 'text';
  /** Tokens of a sequence. */
  context: number;
  /** The sequences, one after another. */
  tokens: Uint16Array;
}

export interface ImageMosaic extends SomeOfBatch {
  kind: 'images';
  /** Of the thumbnails: the more there are, the smaller. */
  shape: ImageShape;
  /** The thumbnails, one after another. */
  pixels: Uint8Array;
  /** How many images of the whole batch have each label. */
  classes: Uint32Array;
}

/** The data are here, or a text is read in another way now. */
export interface ReadyReport {
  type: 'ready';
  dataset: DatasetName;
  trainingSamples: number;
  testSamples: number;
  shape: SampleShape;
  /** As the visitor's files call them, or what the tokens of a text stand for; else empty. */
  classNames: string[];
  /** The networks that fit them. */
  models: ModelDescription[];
}

export type Report =
  | MemberReport
  /** The worker's own program is loaded. */
  | { type: 'alive' }
  /** The wasm module is loaded; the data may still be on its way. */
  | ({ type: 'module' } & Catalogue)
  /** The data sets that lie beside the page. */
  | { type: 'datasets'; available: DatasetName[] }
  /** What the browser offers for WebGPU. */
  | { type: 'adapter'; adapter: AdapterReport }
  | { type: 'download'; receivedBytes: number; totalBytes: number; checking: boolean }
  | ReadyReport
  /** The run's team is there, or there no longer is one; `notice`: why, in a sentence. */
  | { type: 'team'; run: number; workers: number; notice: string | null }
  /** Where the run stands that a checkpoint holds; its updates follow. */
  | { type: 'resumed'; run: number; config: RunConfig; step: number; samplesSeen: number }
  /** When the settings hold: at once between two steps, else after the step at hand. */
  | { type: 'retuned'; run: number; retuned: Retuned }
  | { type: 'refused-retune'; run: number; message: string }
  | CheckpointReport
  | Classified
  | Followed
  | ParametersReport
  | TestImage
  | Validated
  | LookReport
  | SampleReport
  | Mosaic
  | Update
  | Failure;

/** How the worker sends a report; what is handed over is the worker's no longer. */
export type Post = (report: Report, handedOver?: Transferable[]) => void;
