/** What is drawn under one title: legend, uPlot canvas, and the drawing for paper. A chart has one, or several over one axis. */
import uPlot from 'uplot';
import { element } from '../dom.js';
import { chartOnPaper } from '../export/chart-svg.js';
import { lastAtMost } from '../runs/step-log.js';
import { roomOn } from '../stage.js';
import { canPaint, NO_CANVAS } from './can-paint.js';
import { Legend } from './legend.js';
import { NO_PICTURE, signature, toldAt } from './picture.js';
import type { Line, Picture } from './picture.js';
import { inTableOrder, tableOf } from './plot-data.js';
import { plotOptions } from './plot-options.js';
import type { PlotSpec } from './plot-options.js';

export interface PaneSpec extends PlotSpec {
  id: string;
  title: string;
  heading?: 'h2' | 'h3';
  /** In pixels; 'styled': the style sheet's. */
  height?: number | 'styled';
  emptyText?: string;
}

const HEIGHT = 210;

export class Pane {
  readonly spec: PaneSpec;
  readonly head: HTMLElement;
  readonly stage: HTMLElement;
  readonly paper = element('div', { class: 'chart-paper' });
  /** Told where the cursor stands on the horizontal axis, or null. */
  onCursor: (x: number | null) => void = () => undefined;
  readonly #empty: HTMLElement;
  readonly #legend = new Legend();
  #plot: uPlot | null = null;
  #picture: Picture = NO_PICTURE;
  /** The picture's lines in the order of the plot's series. */
  #lines: Line[] = [];
  #signature = signature(NO_PICTURE);

  constructor(spec: PaneSpec) {
    this.spec = spec;
    this.head = element('div', { class: 'chart-head', 'data-pane': spec.id }, element(spec.heading ?? 'h3', {}, spec.title), this.#legend.root);
    this.stage = element('div', { class: 'chart-stage', 'data-pane': spec.id, role: 'img', 'aria-label': `${spec.title}: no steps yet` });
    const emptyText = canPaint() ? (spec.emptyText ?? 'The curve starts with the first step.') : NO_CANVAS;
    this.#empty = element('p', { class: 'chart-empty' }, element('span', {}, emptyText));
    if (spec.height !== 'styled') this.stage.style.height = `${spec.height ?? HEIGHT}px`;
    this.stage.append(this.#empty);
    new ResizeObserver(() => this.#resize()).observe(this.stage);
  }

  get picture(): Picture {
    return this.#picture;
  }

  /** Null until the chart has a width, and where the browser has no canvas. */
  get plot(): uPlot | null {
    return this.#plot;
  }

  show(picture: Picture): void {
    this.#picture = picture;
    this.#lines = inTableOrder(picture.lines);
    const next = signature({ ...picture, lines: this.#lines });
    this.#legend.take(this.#lines, next !== this.#signature);
    this.#empty.hidden = canPaint() && picture.lines.some((line) => line.y.some((value) => value !== null));
    this.stage.setAttribute('aria-label', `${this.spec.title}: ${picture.summary}`);
    if (next !== this.#signature) {
      this.#signature = next;
      this.#plot?.destroy();
      this.#plot = null;
      this.#resize();
    } else {
      this.#plot?.setData(tableOf(this.#lines));
    }
    this.#showLatestValues();
  }

  redraw(): void {
    this.#plot?.redraw(false, true);
  }

  /** For printing: vectors instead of a canvas that is as wide as the screen and has its colours. */
  drawForPaper(on: boolean): void {
    const drawing = on && this.#plot !== null && this.#empty.hidden ? [chartOnPaper(this.spec, this.#picture, this.#plot)] : [];
    this.paper.replaceChildren(...drawing);
  }

  #resize(): void {
    const { width, height: room } = roomOn(this.stage);
    const height = this.spec.height === 'styled' ? room : (this.spec.height ?? HEIGHT);
    if (width <= 0 || !canPaint()) return;
    if (this.#plot === null) this.#plot = this.#createPlot(width, height);
    else if (this.#plot.width !== width || this.#plot.height !== height) this.#plot.setSize({ width, height });
  }

  #createPlot(width: number, height: number): uPlot {
    const options = plotOptions({
      ...this.spec,
      width,
      height,
      lines: this.#lines,
      picture: () => this.#picture,
      onCursor: (plot) => this.#showCursor(plot),
    });
    return new uPlot(options, tableOf(this.#lines), this.stage);
  }

  #showLatestValues(): void {
    this.#legend.show((line) => toldAt(line, line.x.length - 1));
  }

  /** Values under the cursor are those of steps that were logged: each line's own, nearest to it. */
  #showCursor(plot: uPlot): void {
    const { idx, idxs, left } = plot.cursor;
    if (idx === null || idx === undefined) {
      this.#showLatestValues();
      if (plot.cursor.event !== undefined) this.onCursor(null);
      return;
    }
    this.#legend.show((line) => {
      const x = plot.data[0][idxs?.[this.#lines.indexOf(line) + 1] ?? idx] ?? 0;
      return toldAt(line, Math.max(0, lastAtMost(line.x, x)));
    });
    if (left !== undefined && left >= 0) this.onCursor(plot.posToVal(left, 'x'));
  }
}
