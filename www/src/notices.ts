/** What went wrong, in words and with the way on; and how far the download is. */
import { required, setText } from './dom.js';
import { formatMegabytes } from './format.js';
import { MOST_TRIES } from './start/stall-watch.js';
import { isOfRun } from './state.js';
import type { DataState, PageState, Stall, Trouble } from './state.js';

export class Notices {
  readonly #box = required('notice', HTMLElement);
  readonly #title = required('notice-title', HTMLElement);
  readonly #text = required('notice-text', HTMLElement);
  readonly #retry = required('notice-retry', HTMLButtonElement);
  readonly #download = required('download', HTMLElement);
  readonly #downloadBar = required('download-bar', HTMLProgressElement);
  readonly #downloadText = required('download-text', HTMLElement);

  constructor(state: PageState, retry: () => void) {
    this.#retry.addEventListener('click', () => (state.trouble.value?.kind === 'start' ? location.reload() : retry()));
    state.trouble.observe((trouble) => this.#showTrouble(trouble));
    const showDownload = (): void => this.#showDownload(state.data.value, state.stall.value);
    state.data.observe(showDownload);
    state.stall.observe(showDownload);
  }

  #showTrouble(trouble: Trouble | null): void {
    this.#box.hidden = trouble === null;
    if (trouble === null) {
      delete this.#box.dataset['kind'];
      return;
    }
    this.#box.dataset['kind'] = trouble.kind;
    setText(this.#retry, trouble.kind === 'start' ? 'Reload the page' : 'Try again');
    this.#retry.hidden = trouble.kind === 'unsupported' || isOfRun(trouble);
    setText(this.#title, troubleTitle(trouble.kind));
    setText(this.#text, `${trouble.message} ${troubleAdvice(trouble.kind)}`.trim());
  }

  #showDownload(data: DataState, stall: Stall): void {
    this.#download.hidden = data.name === 'ready' || data.name === 'unusable';
    if (data.name === 'checking') {
      this.#downloadBar.value = 1;
      setText(this.#downloadText, `Checking the data…${describeStall(stall)}`);
    } else if (data.name === 'downloading') {
      this.#downloadBar.value = data.totalBytes > 0 ? data.receivedBytes / data.totalBytes : 0;
      setText(this.#downloadText, describeDownload(data.receivedBytes, data.totalBytes) + describeStall(stall));
    }
  }
}

function describeDownload(received: number, total: number): string {
  if (total === 0) return 'Loading the data…';
  return `Loading the data: ${formatMegabytes(received)} of ${formatMegabytes(total)}`;
}

function describeStall({ quietSeconds, tries }: Stall): string {
  const quiet = quietSeconds > 0 ? ` Nothing has arrived for ${quietSeconds} seconds.` : '';
  return tries > 1 ? `${quiet} Try ${tries} of ${MOST_TRIES}.` : quiet;
}

function troubleTitle(kind: Trouble['kind']): string {
  return {
    data: 'The training data cannot be used',
    files: 'Your data files cannot be used',
    refused: 'The run could not start',
    unresumed: 'The run could not be continued',
    training: 'The run has stopped',
    start: 'The training program could not be loaded',
    crash: 'The training program has stopped',
    stalled: 'The download has stopped',
    unsupported: 'This page cannot train here',
  }[kind];
}

function troubleAdvice(kind: Trouble['kind']): string {
  return {
    data: 'The problem is not in your browser. Try again, or contact the operator of this site.',
    files: 'Choose other files, or another data set, under Data.',
    refused: 'Change the setting that the message names, and start again.',
    unresumed: 'It stays saved in this browser: reload the page to discard it, or to try again with the data that it was trained on. A new run can start at any time.',
    training: 'Lower the learning rate or change another setting, and start again; or go back to an earlier step below.',
    start: 'Reload the page: a newer version may have replaced it, or a file did not arrive.',
    stalled: 'Check the connection, then try again.',
    crash: 'Try again, and start a new run; smaller batches or a smaller model need less memory.',
    unsupported: '',
  }[kind];
}
