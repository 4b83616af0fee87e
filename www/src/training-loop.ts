/** Drives the wasm session in short slices, so that every command is answered inside a step. */
import type { KernelChoice, Progress, RunConfig, Session } from '../pkg/adadagrad_web.js';
import { goneOn } from './engine/choice.js';
import type { EngineDecision } from './engine/choice.js';
import type { Report, RunEngine, RunPhase, StopAfter, Update } from './protocol.js';
import { Speed } from './speed.js';

const SLICE_MILLISECONDS = 40;
/** A GPU works on by itself; how often it is asked how far it is. */
const QUESTION_MILLISECONDS = 20;
/** At most 20 messages a second leave for the page. */
const REPORT_INTERVAL_MILLISECONDS = 50;
const NO_STEP_LIMIT = 1_000_000_000;

export class TrainingLoop {
  readonly #session: Session;
  readonly #post: (report: Report) => void;
  /** A posted message is a macrotask without the 4 ms that nested timers cost. */
  readonly #channel = new MessageChannel();
  #sliceWaits = false;
  /** When the work that the next slice will report began. */
  #workingSince: number | null = null;
  #run = 0;
  #phase: RunPhase = 'idle';
  #stepsLeft = NO_STEP_LIMIT;
  #samplesSeen = 0;
  #nextBatch = 0;
  #speed = new Speed();
  #decision: EngineDecision | null = null;
  #engine: RunEngine | null = null;
  #unsent: Pick<Progress, 'steps' | 'evaluations' | 'notices' | 'kernels'> = nothing();
  #work: Pick<Progress, 'activity' | 'done' | 'total'> = { activity: 'training', done: 0, total: 0 };
  #lastReport = 0;

  constructor(session: Session, post: (report: Report) => void) {
    this.#session = session;
    this.#post = post;
    this.#channel.port1.onmessage = () => this.#slice();
  }

  begin(run: number, config: RunConfig, decision: EngineDecision, kernels: KernelChoice | null, stop: StopAfter): void {
    this.#forget(run);
    this.#decision = decision;
    this.#engine = { ...decision, deviceBytes: 0 };
    try {
      this.#session.start(config, decision.engine, kernels);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#nextBatch = config.initial_batch;
    this.#work = { activity: 'training', done: 0, total: config.initial_batch };
    this.#goOn(stop);
  }

  continue(stop: StopAfter): void {
    if (this.#phase === 'paused' || this.#phase === 'running') this.#goOn(stop);
  }

  pause(): void {
    if (this.#phase !== 'running') return;
    this.#phase = 'paused';
    this.#session.pause();
    this.#report();
  }

  reset(): void {
    this.#forget(this.#run);
    this.#session.end();
  }

  #forget(run: number): void {
    this.#run = run;
    this.#phase = 'idle';
    this.#samplesSeen = 0;
    this.#speed = new Speed();
    this.#decision = null;
    this.#engine = null;
    this.#unsent = nothing();
  }

  #goOn(stop: StopAfter): void {
    this.#stepsLeft = typeof stop === 'object' && stop !== null ? stop.steps : NO_STEP_LIMIT;
    this.#phase = 'running';
    this.#workingSince = null;
    this.#report();
    this.#scheduleSlice();
  }

  #scheduleSlice(): void {
    if (this.#sliceWaits) return;
    this.#sliceWaits = true;
    if (this.#worksByItself) setTimeout(() => this.#slice(), QUESTION_MILLISECONDS);
    else this.#channel.port2.postMessage(null);
  }

  /** The CPU works while it is asked for its progress, a GPU between two questions as well. */
  get #worksByItself(): boolean {
    return this.#engine?.engine === 'webgpu';
  }

  #slice(): void {
    this.#sliceWaits = false;
    if (this.#phase !== 'running') return;
    const begun = (this.#worksByItself ? this.#workingSince : null) ?? performance.now();
    let progress: Progress;
    try {
      progress = this.#session.advance(SLICE_MILLISECONDS, this.#stepsLeft);
    } catch (error) {
      this.#fail(error);
      return;
    }
    const ended = performance.now();
    this.#workingSince = ended;
    this.#collect(progress, (ended - begun) / 1000);
    this.#settlePhase(progress);
    if (this.#phase !== 'running' || ended - this.#lastReport >= REPORT_INTERVAL_MILLISECONDS) this.#report();
    if (this.#phase === 'running') this.#scheduleSlice();
  }

  #collect(progress: Progress, seconds: number): void {
    this.#unsent.steps.push(...progress.steps);
    this.#unsent.evaluations.push(...progress.evaluations);
    this.#unsent.notices.push(...progress.notices.map(asSentence));
    this.#unsent.kernels = progress.kernels ?? this.#unsent.kernels;
    this.#takeEngine(progress);
    this.#stepsLeft -= progress.steps.length;
    this.#work = { activity: progress.activity, done: progress.done, total: progress.total };
    const lastStep = progress.steps.at(-1);
    if (lastStep !== undefined) {
      this.#samplesSeen = lastStep.samples_seen;
      this.#nextBatch = lastStep.next_batch;
    }
    if (progress.activity === 'training' && progress.evaluations.length === 0) {
      this.#speed.add(seconds, this.#samplesSeen + this.#imagesOfPresentStep());
    }
  }

  /** A run that WebGPU cannot carry on is carried on by the CPU. */
  #takeEngine(progress: Progress): void {
    if (this.#decision === null) return;
    if (this.#decision.engine !== progress.engine) this.#decision = goneOn(this.#decision);
    this.#engine = { ...this.#decision, deviceBytes: progress.device_bytes };
  }

  /** A test with a second sweep visits each sample twice: what counts is the share of the step. */
  #imagesOfPresentStep(): number {
    const { done, total } = this.#work;
    return total > 0 ? (done / total) * this.#nextBatch : 0;
  }

  #settlePhase(progress: Progress): void {
    if (progress.activity === 'finished') this.#phase = 'finished';
    // A measurement that the last step made due is finished first: no further step begins for it.
    else if (this.#stepsLeft <= 0 && progress.activity === 'training') this.#phase = 'paused';
  }

  #fail(error: unknown): void {
    this.#phase = 'failed';
    this.#report();
    this.#post({ type: 'failure', run: this.#run, ...describeFailure(error) });
  }

  #report(): void {
    const update: Update = {
      type: 'update',
      run: this.#run,
      phase: this.#phase,
      ...this.#unsent,
      engine: this.#engine,
      ...this.#work,
      imagesPerSecond: this.#speed.imagesPerSecond,
      memoryBytes: this.#session.memory_bytes(),
    };
    this.#unsent = nothing();
    this.#lastReport = performance.now();
    this.#post(update);
  }
}

function nothing(): Pick<Progress, 'steps' | 'evaluations' | 'notices' | 'kernels'> {
  return { steps: [], evaluations: [], notices: [], kernels: null };
}

function describeFailure(error: unknown): { kind: 'training' | 'crash'; message: string } {
  // A trap (a panic, memory that ran out) leaves the module in an unknown state; a thrown Error does not.
  const crashed = error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
  const detail = error instanceof Error ? error.message : String(error);
  if (crashed) return { kind: 'crash', message: `It met an error after which it cannot go on (${detail}).` };
  return { kind: 'training', message: asSentence(detail) };
}

function asSentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? '' : '.');
}
