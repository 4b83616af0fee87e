/** Tells what was done with files that were chosen or dropped: in view wherever the page is scrolled to, until closed. */
import { required, setText } from '../dom.js';
import { summary } from './inbox.js';
import type { FileAnswer } from './inbox.js';

export class FilesNote {
  readonly #root = required('files-note', HTMLElement);
  readonly #text = required('files-note-text', HTMLElement);

  constructor() {
    required('files-note-close', HTMLButtonElement).addEventListener('click', () => this.clear());
  }

  tell(answers: readonly FileAnswer[]): void {
    // In this order, so that a screen reader reads it.
    this.#root.hidden = false;
    setText(this.#text, summary(answers));
  }

  clear(): void {
    this.#root.hidden = true;
    setText(this.#text, '');
  }
}
