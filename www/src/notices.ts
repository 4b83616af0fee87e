/** What went wrong, in words and with the way on; and how far the download is. */
import { required, setText } from './dom.js';
import { formatMegabytes } from './format.js';
import type { DataState, PageState, Trouble } from './state.js';

export class Notices {
  readonly #box = required('notice', HTMLElement);
  readonly #title = required('notice-title', HTMLElement);
  readonly #text = required('notice-text', HTMLElement);
  readonly #retry = required('notice-retry', HTMLButtonElement);
  readonly #download = required('download', HTMLElement);
  readonly #downloadBar = required('download-bar', HTMLProgressElement);
  readonly #downloadText = required('download-text', HTMLElement);

  constructor(state: PageState, retry: () => void) {
    this.#retry.addEventListener('click', retry);
    state.trouble.observe((trouble) => this.#showTrouble(trouble));
    state.data.observe((data) => this.#showDownload(data));
  }

  #showTrouble(trouble: Trouble | null): void {
    this.#box.hidden = trouble === null;
    if (trouble === null) {
      delete this.#box.dataset['kind'];
      return;
    }
    this.#box.dataset['kind'] = trouble.kind;
    this.#retry.hidden = trouble.kind === 'unsupported' || trouble.kind === 'training';
    setText(this.#title, troubleTitle(trouble.kind));
    setText(this.#text, `${trouble.message} ${troubleAdvice(trouble.kind)}`.trim());
  }

  #showDownload(data: DataState): void {
    this.#download.hidden = data.name === 'ready' || data.name === 'unusable';
    if (data.name === 'checking') {
      this.#downloadBar.value = 1;
      setText(this.#downloadText, 'Checking the images…');
    } else if (data.name === 'downloading') {
      this.#downloadBar.value = data.totalBytes > 0 ? data.receivedBytes / data.totalBytes : 0;
      setText(this.#downloadText, describeDownload(data.receivedBytes, data.totalBytes));
    }
  }
}

function describeDownload(received: number, total: number): string {
  if (total === 0) return 'Loading the images…';
  return `Loading the images: ${formatMegabytes(received)} of ${formatMegabytes(total)}`;
}

function troubleTitle(kind: Trouble['kind']): string {
  return {
    data: 'The training data cannot be used',
    training: 'The run has stopped',
    crash: 'The training program has stopped',
    unsupported: 'This browser cannot run the training',
  }[kind];
}

function troubleAdvice(kind: Trouble['kind']): string {
  return {
    data: 'Your browser is fine. Try again, or tell the operator of this site.',
    training: 'Lower the learning rate or change another setting, and start again; or go back to an earlier step below.',
    crash: 'Load it again and restart; smaller batches or a smaller model need less memory.',
    unsupported: '',
  }[kind];
}
