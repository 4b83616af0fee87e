/** The list of moments that the run can go back to, and the way back; and the run that was left at the last visit. */
import type { Checkpoint } from '../../pkg/adadagrad_web.js';
import { element, isDisabled, required, setDisabled, setText } from '../dom.js';
import { formatCount, formatPercent } from '../format.js';
import type { Checkpoints, LeftRun } from './checkpoints.js';
import type { RunConductor } from './conductor.js';
import type { RunLibrary } from './library.js';
import { readStoredRun } from './run-file.js';
import { get } from './storage.js';
import type { TrainedRun } from './trained-run.js';
import type { PageState } from '../state.js';

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
  return element('option', { value: String(step) }, `step ${formatCount(step)}, ${formatCount(samplesSeen)} images`);
}

/** Offers to go on with the run that was left when the page was closed. */
export class LeftRunOffer {
  readonly #root = required('left-run', HTMLElement);
  readonly #text = required('left-run-text', HTMLElement);
  readonly #goOn = required('left-run-go-on', HTMLButtonElement);

  constructor(parts: { state: PageState; library: RunLibrary; checkpoints: Checkpoints; conductor: RunConductor }) {
    const { state, library, checkpoints, conductor } = parts;
    required('left-run-forget', HTMLButtonElement).addEventListener('click', () => {
      this.#root.hidden = true;
      checkpoints.forgetLeft();
    });
    void recall(library).then((left) => {
      if (left === null || library.current !== null) return;
      this.#root.hidden = false;
      setText(this.#text, tell(left.run));
      state.data.observe((data) => setDisabled(this.#goOn, data.name !== 'ready'));
      // Another run takes its place, in the browser's memory too.
      state.run.observe(({ phase }) => {
        if (phase !== 'idle') this.#root.hidden = true;
      });
      this.#goOn.addEventListener('click', () => {
        if (!isDisabled(this.#goOn)) conductor.resume(left.run, left.checkpoint);
      });
    });
  }
}

async function recall(library: RunLibrary): Promise<{ run: TrainedRun; checkpoint: Checkpoint } | null> {
  try {
    const content = (await get('left', 'run')) as Partial<LeftRun> | undefined;
    const run = readStoredRun(content?.run, { slot: library.freeSlot() });
    return run === null || content?.checkpoint === undefined ? null : { run, checkpoint: content.checkpoint };
  } catch {
    return null;
  }
}

function tell(run: TrainedRun): string {
  const { log } = run;
  const accuracy = run.evaluations.at(-1)?.accuracy;
  const read = accuracy === undefined ? '' : `, ${formatPercent(accuracy)} of the test images read rightly`;
  return `You left “${run.name}” at step ${formatCount(log.last('step') ?? 0)}: batch ${formatCount(log.last('next_batch') ?? 0)}${read}.`;
}
