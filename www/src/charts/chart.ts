/** What all charts share: a figure with panes over one horizontal axis, caption, table twin and pictures to save. */
import { element, setText } from '../dom.js';
import { chartButtons } from '../export/chart-buttons.js';
import { Pane } from './pane.js';
import type { PaneSpec } from './pane.js';
import type { Picture } from './picture.js';
import { TableTwin } from './table-twin.js';

export interface ChartSpec extends PaneSpec {
  /** Takes the whole width where charts stand side by side. */
  wide?: boolean;
}

export class Chart {
  readonly root: HTMLElement;
  readonly panes: readonly Pane[];
  readonly #caption = element('figcaption', {});
  readonly #table: TableTwin;

  /** `others`: what is drawn below it, over the same horizontal axis. */
  constructor(spec: ChartSpec, ...others: PaneSpec[]) {
    this.panes = [spec, ...others].map((pane) => new Pane(pane));
    this.#table = new TableTwin([spec, ...others].map(({ title }) => title).join(', '));
    this.root = element(
      'figure',
      { class: spec.wide === true ? 'chart chart-wide' : 'chart', id: `chart-${spec.id}` },
      ...this.panes.flatMap(({ head, stage, paper }) => [head, stage, paper]),
      this.#caption,
      element('div', { class: 'chart-tools' }, this.#table.root, chartButtons(this.panes)),
    );
  }

  /** Told where the cursor stands on the horizontal axis, or null. */
  set onCursor(listener: (x: number | null) => void) {
    for (const pane of this.panes) pane.onCursor = listener;
  }

  /** One picture for each pane; the caption is the first one's. */
  show(...pictures: Picture[]): void {
    pictures.forEach((picture, index) => this.panes[index]?.show(picture));
    const [first] = pictures;
    if (first === undefined) return;
    setText(this.#caption, first.caption);
    this.#table.show(pictures.length === 1 ? first : this.#together(first, pictures));
  }

  redraw(): void {
    for (const pane of this.panes) pane.redraw();
  }

  drawForPaper(on: boolean): void {
    for (const pane of this.panes) pane.drawForPaper(on);
  }

  /** The lines of all panes, each named after its own. */
  #together(first: Picture, pictures: readonly Picture[]): Picture {
    const titleOf = (index: number): string => this.panes[index]?.spec.title.toLowerCase() ?? '';
    return { ...first, lines: pictures.flatMap(({ lines }, index) => lines.map((line) => ({ ...line, label: `${line.label}: ${titleOf(index)}` }))) };
  }
}
