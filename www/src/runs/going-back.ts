/** The list of moments that the run can go back to, and the way back. */
import type { Checkpoint } from '../../pkg/adadagrad_web.js';
import { element, required } from '../dom.js';
import { formatCount } from '../format.js';
import type { Checkpoints } from './checkpoints.js';
import type { RunConductor } from './conductor.js';

export class GoingBack {
  readonly #root = required('going-back', HTMLElement);
  readonly #select = required('checkpoint', HTMLSelectElement);
  readonly #button = required('go-back', HTMLButtonElement);
  readonly #checkpoints: Checkpoints;

  constructor(checkpoints: Checkpoints, conductor: RunConductor) {
    this.#checkpoints = checkpoints;
    checkpoints.list.observe((list) => this.#show(list));
    this.#button.addEventListener('click', () => {
      const chosen = checkpoints.list.value.find(({ step }) => String(step) === this.#select.value);
      if (chosen === undefined) return;
      conductor.goBackTo(chosen);
      checkpoints.wentBackTo(chosen);
    });
  }

  /** Nothing is shown before there is something to go back to; what was chosen stays chosen. */
  #show(list: readonly Checkpoint[]): void {
    this.#root.hidden = list.length === 0;
    const { value } = this.#select;
    this.#select.replaceChildren(...list.map(describe));
    if (list.some(({ step }) => String(step) === value)) this.#select.value = value;
    else this.#select.selectedIndex = Math.max(0, this.#checkpoints.list.value.length - 2);
  }
}

function describe({ step, samples_seen: samplesSeen }: Checkpoint): HTMLOptionElement {
  return element('option', { value: String(step) }, `step ${formatCount(step)}, ${formatCount(samplesSeen)} samples`);
}
