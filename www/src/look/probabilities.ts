/** Bars: how sure the network is of each class, or of the likeliest of many. */
import { element, setText } from '../dom.js';
import { formatPercent } from '../format.js';

/** More classes than this have no rows of their own: the likeliest are shown. */
const MOST_ROWS = 10;

type Shares = Float32Array | Float64Array;

interface Row {
  root: HTMLElement;
  name: HTMLElement;
  fill: HTMLElement;
  value: HTMLElement;
}

export class Probabilities {
  readonly root = element('div', { class: 'probabilities' });
  /** Read aloud, so it changes only when the answer does. */
  readonly #answer = element('p', { class: 'probabilities-answer', 'aria-live': 'polite' });
  readonly #list = element('ol', { class: 'probabilities-list' });
  #rows: Row[] = [];

  constructor(names: readonly string[]) {
    this.root.append(this.#answer, this.#list);
    this.rename(names);
  }

  rename(names: readonly string[]): void {
    const count = Math.min(names.length, MOST_ROWS);
    if (count !== this.#rows.length) {
      this.#rows = Array.from({ length: count }, createRow);
      this.#list.replaceChildren(...this.#rows.map(({ root }) => root));
    }
    // Of many classes nobody knows yet which they are.
    this.#rows.forEach((row, index) => setText(row.name, names.length > MOST_ROWS ? '–' : (names[index] ?? String(index))));
  }

  show(probabilities: Shares, names: readonly string[]): void {
    const best = probabilities.indexOf(Math.max(...probabilities));
    // Parameters that have grown without limit give no numbers.
    if (best < 0) {
      this.clear('The outputs of the network are not finite numbers, so it predicts nothing.');
      return;
    }
    setText(this.#answer, `The network predicts: ${names[best] ?? best}.`);
    const shown = names.length > MOST_ROWS ? likeliest(probabilities, MOST_ROWS) : this.#rows.map((_, index) => index);
    this.#rows.forEach((row, place) => {
      const index = shown[place] ?? place;
      const share = probabilities[index] ?? 0;
      setText(row.name, names[index] ?? String(index));
      row.fill.style.transform = `scaleX(${share})`;
      setText(row.value, formatPercent(share));
      row.root.classList.toggle('probability-best', index === best);
    });
    this.root.dataset['best'] = String(best);
  }

  clear(why: string): void {
    setText(this.#answer, why);
    for (const row of this.#rows) {
      row.fill.style.transform = 'scaleX(0)';
      setText(row.value, '');
      row.root.classList.remove('probability-best');
    }
    delete this.root.dataset['best'];
  }
}

/** The classes with the largest probabilities, likeliest first. */
function likeliest(probabilities: Shares, count: number): number[] {
  const classes = [...probabilities.keys()];
  return classes.sort((one, other) => (probabilities[other] ?? 0) - (probabilities[one] ?? 0)).slice(0, count);
}

function createRow(): Row {
  const name = element('span', { class: 'probability-name' });
  const fill = element('span', { class: 'probability-fill' });
  const value = element('span', { class: 'probability-value' });
  const track = element('span', { class: 'probability-track' }, fill);
  return { root: element('li', {}, name, track, value), name, fill, value };
}
