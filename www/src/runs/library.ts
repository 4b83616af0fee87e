/** All runs that the page knows: the present one, those before it, those kept from other visits, the recorded one. */
import type { RunConfig } from '../../pkg/adadagrad_web.js';
import { Observable } from '../observable.js';
import { sameSettings } from '../state.js';
import { madeHere } from './made-with.js';
import { TrainedRun } from './trained-run.js';

/** As many colours and patterns as there are. */
export const SLOTS = 8;
/** The oldest that is not kept goes first. */
const MOST_RUNS = 24;
/** When a run begins, so many of those before it stay drawn. */
const MOST_DRAWN_BESIDE = 3;
/** A run that was dropped after fewer steps was an attempt, and is not worth a line. */
const FEWEST_STEPS = 10;

export class RunLibrary {
  /** Counts up whenever runs come, go, or are named or shown otherwise; new steps of the present run do not count. */
  readonly revision = new Observable(0);
  /** The run that was deleted last. */
  readonly deleted = new Observable<TrainedRun | null>(null);
  #runs: TrainedRun[] = [];
  #current: TrainedRun | null = null;
  #recorded: TrainedRun | null = null;
  #begun = 0;

  /** Oldest first; the recorded run is none of them. */
  get runs(): readonly TrainedRun[] {
    return this.#runs;
  }

  /** The run at hand; null before the first. */
  get current(): TrainedRun | null {
    return this.#current;
  }

  /** What the charts draw: the runs that are to be shown, or the recorded one while there is no step of any other. */
  get drawn(): readonly TrainedRun[] {
    const own = this.#runs.filter((run) => run.shown && run.log.length > 0);
    return own.length === 0 && this.#recorded !== null ? [this.#recorded] : own;
  }

  /** The run that values and sentences are about. */
  get leading(): TrainedRun | null {
    const { drawn } = this;
    if (this.#current !== null && drawn.includes(this.#current)) return this.#current;
    return drawn.at(-1) ?? null;
  }

  setRecorded(run: TrainedRun): void {
    this.#recorded = run;
    this.touch();
  }

  /** `beside`: runs that stay drawn in any case. */
  begin(config: RunConfig, name: string | null, beside: readonly TrainedRun[] = []): TrainedRun {
    this.leave();
    this.#makeRoom(config, beside);
    this.#begun += 1;
    const run = new TrainedRun({ id: this.newId(), name: name ?? `Run ${this.#begun}`, slot: this.freeSlot(), config });
    run.madeWith = madeHere();
    this.#current = run;
    this.add(run);
    return run;
  }

  /** An earlier run of the same settings tells nothing new, and charts hold only so many curves. */
  #makeRoom(config: RunConfig, beside: readonly TrainedRun[]): void {
    const drawn = this.#runs.filter((run) => run.shown && !run.pinned && !beside.includes(run));
    drawn.forEach((run, index) => {
      if (sameSettings(run.latestConfig, config) || index < drawn.length - MOST_DRAWN_BESIDE) run.shown = false;
    });
  }

  /** A run of an earlier visit becomes the present one; where it was kept as well, it takes that one's place. */
  resume(run: TrainedRun): void {
    this.leave();
    const kept = this.#runs.find((candidate) => candidate.id === run.id);
    if (kept !== undefined) {
      run.pinned = kept.pinned;
      this.#remove(kept);
    }
    run.slot = this.freeSlot();
    this.#current = run;
    this.add(run);
  }

  /** The present run is over: it stays in the list when there is something to see in it. */
  leave(): void {
    const left = this.#current;
    this.#current = null;
    const isAttempt = left !== null && left.log.length < FEWEST_STEPS && !left.pinned && !left.complete && !left.promised;
    if (isAttempt) this.#remove(left);
    this.touch();
  }

  /** Runs that are kept, or at hand, stay: then the list is longer for a while. */
  add(run: TrainedRun): void {
    this.#runs.push(run);
    while (this.#runs.length > MOST_RUNS) {
      const oldest = this.#runs.find((candidate) => candidate !== run && candidate !== this.#current && !candidate.pinned);
      if (oldest === undefined) break;
      this.#remove(oldest);
    }
    this.touch();
  }

  /** How many runs can be added: those that are kept, or at hand, give way to none. */
  get room(): number {
    return Math.max(0, MOST_RUNS - this.#runs.filter((run) => run.pinned || run === this.#current).length);
  }

  /** A run that goes on from one of its earlier steps leaves behind what came after it, as a run of its own. */
  fork(run: TrainedRun, step: number): void {
    const last = run.log.last('step') ?? 0;
    if (last - step >= FEWEST_STEPS) {
      const left = new TrainedRun({ id: this.newId(), name: `${run.name}, before going back to step ${step}`, slot: this.freeSlot(), config: run.config });
      left.computedBy = run.computedBy;
      left.madeWith = run.madeWith;
      left.log = run.log.copy();
      left.evaluations = [...run.evaluations];
      left.changes = [...run.changes];
      this.#runs.splice(this.#runs.indexOf(run), 0, left);
    }
    run.cutAfter(step);
    this.touch();
  }

  remove(run: TrainedRun): void {
    if (run === this.#current) return;
    this.#remove(run);
    this.touch();
    this.deleted.value = run;
  }

  /** Like `remove`, with no way back. */
  drop(run: TrainedRun): void {
    this.#remove(run);
    this.touch();
  }

  /** Brings back what was deleted last. */
  restore(): void {
    const { value: run } = this.deleted;
    if (run === null) return;
    this.deleted.value = null;
    // Its colour may be another's by now.
    if (this.#runs.some(({ slot }) => slot === run.slot)) run.slot = this.freeSlot();
    this.add(run);
  }

  /** Tells everybody that something about the runs has changed. */
  touch(): void {
    this.revision.value += 1;
  }

  /** A colour that no run has, else one that no drawn run has, else the one that was given out longest ago. */
  freeSlot(): number {
    for (const runs of [this.#runs, this.#runs.filter((run) => run.shown)]) {
      const taken = new Set(runs.map((run) => run.slot));
      for (let slot = 0; slot < SLOTS; slot += 1) if (!taken.has(slot)) return slot;
    }
    return ((this.#runs.at(-1)?.slot ?? -1) + 1) % SLOTS;
  }

  /** An id that no other run has, in this visit or another. */
  newId(): string {
    return `${Date.now().toString(36)}-${this.#begun}-${Math.floor(Math.random() * 1e9).toString(36)}`;
  }

  #remove(run: TrainedRun): void {
    this.#runs = this.#runs.filter((candidate) => candidate !== run);
  }
}
