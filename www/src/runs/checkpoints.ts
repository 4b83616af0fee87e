/**
 * Moments that the run at hand can go back to, taken every few seconds; the newest is kept by the browser, so that a
 * run goes on where it was left even after the page was closed.
 */
import type { Checkpoint } from '../../pkg/adadagrad_web.js';
import { Observable } from '../observable.js';
import type { TrainingSession } from '../session.js';
import type { PageState } from '../state.js';
import type { RunLibrary } from './library.js';
import { storeRun } from './run-file.js';
import type { StoredRun } from './run-file.js';
import { put, remove } from './storage.js';

const INTERVAL_MILLISECONDS = 10_000;
/** When there are more, every second one goes, the newest never. */
const MOST_CHECKPOINTS = 12;
const LEFT_KEY = 'run';

/** What is kept of the run that was left. */
export interface LeftRun {
  checkpoint: Checkpoint;
  run: StoredRun;
}

export class Checkpoints {
  /** Of the run at hand, oldest first. */
  readonly list = new Observable<readonly Checkpoint[]>([]);
  readonly #state: PageState;
  readonly #session: TrainingSession;
  readonly #library: RunLibrary;
  #runId: string | null = null;
  #phase = 'idle';
  #asking = false;

  constructor(state: PageState, session: TrainingSession, library: RunLibrary) {
    this.#state = state;
    this.#session = session;
    this.#library = library;
    setInterval(() => {
      if (state.run.value.phase === 'running') void this.take();
    }, INTERVAL_MILLISECONDS);
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'hidden' && state.run.value.phase === 'running') void this.take();
    });
    state.run.observe(({ phase }) => this.#followPhase(phase));
    library.revision.observe(() => this.#followRun());
  }

  /** The run as it stands after its last step. */
  async take(): Promise<void> {
    const run = this.#library.current;
    if (run === null || run.log.length === 0 || this.#asking) return;
    this.#asking = true;
    const answer = await this.#session.checkpoint();
    this.#asking = false;
    const checkpoint = answer?.checkpoint ?? null;
    if (checkpoint === null || this.#library.current !== run) return;
    const others = this.list.value.filter(({ step }) => step < checkpoint.step);
    this.list.value = thinned([...others, checkpoint]);
    if (this.#state.run.value.phase === 'finished') return;
    // Where the browser keeps nothing, the run lives as long as the page.
    await put('left', LEFT_KEY, { checkpoint, run: storeRun(run) } satisfies LeftRun).catch(() => undefined);
  }

  /** What came after a checkpoint is no longer ahead of it. */
  wentBackTo(checkpoint: Checkpoint): void {
    this.list.value = this.list.value.filter(({ step }) => step <= checkpoint.step);
  }

  /** The run at hand was taken up at a checkpoint: it can go back to that too. */
  tookUpAt(checkpoint: Checkpoint): void {
    this.list.value = [checkpoint];
  }

  /** There is nothing to go on with at the next visit. */
  forgetLeft(): void {
    remove('left', LEFT_KEY).catch(() => undefined);
  }

  #followPhase(phase: string): void {
    const before = this.#phase;
    this.#phase = phase;
    if (before === phase) return;
    if (phase === 'paused' || phase === 'finished') void this.take();
    if (phase === 'finished') this.forgetLeft();
  }

  #followRun(): void {
    const id = this.#library.current?.id ?? null;
    if (id === this.#runId) return;
    this.#runId = id;
    this.list.value = [];
  }
}

function thinned(checkpoints: Checkpoint[]): Checkpoint[] {
  if (checkpoints.length <= MOST_CHECKPOINTS) return checkpoints;
  return checkpoints.filter((_, index) => (checkpoints.length - 1 - index) % 2 === 0);
}
