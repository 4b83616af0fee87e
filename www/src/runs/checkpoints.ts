/**
 * Moments that the run at hand can go back to, taken after its first step and then every few seconds; the newest is kept
 * by the browser, so that a run goes on where it was left even after the page was closed.
 */
import type { Checkpoint } from '../../pkg/adadagrad_web.js';
import { element, required, setText } from '../dom.js';
import { Observable } from '../observable.js';
import type { TrainingSession } from '../session.js';
import type { PageState } from '../state.js';
import { forgetLeft, forgetOldest, keepLeft } from './left-runs.js';
import type { RunLibrary } from './library.js';
import type { RunOwnership } from './ownership.js';
import { storeRun } from './run-file.js';
import { describeStorageFailure } from './storage.js';
import type { TrainedRun } from './trained-run.js';

const INTERVAL_MILLISECONDS = 10_000;
/** When there are more, every second one goes, the newest never. */
const MOST_CHECKPOINTS = 12;

export class Checkpoints {
  /** Of the run at hand, oldest first. */
  readonly list = new Observable<readonly Checkpoint[]>([]);
  readonly #state: PageState;
  readonly #session: TrainingSession;
  readonly #library: RunLibrary;
  readonly #ownership: RunOwnership;
  readonly #note = element('p', { id: 'keeping-note', class: 'runs-note', role: 'status', hidden: '' });
  #run: TrainedRun | null = null;
  #phase = 'idle';
  /** There is a copy of the run at hand, or one was asked for. */
  #begun = false;
  #asking = false;
  /** Something happened while a copy was on its way: another one is needed. */
  #again = false;
  /** Counts up whenever the run at hand is another one, or stands where it stood before: copies of what was are not its. */
  #course = 0;

  constructor(parts: { state: PageState; session: TrainingSession; library: RunLibrary; ownership: RunOwnership }) {
    const { state, session, library, ownership } = parts;
    this.#state = state;
    this.#session = session;
    this.#library = library;
    this.#ownership = ownership;
    required('runs-note', HTMLElement).before(this.#note);
    setInterval(() => {
      if (state.run.value.phase === 'running') void this.take();
    }, INTERVAL_MILLISECONDS);
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'hidden' && state.run.value.phase === 'running') void this.take();
    });
    library.revision.observe(() => this.#followRun());
    state.run.observe(({ phase }) => this.#followPhase(phase));
  }

  /** The run as it stands after its last step. It is on its way to the browser's storage then, which may take its time. */
  async take(): Promise<void> {
    this.#again = this.#asking;
    if (this.#asking) return;
    const run = this.#library.current;
    if (run === null || run.transient || run.log.length === 0) return;
    this.#begun = true;
    this.#asking = true;
    const course = this.#course;
    const answer = await this.#session.checkpoint();
    this.#asking = false;
    const checkpoint = answer?.checkpoint ?? null;
    if (checkpoint !== null && this.#course === course) void this.#keep(run, checkpoint);
    if (this.#again) await this.take();
  }

  async #keep(run: TrainedRun, checkpoint: Checkpoint): Promise<void> {
    const others = this.list.value.filter(({ step }) => step < checkpoint.step);
    const first = this.list.value.length === 0;
    this.list.value = thinned([...others, checkpoint]);
    if (this.#state.run.value.phase === 'finished') return;
    try {
      await keepLeft(checkpoint, storeRun(run));
      this.#note.hidden = true;
      if (first) await forgetOldest();
    } catch (error) {
      setText(this.#note, `“${run.name}” is lost when this page is closed, because it cannot be kept. ${describeStorageFailure(error)}`);
      this.#note.hidden = false;
    }
  }

  /** What came after a checkpoint is no longer ahead of it. */
  wentBackTo(checkpoint: Checkpoint): void {
    this.#course += 1;
    this.list.value = this.list.value.filter(({ step }) => step <= checkpoint.step);
  }

  /** The run at hand was taken up at a checkpoint: it can go back to that too. `key`: where it was kept. */
  tookUpAt(checkpoint: Checkpoint, key: string): void {
    this.list.value = [checkpoint];
    // Earlier pages kept it elsewhere.
    if (key !== this.#run?.id) forgetLeft(key).catch(() => undefined);
  }

  /** There is nothing to go on with at the next visit: the run at hand is given up, or over. */
  forgetLeft(): void {
    if (this.#run !== null) forgetLeft(this.#run.id).catch(() => undefined);
  }

  #followPhase(phase: string): void {
    const before = this.#phase;
    this.#phase = phase;
    // Whatever happens next, there is something to go on with.
    if (!this.#begun && phase === 'running') void this.take();
    if (before === phase) return;
    if (phase === 'paused' || phase === 'finished') void this.take();
    if (phase === 'finished') this.forgetLeft();
  }

  #followRun(): void {
    const run = this.#library.current;
    if (run === this.#run) return;
    // What failed and was begun anew is not gone on with.
    if (this.#phase === 'failed' && run !== null) this.forgetLeft();
    this.#run = run;
    this.#course += 1;
    // What was taken up again is kept already.
    this.#begun = run !== null && run.log.length > 0;
    this.#note.hidden = true;
    this.list.value = [];
    if (run === null) this.#ownership.letGo();
    else void this.#ownership.take(run.id);
  }
}

function thinned(checkpoints: Checkpoint[]): Checkpoint[] {
  if (checkpoints.length <= MOST_CHECKPOINTS) return checkpoints;
  return checkpoints.filter((_, index) => (checkpoints.length - 1 - index) % 2 === 0);
}
