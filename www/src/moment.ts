/**
 * What the page says of the run, all of it about the same moment: the numbers, the sentences, the figure and the table
 * read this one value, so that no words are about another step than the numbers beside them.
 */
import { Observable } from './observable.js';
import { NO_RUN } from './state.js';
import type { PageState, RunState, ShownStep } from './state.js';

export interface Moment {
  run: RunState;
  shown: ShownStep | null;
}

/** As often as an eye can follow. */
const INTERVAL_MILLISECONDS = 200;

export class Moments {
  readonly latest = new Observable<Moment>({ run: NO_RUN, shown: null });
  readonly #state: PageState;
  #takenAt = -Infinity;
  #frameWaits = false;
  #timer: number | null = null;

  constructor(state: PageState) {
    this.#state = state;
    state.run.observe(() => this.#request());
    state.shownStep.observe(() => this.#request());
  }

  /** Where nothing runs, and where a run begins or ends, the next frame shows it; else it may take the interval. */
  #request(): void {
    if (this.#frameWaits) return;
    const { phase } = this.#state.run.value;
    const wait = this.#takenAt + INTERVAL_MILLISECONDS - performance.now();
    const urgent = phase !== 'running' || this.latest.value.run.phase !== 'running' || this.latest.value.shown === null;
    if (urgent || wait <= 0) this.#requestFrame();
    else this.#timer ??= window.setTimeout(() => this.#requestFrame(), wait);
  }

  #requestFrame(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#frameWaits) return;
    this.#frameWaits = true;
    requestAnimationFrame((now) => {
      this.#frameWaits = false;
      this.#takenAt = now;
      const { run, shownStep } = this.#state;
      // The recorded run's step does not stand beside the numbers of a run.
      const shown = run.value.phase !== 'idle' && shownStep.value?.recorded === true ? null : shownStep.value;
      this.latest.value = { run: run.value, shown };
    });
  }
}
