/** The buttons and the preset. One button starts, pauses and resumes, so the focus stays on it. */
import { element, onPress, onRepeatedPress, required, setDisabled, setText } from './dom.js';
import { isOfRun } from './state.js';
import type { PageState } from './state.js';

export interface ControlActions {
  main(): void;
  step(): void;
  reset(): void;
  choosePreset(name: string): void;
}

export class Controls {
  readonly #state: PageState;
  readonly #main = required('main-button', HTMLButtonElement);
  readonly #step = required('step-button', HTMLButtonElement);
  readonly #reset = required('reset-button', HTMLButtonElement);
  readonly #preset = required('preset', HTMLSelectElement);

  constructor(state: PageState, actions: ControlActions) {
    this.#state = state;
    onPress(this.#main, actions.main);
    onRepeatedPress(this.#step, actions.step);
    onPress(this.#reset, actions.reset);
    this.#preset.addEventListener('change', () => actions.choosePreset(this.#preset.value));
    const refresh = (): void => this.#refresh();
    for (const part of [state.run, state.data, state.trouble, state.settingsProblem, state.startWaits]) part.observe(refresh);
    state.catalogue.observe(() => this.#showPresets());
    state.settings.observe(() => this.#showChosenPreset());
  }

  #refresh(): void {
    const { phase } = this.#state.run.value;
    const unusable = this.#isUnusable();
    const invalid = this.#state.settingsProblem.value !== null;
    const ready = this.#state.data.value.name === 'ready';
    const beginsRun = phase !== 'running' && phase !== 'paused';
    setText(this.#main, this.#mainLabel());
    setDisabled(this.#main, unusable || (beginsRun && invalid));
    setDisabled(this.#step, unusable || !ready || (beginsRun && invalid) || phase === 'running');
    setDisabled(this.#reset, unusable || (phase === 'idle' && !this.#state.startWaits.value));
  }

  #isUnusable(): boolean {
    const { value: trouble } = this.#state.trouble;
    return trouble !== null && !isOfRun(trouble);
  }

  #mainLabel(): string {
    switch (this.#state.run.value.phase) {
      case 'running':
        return 'Pause';
      case 'paused':
        return 'Resume';
      case 'finished':
      case 'failed':
        return 'Start again';
      case 'idle':
        return this.#state.startWaits.value ? 'Starting…' : 'Start';
    }
  }

  #showPresets(): void {
    const presets = this.#state.catalogue.value?.presets ?? [];
    if (presets.length === 0) return;
    const options = presets.map(({ name, title }) => element('option', { value: name }, title));
    this.#preset.replaceChildren(...options, element('option', { value: '', hidden: '' }, 'Custom'));
    this.#preset.disabled = false;
    this.#showChosenPreset();
  }

  /** Settings that are no preset's any more are the visitor's own. */
  #showChosenPreset(): void {
    const settings = JSON.stringify(this.#state.settings.value);
    const presets = this.#state.catalogue.value?.presets ?? [];
    this.#preset.value = presets.find(({ config }) => JSON.stringify(config) === settings)?.name ?? '';
  }
}
