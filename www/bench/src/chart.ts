/** Samples (of a text, tokens) per second over batch size, both logarithmic: one picture for each model, drawn as SVG. */
import { element } from '../../src/dom.js';
import { formatCompact } from '../../src/format.js';
import { rowsOf } from './results.js';
import type { Cell } from './results.js';
import type { EngineName } from './engine-rows.js';
import { unitOf } from './plan.js';
import type { ModelName, Plan } from './plan.js';

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 640;
const HEIGHT = 360;
const MARGIN = { left: 56, right: 16, top: 12, bottom: 40 };

interface Point {
  batch: number;
  speed: number;
}

export function speedChart(plan: Plan, model: ModelName, cells: readonly Cell[]): HTMLElement {
  const lines = rowsOf(plan).map((row, index) => ({ ...row, index, points: pointsOf(cells, model, row.name) }));
  const drawn = lines.filter((line) => line.points.length > 0);
  const picture = svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': summary(model, drawn) });
  const scale = scaleOf(drawn.flatMap((line) => line.points));
  picture.append(...axes(scale), ...drawn.flatMap((line) => curve(line, scale)));
  const key = element('ul', { class: 'bench-key' }, ...drawn.map((line) => keyEntry(line)));
  return element('figure', { class: 'bench-chart' }, element('figcaption', {}, model), picture, key);
}

function pointsOf(cells: readonly Cell[], model: ModelName, engine: EngineName): Point[] {
  return cells
    .filter((cell) => cell.model === model && cell.engine === engine)
    .flatMap(({ batch, samplesPerSecond }) =>
      samplesPerSecond === null ? [] : [{ batch, speed: samplesPerSecond.median }],
    )
    .sort((left, right) => left.batch - right.batch);
}

function summary(model: ModelName, lines: { label: string; hardware: string; points: Point[] }[]): string {
  const parts = lines.map(({ label, hardware, points }) => {
    const speeds = points.map(({ batch, speed }) => `${formatCompact(speed)} at ${batch}`);
    return `${label} (${hardware}): ${speeds.join(', ')}`;
  });
  return `${unitOf(model)} per second of ${model} by batch size. ${parts.join('; ')}.`;
}

interface Scale {
  x: (batch: number) => number;
  y: (speed: number) => number;
  batches: number[];
  speeds: number[];
}

function scaleOf(points: Point[]): Scale {
  const batches = [...new Set(points.map(({ batch }) => batch))].sort((left, right) => left - right);
  const logarithms = points.map(({ speed }) => Math.log10(speed));
  const [low, high] = [Math.floor(Math.min(...logarithms, 0)), Math.ceil(Math.max(...logarithms, 1))];
  const lowest = Math.max(low, Math.floor(Math.min(...logarithms)));
  const across = (value: number, from: number, to: number): number => (to > from ? (value - from) / (to - from) : 0.5);
  const [first, last] = [Math.log2(batches.at(0) ?? 1), Math.log2(batches.at(-1) ?? 1)];
  return {
    x: (batch) => MARGIN.left + across(Math.log2(batch), first, last) * (WIDTH - MARGIN.left - MARGIN.right),
    y: (speed) => HEIGHT - MARGIN.bottom - across(Math.log10(speed), lowest, high) * (HEIGHT - MARGIN.top - MARGIN.bottom),
    batches,
    speeds: Array.from({ length: Math.max(0, high - lowest + 1) }, (_, index) => 10 ** (lowest + index)),
  };
}

function axes({ x, y, batches, speeds }: Scale): SVGElement[] {
  const text = (content: string, attributes: Record<string, string | number>): SVGElement => {
    const label = svg('text', { class: 'bench-axis', ...attributes });
    label.textContent = content;
    return label;
  };
  return [
    ...speeds.flatMap((speed) => [
      svg('line', { class: 'bench-grid', x1: MARGIN.left, x2: WIDTH - MARGIN.right, y1: y(speed), y2: y(speed) }),
      text(formatCompact(speed), { x: MARGIN.left - 8, y: y(speed) + 4, 'text-anchor': 'end' }),
    ]),
    ...batches.map((batch) => text(formatCompact(batch), { x: x(batch), y: HEIGHT - MARGIN.bottom + 18, 'text-anchor': 'middle' })),
    text('batch size', { x: WIDTH / 2, y: HEIGHT - 4, 'text-anchor': 'middle' }),
  ];
}

/** Ours solid and thick; rivals apart from each other by pattern as well as by colour. */
const PATTERNS = ['', '7 4', '2 3', '9 3 2 3', '4 2', '1 5', '12 4', '5 5'];

interface Line {
  name: EngineName;
  side: string;
  index: number;
  points: Point[];
  label: string;
  hardware: string;
}

/** One colour for each library. */
function hue(name: EngineName): string {
  return `bench-hue-${name.split('-')[0] ?? name}`;
}

function stroke({ name, side, index }: Line): Record<string, string> {
  const pattern = PATTERNS[index % PATTERNS.length] ?? '';
  return { class: `bench-line bench-${side} ${hue(name)}`, 'stroke-dasharray': pattern };
}

function curve(line: Line, { x, y }: Scale): SVGElement[] {
  const corners = line.points.map(({ batch, speed }) => `${x(batch).toFixed(1)},${y(speed).toFixed(1)}`);
  const dots = line.points.map(({ batch, speed }) =>
    svg('circle', { class: `bench-dot ${hue(line.name)}`, cx: x(batch), cy: y(speed), r: 3.5 }),
  );
  return [svg('polyline', { ...stroke(line), points: corners.join(' ') }), ...dots];
}

function keyEntry(line: Line): HTMLElement {
  const sample = svg('svg', { viewBox: '0 0 36 8', width: 36, height: 8, 'aria-hidden': 'true' });
  sample.append(svg('line', { ...stroke(line), x1: 0, x2: 36, y1: 4, y2: 4 }));
  return element('li', {}, sample, ` ${line.label} (${line.hardware})`);
}

function svg(name: string, attributes: Record<string, string | number>): SVGElement {
  const created = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) created.setAttribute(key, String(value));
  return created;
}
