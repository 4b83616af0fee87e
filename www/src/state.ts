/** The state of the page: the settings (one RunConfig), the run, the download, and what went wrong. */
import type { DatasetName, RunConfig, SampleShape } from '../pkg/adadagrad_web.js';
import { classNames } from './classes.js';
import type { AdapterReport, EngineChoice } from './engine/choice.js';
import { recallChoice } from './engine/memory.js';
import { Observable } from './observable.js';
import { isSequence, MNIST_SHAPE } from './samples.js';
import type { Activity, Catalogue, Evaluation, Failure, FailureKind, RunEngine, RunPhase, Sighting, StepRecord } from './protocol.js';

export interface RunState {
  phase: RunPhase;
  /** The settings that this run was begun with; null before the first step. */
  config: RunConfig | null;
  /** What had been chosen when this run was begun. */
  engineChoice: EngineChoice | null;
  /** What computes it; null until the worker says so. */
  engine: RunEngine | null;
  latestStep: StepRecord | null;
  latestEvaluation: Evaluation | null;
  activity: Activity;
  done: number;
  total: number;
  samplesPerSecond: number | null;
  memoryBytes: number;
}

export const NO_RUN: RunState = {
  phase: 'idle',
  config: null,
  engineChoice: null,
  engine: null,
  latestStep: null,
  latestEvaluation: null,
  activity: 'training',
  done: 0,
  total: 0,
  samplesPerSecond: null,
  memoryBytes: 0,
};

export type DataState =
  | { name: 'downloading'; receivedBytes: number; totalBytes: number }
  | { name: 'checking' }
  /** `classNames`: as the visitor's files call them, or what the tokens of a text stand for; else empty. */
  | { name: 'ready'; dataset: DatasetName; trainingSamples: number; testSamples: number; shape: SampleShape; classNames: readonly string[] }
  | { name: 'unusable'; because: 'data' | 'program' | 'browser' };

/** How the download fares: for how long nothing has arrived (0: it flows), and the how-manieth try this is. */
export interface Stall {
  quietSeconds: number;
  tries: number;
}

export type HorizontalAxis = 'samples' | 'steps' | 'seconds';

export const HORIZONTAL_AXES = ['samples', 'steps', 'seconds'] satisfies HorizontalAxis[];

export function isHorizontalAxis(value: unknown): value is HorizontalAxis {
  return HORIZONTAL_AXES.some((axis) => axis === value);
}

/** What the visitor must be told. */
export interface Trouble {
  kind: FailureKind;
  message: string;
}

/** The step that the page speaks of: the run's latest, or the recorded run's last until there is one of its own. */
export interface ShownStep {
  /** The settings that it was made with. */
  config: RunConfig;
  step: StepRecord;
  /** From the recorded run, not from one made here. */
  recorded: boolean;
  /** The recorded run's, at its end. */
  accuracy?: number | undefined;
}

/** Whether a run ends with this step: no batch comes after it. */
export function isLastStep(config: RunConfig, { samples_seen: seen }: StepRecord): boolean {
  return seen >= config.sample_budget;
}

export class PageState {
  /** Null until the wasm module is loaded. */
  readonly catalogue = new Observable<Catalogue | null>(null);
  /** The settings shown: what the next run will be begun with. Null until the first preset is known. */
  readonly settings = new Observable<RunConfig | null>(null);
  /** Why the settings shown cannot be run, in words. */
  readonly settingsProblem = new Observable<string | null>(null);
  /** The engine that the next run will be begun with. */
  readonly engineChoice = new Observable<EngineChoice>(recallChoice());
  /** What the browser offers for WebGPU; null until it has answered. */
  readonly adapter = new Observable<AdapterReport | null>(null);
  readonly run = new Observable<RunState>(NO_RUN);
  readonly shownStep = new Observable<ShownStep | null>(null);
  readonly data = new Observable<DataState>({ name: 'downloading', receivedBytes: 0, totalBytes: 0 });
  readonly stall = new Observable<Stall>({ quietSeconds: 0, tries: 1 });
  /** Start was pressed before the data was here. */
  readonly startWaits = new Observable<boolean>(false);
  /** What the engine had to say of the run at hand, oldest first. */
  readonly notes = new Observable<readonly string[]>([]);
  /** What of the run at hand shows that it does not progress, oldest first. */
  readonly sightings = new Observable<readonly Sighting[]>([]);
  readonly trouble = new Observable<Trouble | null>(null);
  readonly horizontalAxis = new Observable<HorizontalAxis>('samples');
  /** Of noisy curves: from 0 (not at all) to below 1. */
  readonly smoothing = new Observable(0);
  /** What other thresholds would have asked for is drawn in the batch chart. */
  readonly thresholds = new Observable(false);
}

/** What the run at hand learns from, or the next one would. */
export function datasetOf({ run, settings }: PageState): DatasetName {
  return run.value.config?.dataset ?? settings.value?.dataset ?? 'mnist';
}

/** What a sample of the data at hand is; until they are here, MNIST's. */
export function shapeOf({ data }: PageState): SampleShape {
  return data.value.name === 'ready' ? data.value.shape : MNIST_SHAPE;
}

/** Whether the data at hand are a text. */
export function hasText(state: PageState): boolean {
  return isSequence(shapeOf(state));
}

/** What the classes of the data at hand are called. */
export function classNamesOf(state: PageState): readonly string[] {
  const { data } = state;
  if (data.value.name !== 'ready') return classNames(datasetOf(state));
  return classNames(data.value.dataset, data.value.shape.classes, data.value.classNames);
}

/** Why nothing can be trained after such a failure. */
export function causeOf(kind: FailureKind): Extract<DataState, { name: 'unusable' }>['because'] {
  if (kind === 'unsupported') return 'browser';
  return kind === 'start' || kind === 'crash' ? 'program' : 'data';
}

/** Whether a trouble is of one run only: the next may go well. */
export function isOfRun(trouble: Trouble | null): boolean {
  return trouble?.kind === 'training' || trouble?.kind === 'refused' || trouble?.kind === 'unresumed';
}

export function troubleFrom(failure: Failure): Trouble {
  return { kind: failure.kind, message: failure.message };
}

/** Settings are plain data, so their JSON tells whether two are the same. */
export function sameSettings(one: RunConfig | null, other: RunConfig | null): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
