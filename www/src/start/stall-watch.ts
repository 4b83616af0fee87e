/**
 * Notices when nothing arrives any more: the worker's file, its WebAssembly module, or the data. Trying again begins
 * with what is not here yet; the browser keeps what is. The clock is the page's, for a worker that never came has none.
 */
import type { TrainingSession } from '../session.js';
import { datasetOf } from '../state.js';
import type { PageState } from '../state.js';

/** From then on the page says that it waits. */
const QUIET_SECONDS = 8;
/** Then everything that is missing is requested again. */
const STALLED_SECONDS = 20;
export const MOST_TRIES = 4;

export class StallWatch {
  readonly #state: PageState;
  readonly #reopen: () => void;
  #timer: number | undefined;
  #tries = 1;
  #hasModule = false;

  /** `reopen` starts the worker anew, with the same data. */
  constructor(state: PageState, session: TrainingSession, reopen: () => void) {
    this.#state = state;
    this.#reopen = reopen;
    session.listen('alive', () => this.#heard(false));
    session.listen('datasets', () => this.#heard(true));
    state.data.observe(() => this.#heard());
    window.addEventListener('online', () => {
      if (state.trouble.value?.kind === 'stalled') reopen();
    });
  }

  /** Something arrived, or there is nothing more to wait for. */
  #heard(hasModule = this.#hasModule): void {
    this.#hasModule = hasModule;
    const { data, trouble } = this.#state;
    const { name } = data.value;
    if (name === 'ready' || name === 'unusable') this.#tries = 1;
    if (name !== 'unusable' && trouble.value?.kind === 'stalled') trouble.value = null;
    this.#wait();
  }

  #wait(): void {
    window.clearTimeout(this.#timer);
    this.#tell(0);
    if (this.#isWaiting()) this.#timer = window.setTimeout(() => this.#beQuiet(), QUIET_SECONDS * 1000);
  }

  /** For the network; what is computed, a check sum among it, takes its time. */
  #isWaiting(): boolean {
    const { name } = this.#state.data.value;
    if (name !== 'downloading' && name !== 'checking') return false;
    return !this.#hasModule || (name === 'downloading' && datasetOf(this.#state) !== 'own');
  }

  #beQuiet(): void {
    this.#tell(QUIET_SECONDS);
    this.#timer = window.setTimeout(() => this.#stall(), (STALLED_SECONDS - QUIET_SECONDS) * 1000);
  }

  #stall(): void {
    if (this.#tries < MOST_TRIES) {
      this.#tries += 1;
      this.#reopen();
      this.#wait();
    } else {
      const { data, trouble, startWaits } = this.#state;
      startWaits.value = false;
      data.value = { name: 'unusable', because: this.#hasModule ? 'data' : 'program' };
      trouble.value = { kind: 'stalled', message: `Nothing arrived for ${STALLED_SECONDS} seconds, ${MOST_TRIES} times in a row.` };
    }
  }

  #tell(quietSeconds: number): void {
    const { stall } = this.#state;
    if (stall.value.quietSeconds === quietSeconds && stall.value.tries === this.#tries) return;
    stall.value = { quietSeconds, tries: this.#tries };
  }
}
