/** The course of a comparison: its runs are made one after another; it can be stopped, continued and discarded. */
import type { RunConfig } from '../../pkg/adadagrad_web.js';
import { formatCount } from '../format.js';
import { Observable } from '../observable.js';
import type { Catalogue } from '../protocol.js';
import { fieldSpecs } from '../settings/field-specs.js';
import { inPageWords } from '../settings/problem.js';
import { isOfRun } from '../state.js';
import type { PageState } from '../state.js';
import type { Comparison, Variant } from './comparisons.js';
import type { RunConductor } from './conductor.js';
import type { RunLibrary } from './library.js';
import type { TrainedRun } from './trained-run.js';

export type EntryState = 'waiting' | 'running' | 'finished' | 'stopped' | 'refused' | 'failed';

/** One of the runs. */
export interface Entry {
  readonly variant: Variant;
  readonly state: EntryState;
  /** Why it was refused, failed or stopped: a sentence, or empty. */
  readonly reason: string;
  /** The newest run that was made for it. */
  readonly run: TrainedRun | null;
}

export interface Course {
  readonly comparison: Comparison;
  readonly entries: readonly Entry[];
  /** `stopped`: another run was begun by hand, or this one was reset; what is left can still be made. */
  readonly phase: 'running' | 'paused' | 'stopped' | 'finished';
  /** A sentence about the run that ended for it. */
  readonly ended: string;
}

interface Parts {
  state: PageState;
  conductor: RunConductor;
  library: RunLibrary;
  /** What is wrong with settings, in the core's words; null when nothing is. */
  check: (config: RunConfig) => Promise<string | null>;
  /** Ends the run at hand as the Reset button does. */
  reset: () => void;
}

export class ComparisonCourse {
  /** Null: none was started, or it was discarded. */
  readonly course = new Observable<Course | null>(null);
  readonly #parts: Parts;
  /** Of the newest start: an earlier one gives way to it. */
  #start = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    parts.state.run.observe(({ phase }) => this.#follow(phase));
    // A run fails before it is told why.
    parts.state.trouble.observe((trouble) => {
      if (isOfRun(trouble) && parts.state.run.value.phase === 'failed') this.#goOn({ state: 'failed', reason: trouble?.message ?? '' });
    });
  }

  get isUnderWay(): boolean {
    const phase = this.course.value?.phase;
    return phase === 'running' || phase === 'paused';
  }

  /** All runs that were made for it. */
  get runs(): TrainedRun[] {
    return this.course.value?.entries.flatMap(({ run }) => (run === null ? [] : [run])) ?? [];
  }

  async start(comparison: Comparison): Promise<void> {
    const { state, conductor, library } = this.#parts;
    const start = (this.#start += 1);
    const ended = await conductor.keepRun();
    const [settings, catalogue] = [state.settings.value, state.catalogue.value];
    if (settings === null || catalogue === null || start !== this.#start) return;
    const entries = await Promise.all(comparison.variants(settings, catalogue).map((variant) => this.#entryOf(variant, catalogue)));
    if (start !== this.#start) return;
    for (const run of library.runs) run.shown = false;
    this.#next({ comparison, entries, phase: 'running', ended });
  }

  /** The run at hand pauses; the others wait. */
  stop(): void {
    if (this.course.value?.phase === 'running') this.#parts.conductor.pressMain();
  }

  async continue(): Promise<void> {
    const { conductor } = this.#parts;
    const before = this.course.value;
    if (before?.phase === 'paused') conductor.pressMain();
    if (before?.phase !== 'stopped') return;
    const start = (this.#start += 1);
    const ended = await conductor.keepRun();
    if (start !== this.#start || this.course.value !== before) return;
    // A run that was left cannot be continued: it is made again, from its start.
    const entries = before.entries.map((entry) => (entry.state === 'stopped' ? { ...entry, state: 'waiting' as const, reason: '' } : entry));
    this.#next({ ...before, entries, phase: 'running', ended });
  }

  /** Its runs go, but for those that are kept. */
  discard(): void {
    const { library, reset } = this.#parts;
    this.#start += 1;
    const { runs } = this;
    if (this.isUnderWay || runs.some((run) => run === library.current)) reset();
    this.course.value = null;
    for (const run of runs) if (!run.pinned) library.remove(run);
  }

  /** Another course takes its place, or none; the runs stay as they are. */
  replace(course: Course | null): void {
    this.#start += 1;
    this.course.value = course;
  }

  /** Somebody began or reset a run by hand. */
  interrupt(): void {
    this.#start += 1;
    const course = this.course.value;
    if (course === null || !this.isUnderWay) return;
    const { current } = this.#parts.library;
    const steps = current?.log.last('step') ?? 0;
    if (current !== null && steps > 0) current.promised = true;
    const entries = course.entries.map((entry) =>
      entry.state === 'running' ? { ...entry, state: 'stopped' as const, reason: `Stopped after step ${formatCount(steps)}.`, run: steps > 0 ? entry.run : null } : entry,
    );
    this.course.value = { ...course, entries, phase: entries.some(isToCome) ? 'stopped' : 'finished' };
  }

  async #entryOf(variant: Variant, catalogue: Catalogue): Promise<Entry> {
    const problem = await this.#parts.check(variant.config);
    const reason = problem === null ? '' : inPageWords(problem, fieldSpecs(variant.config, catalogue)).message;
    return { variant, state: problem === null ? 'waiting' : 'refused', reason, run: null };
  }

  #follow(phase: string): void {
    const course = this.course.value;
    if (course === null || !this.isUnderWay) return;
    const { current } = this.#parts.library;
    if (phase === 'running' || phase === 'paused') {
      const isKnown = course.phase === phase && course.entries.some(({ state, run }) => state === 'running' && run === current);
      if (!isKnown) this.course.value = { ...course, phase, entries: withRunning(course.entries, { run: current }) };
    }
    if (phase === 'finished') this.#goOn({ state: 'finished' });
  }

  /** After the report that ended a run has been taken by everybody. */
  #goOn(outcome: Partial<Entry>): void {
    const start = this.#start;
    const { current } = this.#parts.library;
    queueMicrotask(() => {
      const now = this.course.value;
      if (now === null || start !== this.#start || !this.isUnderWay) return;
      this.#next({ ...now, phase: 'running', entries: withRunning(now.entries, { run: current, ...outcome }), ended: '' });
    });
  }

  /** Begins the next of the runs that are still to be made, or ends. */
  #next(course: Course): void {
    const next = course.entries.find(({ state }) => state === 'waiting');
    if (next === undefined) {
      this.course.value = { ...course, phase: 'finished' };
      return;
    }
    const entries = course.entries.map((entry) => (entry === next ? { ...entry, state: 'running' as const, run: null } : entry));
    this.course.value = { ...course, entries };
    const { transient = false } = course.comparison;
    this.#parts.conductor.begin({ name: next.variant.name, transient, beside: course.entries.flatMap(({ run }) => run ?? []) }, next.variant.config);
  }
}

function isToCome({ state }: Entry): boolean {
  return state === 'waiting' || state === 'stopped';
}

function withRunning(entries: readonly Entry[], change: Partial<Entry>): Entry[] {
  return entries.map((entry) => (entry.state === 'running' ? { ...entry, ...change } : entry));
}
