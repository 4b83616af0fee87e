/** The choice of the engine: three radio buttons, and what comes of the one that is chosen. */
import { required, setText } from '../dom.js';
import type { PageState } from '../state.js';
import { decideEngine, ENGINE_CHOICES } from './choice.js';
import type { AdapterReport, EngineChoice } from './choice.js';
import { rememberChoice } from './memory.js';

export class EnginePanel {
  readonly #state: PageState;
  readonly #root = required('engine-choice', HTMLElement);
  readonly #hint = required('engine-hint', HTMLElement);

  constructor(state: PageState) {
    this.#state = state;
    for (const choice of ENGINE_CHOICES) {
      const radio = required(`engine-${choice}`, HTMLInputElement);
      radio.checked = state.engineChoice.value === choice;
      radio.addEventListener('change', () => {
        if (radio.checked) this.#choose(choice);
      });
    }
    state.engineChoice.observe(() => this.#show());
    state.adapter.observe(() => this.#show());
  }

  #choose(choice: EngineChoice): void {
    rememberChoice(choice);
    this.#state.engineChoice.value = choice;
  }

  #show(): void {
    const adapter = this.#state.adapter.value;
    this.#root.dataset['adapter'] = adapter?.kind ?? 'unknown';
    setText(this.#hint, describeChoice(this.#state.engineChoice.value, adapter));
  }
}

function describeChoice(choice: EngineChoice, adapter: AdapterReport | null): string {
  if (adapter === null) return 'Asking the browser for a GPU.';
  const decision = decideEngine(choice, adapter);
  if (decision.adapter !== null) return `${decision.reason} Adapter: ${decision.adapter}.`;
  return choice === 'cpu' && adapter.kind === 'none' ? `${decision.reason} ${adapter.reason}` : decision.reason;
}
