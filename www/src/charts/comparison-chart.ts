/** Batch size, accuracy and noise scale of all runs of a comparison, over one horizontal axis. */
import { formatCompact, formatCount, formatPercent, formatSize } from '../format.js';
import { noiseScales } from '../runs/noise-scale.js';
import type { TrainedRun } from '../runs/trained-run.js';
import { accuracyLine, CLOSE_UP_PANE } from './accuracy-chart.js';
import { usedLine } from './batch-chart.js';
import { Chart } from './chart.js';
import type { Line, Picture } from './picture.js';
import { rowsToDraw } from './points.js';
import { drawable, drawnSteps, frame, patternOf, pointsForEach, positions, X_COLUMNS } from './run-view.js';
import type { RunView } from './run-view.js';

const CAPTION =
  'The noise scale is the batch size at which noise and gradient are of equal size: the variance of the gradients over the squared norm of their mean, smoothed as a ratio of averages.';

export class ComparisonChart {
  readonly chart = new Chart(
    { id: 'comparison', name: 'Comparison', title: 'Batch size', logarithmic: true, wide: true, height: 200, axisFormat: formatCompact },
    { ...CLOSE_UP_PANE, id: 'comparison-accuracy', height: 170 },
    {
      id: 'comparison-noise',
      title: 'Noise scale',
      logarithmic: true,
      height: 170,
      axisFormat: formatCompact,
      emptyText: 'The curve starts with the first step whose noise scale is defined.',
    },
  );
  readonly #runs: () => readonly TrainedRun[];

  /** `runs`: those to draw. */
  constructor(runs: () => readonly TrainedRun[]) {
    this.#runs = runs;
  }

  /** One drawing for each pane, of what the other charts are given. */
  get drawings(): ((all: RunView) => void)[] {
    return PICTURES.map((picture, index) => (all) => this.chart.show(picture(this.#viewOf(all)), index));
  }

  #viewOf(all: RunView): RunView {
    const runs = this.#runs().filter((run) => run.log.length > 0);
    const largestX = Math.max(1e-9, ...runs.map((run) => run.log.last(X_COLUMNS[all.axis]) ?? 0));
    return { ...all, runs, leading: runs.at(-1) ?? null, largestX };
  }
}

/** For each pane. */
const PICTURES: readonly ((view: RunView) => Picture)[] = [
  (view) => {
    const unmeasured = view.runs.filter((run) => !noiseScales(run.log).measured).map(({ name }) => name);
    return {
      ...frame(view),
      lines: stepLines(view, (run, rows, x) => usedLine(run, rows, x, run.name)),
      summary: summaryOf(view, ({ log }) => `now ${formatCount(log.last('samples') ?? 0)}`),
      caption: `${CAPTION}${unmeasured.length === 0 ? '' : ` Not computed: ${unmeasured.join(', ')}.`}${drawnSteps(view)}`,
    };
  },
  (view) => ({
    ...frame(view),
    lines: view.runs.map((run) => accuracyLine(view.axis, run, run.name)),
    summary: summaryOf(view, ({ evaluations }) => {
      const last = evaluations.at(-1);
      return last === undefined ? 'not measured yet' : formatPercent(last.accuracy);
    }),
    caption: '',
  }),
  (view) => ({ ...frame(view), lines: stepLines(view, noiseLine), summary: summaryOf(view, describeNoiseScale), caption: '' }),
];

/** A line for each run, over its steps. */
function stepLines(view: RunView, line: (run: TrainedRun, rows: readonly number[], x: readonly number[]) => Line): Line[] {
  return view.runs.map((run) => {
    const rows = rowsToDraw(run.log.column('samples'), pointsForEach(view));
    return line(run, rows, positions(run.log, view.axis, rows));
  });
}

function summaryOf({ runs }: RunView, say: (run: TrainedRun) => string): string {
  return runs.length === 0 ? 'no steps yet' : runs.map((run) => `${run.name} ${say(run)}`).join('; ');
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
  return last === undefined || Number.isNaN(last) ? 'noise dominates' : formatSize(last);
}
