/** How uPlot draws a picture: the page's colours, axes without frames, one cursor through all charts. */
import uPlot from 'uplot';
import { formatCompact } from '../format.js';
import { currentPalette, paint } from '../theme.js';
import type { Line, Picture } from './picture.js';
import { pointsOnLine } from './points.js';
import { decadeSplits, linearRange, logarithmicRange } from './scales.js';

export const FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
const SMALL_FONT = '11px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
const SYNC_KEY = 'run';

export interface PlotSpec {
  logarithmic: boolean;
  axisFormat: (value: number) => string;
  range?: (low: number, high: number) => [number, number];
  /** Marks say what they are; in small charts they would only be in the way. */
  namesMarks?: boolean;
}

interface PlotSource extends PlotSpec {
  width: number;
  height: number;
  lines: readonly Line[];
  picture: () => Picture;
  onCursor: (plot: uPlot) => void;
}

export function plotOptions(source: PlotSource): uPlot.Options {
  const { logarithmic, axisFormat } = source;
  const isEmpty = (): boolean => source.picture().lines.every((line) => line.x.length === 0);
  // An axis without a curve would only tell the made-up range.
  const vertical = axis((value) => (isEmpty() ? '' : axisFormat(value)), 48, 32);
  const horizontal = axis((value) => (isEmpty() ? '' : formatCompact(value)), 30, 60);
  return {
    width: source.width,
    height: source.height,
    legend: { show: false },
    padding: [10, 18, 0, 0],
    cursor: {
      y: false,
      drag: { x: false, y: false },
      points: { size: 7 },
      sync: { key: SYNC_KEY, scales: ['x', null] },
    },
    scales: { x: { time: false, range: () => [0, source.picture().largestX] }, y: verticalScale(source) },
    axes: [horizontal, logarithmic ? { ...vertical, splits: (_plot, _axis, low, high) => decadeSplits(low, high), filter: (_plot, splits) => splits } : vertical],
    series: [{}, ...source.lines.map(seriesOptions)],
    hooks: { setCursor: [source.onCursor], draw: [(plot) => drawMarks(plot, source.picture(), source.namesMarks === true)] },
  };
}

function verticalScale({ logarithmic, range }: PlotSource): uPlot.Scale {
  const choose = (_plot: uPlot, low: number | null, high: number | null): [number, number] => {
    if (low === null || high === null) return logarithmic ? [1, 10] : [0, 1];
    if (range !== undefined) return range(low, high);
    return logarithmic ? logarithmicRange(low, high) : linearRange(low, high);
  };
  return logarithmic ? { distr: 3, log: 10, range: choose } : { range: choose };
}

function axis(format: (value: number) => string, size: number, space: number): uPlot.Axis {
  return {
    stroke: () => currentPalette().text,
    font: FONT,
    size,
    space,
    gap: 6,
    grid: { stroke: () => currentPalette().grid, width: 1 },
    ticks: { show: false },
    border: { show: false },
    values: (_plot, splits) => splits.map(format),
  };
}

function seriesOptions(line: Line): uPlot.Series {
  const faint = line.kind === 'faint-points';
  const dotted = faint || line.kind === 'points';
  const stroke = (): string => paint(line.colour) + (faint ? '70' : '');
  const stepped = line.kind === 'stepped' ? uPlot.paths.stepped?.({ align: -1 }) : undefined;
  return {
    label: line.label,
    stroke,
    width: line.width,
    ...(line.dash.length === 0 ? {} : { dash: [...line.dash] }),
    ...(stepped === undefined ? {} : { paths: stepped }),
    ...(dotted ? { paths: () => null } : {}),
    points: {
      show: dotted,
      // Which of a line's points are drawn beside it.
      filter: (plot, series, show) => (show ? null : pointsOnLine(plot.data[series] ?? [])),
      size: faint ? 3.5 : Math.max(4, line.width + 2),
      stroke,
      fill: stroke,
      width: 0,
    },
  };
}

/** A dashed upright where something was changed, and what it was beside it. */
function drawMarks(plot: uPlot, { marks }: Picture, named: boolean): void {
  const { ctx, bbox } = plot;
  const scale = devicePixelRatio;
  ctx.save();
  ctx.font = SMALL_FONT.replace(/^\d+/, (size) => String(Number(size) * scale));
  ctx.textBaseline = 'top';
  ctx.lineWidth = scale;
  marks.forEach(({ x, text, colour }, index) => {
    const left = Math.round(plot.valToPos(x, 'x', true));
    ctx.strokeStyle = paint(colour);
    ctx.setLineDash([2 * scale, 3 * scale]);
    ctx.beginPath();
    ctx.moveTo(left, bbox.top);
    ctx.lineTo(left, bbox.top + bbox.height);
    ctx.stroke();
    if (!named) return;
    ctx.fillStyle = currentPalette().text;
    const fits = left + ctx.measureText(text).width + 4 * scale < bbox.left + bbox.width;
    ctx.textAlign = fits ? 'left' : 'right';
    // Neighbours' words stand one below the other.
    ctx.fillText(text, left + (fits ? 4 : -4) * scale, bbox.top + (index % 3) * 14 * scale);
  });
  ctx.restore();
}
