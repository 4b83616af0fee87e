/** How many images of each class the batch holds: ten small bars, each with its number and its name. */
import { element, setText } from '../dom.js';
import { formatCount } from '../format.js';

const CLASSES = 10;

interface Bar {
  root: HTMLElement;
  name: HTMLElement;
  count: HTMLElement;
}

export class ClassCounts {
  readonly #title = element('p', { id: 'class-counts-title', class: 'class-counts-title' });
  readonly #bars = Array.from({ length: CLASSES }, createBar);
  readonly #list = element('dl', { class: 'class-counts-list' }, ...this.#bars.map(({ root }) => root));
  readonly root = element('div', { class: 'class-counts', role: 'group', 'aria-labelledby': 'class-counts-title' }, this.#title, this.#list);

  constructor() {
    this.clear();
  }

  rename(kind: string, names: readonly string[]): void {
    setText(this.#title, `Number of images per ${kind}`);
    this.#bars.forEach(({ name }, index) => setText(name, names[index] ?? String(index)));
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

function createBar(): Bar {
  const name = element('dt');
  const count = element('dd');
  return { root: element('div', { class: 'class-count' }, name, count), name, count };
}
