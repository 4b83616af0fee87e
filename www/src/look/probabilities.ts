/** Ten bars: how sure the network is of each class. */
import { element, setText } from '../dom.js';
import { formatPercent } from '../format.js';

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
  readonly #rows: Row[];

  constructor(names: readonly string[]) {
    this.#rows = names.map((name) => createRow(name));
    const list = element('ol', { class: 'probabilities-list' }, ...this.#rows.map((row) => row.root));
    this.root.append(this.#answer, list);
  }

  rename(names: readonly string[]): void {
    this.#rows.forEach((row, index) => setText(row.name, names[index] ?? String(index)));
  }

  show(probabilities: Float32Array, names: readonly string[]): void {
    const best = probabilities.indexOf(Math.max(...probabilities));
    // Parameters that have grown without limit give no numbers.
    if (best < 0) {
      this.clear('The outputs of the network are not finite numbers, so it predicts nothing.');
      return;
    }
    setText(this.#answer, `The network predicts: ${names[best] ?? best}.`);
    this.#rows.forEach((row, index) => {
      const share = probabilities[index] ?? 0;
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

function createRow(text: string): Row {
  const name = element('span', { class: 'probability-name' }, text);
  const fill = element('span', { class: 'probability-fill' });
  const value = element('span', { class: 'probability-value' });
  const track = element('span', { class: 'probability-track' }, fill);
  return { root: element('li', {}, name, track, value), name, fill, value };
}
