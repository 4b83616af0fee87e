/** A chart as a PNG: what is drawn on the page, under its title and legend, on the page's ground. */
import { currentPalette, paint } from '../theme.js';
import type { DrawnPart } from './drawn-part.js';
import { LEGEND_FONT, layOutLegend, ROW_HEIGHT, SAMPLE_WIDTH } from './legend-layout.js';
import type { LegendEntry } from './legend-layout.js';

const MARGIN = 12;
const TITLE_BASE = 22;
/** The middle of the legend's first row. */
const LEGEND_TOP = 40;

/** One part below the other. Null: the browser makes no picture of this size. */
export function chartPng(parts: readonly DrawnPart[]): Promise<Blob | null> {
  const canvases = parts.map(canvasOf);
  const [first] = canvases;
  const whole = first === undefined || first === null || canvases.length === 1 ? first : stacked(canvases);
  return whole === undefined || whole === null ? Promise.resolve(null) : new Promise((resolve) => whole.toBlob(resolve, 'image/png'));
}

function stacked(canvases: readonly (HTMLCanvasElement | null)[]): HTMLCanvasElement | null {
  const drawn = canvases.filter((canvas) => canvas !== null);
  const whole = document.createElement('canvas');
  const context = whole.getContext('2d');
  if (context === null) return null;
  whole.width = Math.max(...drawn.map(({ width }) => width));
  whole.height = drawn.reduce((sum, { height }) => sum + height, 0);
  let top = 0;
  for (const canvas of drawn) {
    context.drawImage(canvas, 0, top);
    top += canvas.height;
  }
  return whole;
}

function canvasOf({ spec, picture, plot }: DrawnPart): HTMLCanvasElement | null {
  const drawn = plot.ctx.canvas;
  const scale = drawn.width / plot.width;
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d');
  if (context === null) return null;
  context.font = LEGEND_FONT;
  const { entries, rows } = layOutLegend(picture.lines, plot.width, (text) => context.measureText(text).width);
  const head = LEGEND_TOP + (rows - 1) * ROW_HEIGHT + 16;
  canvas.width = drawn.width + 2 * MARGIN * scale;
  canvas.height = drawn.height + (head + MARGIN) * scale;
  const palette = currentPalette();
  context.fillStyle = palette.page;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(drawn, MARGIN * scale, head * scale);
  context.scale(scale, scale);
  context.fillStyle = palette.strong;
  context.font = '600 16px system-ui, sans-serif';
  context.fillText(spec.title, MARGIN, TITLE_BASE);
  context.font = LEGEND_FONT;
  for (const entry of entries) drawEntry(context, entry);
  return canvas;
}

function drawEntry(context: CanvasRenderingContext2D, { line, label, left, textLeft, row }: LegendEntry): void {
  const [from, middle] = [MARGIN + left, LEGEND_TOP + row * ROW_HEIGHT];
  context.strokeStyle = context.fillStyle = paint(line.colour);
  context.lineWidth = Math.max(2, line.width);
  context.setLineDash([...line.dash]);
  context.beginPath();
  if (line.kind === 'points' || line.kind === 'faint-points') {
    context.arc(from + SAMPLE_WIDTH / 2, middle, 3, 0, 2 * Math.PI);
    context.fill();
  } else {
    context.moveTo(from, middle);
    context.lineTo(from + SAMPLE_WIDTH, middle);
    context.stroke();
  }
  context.fillStyle = currentPalette().text;
  context.fillText(label, MARGIN + textLeft, middle + 4);
}

/** Whether a picture can be read back as it was painted: browsers that protect against fingerprinting give noise. */
export function picturesAreTrue(): boolean {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [16, 16];
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) return false;
  try {
    context.fillStyle = '#3465a4';
    context.fillRect(0, 0, 16, 16);
    const { data } = context.getImageData(0, 0, 16, 16);
    return data.every((value, index) => value === [0x34, 0x65, 0xa4, 0xff][index % 4]);
  } catch {
    return false;
  }
}
