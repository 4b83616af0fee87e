/** What every chart is given; each takes what it draws. */
import type { BatchTest } from '../../pkg/adadagrad_web.js';
import type { StepColumn, StepLog } from '../runs/step-log.js';
import type { TimedEvaluation, TrainedRun } from '../runs/trained-run.js';
import type { HorizontalAxis } from '../state.js';
import { PATTERNS } from '../theme.js';
import type { Colour } from '../theme.js';
import type { Chart } from './chart.js';
import type { Mark, Picture } from './picture.js';

export interface RunView {
  /** The runs to draw; the leading one last, so that it lies on top. */
  runs: readonly TrainedRun[];
  leading: TrainedRun | null;
  axis: HorizontalAxis;
  /** From 0 (none) to below 1. */
  smoothing: number;
  /** What other thresholds would have required is drawn as well. */
  thresholds: boolean;
  /** The test of the leading run, or of the settings where there is no run. */
  test: BatchTest | null;
  largestX: number;
}

/** A chart, and what it draws of a view. */
export interface RunChart {
  readonly chart: Chart;
  picture(view: RunView): Picture;
}

export const X_COLUMNS: Record<HorizontalAxis, StepColumn> = { samples: 'samples_seen', steps: 'step', seconds: 'elapsed' };

const X_LABELS: Record<HorizontalAxis, string> = { samples: 'Samples seen', steps: 'Step', seconds: 'Seconds of training' };

/** Points that one chart draws altogether. */
const MOST_POINTS = 1400;
const FEWEST_POINTS = 250;

export function pointsForEach({ runs }: RunView): number {
  return Math.max(FEWEST_POINTS, Math.floor(MOST_POINTS / Math.max(1, runs.length)));
}

export function isAlone({ runs }: RunView): boolean {
  return runs.length === 1;
}

/** The colour for a run's second line: where it is alone the page's other one, or else its own. */
export function secondColour(view: RunView, run: TrainedRun): Colour {
  if (!isAlone(view)) return run.slot;
  return run.slot === 1 ? 'accent' : 'contrast';
}

export function patternOf(run: TrainedRun): readonly number[] {
  return PATTERNS[run.slot] ?? [];
}

/** What a line is called: its role where one run is drawn, the run's name where there are more. */
export function labelOf(view: RunView, run: TrainedRun, role: string): string {
  return isAlone(view) ? role : run.name;
}

export function numbers(log: StepLog, column: StepColumn, rows: readonly number[]): (number | null)[] {
  return rows.map((row) => log.value(column, row));
}

export function positions(log: StepLog, axis: HorizontalAxis, rows: readonly number[]): number[] {
  return rows.map((row) => log.value(X_COLUMNS[axis], row) ?? 0);
}

export function evaluationPosition(axis: HorizontalAxis, evaluation: TimedEvaluation): number {
  return { samples: evaluation.samples_seen, steps: evaluation.step, seconds: evaluation.elapsed }[axis];
}

/** What all pictures of a view have in common. */
export function frame(view: RunView): Pick<Picture, 'marks' | 'xLabel' | 'largestX'> {
  return { marks: marks(view), xLabel: X_LABELS[view.axis], largestX: view.largestX };
}

/** Of each run, the newest: beyond it there is no telling one from the next. */
const MOST_MARKS = 100;

function marks({ runs, axis }: RunView): Mark[] {
  return runs.flatMap((run) =>
    run.changes.slice(-MOST_MARKS).map(({ step, samplesSeen, elapsed, text }) => ({ x: { samples: samplesSeen, steps: step, seconds: elapsed }[axis], text, colour: run.slot })),
  );
}

/** Says in the caption when a chart does not draw every step. */
export function drawnSteps(view: RunView): string {
  const longest = Math.max(0, ...view.runs.map((run) => run.log.length));
  return longest > pointsForEach(view) ? ' For long runs, the lowest and highest value of each interval of steps are drawn.' : '';
}

/** Says in the caption that lines are smoothed, and where the values themselves are. */
export function smoothedWords({ smoothing, runs }: RunView): string {
  return smoothing === 0 || runs.length === 0 ? '' : ' Lines are smoothed; faint dots are the values before smoothing.';
}

/** Beyond it, the ends of a range and the marks between them could not be computed any more. */
const LARGEST_DRAWN = 1e300;

/** The value, where an axis has a place for it: a logarithmic one has none for zero, and none has one for what overflowed. */
export function drawable(value: number | null | undefined, logarithmic: boolean): number | null {
  if (value === null || value === undefined || !(Math.abs(value) <= LARGEST_DRAWN)) return null;
  return logarithmic && value < 1 / LARGEST_DRAWN ? null : value;
}
