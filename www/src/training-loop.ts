/** Drives the wasm session in short slices, so that every command is answered inside a step. */
import type { Checkpoint, KernelChoice, PartResult, Progress, RunConfig, Session, SharedWork } from '../pkg/adadagrad_web.js';
import { BatchView } from './batch-view.js';
import { goneOn } from './engine/choice.js';
import type { EngineDecision } from './engine/choice.js';
import type { Post, RunEngine, RunPhase, StopAfter, Update } from './protocol.js';
import { Speed } from './speed.js';
import type { Sharing } from './team/sharing.js';
import { TestSetLook } from './test-set-look.js';
import { asSentence, describeFailure, text } from './words-of-errors.js';
import type { StartFailure } from './words-of-errors.js';

const SLICE_MILLISECONDS = 40;
/** A GPU works on by itself; how often it is asked how far it is. */
const QUESTION_MILLISECONDS = 20;
/** At most 20 messages a second leave for the page. */
const REPORT_INTERVAL_MILLISECONDS = 50;
const NO_STEP_LIMIT = 1_000_000_000;

/** Where a run begins. */
interface Place {
  step: number;
  samplesSeen: number;
  /** Of the step before; 0 where no step came before in this visit. */
  batch: number;
  nextBatch: number;
}

export class TrainingLoop {
  readonly #session: Session;
  readonly #post: Post;
  readonly #sharing: Sharing;
  readonly #batch: BatchView;
  readonly #look: TestSetLook;
  /** A posted message is a macrotask without the 4 ms that nested timers cost. */
  readonly #channel = new MessageChannel();
  #sliceWaits = false;
  /** A team is at work; the next slice comes after it. */
  #teamWorks = false;
  /** When the work that the next slice will report began. */
  #workingSince: number | null = null;
  #run = 0;
  #phase: RunPhase = 'idle';
  #stepsLeft = NO_STEP_LIMIT;
  #toGrowth = false;
  /** Slow motion. */
  #millisecondsPerStep: number | null = null;
  /** When the newest step began; slow motion counts from there. */
  #stepBegunAt = -Infinity;
  #place: Place = { step: 0, samplesSeen: 0, batch: 0, nextBatch: 0 };
  #speed = new Speed();
  #decision: EngineDecision | null = null;
  #engine: RunEngine | null = null;
  #unsent: Pick<Progress, 'steps' | 'evaluations' | 'notices' | 'sightings' | 'kernels'> = nothing();
  #work: Pick<Progress, 'activity' | 'done' | 'total'> = { activity: 'training', done: 0, total: 0 };
  #lastReport = 0;

  constructor(session: Session, sharing: Sharing, post: Post) {
    this.#session = session;
    this.#sharing = sharing;
    this.#post = post;
    this.#batch = new BatchView(session, post);
    this.#look = new TestSetLook(session, post);
    this.#channel.port1.onmessage = () => this.#slice();
  }

  get run(): number {
    return this.#run;
  }

  /** Whether there is no run. */
  get idle(): boolean {
    return this.#phase === 'idle';
  }

  get running(): boolean {
    return this.#phase === 'running';
  }

  /** Has a GPU made ready for a run that is likely to be begun next; what is wrong with it is told when it is begun. */
  prepare(config: RunConfig, { engine }: EngineDecision, kernels: KernelChoice | null): void {
    if (this.#phase !== 'idle') return;
    try {
      if (engine === 'webgpu') this.#session.prepare(config, kernels);
      else this.#session.forget_prepared();
    } catch {
      this.#session.forget_prepared();
    }
  }

  begin(run: number, config: RunConfig, decision: EngineDecision, kernels: KernelChoice | null, stop: StopAfter, parameters: Uint8Array | null): void {
    this.#set(run, decision, stop, 'refused', () => {
      this.#session.start(config, decision.engine, kernels, parameters);
      void this.#sharing.begin(config);
      return { step: 0, samplesSeen: 0, batch: 0, nextBatch: config.initial_batch };
    });
  }

  resume(run: number, { bytes, measures }: Pick<Checkpoint, 'bytes' | 'measures'>, decision: EngineDecision, kernels: KernelChoice | null, stop: StopAfter): void {
    this.#set(run, decision, stop, 'unresumed', () => {
      const { config, step, samples_seen: samplesSeen, next_batch: nextBatch } = this.#session.resume(bytes, measures, decision.engine, kernels);
      this.#post({ type: 'resumed', run, config, step, samplesSeen });
      void this.#sharing.begin(config);
      return { step, samplesSeen, batch: 0, nextBatch };
    });
  }

  continue(stop: StopAfter): void {
    if (this.#phase === 'paused' || this.#phase === 'running') this.#goOn(stop);
  }

  pause(): void {
    if (this.#phase !== 'running') return;
    this.#phase = 'paused';
    this.#session.pause();
    this.#report();
    this.#look.alone(this.#run);
  }

  reset(): void {
    this.#forget(this.#run);
    this.#session.end();
  }

  async retune(config: RunConfig): Promise<void> {
    const run = this.#run;
    try {
      if (this.#phase !== 'running' && this.#phase !== 'paused') throw new Error('no run has settings to change');
      const retuned = await this.#session.retune(config);
      if (retuned === null) throw new Error('the run ended before its settings could change');
      // What came before is told before.
      if (run === this.#run) this.#report();
      this.#post({ type: 'retuned', run, retuned });
      if (run !== this.#run || retuned.samples_seen !== this.#place.samplesSeen) return;
      this.#place.nextBatch = retuned.next_batch;
      this.#showBatch();
    } catch (error) {
      this.#post({ type: 'refused-retune', run, message: asSentence(text(error)) });
    }
  }

  /** The team is there for the run at hand, or there no longer is one; `notice`: why. */
  teamChanged(notice: string | null): void {
    const workers = this.#sharing.size;
    if (this.#engine !== null) this.#engine = { ...this.#engine, workers };
    this.#post({ type: 'team', run: this.#run, workers, notice });
  }

  setLook(on: boolean): void {
    this.#look.set(on);
  }

  setMosaic(on: boolean, most: number): void {
    this.#batch.set(on, most);
  }

  setPace(millisecondsPerStep: number | null): void {
    this.#millisecondsPerStep = millisecondsPerStep;
  }

  /** Tells the page at once of all that was finished: what it is told next may be about that. */
  tellAll(): void {
    if (this.#phase !== 'running' && this.#phase !== 'paused') return;
    const before = this.#phase;
    try {
      // A GPU that works by itself is asked how far it is; nothing is begun for that.
      const progress = this.#session.advance(0, 0, this.#toGrowth);
      if (before === 'paused') this.#session.pause();
      this.#take(progress, before === 'paused' ? performance.now() : this.#workBegan);
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (this.#unsent.steps.length + this.#unsent.evaluations.length > 0) this.#report();
    if (this.#phase !== before) this.#look.alone(this.#run);
  }

  /** Puts a run in place of the one at hand. `failure`: what it is called when it cannot start. */
  #set(run: number, decision: EngineDecision, stop: StopAfter, failure: StartFailure, start: () => Place): void {
    this.#forget(run);
    this.#decision = decision;
    this.#engine = { ...decision, deviceBytes: 0, workers: 0 };
    try {
      this.#place = start();
    } catch (error) {
      // The session would go on with what it had.
      this.#session.end();
      this.#fail(error, failure);
      return;
    }
    this.#speed = new Speed(this.#place.samplesSeen);
    this.#work = { activity: 'training', done: 0, total: this.#place.nextBatch };
    this.#goOn(stop);
  }

  #forget(run: number): void {
    this.#run = run;
    this.#phase = 'idle';
    this.#place = { step: 0, samplesSeen: 0, batch: 0, nextBatch: 0 };
    this.#speed = new Speed();
    this.#decision = null;
    this.#engine = null;
    this.#unsent = nothing();
    this.#batch.show(null);
  }

  #goOn(stop: StopAfter): void {
    this.#stepsLeft = stop !== null && stop !== 'growth' ? stop.steps : NO_STEP_LIMIT;
    this.#toGrowth = stop === 'growth';
    this.#stepBegunAt = -Infinity;
    this.#phase = 'running';
    this.#workingSince = null;
    this.#report();
    this.#showBatch();
    this.#scheduleSlice();
  }

  #scheduleSlice(): void {
    if (this.#sliceWaits) return;
    this.#sliceWaits = true;
    const rest = this.#rest();
    if (rest > 0) setTimeout(() => this.#slice(), rest);
    else this.#channel.port2.postMessage(null);
  }

  /** Milliseconds until the next slice. The CPU works while it is asked for its progress, a GPU between two questions as well. */
  #rest(): number {
    const slowMotion = this.#work.activity === 'training' ? Math.max(0, this.#stepMayBeginAt - performance.now()) : 0;
    if (this.#worksByItself || slowMotion > 0) return Math.min(QUESTION_MILLISECONDS, slowMotion || QUESTION_MILLISECONDS);
    return 0;
  }

  get #stepMayBeginAt(): number {
    return this.#stepBegunAt + (this.#millisecondsPerStep ?? 0);
  }

  get #worksByItself(): boolean {
    return this.#engine?.engine === 'webgpu';
  }

  /** When the work began that is told next: a GPU's goes on between two slices. */
  get #workBegan(): number {
    return (this.#worksByItself ? this.#workingSince : null) ?? performance.now();
  }

  /** How many steps the next slice may finish. */
  get #steps(): number {
    if (this.#millisecondsPerStep === null) return this.#stepsLeft;
    return performance.now() < this.#stepMayBeginAt ? 0 : Math.min(1, this.#stepsLeft);
  }

  #slice(): void {
    this.#sliceWaits = false;
    if (this.#phase !== 'running' || this.#teamWorks) return;
    const begun = this.#workBegan;
    try {
      const work = this.#sharing.offer(this.#steps, this.#toGrowth);
      if (work !== null) {
        void this.#letTeamWork(work);
        return;
      }
      const progress = this.#session.advance(SLICE_MILLISECONDS, this.#steps, this.#toGrowth);
      this.#sharing.countAlone(progress.steps);
      this.#take(progress, begun);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#goOnAfterWork();
  }

  async #letTeamWork(work: SharedWork): Promise<void> {
    const run = this.#run;
    const isWanted = (): boolean => run === this.#run && (this.#phase === 'running' || this.#phase === 'paused');
    let since = performance.now();
    const tell = (): void => {
      this.#take(this.#session.advance(0, this.#steps, this.#toGrowth), since);
      since = performance.now();
    };
    const take = ({ numbers, values }: PartResult): void => {
      if (!isWanted()) return;
      this.#session.take(numbers, values);
      if (performance.now() - this.#lastReport >= REPORT_INTERVAL_MILLISECONDS) tell();
      // A step of the team's may take longer than many slices.
      if (this.#phase === 'running') this.#look.beside(run);
    };
    this.#teamWorks = true;
    try {
      await this.#sharing.sweep(work, () => isWanted() && this.#phase === 'running', take);
      if (isWanted()) tell();
    } catch (error) {
      if (isWanted()) this.#fail(error);
    } finally {
      this.#teamWorks = false;
    }
    // Another run may have begun meanwhile.
    if (run === this.#run) this.#goOnAfterWork();
    else if (this.#phase === 'running') this.#scheduleSlice();
  }

  /** Takes over what was finished since `begun`, and tells the page now and then. */
  #take(progress: Progress, begun: number): void {
    const ended = performance.now();
    this.#workingSince = ended;
    this.#collect(progress, (ended - begun) / 1000);
    this.#settlePhase(progress);
    if (this.#phase !== 'running' || ended - this.#lastReport >= REPORT_INTERVAL_MILLISECONDS) this.#report();
    if (progress.steps.length > 0 || this.#phase === 'finished') this.#showBatch();
  }

  #goOnAfterWork(): void {
    if (this.#phase === 'running') {
      this.#look.beside(this.#run);
      this.#scheduleSlice();
    } else {
      this.#look.alone(this.#run);
    }
  }

  #collect(progress: Progress, seconds: number): void {
    this.#unsent.steps.push(...progress.steps);
    this.#unsent.evaluations.push(...progress.evaluations);
    this.#unsent.notices.push(...progress.notices.map(asSentence));
    this.#unsent.sightings.push(...progress.sightings);
    this.#unsent.kernels = progress.kernels ?? this.#unsent.kernels;
    this.#takeEngine(progress);
    this.#work = { activity: progress.activity, done: progress.done, total: progress.total };
    this.#countSteps(progress.steps);
    if (progress.activity === 'training' && progress.evaluations.length === 0) {
      this.#speed.add(seconds, this.#place.samplesSeen + this.#samplesOfPresentStep());
    }
  }

  #countSteps(steps: Progress['steps']): void {
    const lastStep = steps.at(-1);
    if (lastStep === undefined) return;
    const { step, samples, samples_seen: samplesSeen, next_batch: nextBatch, seconds } = lastStep;
    this.#place = { step, samplesSeen, batch: samples, nextBatch };
    const stops = this.#toGrowth && nextBatch > samples;
    this.#stepsLeft = stops ? 0 : this.#stepsLeft - steps.length;
    this.#stepBegunAt = performance.now() - seconds * 1000;
  }

  /** A run that WebGPU cannot carry on is carried on by the CPU. */
  #takeEngine(progress: Progress): void {
    if (this.#decision === null) return;
    if (this.#decision.engine !== progress.engine) this.#decision = goneOn(this.#decision);
    this.#engine = { ...this.#decision, deviceBytes: progress.device_bytes, workers: this.#sharing.size };
  }

  /** A test with a second sweep visits each sample twice: what counts is the share of the step. */
  #samplesOfPresentStep(): number {
    const { done, total } = this.#work;
    return total > 0 ? (done / total) * this.#place.nextBatch : 0;
  }

  #settlePhase(progress: Progress): void {
    if (progress.activity === 'finished') this.#phase = 'finished';
    // A measurement that the last step made due is finished first: no further step begins for it.
    else if (this.#stepsLeft <= 0 && progress.activity === 'training') this.#phase = 'paused';
  }

  #showBatch(): void {
    const { step, samplesSeen, batch, nextBatch } = this.#place;
    // After the end there is no next batch.
    if (this.#phase === 'finished') this.#batch.showLast(batch === 0 ? null : { run: this.#run, step, position: samplesSeen - batch, size: batch });
    else this.#batch.show(this.#phase === 'idle' ? null : { run: this.#run, step: step + 1, position: samplesSeen, size: nextBatch });
  }

  /** `otherwise`: the kind of a failure that is no breakdown. */
  #fail(error: unknown, otherwise?: StartFailure): void {
    this.#phase = 'failed';
    this.#report();
    this.#post({ type: 'failure', run: this.#run, ...describeFailure(error, otherwise) });
  }

  #report(): void {
    const update: Update = {
      type: 'update',
      run: this.#run,
      phase: this.#phase,
      ...this.#unsent,
      engine: this.#engine,
      ...this.#work,
      samplesPerSecond: this.#speed.samplesPerSecond,
      memoryBytes: this.#session.memory_bytes(),
    };
    this.#unsent = nothing();
    this.#lastReport = performance.now();
    this.#post(update);
  }
}

function nothing(): Pick<Progress, 'steps' | 'evaluations' | 'notices' | 'sightings' | 'kernels'> {
  return { steps: [], evaluations: [], notices: [], sightings: [], kernels: null };
}
