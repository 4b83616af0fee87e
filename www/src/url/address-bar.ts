/** Keeps the address and the page's state the same. */
import type { RunConfig } from '../../pkg/adadagrad_web.js';
import { required, setText } from '../dom.js';
import { settingsGroups } from '../settings/field-specs.js';
import { inPageWords } from '../settings/problem.js';
import { sameSettings } from '../state.js';
import type { PageState } from '../state.js';
import { readAddress, writeAddress } from './address.js';

/** Browsers allow only so many changes of the address in a time. */
const WRITE_MILLISECONDS = 300;

export class AddressBar {
  readonly #state: PageState;
  readonly #note = required('address-note', HTMLElement);
  /** Settings that the address asks for, until they were found to be such as can be run. */
  #asked: { config: RunConfig; base: RunConfig } | null = null;
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
    const { choices, base, problems } = reading;
    this.#tell(problems);
    if (choices.engine !== undefined) this.#state.engineChoice.value = choices.engine;
    if (choices.axis !== undefined) this.#state.horizontalAxis.value = choices.axis;
    if (choices.smoothing !== undefined) this.#state.smoothing.value = choices.smoothing;
    if (choices.thresholds !== undefined) this.#state.thresholds.value = choices.thresholds;
    if (choices.settings === undefined || base === null) return;
    this.#asked = { config: choices.settings, base: structuredClone(base) };
    this.#state.settings.value = choices.settings;
  }

  /** Whether these settings came with the address: then the preset's take their place, and it is said why. */
  refuse(config: RunConfig, problem: string): boolean {
    const asked = this.#asked;
    if (asked === null || !sameSettings(asked.config, config)) return false;
    this.#asked = null;
    const fields = settingsGroups(config, this.#state.catalogue.value?.models ?? []).flatMap((group) => group.fields);
    this.#tell([inPageWords(problem, fields).message]);
    this.#state.settings.value = { ...asked.base, dataset: config.dataset };
    return true;
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
