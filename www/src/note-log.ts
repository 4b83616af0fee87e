/** Sentences about the run at hand: they never stand in the way, and stay until the next run. */
import { element, required } from './dom.js';
import type { Observable } from './observable.js';

/** A GPU that is lost again and again must not fill the page. */
const MOST_NOTES = 6;

export class NoteLog<Note> {
  readonly #list: HTMLElement;
  readonly #words: (note: Note) => string;
  #shown: readonly Note[] = [];

  constructor(id: string, notes: Observable<readonly Note[]>, words: (note: Note) => string) {
    this.#list = required(id, HTMLElement);
    this.#words = words;
    notes.observe((all) => this.#show(all));
  }

  /** Notes that stay are left alone, so that a screen reader reads the new ones only. */
  #show(notes: readonly Note[]): void {
    if (notes.length < this.#shown.length) this.#list.replaceChildren();
    const known = notes.length < this.#shown.length ? 0 : this.#shown.length;
    this.#list.append(...notes.slice(known).map((note) => element('p', {}, this.#words(note))));
    while (this.#list.children.length > MOST_NOTES) this.#list.firstElementChild?.remove();
    this.#list.hidden = notes.length === 0;
    this.#shown = notes;
  }
}
