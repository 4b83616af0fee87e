/** One run: the settings it was begun with, every change made on its way, its steps and its measurements. */
import type { BatchTest, RunConfig } from '../../pkg/adadagrad_web.js';
import type { Evaluation, StepRecord } from '../protocol.js';
import type { MadeWith } from './made-with.js';
import { lastAtMost, StepLog } from './step-log.js';

/** A measurement, and how many seconds of training had gone by. */
export interface TimedEvaluation extends Evaluation {
  elapsed: number;
}

/** Settings that were changed while the run was under way; they count from the step after `step`. */
export interface Change {
  step: number;
  samplesSeen: number;
  elapsed: number;
  config: RunConfig;
  /** What was changed, in words: “η 1 → 0.5”. */
  text: string;
}

/** What computed a run. */
export interface ComputedBy {
  engine: 'cpu' | 'webgpu';
  adapter: string | null;
}

export class TrainedRun {
  readonly id: string;
  name: string;
  /** Colour and line pattern. */
  slot: number;
  shown = true;
  pinned = false;
  /** It came to its end, however few steps that took. */
  complete = false;
  /** It was ended for something else, and its visitor was told that it stays, however few steps it made. */
  promised = false;
  /** Of a scene of the guide, which leaves nothing behind: it is not kept for another visit. */
  transient = false;
  /** Came with the page: nobody made it here. */
  readonly recorded: boolean;
  readonly config: RunConfig;
  computedBy: ComputedBy | null = null;
  /** Null: not known, as of runs that earlier pages kept. */
  madeWith: MadeWith | null = null;
  log = new StepLog();
  evaluations: TimedEvaluation[] = [];
  changes: Change[] = [];

  constructor(parts: { id: string; name: string; slot: number; config: RunConfig; recorded?: boolean }) {
    this.id = parts.id;
    this.name = parts.name;
    this.slot = parts.slot;
    this.config = parts.config;
    this.recorded = parts.recorded ?? false;
  }

  addStep(record: StepRecord): void {
    this.log.add(record);
  }

  /** One that is made again, because the run goes on from before it, takes its own place. */
  addEvaluation(evaluation: Evaluation): void {
    if (this.evaluations.at(-1)?.step === evaluation.step) this.evaluations.pop();
    const row = this.log.rowOfStep(evaluation.step);
    this.evaluations.push({ ...evaluation, elapsed: this.log.value('elapsed', row) ?? 0 });
  }

  addChange(step: number, config: RunConfig, text: string): void {
    const row = this.log.rowOfStep(step);
    this.changes.push({
      step,
      samplesSeen: this.log.value('samples_seen', row) ?? 0,
      elapsed: this.log.value('elapsed', row) ?? 0,
      config,
      text,
    });
  }

  /** The settings that a step was made with. */
  configAt(step: number): RunConfig {
    const changes = this.changes.filter((change) => change.step < step);
    return changes.at(-1)?.config ?? this.config;
  }

  testAt(step: number): BatchTest | null {
    return this.configAt(step).test;
  }

  /** The settings as they are now. */
  get latestConfig(): RunConfig {
    return this.changes.at(-1)?.config ?? this.config;
  }

  /** Forgets what came after a step. */
  cutAfter(step: number): void {
    this.log.cutAfter(step);
    this.evaluations = this.evaluations.filter((evaluation) => evaluation.step <= step);
    this.changes = this.changes.filter((change) => change.step <= step);
  }

  /** The newest measurement at or before a step. */
  evaluationAt(step: number): TimedEvaluation | null {
    return this.evaluations[lastAtMost(this.evaluations.map((evaluation) => evaluation.step), step)] ?? null;
  }
}
