/** Keeps the address and the page's state the same. */
import type { RunConfig } from '../../pkg/adadagrad_web.js';
import { inBrief } from '../brief.js';
import { required, setText } from '../dom.js';
import { fieldSpecs } from '../settings/field-specs.js';
import { applyWords } from '../settings/flat.js';
import { refusalInPageWords } from '../settings/problem.js';
import { sameSettings } from '../state.js';
import type { PageState } from '../state.js';
import { readAddress, writeAddress } from './address.js';
import { allowedWords } from './allowed-words.js';

/** Browsers allow only so many changes of the address in a time. */
const WRITE_MILLISECONDS = 300;

interface AddressTools {
  /** Tells what is wrong with settings, or null. */
  check: (config: RunConfig) => Promise<string | null>;
  /** What the visitor asked for: the address names that, also where the data at hand are not enough for it. */
  asked: (config: RunConfig) => RunConfig;
  /** What suits the data at hand; with `keepsModel` whatever the network. */
  fitted: (config: RunConfig, keepsModel?: boolean) => RunConfig;
}

export class AddressBar {
  readonly #state: PageState;
  readonly #tools: AddressTools;
  readonly #note = required('address-note', HTMLElement);
  /** Settings that the address asks for, until they were found to be such as can be run. */
  #asked: { config: RunConfig; base: RunConfig; words: ReadonlyMap<string, string>; problems: readonly string[] } | null = null;
  #writeWaits = false;
  #writing = false;

  constructor(state: PageState, tools: AddressTools) {
    this.#state = state;
    this.#tools = tools;
    window.addEventListener('hashchange', ({ newURL }) => this.#followed(new URL(newURL).hash));
  }

  /** Takes what the address says; the presets must be known. Afterwards the address follows the state. */
  start(): void {
    this.read(location.hash);
    if (this.#writing) return;
    this.#writing = true;
    const { settings, engineChoice, horizontalAxis, smoothing, thresholds } = this.#state;
    for (const part of [settings, engineChoice, horizontalAxis, smoothing, thresholds]) part.observe(() => this.#write());
  }

  read(hash: string): void {
    const catalogue = this.#state.catalogue.value;
    const reading = catalogue === null ? null : readAddress(hash, catalogue);
    if (reading === null) return;
    const { choices, base, words, problems } = reading;
    this.#tell(problems);
    if (choices.engine !== undefined) this.#state.engineChoice.value = choices.engine;
    if (choices.axis !== undefined) this.#state.horizontalAxis.value = choices.axis;
    if (choices.smoothing !== undefined) this.#state.smoothing.value = choices.smoothing;
    if (choices.thresholds !== undefined) this.#state.thresholds.value = choices.thresholds;
    if (choices.settings === undefined || base === null) return;
    // No address can name the visitor's files: one that names no other data is about those that are open.
    const keepsFiles = this.#state.settings.value?.dataset === 'own' && !words.has('dataset');
    const wished: RunConfig = keepsFiles ? { ...choices.settings, dataset: 'own' } : choices.settings;
    const config = this.#tools.fitted(wished, words.has('model'));
    this.#asked = { config, base: this.#tools.fitted(structuredClone(base)), words, problems };
    this.#state.settings.value = config;
  }

  /** Whether these settings came with the address: then those that are wrong are replaced by the preset's, and told. */
  refuse(config: RunConfig): boolean {
    const asked = this.#asked;
    const catalogue = this.#state.catalogue.value;
    if (asked === null || catalogue === null || !sameSettings(asked.config, config)) return false;
    this.#asked = null;
    void allowedWords(asked.base, asked.words, catalogue, this.#tools.check).then(({ words, refusals }) => {
      // Another choice may have been made meanwhile.
      if (!sameSettings(this.#state.settings.value, config)) return;
      const fields = fieldSpecs(config, catalogue);
      const wrong = refusals.map(({ place, problem }) => refusalInPageWords(place, asked.words.get(place) ?? '', problem, fields));
      this.#tell([...asked.problems, ...wrong]);
      this.#state.settings.value = { ...applyWords(asked.base, words, catalogue).config, dataset: config.dataset };
    });
    return true;
  }

  #tell(problems: readonly string[]): void {
    this.#note.hidden = problems.length === 0;
    setText(this.#note, problems.length === 0 ? '' : `Not everything in the address could be used. ${inBrief(problems)}`);
  }

  /**
   * Somebody typed another address, or went to an anchor: then the state is written behind it again. By the time that this is
   * told, the state may have been written over what was typed.
   */
  #followed(hash: string): void {
    if (hash.includes('=')) this.read(hash);
    else this.#write();
  }

  #write(): void {
    if (this.#writeWaits) return;
    this.#writeWaits = true;
    setTimeout(() => {
      this.#writeWaits = false;
      const { settings, engineChoice, horizontalAxis, smoothing, thresholds, catalogue } = this.#state;
      if (settings.value === null || catalogue.value === null) return;
      const choices = {
        settings: this.#tools.asked(settings.value),
        engine: engineChoice.value,
        axis: horizontalAxis.value,
        smoothing: smoothing.value,
        thresholds: thresholds.value,
      };
      try {
        history.replaceState(null, '', writeAddress(choices, catalogue.value));
      } catch {
        // Some browsers allow only so many changes in a while: the next one says all.
      }
    }, WRITE_MILLISECONDS);
  }
}
