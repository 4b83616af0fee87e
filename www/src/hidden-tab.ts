/** Training pauses while nobody looks: a hidden tab should not use up a battery. The visitor may decide otherwise. */
import { element, required, setText } from './dom.js';
import { recall, remember } from './remembered.js';
import type { TrainingSession } from './session.js';
import type { PageState } from './state.js';

const WISH_KEY = 'adadagrad.pause-hidden';

export class HiddenTab {
  readonly #state: PageState;
  readonly #session: TrainingSession;
  readonly #wanted = element('input', { type: 'checkbox', id: 'pause-hidden' });
  readonly #note = element('span', { role: 'status', class: 'hidden-note' });
  /** Paused by this, not by the visitor. */
  #paused = false;

  constructor(state: PageState, session: TrainingSession) {
    this.#state = state;
    this.#session = session;
    this.#wanted.checked = recall(WISH_KEY) !== 'no';
    this.#wanted.addEventListener('change', () => remember(WISH_KEY, this.#wanted.checked ? 'yes' : 'no'));
    const label = element('label', { for: 'pause-hidden' }, 'Pause while this tab is hidden');
    required('status', HTMLElement).append(element('p', { class: 'hidden-tab' }, this.#wanted, label, this.#note));
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'hidden') this.#pause();
      else this.#goOn();
    });
    state.run.observe(({ phase }) => {
      if (phase !== 'running' && phase !== 'paused') setText(this.#note, '');
    });
  }

  #pause(): void {
    if (!this.#wanted.checked || this.#state.run.value.phase !== 'running') return;
    this.#paused = true;
    this.#session.pause();
    setText(this.#note, 'Paused, because this tab is hidden.');
  }

  #goOn(): void {
    if (!this.#paused) return;
    this.#paused = false;
    const { phase } = this.#state.run.value;
    if (phase !== 'running' && phase !== 'paused') return;
    this.#session.continue(this.#session.stop);
    setText(this.#note, 'The run paused while this tab was hidden, and has resumed.');
  }
}
