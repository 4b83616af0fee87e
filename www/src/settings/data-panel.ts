/** The choice of the data: MNIST, Fashion-MNIST, or four IDX files of the visitor's, by button or dropped on the page. */
import type { DatasetFiles, DatasetName, RunConfig } from '../../pkg/adadagrad_web.js';
import { DataError } from '../data-error.js';
import { required, setText } from '../dom.js';
import { accepted, refused } from '../export/inbox.js';
import type { FileAnswer } from '../export/inbox.js';
import { formatCount } from '../format.js';
import { LABEL_HEADER_BYTES, readOwnFiles } from '../own-files.js';
import type { Source, TrainingSession } from '../session.js';
import type { PageState } from '../state.js';
import { DATASETS } from './choices.js';

const HINT =
  'Your files: the four IDX files of a set of 28 × 28 images in 10 classes (train-images, train-labels, t10k-images, t10k-labels; plain or .gz). Drop them anywhere on the page. They never leave this tab.';

const MNIST: Source = { kind: 'dataset', dataset: 'mnist' };

export class DataPanel {
  readonly #state: PageState;
  readonly #open: () => void;
  readonly #select = required('data-choice', HTMLSelectElement);
  readonly #hint = required('data-hint', HTMLElement);
  readonly #pending = required('data-pending', HTMLElement);
  /** What the worker has, or is loading. */
  #opened: Source = MNIST;
  /** What was chosen: it is opened as soon as no run is at hand. */
  #chosen: Source = MNIST;

  /** `open` has the chosen data opened, which ends the run at hand. */
  constructor(state: PageState, session: TrainingSession, open: () => void) {
    this.#state = state;
    this.#open = open;
    this.#select.addEventListener('change', () => this.#choose(this.#select.value));
    session.listen('datasets', ({ available }) => {
      for (const option of this.#select.options) option.disabled = option.value !== 'own' && !available.some((name) => name === option.value);
    });
    state.settings.observe((config) => this.#follow(config));
    state.run.observe(() => this.#openWhenIdle());
    setText(this.#hint, HINT);
  }

  /** The chosen data, which are opened from now on. */
  use(): Source {
    this.#opened = this.#chosen;
    this.#showPending();
    return this.#opened;
  }

  /** Whether other data were chosen than are opened: they count from the next start. */
  get waits(): boolean {
    return this.#chosen !== this.#opened;
  }

  /** At the beginning the address says it, before anything else of it can be read. */
  begin(dataset: DatasetName): void {
    if (dataset !== 'own') this.#chosen = { kind: 'dataset', dataset };
  }

  /** Files of the visitor's. They are read first: what cannot be used changes nothing. */
  async take(files: File[]): Promise<FileAnswer> {
    let counts: { training: number; test: number };
    try {
      counts = countImages(await readOwnFiles(files));
    } catch (error) {
      return refused(`${error instanceof DataError ? error.message : 'These files cannot be read.'} The page still uses ${DATASETS[nameOf(this.#chosen)]}.`);
    }
    this.#take({ kind: 'files', files });
    this.#setDataset('own');
    const images = `${formatCount(counts.training)} training images and ${formatCount(counts.test)} test images`;
    return accepted(`Your files hold ${images}. ${this.waits ? 'The next run will use them.' : 'They are being opened.'}`);
  }

  #choose(value: string): void {
    if (value === 'own') required('data-files', HTMLInputElement).click();
    else if (value === 'mnist' || value === 'fashion_mnist') this.#setDataset(value);
    this.#select.value = nameOf(this.#chosen);
  }

  #setDataset(dataset: DatasetName): void {
    const config = this.#state.settings.value;
    if (config !== null) this.#state.settings.value = { ...config, dataset };
  }

  /** The settings name the data. */
  #follow(config: RunConfig | null): void {
    if (config === null) return;
    const { dataset } = config;
    if (dataset !== 'own' && dataset !== nameOf(this.#chosen)) {
      const isOpened = dataset === nameOf(this.#opened);
      this.#take(isOpened ? this.#opened : { kind: 'dataset', dataset });
    }
    this.#select.value = nameOf(this.#chosen);
  }

  #take(source: Source): void {
    this.#chosen = source;
    this.#showPending();
    this.#openWhenIdle();
  }

  /** Data are never taken from under a run. */
  #openWhenIdle(): void {
    if (this.waits && this.#state.run.value.phase === 'idle') this.#open();
  }

  #showPending(): void {
    this.#pending.hidden = !this.waits;
    const [chosen, opened] = [this.#chosen, this.#opened].map((source) => DATASETS[nameOf(source)]);
    const other = chosen === opened ? 'your new files' : chosen;
    setText(this.#pending, this.waits ? `The current run keeps its data, ${opened}. The next run will use ${other}.` : '');
  }
}

function nameOf(source: Source): DatasetName {
  return source.kind === 'files' ? 'own' : source.dataset;
}

function countImages({ train_labels: training, test_labels: test }: DatasetFiles): { training: number; test: number } {
  return { training: training.length - LABEL_HEADER_BYTES, test: test.length - LABEL_HEADER_BYTES };
}
