/** A chart as an SVG, drawn from the same data as the one on the page; no size of any screen is in it. */
import type uPlot from 'uplot';
import type { ChartSpec } from '../charts/chart.js';
import type { Line, Mark, Picture } from '../charts/picture.js';
import { decadeSplits, roundSplits } from '../charts/scales.js';
import { formatCompact } from '../format.js';
import { currentPalette, paint } from '../theme.js';

const WIDTH = 800;
const HEIGHT = 400;
const PLOT = { left: 64, top: 84, right: 784, bottom: 352 };
const LEGEND = { left: 16, top: 44, rowHeight: 18 };
const FONT = 'system-ui, sans-serif';

/** Horizontal and vertical positions of values. */
interface Placing {
  x: (value: number) => number;
  y: (value: number) => number;
}

export function chartSvg(spec: ChartSpec, picture: Picture, plot: uPlot): string {
  const low = plot.scales['y']?.min ?? 0;
  const high = plot.scales['y']?.max ?? 1;
  const place = placing(spec.logarithmic, picture.largestX, low, high);
  const ticks = spec.logarithmic ? decadeSplits(low, high) : roundSplits(low, high, 6);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="${FONT}" font-size="12" role="img" aria-label="${escape(`${spec.title}: ${picture.summary}`)}">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="${currentPalette().page}"/>`,
    text(16, 26, spec.title, { fill: currentPalette().strong, 'font-size': '16', 'font-weight': '600' }),
    legend(picture.lines),
    ...ticks.map((value) => horizontalGrid(place.y(value), spec.axisFormat(value))),
    ...roundSplits(0, picture.largestX, 8).map((value) => verticalGrid(place.x(value), formatCompact(value))),
    text((PLOT.left + PLOT.right) / 2, HEIGHT - 12, picture.xLabel, { 'text-anchor': 'middle' }),
    ...picture.marks.map((mark, index) => markOf(mark, index, place)),
    ...picture.lines.map((line) => shapeOf(line, place)),
    '</svg>',
  ].join('\n');
}

function placing(logarithmic: boolean, largestX: number, low: number, high: number): Placing {
  const scale = logarithmic ? Math.log10 : (value: number): number => value;
  const share = (value: number): number => (scale(value) - scale(low)) / (scale(high) - scale(low));
  return {
    x: (value) => PLOT.left + (value / largestX) * (PLOT.right - PLOT.left),
    y: (value) => PLOT.bottom - share(value) * (PLOT.bottom - PLOT.top),
  };
}

function shapeOf(line: Line, place: Placing): string {
  const colour = paint(line.colour);
  if (line.kind === 'points' || line.kind === 'faint-points') {
    const dots = line.x.flatMap((x, row) => {
      const y = line.y[row];
      return y === null || y === undefined ? [] : [`<circle cx="${round(place.x(x))}" cy="${round(place.y(y))}" r="${line.kind === 'points' ? 2 : 1.5}"/>`];
    });
    return `<g fill="${colour}"${line.kind === 'points' ? '' : ' fill-opacity="0.45"'}>${dots.join('')}</g>`;
  }
  const dash = line.dash.length > 0 ? ` stroke-dasharray="${line.dash.join(' ')}"` : '';
  return `<path d="${pathOf(line, place)}" fill="none" stroke="${colour}" stroke-width="${line.width}" stroke-linejoin="round"${dash}/>`;
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

/** One entry after another, in as many rows as they need. */
function legend(lines: readonly Line[]): string {
  let { left, top } = LEGEND;
  const entries = lines
    .filter((line) => line.inLegend)
    .map((line) => {
      const width = 44 + line.label.length * 7;
      if (left + width > PLOT.right && left > LEGEND.left) {
        left = LEGEND.left;
        top += LEGEND.rowHeight;
      }
      const [at, middle] = [left, top];
      left += width;
      const sample: Line = { ...line, kind: line.kind === 'stepped' ? 'line' : line.kind, x: [0, 1], y: [0, 0] };
      return shapeOf(sample, { x: (value) => at + value * 24, y: () => middle }) + text(at + 30, middle + 4, line.label, {});
    });
  return entries.join('\n');
}

function horizontalGrid(top: number, label: string): string {
  return rule(PLOT.left, PLOT.right, top, top) + text(PLOT.left - 8, top + 4, label, { 'text-anchor': 'end' });
}

function verticalGrid(left: number, label: string): string {
  return rule(left, left, PLOT.top, PLOT.bottom) + text(left, PLOT.bottom + 18, label, { 'text-anchor': 'middle' });
}

function rule(x1: number, x2: number, y1: number, y2: number): string {
  return `<line x1="${round(x1)}" x2="${round(x2)}" y1="${round(y1)}" y2="${round(y2)}" stroke="${currentPalette().grid}"/>`;
}

function markOf(mark: Mark, index: number, place: Placing): string {
  const left = round(place.x(mark.x));
  const upright = `<line x1="${left}" x2="${left}" y1="${PLOT.top}" y2="${PLOT.bottom}" stroke="${paint(mark.colour)}" stroke-dasharray="2 3"/>`;
  return upright + text(left + 4, PLOT.top + 12 + (index % 3) * 14, mark.text, { 'font-size': '11' });
}

function text(x: number, y: number, content: string, attributes: Record<string, string>): string {
  const all = { fill: currentPalette().text, ...attributes };
  const written = Object.entries(all).map(([name, value]) => ` ${name}="${value}"`);
  return `<text x="${round(x)}" y="${round(y)}"${written.join('')}>${escape(content)}</text>`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function escape(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
