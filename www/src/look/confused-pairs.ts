/** The classes that are mistaken for one another most often: for so many classes that a table of all pairs tells nothing. */
import { element, setText } from '../dom.js';
import { formatCount, formatPercent } from '../format.js';

const MOST_PAIRS = 12;

interface Pair {
  label: number;
  predicted: number;
  count: number;
}

export class ConfusedPairs {
  readonly root = element('ol', { class: 'confused-pairs' });

  /** `counts`: a row for each class, how often its images were taken for each. */
  show(counts: readonly number[], names: readonly string[]): void {
    const pairs = mostConfused(counts, names.length);
    this.root.dataset['total'] = String(counts.reduce((sum, count) => sum + count, 0));
    while (this.root.children.length > pairs.length) this.root.lastElementChild?.remove();
    while (this.root.children.length < pairs.length) this.root.append(element('li'));
    pairs.forEach(({ label, predicted, count }, index) => {
      const item = this.root.children[index];
      const total = counts.slice(label * names.length, (label + 1) * names.length).reduce((sum, of) => sum + of, 0);
      const words = `${names[label] ?? label} classified as ${names[predicted] ?? predicted}: ${formatCount(count)} of ${formatCount(total)} (${formatPercent(count / total)})`;
      if (item instanceof HTMLElement) setText(item, words);
    });
  }

  clear(): void {
    this.root.replaceChildren();
    delete this.root.dataset['total'];
  }
}

/** Most frequent first; of equal ones, in the order of classes. */
export function mostConfused(counts: readonly number[], classes: number): Pair[] {
  return counts
    .map((count, index) => ({ label: Math.floor(index / classes), predicted: index % classes, count }))
    .filter(({ label, predicted, count }) => label !== predicted && count > 0)
    .sort((one, other) => other.count - one.count)
    .slice(0, MOST_PAIRS);
}
