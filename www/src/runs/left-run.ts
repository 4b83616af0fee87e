/** Offers to go on with the run that was left: when the page was closed, or when the training program broke down. */
import type { DatasetName } from '../../pkg/adadagrad_web.js';
import { required, setText } from '../dom.js';
import { formatCount, formatPercent } from '../format.js';
import { DATASETS } from '../settings/choices.js';
import { isOfText } from '../samples.js';
import type { PageState } from '../state.js';
import type { Checkpoints } from './checkpoints.js';
import type { RunConductor } from './conductor.js';
import { forgetLeft, leftRuns } from './left-runs.js';
import type { Resumable } from './left-runs.js';
import type { RunLibrary } from './library.js';
import { isFree, whenFree } from './ownership.js';
import type { RunOwnership } from './ownership.js';

export class LeftRunOffer {
  readonly #root = required('left-run', HTMLElement);
  readonly #text = required('left-run-text', HTMLElement);
  readonly #state: PageState;
  readonly #library: RunLibrary;
  readonly #checkpoints: Checkpoints;
  readonly #conductor: RunConductor;
  readonly #ownership: RunOwnership;
  readonly #offers: (dataset: DatasetName) => boolean;
  #left: Resumable | null = null;
  /** Pressed, but the data is not here yet. */
  #waits = false;
  /** Runs that are open in other tabs, and waited for. */
  readonly #elsewhere = new Set<string>();

  constructor(parts: { state: PageState; library: RunLibrary; checkpoints: Checkpoints; conductor: RunConductor; ownership: RunOwnership; offers: (dataset: DatasetName) => boolean }) {
    this.#offers = parts.offers;
    this.#state = parts.state;
    this.#library = parts.library;
    this.#checkpoints = parts.checkpoints;
    this.#conductor = parts.conductor;
    this.#ownership = parts.ownership;
    required('left-run-forget', HTMLButtonElement).addEventListener('click', () => void this.#forget());
    required('left-run-go-on', HTMLButtonElement).addEventListener('click', () => void this.#goOn());
    this.#state.data.observe(({ name }) => {
      if (name === 'ready' && this.#waits) void this.#goOn();
    });
    // It stays kept, for another visit.
    this.#state.run.observe(({ phase }) => {
      if (phase === 'running') this.#withdraw();
    });
  }

  /** Offers the newest run that was left and that no other tab has open. */
  async look(): Promise<void> {
    // Where the browser keeps nothing, nothing was left.
    const found = await leftRuns(this.#library.freeSlot()).catch(() => []);
    for (const left of found) {
      if (this.#library.current !== null) return;
      if (await isFree(left.run.id)) {
        if (this.#library.current === null) this.#offer(left);
        return;
      }
      this.#await(left.run.id);
    }
  }

  #await(id: string): void {
    if (this.#elsewhere.has(id)) return;
    this.#elsewhere.add(id);
    void whenFree(id).then(() => {
      this.#elsewhere.delete(id);
      // Where it is offered, it is offered anew: there it was said to be running elsewhere.
      if (this.#left === null || this.#left.run.id === id) void this.look();
    });
  }

  #offer(left: Resumable): void {
    this.#left = left;
    this.#root.hidden = false;
    setText(this.#text, tell(left));
  }

  #withdraw(): void {
    this.#left = null;
    this.#waits = false;
    this.#root.hidden = true;
  }

  async #forget(): Promise<void> {
    const left = this.#left;
    this.#withdraw();
    if (left === null) return;
    await forgetLeft(left.key).catch(() => undefined);
    await this.look();
  }

  async #goOn(): Promise<void> {
    const left = this.#left;
    const settings = this.#state.settings.value;
    if (left === null) return;
    // There are settings once the module is here, and then data.
    this.#waits = settings === null;
    if (settings === null) return;
    const { dataset } = left.run.config;
    if (dataset !== settings.dataset && !this.#fetch(dataset)) return;
    this.#waits = this.#state.data.value.name !== 'ready';
    if (this.#waits) return;
    const isOurs = await this.#ownership.take(left.run.id);
    if (this.#left !== left) return;
    if (!isOurs) {
      setText(this.#text, `“${left.run.name}” is already running in another tab of this browser.`);
      this.#await(left.run.id);
      return;
    }
    this.#state.settings.value = structuredClone(left.run.latestConfig);
    this.#conductor.resume(left.run, left.checkpoint);
    this.#checkpoints.tookUpAt(left.checkpoint, left.key);
  }

  /** Has the run's data opened; only the visitor can open own files. */
  #fetch(dataset: DatasetName): boolean {
    const settings = this.#state.settings.value;
    if (settings === null) return false;
    if (!this.#offers(dataset)) {
      setText(this.#text, `That run used ${DATASETS[dataset]}, which this site does not offer.`);
      return false;
    }
    if (dataset === 'own') {
      setText(this.#text, 'That run used your files: choose them again under Data, then continue.');
      return false;
    }
    const { latestConfig } = this.#left?.run ?? { latestConfig: settings };
    // Settings for images do not suit a text, nor the reverse.
    this.#state.settings.value = isOfText(latestConfig) === isOfText(settings) ? { ...settings, dataset } : structuredClone(latestConfig);
    return true;
  }
}

function tell({ run, checkpoint }: Resumable): string {
  const row = run.log.rowOfStep(checkpoint.step);
  const accuracy = run.evaluationAt(checkpoint.step)?.accuracy;
  const answers = isOfText(run.config) ? `${run.config.text.tokens} of the test text predicted` : 'test images classified';
  const correct = accuracy === undefined ? '' : `, ${formatPercent(accuracy)} of the ${answers} correctly`;
  const data = run.config.dataset === 'mnist' ? '' : ` on ${DATASETS[run.config.dataset]}`;
  return `You left “${run.name}”${data} at step ${formatCount(checkpoint.step)}: batch ${formatCount(run.log.value('next_batch', row) ?? 0)}${correct}.`;
}
