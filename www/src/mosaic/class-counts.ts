/** How many images of each class the batch holds: small bars, each with its number and its name; of many classes bars alone. */
import { element, setText } from '../dom.js';
import { formatCount } from '../format.js';

/** More classes have no room for their names. */
const MOST_NAMED = 26;
const MOST_IN_ROW = 10;

interface Bar {
  root: HTMLElement;
  name: HTMLElement;
  count: HTMLElement;
}

export class ClassCounts {
  readonly #title = element('p', { id: 'class-counts-title', class: 'class-counts-title' });
  readonly #list = element('dl', { class: 'class-counts-list' });
  readonly root = element('div', { class: 'class-counts', role: 'group', 'aria-labelledby': 'class-counts-title' }, this.#title, this.#list);
  #bars: Bar[] = [];

  rename(kind: string, names: readonly string[]): void {
    setText(this.#title, `Number of images per ${kind}`);
    if (names.length !== this.#bars.length) {
      this.#bars = names.map(createBar);
      this.#list.replaceChildren(...this.#bars.map(({ root }) => root));
      this.#list.style.setProperty('--columns', String(columnsFor(names.length)));
      this.#list.classList.toggle('class-counts-many', names.length > MOST_NAMED);
      this.#list.classList.toggle('class-counts-rows', names.length > MOST_IN_ROW && names.length <= MOST_NAMED);
      this.clear();
    }
    this.#bars.forEach(({ root, name }, index) => {
      const text = names[index] ?? String(index);
      setText(name, text);
      if (names.length > MOST_NAMED) root.title = text;
      else root.removeAttribute('title');
    });
    // Words need more room than figures.
    this.#list.classList.toggle('class-counts-words', names.some((name) => name.length > 2));
  }

  show(counts: Uint32Array): void {
    const most = Math.max(1, ...counts);
    this.#bars.forEach(({ root, count }, index) => {
      const found = counts[index] ?? 0;
      setText(count, formatCount(found));
      root.style.setProperty('--share', (found / most).toFixed(3));
    });
  }

  clear(): void {
    for (const { root, count } of this.#bars) {
      setText(count, '–');
      root.style.setProperty('--share', '0');
    }
  }
}

/** One row, or two of about the same length. */
function columnsFor(classes: number): number {
  if (classes <= MOST_IN_ROW || classes > MOST_NAMED) return classes;
  return Math.ceil(classes / 2);
}

function createBar(): Bar {
  const name = element('dt');
  const count = element('dd');
  return { root: element('div', { class: 'class-count' }, name, count), name, count };
}
