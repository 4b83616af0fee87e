/** A chart as an SVG, drawn from the same data as the one on the page; no size of any screen is in it. */
import type uPlot from 'uplot';
import type { PaneSpec } from '../charts/pane.js';
import type { Line, Mark, Picture } from '../charts/picture.js';
import { pointsOnLine } from '../charts/points.js';
import { decadeSplits, roundSplits } from '../charts/scales.js';
import { setAttributes, svgElement } from '../figure/svg.js';
import { formatCompact } from '../format.js';
import { currentPalette, paint, paintInStyle } from '../theme.js';
import type { Colour } from '../theme.js';
import type { DrawnPart } from './drawn-part.js';
import { layOutLegend, ROW_HEIGHT, SAMPLE_WIDTH, textMeasure } from './legend-layout.js';

const WIDTH = 800;
const PLOT_HEIGHT = 268;
const SIDES = { left: 64, right: 784 };
const LEGEND = { left: 16, top: 44 };
/** From the legend's last row to the plot, and from the plot to the lower edge. */
const BELOW_LEGEND = 40;
const BELOW_PLOT = 48;
const FONT = 'system-ui, sans-serif';

/** How colours are written. */
interface Inks {
  line: (colour: Colour) => string;
  text: string;
  strong: string;
  grid: string;
  /** Null: none is painted. */
  ground: string | null;
}

/** Horizontal and vertical positions of values. */
interface Placing {
  top: number;
  bottom: number;
  x: (value: number) => number;
  y: (value: number) => number;
}

/** For a file: with the colours that the page has now, one part below the other. */
export function chartSvg(parts: readonly DrawnPart[]): string {
  const { text, strong, grid, page } = currentPalette();
  const drawings = parts.map(({ spec, picture, plot }) => drawChart(spec, picture, plot, { line: paint, text, strong, grid, ground: page }));
  return new XMLSerializer().serializeToString(stacked(drawings));
}

function stacked(drawings: readonly SVGSVGElement[]): SVGSVGElement {
  const [only] = drawings;
  if (only !== undefined && drawings.length === 1) return only;
  const labels = drawings.map((drawing) => drawing.getAttribute('aria-label') ?? '');
  let height = 0;
  for (const drawing of drawings) {
    const [, , , own = 0] = (drawing.getAttribute('viewBox') ?? '').split(' ').map(Number);
    setAttributes(drawing, { x: 0, y: height, width: WIDTH, height: own });
    height += own;
  }
  const svg = svgElement('svg', { viewBox: `0 0 ${WIDTH} ${height}`, role: 'img', 'aria-label': labels.join('; ') });
  svg.append(...drawings);
  return svg;
}

/** For the page itself: the style sheet says what its colours are, on paper too. */
export function chartOnPaper(spec: PaneSpec, picture: Picture, plot: uPlot): SVGSVGElement {
  return drawChart(spec, picture, plot, { line: paintInStyle, text: 'var(--text-muted)', strong: 'var(--text)', grid: 'var(--grid)', ground: null });
}

function drawChart(spec: PaneSpec, picture: Picture, plot: uPlot, inks: Inks): SVGSVGElement {
  const low = plot.scales['y']?.min ?? 0;
  const high = plot.scales['y']?.max ?? 1;
  const legend = layOutLegend(picture.lines, SIDES.right - LEGEND.left, widened(textMeasure()));
  const top = LEGEND.top + (legend.rows - 1) * ROW_HEIGHT + BELOW_LEGEND;
  const place = placing(spec.logarithmic, picture.largestX, [low, high], top);
  const height = place.bottom + BELOW_PLOT;
  const ticks = spec.logarithmic ? decadeSplits(low, high) : roundSplits(low, high, 6);
  const pen = new Pen(inks);
  const svg = svgElement('svg', {
    viewBox: `0 0 ${WIDTH} ${height}`,
    'font-family': FONT,
    'font-size': 12,
    direction: 'ltr',
    role: 'img',
    'aria-label': `${spec.title}: ${picture.summary}`,
  });
  if (inks.ground !== null) svg.append(svgElement('rect', { width: WIDTH, height, fill: inks.ground }));
  svg.append(
    pen.text(16, 26, spec.title, { fill: inks.strong, 'font-size': 16, 'font-weight': 600 }),
    ...legend.entries.flatMap(({ line, label, left, textLeft, row }) => {
      const middle = LEGEND.top + row * ROW_HEIGHT;
      return [...pen.sample(line, LEGEND.left + left, middle), pen.text(LEGEND.left + textLeft, middle + 4, label)];
    }),
    ...ticks.flatMap((value) => pen.horizontalGrid(place.y(value), spec.axisFormat(value))),
    ...roundSplits(0, picture.largestX, 8).flatMap((value) => pen.verticalGrid(place.x(value), place, formatCompact(value))),
    pen.text((SIDES.left + SIDES.right) / 2, height - 12, picture.xLabel, { 'text-anchor': 'middle' }),
    ...picture.marks.flatMap((mark, index) => pen.mark(mark, index, place)),
    ...picture.lines.flatMap((line) => pen.line(line, place)),
  );
  return svg;
}

/** Where the file is opened, other fonts may be wider. */
function widened(measure: (text: string) => number): (text: string) => number {
  return (text) => 1.1 * measure(text);
}

function placing(logarithmic: boolean, largestX: number, [low, high]: [number, number], top: number): Placing {
  const bottom = top + PLOT_HEIGHT;
  const scale = logarithmic ? Math.log10 : (value: number): number => value;
  const share = (value: number): number => (scale(value) - scale(low)) / (scale(high) - scale(low));
  return {
    top,
    bottom,
    x: (value) => SIDES.left + (value / largestX) * (SIDES.right - SIDES.left),
    y: (value) => bottom - share(value) * (bottom - top),
  };
}

type Attributes = Record<string, string | number>;

/** Draws the parts of a chart with the inks it is given. */
class Pen {
  readonly #inks: Inks;

  constructor(inks: Inks) {
    this.#inks = inks;
  }

  text(x: number, y: number, content: string, attributes: Attributes = {}): SVGElement {
    const created = svgElement('text', { x, y, fill: this.#inks.text, ...attributes });
    created.textContent = content;
    return created;
  }

  /** The line, and its points that would not be seen otherwise. */
  line(line: Line, place: Placing): SVGElement[] {
    const colour = this.#inks.line(line.colour);
    const dots = (rows: Iterable<number>, radius: number): SVGElement[] =>
      [...rows].flatMap((row) => {
        const [x, y] = [line.x[row], line.y[row]];
        return x === undefined || y === null || y === undefined ? [] : [svgElement('circle', { cx: place.x(x), cy: place.y(y), r: radius })];
      });
    if (line.kind === 'points' || line.kind === 'faint-points') {
      const group = svgElement('g', { fill: colour, ...(line.kind === 'points' ? {} : { 'fill-opacity': 0.45 }) });
      group.append(...dots(line.x.keys(), line.kind === 'points' ? 2 : 1.5));
      return [group];
    }
    const points = svgElement('g', { fill: colour });
    points.append(...dots(pointsOnLine(line.y), Math.max(2, line.width / 2 + 1)));
    return [this.#stroke(pathOf(line, place), line), points];
  }

  /** A short piece of the line, for the legend. */
  sample(line: Line, left: number, middle: number): SVGElement[] {
    if (line.kind === 'points' || line.kind === 'faint-points') {
      return [svgElement('circle', { cx: left + SAMPLE_WIDTH / 2, cy: middle, r: 3, fill: this.#inks.line(line.colour) })];
    }
    return [this.#stroke(`M${left} ${middle}h${SAMPLE_WIDTH}`, { ...line, width: Math.max(2, line.width) })];
  }

  #stroke(d: string, { colour, width, dash }: Line): SVGElement {
    const path = svgElement('path', { d, fill: 'none', stroke: this.#inks.line(colour), 'stroke-width': width, 'stroke-linejoin': 'round' });
    if (dash.length > 0) setAttributes(path, { 'stroke-dasharray': dash.join(' ') });
    return path;
  }

  horizontalGrid(y: number, label: string): SVGElement[] {
    return [this.#rule(SIDES.left, SIDES.right, y, y), this.text(SIDES.left - 8, y + 4, label, { 'text-anchor': 'end' })];
  }

  verticalGrid(x: number, { top, bottom }: Placing, label: string): SVGElement[] {
    return [this.#rule(x, x, top, bottom), this.text(x, bottom + 18, label, { 'text-anchor': 'middle' })];
  }

  #rule(x1: number, x2: number, y1: number, y2: number): SVGElement {
    return svgElement('line', { x1, x2, y1, y2, stroke: this.#inks.grid });
  }

  /** An upright with its words, on the side where there is more room. */
  mark(mark: Mark, index: number, place: Placing): SVGElement[] {
    const x = place.x(mark.x);
    const upright = svgElement('line', { x1: x, x2: x, y1: place.top, y2: place.bottom, stroke: this.#inks.line(mark.colour), 'stroke-dasharray': '2 3' });
    const left = x > (SIDES.left + SIDES.right) / 2;
    const words = this.text(x + (left ? -4 : 4), place.top + 12 + (index % 3) * 14, mark.text, { 'font-size': 11, 'text-anchor': left ? 'end' : 'start' });
    return [upright, words];
  }
}

function pathOf(line: Line, place: Placing): string {
  const parts: string[] = [];
  let pen = false;
  line.x.forEach((x, row) => {
    const y = line.y[row];
    if (y === null || y === undefined) {
      pen = false;
      return;
    }
    const [left, top] = [round(place.x(x)), round(place.y(y))];
    // As on the page: a batch holds for the images up to the point where it was logged.
    if (!pen) parts.push(`M${left} ${top}`);
    else if (line.kind === 'stepped') parts.push(`V${top}H${left}`);
    else parts.push(`L${left} ${top}`);
    pen = true;
  });
  return parts.join('');
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
