/** Tells what was done with files that were chosen or dropped: in view wherever the page is scrolled to, until closed. */
import { required, setText } from '../dom.js';
import { summary } from './inbox.js';
import type { FileAnswer } from './inbox.js';

export class FilesNote {
  readonly #root = required('files-note', HTMLElement);
  readonly #text = required('files-note-text', HTMLElement);
  readonly #run = required('run', HTMLElement);
  /** What had the focus before the note came. */
  #before: Element | null = null;

  constructor() {
    required('files-note-close', HTMLButtonElement).addEventListener('click', () => this.clear());
  }

  tell(answers: readonly FileAnswer[]): void {
    if (!this.#root.contains(document.activeElement)) this.#before = document.activeElement;
    // In this order, so that a screen reader reads it.
    this.#root.hidden = false;
    setText(this.#text, summary(answers));
  }

  clear(): void {
    if (this.#root.contains(document.activeElement)) this.#giveFocusBack();
    this.#root.hidden = true;
    setText(this.#text, '');
  }

  /** What stands beside the note in the document is the page's end: nobody wants to be led there. */
  #giveFocusBack(): void {
    const before = this.#before;
    const isThere = before instanceof HTMLElement && before !== document.body && before.getClientRects().length > 0;
    (isThere ? before : this.#run).focus({ preventScroll: true });
  }
}
