/** What all charts share: a figure with panes over one horizontal axis, caption, table twin and pictures to save. */
import { element, setText } from '../dom.js';
import { chartButtons } from '../export/chart-buttons.js';
import { Pane } from './pane.js';
import type { PaneSpec } from './pane.js';
import { NO_PICTURE } from './picture.js';
import type { Picture } from './picture.js';
import { TableTwin } from './table-twin.js';

export interface ChartSpec extends PaneSpec {
  /** Takes the whole width where charts stand side by side. */
  wide?: boolean;
  /** What it is called where it has several panes. */
  name?: string;
}

export class Chart {
  readonly root: HTMLElement;
  readonly panes: readonly Pane[];
  readonly #caption = element('figcaption', {});
  readonly #table: TableTwin;

  /** `others`: what is drawn below it, over the same horizontal axis. */
  constructor(spec: ChartSpec, ...others: PaneSpec[]) {
    this.panes = [spec, ...others].map((pane) => new Pane(pane));
    const name = spec.name ?? spec.title;
    this.#table = new TableTwin(name);
    this.root = element(
      'figure',
      { class: spec.wide === true ? 'chart chart-wide' : 'chart', id: `chart-${spec.id}` },
      ...this.panes.flatMap(({ head, stage, paper }) => [head, stage, paper]),
      this.#caption,
      element('div', { class: 'chart-tools' }, this.#table.root, chartButtons(this.panes, name)),
    );
  }

  /** Told where the cursor stands on the horizontal axis, or null. */
  set onCursor(listener: (x: number | null) => void) {
    for (const pane of this.panes) pane.onCursor = listener;
  }

  /** Draws one of the panes; the caption is the first one's. */
  show(picture: Picture, index = 0): void {
    this.panes[index]?.show(picture);
    if (index === 0) setText(this.#caption, picture.caption);
    if (index === this.panes.length - 1) this.#table.show(this.#together());
  }

  redraw(): void {
    for (const pane of this.panes) pane.redraw();
  }

  drawForPaper(on: boolean): void {
    for (const pane of this.panes) pane.drawForPaper(on);
  }

  /** The lines of all panes, each named after its own where there are several. */
  #together(): Picture {
    const [first = NO_PICTURE] = this.panes.map(({ picture }) => picture);
    if (this.panes.length === 1) return first;
    return { ...first, lines: this.panes.flatMap(({ picture, spec }) => picture.lines.map((line) => ({ ...line, label: `${line.label}: ${spec.title.toLowerCase()}` }))) };
  }
}
