/** Offers to go on with the run that was left: when the page was closed, or when the training program broke down. */
import type { Checkpoint, DatasetName } from '../../pkg/adadagrad_web.js';
import { required, setText } from '../dom.js';
import { formatCount, formatPercent } from '../format.js';
import { datasetTitle } from '../settings/data-panel.js';
import type { PageState } from '../state.js';
import type { Checkpoints, LeftRun } from './checkpoints.js';
import type { RunConductor } from './conductor.js';
import type { RunLibrary } from './library.js';
import { readStoredRun } from './run-file.js';
import { get } from './storage.js';
import type { TrainedRun } from './trained-run.js';

interface Left {
  run: TrainedRun;
  checkpoint: Checkpoint;
}

export class LeftRunOffer {
  readonly #root = required('left-run', HTMLElement);
  readonly #text = required('left-run-text', HTMLElement);
  readonly #state: PageState;
  readonly #library: RunLibrary;
  readonly #checkpoints: Checkpoints;
  readonly #conductor: RunConductor;
  #left: Left | null = null;
  /** Pressed, but the data is not here yet. */
  #waits = false;

  constructor(parts: { state: PageState; library: RunLibrary; checkpoints: Checkpoints; conductor: RunConductor }) {
    this.#state = parts.state;
    this.#library = parts.library;
    this.#checkpoints = parts.checkpoints;
    this.#conductor = parts.conductor;
    required('left-run-forget', HTMLButtonElement).addEventListener('click', () => {
      this.#withdraw();
      this.#checkpoints.forgetLeft();
    });
    required('left-run-go-on', HTMLButtonElement).addEventListener('click', () => this.#goOn());
    this.#state.data.observe(({ name }) => {
      if (name === 'ready' && this.#waits) this.#goOn();
    });
    // Another run takes its place, in the browser's memory too.
    this.#state.run.observe(({ phase }) => {
      if (phase === 'running') this.#withdraw();
    });
  }

  /** Looks whether there is such a run. */
  async look(): Promise<void> {
    const left = await recall(this.#library);
    if (left === null || this.#library.current !== null) return;
    this.#left = left;
    this.#root.hidden = false;
    setText(this.#text, tell(left));
  }

  #withdraw(): void {
    this.#left = null;
    this.#waits = false;
    this.#root.hidden = true;
  }

  #goOn(): void {
    const left = this.#left;
    const settings = this.#state.settings.value;
    if (left === null || settings === null) return;
    const { dataset } = left.run.config;
    if (dataset !== settings.dataset && !this.#fetch(dataset)) return;
    this.#waits = this.#state.data.value.name !== 'ready';
    if (this.#waits) return;
    this.#state.settings.value = structuredClone(left.run.latestConfig);
    this.#conductor.resume(left.run, left.checkpoint);
    this.#checkpoints.tookUpAt(left.checkpoint);
  }

  /** Has the run's data opened; only the visitor can open own files. */
  #fetch(dataset: DatasetName): boolean {
    const settings = this.#state.settings.value;
    if (settings === null) return false;
    if (dataset === 'own') {
      setText(this.#text, 'That run used your own files: choose them again under Data, then continue.');
      return false;
    }
    this.#state.settings.value = { ...settings, dataset };
    return true;
  }
}

async function recall(library: RunLibrary): Promise<Left | null> {
  try {
    const content = (await get('left', 'run')) as Partial<LeftRun> | undefined;
    const run = readStoredRun(content?.run, { slot: library.freeSlot() });
    return run === null || content?.checkpoint === undefined ? null : { run, checkpoint: content.checkpoint };
  } catch {
    // Where the browser keeps nothing, nothing was left.
    return null;
  }
}

function tell({ run, checkpoint }: Left): string {
  const row = run.log.rowOfStep(checkpoint.step);
  const accuracy = run.evaluationAt(checkpoint.step)?.accuracy;
  const read = accuracy === undefined ? '' : `, ${formatPercent(accuracy)} of the test images classified correctly`;
  const data = run.config.dataset === 'mnist' ? '' : ` on ${datasetTitle(run.config.dataset)}`;
  return `You left “${run.name}”${data} at step ${formatCount(checkpoint.step)}: batch ${formatCount(run.log.value('next_batch', row) ?? 0)}${read}.`;
}
