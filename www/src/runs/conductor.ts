/** Begins, pauses and ends runs: what the buttons do, and what the worker's reports mean for the run at hand. */
import type { Checkpoint, RunConfig } from '../../pkg/adadagrad_web.js';
import { recallKernels, rememberKernels } from '../engine/memory.js';
import { quoted } from '../brief.js';
import { formatCount } from '../format.js';
import type { EngineWish, Sighting, StopAfter, Update } from '../protocol.js';
import type { TrainingSession } from '../session.js';
import { isOfRun, NO_RUN } from '../state.js';
import type { PageState } from '../state.js';
import type { Checkpoints } from './checkpoints.js';
import type { RunLibrary } from './library.js';
import type { TrainedRun } from './trained-run.js';

/** How a run is begun, beside its settings. */
export interface Beginning {
  stop?: StopAfter;
  name?: string | null;
  /** It leaves nothing behind. */
  transient?: boolean;
  /** Runs that stay drawn beside it. */
  beside?: readonly TrainedRun[];
  /** A safetensors file to begin from. */
  parameters?: Uint8Array | null;
}

export class RunConductor {
  readonly #state: PageState;
  readonly #session: TrainingSession;
  readonly #library: RunLibrary;
  readonly #checkpoints: () => Checkpoints;
  readonly #data: () => { readonly waits: boolean };
  /** A run that begins as soon as the data are here. */
  #waiting: { beginning: Beginning; config: RunConfig | null } | null = null;
  /** Told when there is something new to draw. */
  readonly #onNews: () => void;

  constructor(parts: {
    state: PageState;
    session: TrainingSession;
    library: RunLibrary;
    checkpoints: () => Checkpoints;
    data: () => { readonly waits: boolean };
    onNews: () => void;
  }) {
    this.#state = parts.state;
    this.#session = parts.session;
    this.#library = parts.library;
    this.#checkpoints = parts.checkpoints;
    this.#data = parts.data;
    this.#onNews = parts.onNews;
    this.#session.listen('resumed', ({ config }) => {
      this.#state.run.value = { ...this.#state.run.value, config };
    });
    this.#session.listen('team', ({ workers, notice }) => {
      const { run } = this.#state;
      if (run.value.engine !== null) run.value = { ...run.value, engine: { ...run.value.engine, workers } };
      if (notice !== null) this.#takeNotices([notice]);
    });
  }

  /** Begins a new run, with the settings shown unless others are given. */
  begin(beginning: Beginning = {}, config: RunConfig | null = this.#state.settings.value): void {
    if (config === null || (config === this.#state.settings.value && this.#state.settingsProblem.value !== null)) return;
    if (this.#data().waits) {
      // Other data were chosen while a run was at hand: without one they are opened, and the run begins with them.
      this.#waiting = { beginning, config: config === this.#state.settings.value ? null : config };
      this.#state.startWaits.value = true;
      this.forget();
      return;
    }
    this.forget();
    const run = this.#library.begin(structuredClone(config), beginning.name ?? null, beginning.beside ?? []);
    run.transient = beginning.transient ?? false;
    const engineChoice = this.#state.engineChoice.value;
    this.#state.run.value = { ...NO_RUN, config: structuredClone(config), engineChoice, phase: 'running', total: config.initial_batch };
    this.#session.begin(config, this.engineWish(), beginning.stop ?? null, beginning.parameters ?? null);
  }

  /** The data that a start waited for are here. */
  beginWaiting(): void {
    if (!this.#state.startWaits.value) return;
    this.#state.startWaits.value = false;
    const { beginning, config } = this.#waiting ?? { beginning: {}, config: null };
    this.#waiting = null;
    if (config === null) this.begin(beginning);
    else this.begin(beginning, config);
  }

  /** What ends a run that is under way keeps it first; gives a sentence about that, or nothing where there was none. */
  async keepRun(): Promise<string> {
    const { current } = this.#library;
    const { phase } = this.#state.run.value;
    if (current === null || (phase !== 'running' && phase !== 'paused')) return '';
    await this.#checkpoints().take();
    if (current.log.length === 0) return '';
    current.promised = true;
    return `${quoted(current.name)} was ended after step ${formatCount(current.log.last('step') ?? 0)}, and stays in the list of runs.`;
  }

  /** The run at hand goes back to a moment of its own, and waits there. */
  goBackTo(checkpoint: Checkpoint): void {
    const { current } = this.#library;
    if (current === null) return;
    this.#library.fork(current, checkpoint.step);
    this.#takeUp(current, { steps: 0 }, checkpoint);
  }

  /** A run of an earlier visit goes on as if it had never stopped. */
  resume(run: TrainedRun, checkpoint: Checkpoint): void {
    this.forget();
    run.cutAfter(checkpoint.step);
    this.#library.resume(run);
    this.#takeUp(run, null, checkpoint);
  }

  #takeUp(run: TrainedRun, stop: StopAfter, checkpoint: Checkpoint): void {
    if (isOfRun(this.#state.trouble.value)) this.#state.trouble.value = null;
    this.#state.sightings.value = this.#state.sightings.value.filter(({ step }) => step <= checkpoint.step);
    const { log } = run;
    const row = log.rowOfStep(checkpoint.step);
    const config = run.latestConfig;
    const latestStep = row >= 0 ? log.record(row) : null;
    this.#state.run.value = {
      ...NO_RUN,
      config: structuredClone(config),
      engineChoice: this.#state.engineChoice.value,
      phase: 'running',
      latestStep,
      latestEvaluation: run.evaluationAt(checkpoint.step),
      total: latestStep?.next_batch ?? config.initial_batch,
    };
    if (latestStep !== null) this.#state.shownStep.value = { config: run.configAt(latestStep.step), step: latestStep, recorded: false };
    this.#session.resume(checkpoint, this.engineWish(), stop);
    this.#onNews();
  }

  engineWish(): EngineWish {
    const adapter = this.#state.adapter.value;
    const kernels = adapter === null || adapter.kind === 'none' ? null : recallKernels(adapter.name);
    return { choice: this.#state.engineChoice.value, kernels };
  }

  /** The run at hand is over for the page; what it made stays among the runs. */
  forget(): void {
    this.#library.leave();
    this.#state.run.value = NO_RUN;
    this.#state.shownStep.value = null;
    this.#state.notes.value = [];
    this.#state.sightings.value = [];
    if (isOfRun(this.#state.trouble.value)) this.#state.trouble.value = null;
    this.#onNews();
  }

  pressMain(): void {
    const { phase } = this.#state.run.value;
    if (phase === 'running') this.#session.pause();
    else if (phase === 'paused') this.#session.continue(null);
    else if (this.#state.data.value.name === 'ready') this.begin();
    else this.#wait();
  }

  /** Start was pressed before the data are here; pressed again, it waits no longer. */
  #wait(): void {
    this.#waiting = null;
    this.#state.startWaits.value = !this.#state.startWaits.value;
  }

  /** Goes on, or begins, and pauses by itself. */
  pressStep(stop: StopAfter): void {
    if (this.#state.run.value.phase === 'paused') this.#session.continue(stop);
    else this.begin({ stop });
  }

  pressReset(): void {
    this.#state.startWaits.value = false;
    this.#waiting = null;
    this.#session.reset();
    this.forget();
  }

  takeUpdate(update: Update): void {
    this.#takeSteps(update);
    const { run } = this.#state;
    run.value = {
      ...run.value,
      phase: update.phase,
      engine: update.engine ?? run.value.engine,
      latestStep: update.steps.at(-1) ?? run.value.latestStep,
      latestEvaluation: update.evaluations.at(-1) ?? run.value.latestEvaluation,
      activity: update.activity,
      done: update.done,
      total: update.total,
      samplesPerSecond: update.samplesPerSecond ?? run.value.samplesPerSecond,
      memoryBytes: update.memoryBytes,
    };
    const adapter = update.engine?.adapter ?? null;
    if (update.kernels !== null && adapter !== null) rememberKernels(adapter, update.kernels);
    this.#takeNotices(update.notices);
    this.#takeSightings(update.sightings);
    if (update.steps.length > 0 || update.evaluations.length > 0) this.#onNews();
  }

  #takeSteps({ steps, evaluations, engine, phase }: Update): void {
    const { current } = this.#library;
    if (current === null) return;
    const wasEmpty = current.log.length === 0;
    for (const step of steps) current.addStep(step);
    for (const evaluation of evaluations) current.addEvaluation(evaluation);
    current.complete = phase === 'finished';
    if (engine !== null) current.computedBy = { engine: engine.engine, adapter: engine.adapter };
    const latest = steps.at(-1);
    if (latest !== undefined) this.#state.shownStep.value = { config: current.configAt(latest.step), step: latest, recorded: false };
    if (wasEmpty && current.log.length > 0) this.#library.touch();
  }

  /** What is tried several times with the same outcome is told once. */
  #takeNotices(notices: readonly string[]): void {
    const known = new Set(this.#state.notes.value);
    if (notices.some((notice) => !known.has(notice))) this.#state.notes.value = [...new Set([...known, ...notices])];
  }

  /** A run that went back may show again what it has shown. */
  #takeSightings(sightings: readonly Sighting[]): void {
    const known = this.#state.sightings.value;
    const unknown = sightings.filter(({ words }) => !known.some((sighting) => sighting.words === words));
    if (unknown.length > 0) this.#state.sightings.value = [...known, ...unknown];
  }
}
