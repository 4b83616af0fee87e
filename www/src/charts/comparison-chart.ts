/** Batch size, accuracy and noise scale of all runs of a comparison, over one horizontal axis. */
import { formatCompact, formatCount, formatMeasure, formatPercent, formatSize } from '../format.js';
import { noiseScales } from '../runs/noise-scale.js';
import type { TrainedRun } from '../runs/trained-run.js';
import { ACCURACY_PANE, accuracyLine } from './accuracy-chart.js';
import { usedLine } from './batch-chart.js';
import { Chart } from './chart.js';
import type { Line, Picture } from './picture.js';
import { rowsToDraw } from './points.js';
import { drawable, drawnSteps, frame, patternOf, pointsForEach, positions, X_COLUMNS } from './run-view.js';
import type { RunView } from './run-view.js';

const CAPTION =
  'The noise scale is the batch size at which noise and gradient are alike: the variance of the gradients over the squared norm of their mean, smoothed as a ratio of averages.';

export class ComparisonChart {
  readonly chart = new Chart(
    { id: 'comparison', title: 'Batch size', logarithmic: true, wide: true, height: 200, axisFormat: formatCompact },
    { ...ACCURACY_PANE, id: 'comparison-accuracy', height: 170 },
    {
      id: 'comparison-noise',
      title: 'Noise scale',
      logarithmic: true,
      height: 170,
      axisFormat: formatMeasure,
      emptyText: 'The curve starts with the first step whose noise scale is defined.',
    },
  );
  readonly #runs: () => readonly TrainedRun[];

  /** `runs`: those to draw. */
  constructor(runs: () => readonly TrainedRun[]) {
    this.#runs = runs;
  }

  /** `all`: what the other charts draw. */
  draw(all: RunView): void {
    const runs = this.#runs().filter((run) => run.log.length > 0);
    const largestX = Math.max(1e-9, ...runs.map((run) => run.log.last(X_COLUMNS[all.axis]) ?? 0));
    this.chart.show(...picturesOf({ ...all, runs, leading: runs.at(-1) ?? null, largestX }));
  }
}

/** Of a view: one for each pane. */
function picturesOf(view: RunView): Picture[] {
  const { runs } = view;
  const common = { ...frame(view), caption: '' };
  const unmeasured = runs.filter((run) => !noiseScales(run.log).measured).map(({ name }) => name);
  const caption = `${CAPTION}${unmeasured.length === 0 ? '' : ` Not computed: ${unmeasured.join(', ')}.`}${drawnSteps(view)}`;
  const drawn = runs.map((run) => {
    const rows = rowsToDraw(run.log.column('samples'), pointsForEach(view));
    return { run, rows, x: positions(run.log, view.axis, rows) };
  });
  const told = (say: (run: TrainedRun) => string): string => (runs.length === 0 ? 'no steps yet' : runs.map((run) => `${run.name} ${say(run)}`).join('; '));
  return [
    { ...common, caption, lines: drawn.map(({ run, rows, x }) => usedLine(run, rows, x, run.name)), summary: told((run) => `now ${formatCount(run.log.last('samples') ?? 0)}`) },
    {
      ...common,
      lines: runs.map((run) => accuracyLine(view.axis, run, run.name)),
      summary: told((run) => {
        const last = run.evaluations.at(-1);
        return last === undefined ? 'not measured yet' : formatPercent(last.accuracy);
      }),
    },
    { ...common, lines: drawn.map(({ run, rows, x }) => noiseLine(run, rows, x)), summary: told((run) => describeNoiseScale(run)) },
  ];
}

function noiseLine(run: TrainedRun, rows: readonly number[], x: readonly number[]): Line {
  const { values } = noiseScales(run.log);
  const y = rows.map((row) => drawable(values[row], true));
  return { label: run.name, colour: run.slot, kind: 'line', dash: patternOf(run), width: 2, x, y, format: formatSize, inLegend: true };
}

/** The newest noise scale of a run, or why there is none. */
export function describeNoiseScale({ log }: TrainedRun): string {
  const { values, measured } = noiseScales(log);
  if (!measured) return 'not computed';
  const last = values.at(-1);
  return last === undefined || Number.isNaN(last) ? 'undefined: noise dominates' : formatSize(last);
}
