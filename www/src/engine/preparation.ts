/** Has the engine made ready for the run that is likely to be begun next, while the visitor still reads. */
import type { EngineWish } from '../protocol.js';
import type { TrainingSession } from '../session.js';
import type { PageState } from '../state.js';

/** Settings that change again within this time are not prepared for. */
const QUIET_MILLISECONDS = 300;

export class Preparation {
  readonly #state: PageState;
  readonly #session: TrainingSession;
  readonly #wish: () => EngineWish;
  #timer: number | undefined;

  constructor(state: PageState, session: TrainingSession, wish: () => EngineWish) {
    this.#state = state;
    this.#session = session;
    this.#wish = wish;
    const { settings, settingsProblem, engineChoice, adapter, data, run } = state;
    for (const observed of [settings, settingsProblem, engineChoice, adapter, data, run]) observed.observe(() => this.#wait());
  }

  #wait(): void {
    window.clearTimeout(this.#timer);
    if (this.#state.run.value.phase === 'idle') this.#timer = window.setTimeout(() => this.#prepare(), QUIET_MILLISECONDS);
  }

  #prepare(): void {
    const { settings, settingsProblem, data, run } = this.#state;
    const config = settings.value;
    if (config === null || settingsProblem.value !== null || data.value.name !== 'ready' || run.value.phase !== 'idle') return;
    this.#session.prepare(config, this.#wish());
  }
}
