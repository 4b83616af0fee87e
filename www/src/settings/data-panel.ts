/** The choice of the data: MNIST, Fashion-MNIST, or four IDX files of the visitor's, by button or dropped on the page. */
import type { DatasetName, RunConfig } from '../../pkg/adadagrad_web.js';
import { required, setText } from '../dom.js';
import type { Source, TrainingSession } from '../session.js';
import type { PageState } from '../state.js';

const TITLES: Record<DatasetName, string> = { mnist: 'MNIST', fashion_mnist: 'Fashion-MNIST', own: 'Own files' };
const HINT =
  'Own data: the four IDX files of a set of 28 × 28 images in 10 classes (train-images, train-labels, t10k-images, t10k-labels; plain or .gz). Drop them anywhere on the page. They never leave this tab.';

export class DataPanel {
  readonly #state: PageState;
  readonly #open: (source: Source) => void;
  readonly #select = required('data-choice', HTMLSelectElement);
  readonly #files = required('data-files', HTMLInputElement);
  readonly #hint = required('data-hint', HTMLElement);
  #opened: DatasetName = 'mnist';
  #source: Source = { kind: 'dataset', dataset: 'mnist' };

  constructor(state: PageState, session: TrainingSession, open: (source: Source) => void) {
    this.#state = state;
    this.#open = open;
    this.#select.addEventListener('change', () => this.#choose(this.#select.value));
    this.#files.addEventListener('change', () => this.take([...(this.#files.files ?? [])]));
    required('data-files-button', HTMLButtonElement).addEventListener('click', () => this.#files.click());
    session.listen('datasets', ({ available }) => {
      for (const option of this.#select.options) option.disabled = option.value !== 'own' && !available.some((name) => name === option.value);
    });
    state.settings.observe((config) => this.#follow(config));
    setText(this.#hint, HINT);
  }

  /** What the worker is to open, at first and again after a crash. */
  get source(): Source {
    return this.#source;
  }

  /** At the beginning the address says it, before anything else of it can be read. */
  begin(dataset: DatasetName): void {
    if (dataset === 'own') return;
    this.#opened = dataset;
    this.#source = { kind: 'dataset', dataset };
  }

  /** Files of the visitor's; the worker finds out which is which, or says what is wrong. */
  take(files: File[]): void {
    if (files.length === 0) return;
    this.#opened = 'own';
    this.#source = { kind: 'files', files };
    this.#open(this.#source);
    this.#setDataset('own');
    this.#files.value = '';
  }

  #choose(value: string): void {
    if (value === 'own') this.#files.click();
    else if (value === 'mnist' || value === 'fashion_mnist') this.#setDataset(value);
    this.#select.value = this.#opened;
  }

  #setDataset(dataset: DatasetName): void {
    const config = this.#state.settings.value;
    if (config !== null) this.#state.settings.value = { ...config, dataset };
  }

  /** The settings name the data; when they name others, those are opened. */
  #follow(config: RunConfig | null): void {
    if (config === null) return;
    const { dataset } = config;
    if (dataset !== this.#opened && dataset !== 'own') {
      this.#opened = dataset;
      this.#source = { kind: 'dataset', dataset };
      this.#open(this.#source);
    }
    this.#select.value = this.#opened;
  }
}

export function datasetTitle(name: DatasetName): string {
  return TITLES[name];
}
