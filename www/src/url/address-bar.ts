/** Keeps the address and the page's state the same. */
import { required, setText } from '../dom.js';
import type { PageState } from '../state.js';
import { readAddress, writeAddress } from './address.js';

/** Browsers allow only so many changes of the address in a time. */
const WRITE_MILLISECONDS = 300;

export class AddressBar {
  readonly #state: PageState;
  readonly #note = required('address-note', HTMLElement);
  #writeWaits = false;
  #writing = false;

  constructor(state: PageState) {
    this.#state = state;
    window.addEventListener('hashchange', () => this.#followed());
  }

  /** Takes what the address says; the presets must be known. Afterwards the address follows the state. */
  start(): void {
    this.read();
    if (this.#writing) return;
    this.#writing = true;
    const { settings, engineChoice, horizontalAxis, smoothing, thresholds } = this.#state;
    for (const part of [settings, engineChoice, horizontalAxis, smoothing, thresholds]) part.observe(() => this.#write());
  }

  read(): void {
    const presets = this.#state.catalogue.value?.presets ?? [];
    const reading = readAddress(location.hash, presets);
    if (reading === null) return;
    const { choices, problems } = reading;
    this.#tell(problems);
    if (choices.engine !== undefined) this.#state.engineChoice.value = choices.engine;
    if (choices.axis !== undefined) this.#state.horizontalAxis.value = choices.axis;
    if (choices.smoothing !== undefined) this.#state.smoothing.value = choices.smoothing;
    if (choices.thresholds !== undefined) this.#state.thresholds.value = choices.thresholds;
    if (choices.settings !== undefined) this.#state.settings.value = choices.settings;
  }

  /** Settings that can be read but not run: the presets' are used instead. */
  refuse(problem: string): void {
    this.#tell([problem]);
  }

  #tell(problems: readonly string[]): void {
    this.#note.hidden = problems.length === 0;
    setText(this.#note, problems.length === 0 ? '' : `The address could not be used as a whole; defaults take the place of what is wrong. ${problems.join(' ')}`);
  }

  /** Somebody typed another address, or went to an anchor: then the state is written behind it again. */
  #followed(): void {
    if (location.hash.includes('=')) this.read();
    else this.#write();
  }

  #write(): void {
    if (this.#writeWaits) return;
    this.#writeWaits = true;
    setTimeout(() => {
      this.#writeWaits = false;
      const { settings, engineChoice, horizontalAxis, smoothing, thresholds, catalogue } = this.#state;
      if (settings.value === null) return;
      const choices = {
        settings: settings.value,
        engine: engineChoice.value,
        axis: horizontalAxis.value,
        smoothing: smoothing.value,
        thresholds: thresholds.value,
      };
      history.replaceState(null, '', writeAddress(choices, catalogue.value?.presets ?? []));
    }, WRITE_MILLISECONDS);
  }
}
