/** The choice of the data: MNIST, Fashion-MNIST, a text, or files of the visitor's, by button or dropped on the page. */
import type { DatasetName, RunConfig } from '../../pkg/adadagrad_web.js';
import { required, setText } from '../dom.js';
import { accepted, refused } from '../export/inbox.js';
import type { FileAnswer } from '../export/inbox.js';
import { formatCount } from '../format.js';
import { lookAtOwnFiles } from '../own-files-look.js';
import { USUAL_TEXT } from '../protocol.js';
import { describeImages, describeSequences, isSequence } from '../samples.js';
import type { Source, TrainingSession } from '../session.js';
import type { PageState } from '../state.js';
import { DATASETS } from './choices.js';
import { SettingsByKind } from './kinds.js';

const HINT =
  'Your files: the four IDX files of a set of images of any size, grey or colour (train-images, train-labels, t10k-images, t10k-labels; plain or .gz), or CIFAR-10’s or CIFAR-100’s binary files (.bin); or a text in UTF-8, whose last tenth becomes the test set. Drop them anywhere on the page. They never leave this tab.';

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
  /** The visitor's files of this visit. */
  #own: { source: Source; isText: boolean } | null = null;
  readonly #settings = new SettingsByKind();
  /** Own files are named in the list, but there are none yet: arrow keys pass over them, and only a press asks for files. */
  #lacksOwn = false;

  /** `open` has the chosen data opened, which ends the run at hand. */
  constructor(state: PageState, session: TrainingSession, open: () => void) {
    this.#state = state;
    this.#open = open;
    this.#select.addEventListener('change', () => this.#choose(this.#select.value));
    this.#select.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || !this.#lacksOwn) return;
      // Some browsers open the list too, which would then take the keys.
      event.preventDefault();
      required('data-files', HTMLInputElement).click();
    });
    this.#select.addEventListener('blur', () => this.#show());
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
    this.#show();
    return this.#opened;
  }

  /** Whether other data were chosen than are opened: they count from the next start. */
  get waits(): boolean {
    return this.#chosen !== this.#opened;
  }

  /** Whether there are such data here, or the visitor may have them. */
  offers(dataset: DatasetName): boolean {
    return [...this.#select.options].some((option) => option.value === dataset && !option.disabled);
  }

  /** At the beginning the address says it, before anything else of it can be read. */
  begin(dataset: DatasetName): void {
    if (dataset !== 'own') this.#chosen = { kind: 'dataset', dataset };
  }

  /** Files of the visitor's. They are read first: what cannot be used changes nothing. */
  async take(files: File[]): Promise<FileAnswer> {
    const { settings, catalogue } = this.#state;
    const text = settings.value === null ? USUAL_TEXT : this.#settings.textSettings(settings.value, catalogue.value?.presets ?? []);
    const found = await lookAtOwnFiles({ files, text });
    if ('problem' in found) return refused(`${found.problem} The page still uses ${DATASETS[nameOf(this.#chosen)]}.`);
    const isText = isSequence(found.shape);
    this.#takeOwn({ source: { kind: 'files', files }, isText });
    const [training, test] = [formatCount(found.training), formatCount(found.test)];
    const held = isText
      ? `Your text holds ${training} training sequences and ${test} test sequences: ${describeSequences(found.shape, text.tokens)}.`
      : `Your files hold ${training} training images and ${test} test images: ${describeImages(found.shape)}, ${formatCount(found.shape.classes)} classes.`;
    const notes = found.notes.map((note) => ` ${note}`).join('');
    return accepted(`${held}${notes}${this.waits ? ' The next run will use them.' : ''}`);
  }

  #choose(value: string): void {
    if (value === 'mnist' || value === 'fashion_mnist' || value === 'shakespeare') this.#setDataset(value, value === 'shakespeare');
    else if (this.#own !== null) this.#takeOwn(this.#own);
    this.#show(value === 'own' && this.#own === null);
  }

  #takeOwn(own: { source: Source; isText: boolean }): void {
    this.#own = own;
    // A text is read as the settings say.
    this.#setDataset('own', own.isText);
    this.#take(own.source);
  }

  #setDataset(dataset: DatasetName, isText: boolean): void {
    const { settings, catalogue } = this.#state;
    if (settings.value === null) return;
    settings.value = this.#settings.choose(settings.value, dataset, isText, catalogue.value?.presets ?? []);
  }

  /** The settings name the data. */
  #follow(config: RunConfig | null): void {
    if (config === null) return;
    const { dataset } = config;
    if (dataset !== 'own' && dataset !== nameOf(this.#chosen)) {
      const isOpened = dataset === nameOf(this.#opened);
      this.#take(isOpened ? this.#opened : { kind: 'dataset', dataset });
    }
    this.#show();
  }

  #take(source: Source): void {
    this.#chosen = source;
    this.#show();
    this.#openWhenIdle();
  }

  /** Data are never taken from under a run. */
  #openWhenIdle(): void {
    if (this.waits && this.#state.run.value.phase === 'idle') this.#open();
  }

  /** `lacksOwn`: the list stays at own files as long as it has the focus. */
  #show(lacksOwn = false): void {
    this.#lacksOwn = lacksOwn;
    this.#select.value = lacksOwn ? 'own' : nameOf(this.#chosen);
    this.#pending.hidden = !this.waits && !lacksOwn;
    setText(this.#pending, lacksOwn ? this.#advice : this.waits ? this.#difference : '');
  }

  get #advice(): string {
    return `Press “Choose your files”, or Enter here, to choose them. Until then the page uses ${DATASETS[nameOf(this.#chosen)]}.`;
  }

  get #difference(): string {
    const [chosen, opened] = [this.#chosen, this.#opened].map((source) => DATASETS[nameOf(source)]);
    const other = chosen === opened ? 'your new files' : chosen;
    return `The current run keeps its data, ${opened}. The next run will use ${other}.`;
  }
}

function nameOf(source: Source): DatasetName {
  return source.kind === 'files' ? 'own' : source.dataset;
}
