/** The same as the chart, as a table: for those who do not see the chart. Made only when it is opened. */
import { element } from '../dom.js';
import { formatCount, formatMeasure } from '../format.js';
import { toldAt } from './picture.js';
import type { Line, Picture } from './picture.js';

const MOST_ROWS = 50;
const REBUILD_MILLISECONDS = 3000;

export class TableTwin {
  readonly root: HTMLDetailsElement;
  readonly #scroller = element('div', { class: 'table-scroller', tabindex: '0', role: 'region' });
  #picture: Picture | null = null;
  #builtAt = -Infinity;

  constructor(title: string) {
    this.root = element('details', { class: 'table-twin' }, element('summary', {}, 'As a table'), this.#scroller);
    this.#scroller.setAttribute('aria-label', `${title}, as a table`);
    this.root.addEventListener('toggle', () => {
      if (this.root.open) this.#build();
      else this.#scroller.replaceChildren();
    });
  }

  show(picture: Picture): void {
    this.#picture = picture;
    if (this.root.open && performance.now() - this.#builtAt > REBUILD_MILLISECONDS) this.#build();
  }

  #build(): void {
    this.#builtAt = performance.now();
    // Faint points are what the smoothed curve beside them tells.
    const lines = this.#picture?.lines.filter((line) => line.x.length > 0 && (line.inLegend || line.kind !== 'faint-points')) ?? [];
    if (this.#picture === null || lines.length === 0) this.#scroller.replaceChildren(element('p', {}, 'Nothing to show yet.'));
    else this.#scroller.replaceChildren(...tables(lines, this.#picture.xLabel));
  }
}

/** One table for each set of positions: runs step at different ones. */
function tables(lines: Line[], xLabel: string): HTMLTableElement[] {
  const positions = [...new Set(lines.map((line) => line.x))];
  const most = Math.max(5, Math.floor(MOST_ROWS / positions.length));
  return positions.map((x) => table(x, lines.filter((line) => line.x === x), xLabel, most));
}

function table(x: readonly number[], lines: Line[], xLabel: string, most: number): HTMLTableElement {
  const head = element('tr', {}, ...[xLabel, ...lines.map((line) => line.label)].map((text) => element('th', { scope: 'col' }, text)));
  const rows = evenly(x.length, most).map((row) => {
    const cells = lines.map((line) => element('td', {}, formatCell(line, row)));
    return element('tr', {}, element('th', { scope: 'row' }, formatPosition(x[row] ?? 0)), ...cells);
  });
  return element('table', {}, element('thead', {}, head), element('tbody', {}, ...rows));
}

function formatCell(line: Line, row: number): string {
  const value = toldAt(line, row);
  return value === null ? '' : line.format(value);
}

function formatPosition(value: number): string {
  return Number.isInteger(value) ? formatCount(value) : formatMeasure(value);
}

/** So many rows of `length`, the first and the last among them. */
function evenly(length: number, most: number): number[] {
  if (length <= most) return Array.from({ length }, (_, index) => index);
  return Array.from({ length: most }, (_, index) => Math.round((index * (length - 1)) / (most - 1)));
}
