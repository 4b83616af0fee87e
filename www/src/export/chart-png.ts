/** A chart as a PNG: what is drawn on the page, under its title and legend, on the page's ground. */
import type uPlot from 'uplot';
import type { ChartSpec } from '../charts/chart.js';
import type { Line, Picture } from '../charts/picture.js';
import { currentPalette, paint } from '../theme.js';

const HEAD = 56;
const MARGIN = 12;

export function chartPng(spec: ChartSpec, picture: Picture, plot: uPlot): Promise<Blob | null> {
  const drawn = plot.ctx.canvas;
  const scale = drawn.width / plot.width;
  const canvas = document.createElement('canvas');
  canvas.width = drawn.width + 2 * MARGIN * scale;
  canvas.height = drawn.height + (HEAD + MARGIN) * scale;
  const context = canvas.getContext('2d');
  if (context === null) return Promise.resolve(null);
  const palette = currentPalette();
  context.fillStyle = palette.page;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(drawn, MARGIN * scale, HEAD * scale);
  context.scale(scale, scale);
  context.fillStyle = palette.strong;
  context.font = '600 16px system-ui, sans-serif';
  context.fillText(spec.title, MARGIN, 22);
  context.font = '12px system-ui, sans-serif';
  drawLegend(context, picture.lines.filter((line) => line.inLegend));
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
}

function drawLegend(context: CanvasRenderingContext2D, lines: Line[]): void {
  let left = MARGIN;
  for (const line of lines) {
    context.strokeStyle = context.fillStyle = paint(line.colour);
    context.lineWidth = Math.max(2, line.width);
    context.setLineDash([...line.dash]);
    context.beginPath();
    if (line.kind === 'points' || line.kind === 'faint-points') {
      context.arc(left + 12, 40, 3, 0, 2 * Math.PI);
      context.fill();
    } else {
      context.moveTo(left, 40);
      context.lineTo(left + 24, 40);
      context.stroke();
    }
    context.fillStyle = currentPalette().text;
    context.fillText(line.label, left + 30, 44);
    left += 46 + context.measureText(line.label).width;
  }
}
