/**
 * The messages between the page and its training worker.
 * Every payload that describes training has the types that the wasm module itself declares.
 */
import type { KernelChoice, ModelDescription, Preset, Progress, RunConfig } from '../pkg/adadagrad_web.js';
import type { AdapterReport, EngineChoice, EngineDecision } from './engine/choice.js';

export type StepRecord = Progress['steps'][number];
export type Evaluation = Progress['evaluations'][number];
export type Activity = Progress['activity'];

/** Where a run stands. `failed`: a step could not be made; the run can be begun anew. */
export type RunPhase = 'idle' | 'running' | 'paused' | 'finished' | 'failed';

export type Command =
  /** The first message: where the data files lie (the worker's own address is another folder). */
  | { type: 'open'; dataAddress: string }
  /** `steps`: stop after so many steps; null: until the budget is spent. */
  | { type: 'begin'; run: number; config: RunConfig; engine: EngineWish; steps: number | null }
  | { type: 'continue'; steps: number | null }
  | { type: 'pause' }
  | { type: 'reset' }
  | { type: 'validate'; request: number; config: RunConfig };

/** What the visitor chose, and the kernels that are remembered for the adapter. */
export interface EngineWish {
  choice: EngineChoice;
  kernels: KernelChoice | null;
}

/** What computes the run at hand, and why. */
export interface RunEngine extends EngineDecision {
  /** Bytes of the adapter's memory in use; 0 for the CPU. */
  deviceBytes: number;
}

/** All that happened since the last update of the same run. */
export interface Update {
  type: 'update';
  run: number;
  phase: RunPhase;
  steps: StepRecord[];
  evaluations: Evaluation[];
  /** What the engine has to say to the visitor, in sentences. */
  notices: string[];
  /** What a trial of kernels chose, to be remembered for the adapter. */
  kernels: KernelChoice | null;
  /** Null before a run. */
  engine: RunEngine | null;
  activity: Activity;
  done: number;
  total: number;
  imagesPerSecond: number | null;
  memoryBytes: number;
}

export type FailureKind =
  /** A data file is missing or broken: nothing can be trained. */
  | 'data'
  /** A step failed (a loss that is no number, settings refused): the next run may go well. */
  | 'training'
  /** The worker or the wasm module broke down: both must be started anew. */
  | 'crash';

export interface Failure {
  type: 'failure';
  kind: FailureKind;
  /** The run that failed; null when no run is to blame. */
  run: number | null;
  message: string;
}

export type Report =
  /** The wasm module is loaded; the data may still be on its way. */
  | { type: 'module'; presets: Preset[]; models: ModelDescription[] }
  /** What the browser offers for WebGPU. */
  | { type: 'adapter'; adapter: AdapterReport }
  | { type: 'download'; receivedBytes: number; totalBytes: number; checking: boolean }
  | { type: 'ready'; trainingSamples: number; testSamples: number }
  | { type: 'validated'; request: number; problem: string | null }
  | Update
  | Failure;
