/** One button for each comparison; its runs are made one after another and drawn together. */
import { element, onPress, required, setDisabled, setText } from '../dom.js';
import { isOfRun } from '../state.js';
import type { PageState } from '../state.js';
import { COMPARISONS } from './comparisons.js';
import type { Comparison, Variant } from './comparisons.js';
import type { RunConductor } from './conductor.js';
import type { RunLibrary } from './library.js';

interface UnderWay {
  comparison: Comparison;
  variants: Variant[];
  next: number;
}

export class ComparisonPanel {
  readonly #state: PageState;
  readonly #conductor: RunConductor;
  readonly #library: RunLibrary;
  readonly #note = required('comparison-note', HTMLElement);
  readonly #buttons: HTMLButtonElement[] = [];
  #underWay: UnderWay | null = null;

  constructor(state: PageState, conductor: RunConductor, library: RunLibrary) {
    this.#state = state;
    this.#conductor = conductor;
    this.#library = library;
    const container = required('comparisons', HTMLElement);
    for (const comparison of COMPARISONS) {
      const button = element('button', { type: 'button', id: `compare-${comparison.id}`, title: comparison.hint }, comparison.title);
      onPress(button, () => void this.#start(comparison));
      this.#buttons.push(button);
      container.append(button);
    }
    for (const part of [state.data, state.settingsProblem, state.trouble]) part.observe(() => this.#showButtons());
    state.run.observe(({ phase }) => {
      if (phase === 'finished' || phase === 'failed') this.#goOn();
    });
  }

  get isUnderWay(): boolean {
    return this.#underWay !== null;
  }

  /** Somebody began or reset a run by hand. */
  stop(): void {
    if (this.#underWay === null) return;
    this.#underWay = null;
    const { current } = this.#library;
    if (current !== null && current.log.length > 0) current.promised = true;
    setText(this.#note, 'The comparison was stopped; its runs so far are listed below.');
  }

  async #start(comparison: Comparison): Promise<void> {
    const ended = await this.#conductor.keepRun();
    const settings = this.#state.settings.value;
    const catalogue = this.#state.catalogue.value;
    if (settings === null || catalogue === null) return;
    for (const run of this.#library.runs) run.shown = false;
    this.#underWay = { comparison, variants: comparison.variants(settings, catalogue), next: 0 };
    this.#begin(this.#underWay, ended);
  }

  /** After the report that ended a run has been taken by everybody. */
  #goOn(): void {
    const before = this.#underWay;
    if (before === null) return;
    queueMicrotask(() => {
      if (this.#underWay !== before) return;
      if (before.next < before.variants.length) this.#begin(before);
      else this.#finish(before);
    });
  }

  /** `ended`: a sentence about the run that ended for the comparison. */
  #begin(underWay: UnderWay, ended = ''): void {
    const variant = underWay.variants[underWay.next];
    if (variant === undefined) return;
    underWay.next += 1;
    setText(this.#note, `Run ${underWay.next} of ${underWay.variants.length}: ${variant.name}. ${underWay.comparison.hint} ${ended}`.trim());
    this.#conductor.begin({ name: variant.name }, variant.config);
  }

  #finish({ comparison, variants }: UnderWay): void {
    this.#underWay = null;
    const names = variants.map(({ name }) => name).join('; ');
    setText(this.#note, `Compared: ${names}. ${comparison.hint}`);
  }

  #showButtons(): void {
    const { data, settingsProblem, trouble } = this.#state;
    const unusable = trouble.value !== null && !isOfRun(trouble.value);
    const disabled = data.value.name !== 'ready' || settingsProblem.value !== null || unusable;
    for (const button of this.#buttons) setDisabled(button, disabled);
  }
}
