/** A chart's legend: colour and pattern of each line, and its value, under the cursor or the latest. */
import { element, setText } from '../dom.js';
import { paintInStyle } from '../theme.js';
import type { Line } from './picture.js';

export class Legend {
  readonly root = element('div', { class: 'chart-legend' });
  #entries: { line: number; value: HTMLElement }[] = [];
  #lines: readonly Line[] = [];

  /** `anew`: other lines, not only other values. */
  take(lines: readonly Line[], anew: boolean): void {
    this.#lines = lines;
    if (!anew) return;
    this.#entries = [];
    this.root.replaceChildren(...lines.flatMap((line, index) => (line.inLegend ? [this.#entry(line, index)] : [])));
  }

  show(valueOf: (line: Line) => number | null): void {
    for (const entry of this.#entries) {
      const line = this.#lines[entry.line];
      const value = line === undefined ? null : valueOf(line);
      setText(entry.value, value === null || line === undefined ? '' : line.format(value));
    }
  }

  #entry(line: Line, index: number): HTMLElement {
    const value = element('span', { class: 'legend-value' });
    this.#entries.push({ line: index, value });
    return element('span', { class: 'legend-entry' }, drawSwatch(line), element('span', { class: 'legend-label', dir: 'auto', title: line.label }, line.label), value);
  }
}

const SVG = 'http://www.w3.org/2000/svg';

/** A short piece of the line, as it is drawn in the chart. */
export function drawSwatch({ colour, kind, dash, width }: Pick<Line, 'colour' | 'kind' | 'dash' | 'width'>): SVGElement {
  const swatch = document.createElementNS(SVG, 'svg');
  const dotted = kind === 'points' || kind === 'faint-points';
  const shape = document.createElementNS(SVG, dotted ? 'circle' : 'line');
  const attributes: Record<string, string> = dotted
    ? { cx: '13', cy: '5', r: '3', fill: 'currentColor' }
    : { x1: '0', x2: '26', y1: '5', y2: '5', stroke: 'currentColor', 'stroke-width': String(Math.max(2, width)), 'stroke-dasharray': dash.join(' ') };
  for (const [name, value] of Object.entries(attributes)) shape.setAttribute(name, value);
  swatch.setAttribute('class', 'legend-swatch');
  swatch.setAttribute('viewBox', '0 0 26 10');
  swatch.setAttribute('aria-hidden', 'true');
  swatch.style.color = paintInStyle(colour);
  swatch.append(shape);
  return swatch;
}
