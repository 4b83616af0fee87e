/** What the network wrote at each measurement of a run, the newest first. */
import { element, setText } from '../dom.js';
import { formatCount, formatPercent } from '../format.js';
import type { SampleReport } from '../protocol.js';

const MOST = 40;
const NOTHING_YET = 'The first text appears with the first measurement.';

export class WrittenSamples {
  readonly #empty = element('p', { class: 'written-empty' }, NOTHING_YET);
  readonly #list = element('ol', { class: 'written-list', reversed: '' });
  readonly root = element('div', { class: 'written', tabindex: '0', role: 'region', 'aria-label': 'What the network wrote' }, this.#empty, this.#list);
  #shown: { step: number; root: HTMLElement }[] = [];

  /** One that is written again, because the run goes on from before it, takes its own place. */
  add({ step, accuracy, text }: SampleReport): void {
    this.#remove((shown) => shown.step === step);
    const head = element('p', { class: 'written-head' }, `After step ${formatCount(step)}: ${formatPercent(accuracy)} of the test text predicted correctly`);
    const body = element('p', { class: 'written-text', dir: 'auto' });
    setText(body, text);
    const root = element('li', { 'data-step': String(step) }, head, body);
    this.#list.prepend(root);
    this.#shown.unshift({ step, root });
    for (const { root: oldest } of this.#shown.splice(MOST)) oldest.remove();
    this.#empty.hidden = true;
  }

  cutAfter(step: number): void {
    this.#remove((shown) => shown.step > step);
  }

  clear(): void {
    this.#remove(() => true);
  }

  #remove(goes: (shown: { step: number }) => boolean): void {
    for (const shown of this.#shown) if (goes(shown)) shown.root.remove();
    this.#shown = this.#shown.filter((shown) => !goes(shown));
    this.#empty.hidden = this.#shown.length > 0;
  }
}
