/** What the engine had to say of the run at hand: it never stands in the way, and stays until the next run. */
import { element, required } from '../dom.js';
import type { PageState } from '../state.js';

/** A GPU that is lost again and again must not fill the page. */
const MOST_NOTES = 6;

export class EngineNotes {
  readonly #list = required('engine-notes', HTMLElement);
  #shown: readonly string[] = [];

  constructor(state: PageState) {
    state.notes.observe((notes) => this.#show(notes));
  }

  /** Notes that stay are left alone, so that a screen reader reads the new ones only. */
  #show(notes: readonly string[]): void {
    if (notes.length < this.#shown.length) this.#list.replaceChildren();
    const known = notes.length < this.#shown.length ? 0 : this.#shown.length;
    this.#list.append(...notes.slice(known).map((note) => element('li', {}, note)));
    while (this.#list.children.length > MOST_NOTES) this.#list.firstElementChild?.remove();
    this.#list.hidden = notes.length === 0;
    this.#shown = notes;
  }
}
