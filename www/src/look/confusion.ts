/** The confusion matrix as a real table: rows are what the images are, columns what they were taken for. */
import { element, setText } from '../dom.js';
import { formatCount, formatPercent } from '../format.js';

const STEPS: Record<string, readonly [number, number]> = {
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
};

export class ConfusionTable {
  readonly root = element('div', { class: 'confusion' });
  readonly #detail = element('p', { class: 'confusion-detail', 'aria-live': 'polite' });
  readonly #scroll = element('div', { class: 'confusion-scroll' });
  #cells: HTMLTableCellElement[] = [];
  #rowHeads: HTMLTableCellElement[] = [];
  #columnHeads: HTMLTableCellElement[] = [];
  #counts: readonly number[] = [];
  #names: readonly string[] = [];
  /** The cell that Tab reaches; the arrow keys move it. */
  #current = 0;

  constructor(names: readonly string[]) {
    this.root.append(this.#scroll, this.#detail);
    this.rename(names);
  }

  rename(names: readonly string[]): void {
    const isOtherSize = names.length !== this.#names.length;
    this.#names = names;
    if (isOtherSize) this.#create();
    names.forEach((name, index) => {
      for (const head of [this.#rowHeads[index], this.#columnHeads[index]]) {
        // Long names would make the table wider than a phone.
        if (head !== undefined) head.replaceChildren(element('abbr', { title: name }, name.slice(0, 2)));
      }
    });
  }

  show(counts: readonly number[]): void {
    this.#counts = counts;
    this.#cells.forEach((cell, index) => {
      const count = counts[index] ?? 0;
      const share = this.#rowTotal(index) === 0 ? 0 : count / this.#rowTotal(index);
      setText(cell, formatPlain(count));
      // Square roots, so that a few mistakes can be seen beside a thousand right answers.
      cell.style.setProperty('--shade', `${(Math.sqrt(share) * 42).toFixed(1)}%`);
      cell.classList.toggle('confusion-none', count === 0);
    });
    this.root.dataset['total'] = String(counts.reduce((sum, count) => sum + count, 0));
    if (this.#cells.includes(document.activeElement as HTMLTableCellElement)) this.#describe(this.#current);
  }

  clear(): void {
    this.#counts = [];
    for (const cell of this.#cells) {
      setText(cell, '');
      cell.style.setProperty('--shade', '0%');
    }
    setText(this.#detail, '');
    delete this.root.dataset['total'];
  }

  #create(): void {
    [this.#cells, this.#rowHeads, this.#columnHeads, this.#current] = [[], [], [], 0];
    const table = this.#createTable();
    table.style.setProperty('--classes', String(this.#names.length));
    this.#scroll.replaceChildren(table);
    this.clear();
  }

  #createTable(): HTMLTableElement {
    const heads = element('tr', {}, element('td', { class: 'confusion-corner' }));
    for (let column = 0; column < this.#names.length; column += 1) {
      const head = element('th', { scope: 'col' });
      this.#columnHeads.push(head);
      heads.append(head);
    }
    const body = element('tbody');
    for (let row = 0; row < this.#names.length; row += 1) body.append(this.#createRow(row));
    const caption = element('caption', {}, 'Rows: true class. Columns: predicted class.');
    return element('table', { class: 'confusion-table' }, caption, element('thead', {}, heads), body);
  }

  #createRow(row: number): HTMLTableRowElement {
    const head = element('th', { scope: 'row' });
    this.#rowHeads.push(head);
    const line = element('tr', {}, head);
    for (let column = 0; column < this.#names.length; column += 1) {
      const index = row * this.#names.length + column;
      const kind = row === column ? 'confusion-right' : 'confusion-wrong';
      const cell = element('td', { class: kind, tabindex: index === 0 ? '0' : '-1' });
      cell.addEventListener('focus', () => this.#choose(index));
      cell.addEventListener('pointerenter', () => this.#describe(index));
      cell.addEventListener('keydown', (event) => this.#key(event, index));
      this.#cells.push(cell);
      line.append(cell);
    }
    return line;
  }

  #key(event: KeyboardEvent, index: number): void {
    const step = STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const classes = this.#names.length;
    const inside = (value: number): number => Math.min(classes - 1, Math.max(0, value));
    const row = inside(Math.floor(index / classes) + step[0]);
    const column = inside((index % classes) + step[1]);
    this.#cells[row * classes + column]?.focus();
  }

  #choose(index: number): void {
    this.#cells[this.#current]?.setAttribute('tabindex', '-1');
    this.#current = index;
    this.#cells[index]?.setAttribute('tabindex', '0');
    this.#describe(index);
  }

  #describe(index: number): void {
    if (this.#counts.length === 0) return;
    const count = this.#counts[index] ?? 0;
    const total = this.#rowTotal(index);
    const classes = this.#names.length;
    const label = this.#names[Math.floor(index / classes)] ?? '';
    const predicted = this.#names[index % classes] ?? '';
    const share = formatPercent(total === 0 ? 0 : count / total);
    const end = label === predicted ? 'classified correctly' : `classified as ${predicted}`;
    setText(this.#detail, `${formatCount(count)} of the ${formatCount(total)} images of ${label} are ${end} (${share}).`);
  }

  #rowTotal(index: number): number {
    const classes = this.#names.length;
    const row = Math.floor(index / classes);
    return this.#counts.slice(row * classes, (row + 1) * classes).reduce((sum, count) => sum + count, 0);
  }
}

/** Without a comma: a cell is narrow. */
function formatPlain(count: number): string {
  return String(count);
}
