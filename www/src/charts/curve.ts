/** A noisy curve: the logged values as they are, and a smoothed line over them where one is asked for. */
import type { TrainedRun } from '../runs/trained-run.js';
import type { Colour } from '../theme.js';
import type { Line } from './picture.js';
import { rowsToDraw, smooth } from './points.js';
import { drawable, pointsForEach, positions } from './run-view.js';
import type { RunView } from './run-view.js';

interface CurveSpec {
  label: string;
  colour: Colour;
  dash: readonly number[];
  width: number;
  logarithmic: boolean;
  /** One value for each logged step; NaN where there is none. */
  values: Float64Array;
  format: (value: number) => string;
  inLegend?: boolean;
}

/** Curves of one run over the same steps: those that the first curve has its extremes at. */
export function curves(view: RunView, run: TrainedRun, specs: CurveSpec[]): Line[] {
  const first = specs[0];
  if (first === undefined) return [];
  const rows = rowsToDraw(first.values, pointsForEach(view));
  const x = positions(run.log, view.axis, rows);
  return specs.flatMap((spec) => {
    const { label, colour, format, inLegend = true } = spec;
    const at = (values: Float64Array): (number | null)[] => rows.map((row) => drawable(values[row], spec.logarithmic));
    const line: Line = { label, colour, kind: 'line', dash: spec.dash, width: spec.width, x, y: at(spec.values), format, inLegend };
    if (view.smoothing === 0) return [line];
    const smoothed: Line = { ...line, y: at(smooth(spec.values, view.smoothing, spec.logarithmic)), told: line.y };
    return [{ ...line, kind: 'faint-points', dash: [], inLegend: false }, smoothed];
  });
}
