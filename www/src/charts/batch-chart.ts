/** The batch size, step by step, and the sizes that the test asked for: with its own threshold or with others. */
import { formatCompact, formatCount, formatSize } from '../format.js';
import { usesTest } from '../rule-words.js';
import { requiredAt, thresholdsBeside } from '../runs/thresholds.js';
import type { TrainedRun } from '../runs/trained-run.js';
import { Chart } from './chart.js';
import type { Line, Picture } from './picture.js';
import { rowsToDraw } from './points.js';
import { drawable, drawnSteps, frame, isAlone, labelOf, numbers, patternOf, pointsForEach, positions, secondColour } from './run-view.js';
import type { RunChart, RunView } from './run-view.js';

const CAPTION = 'The batch grows after each step whose batch was too small for the test. Dots are the sizes that would have passed.';
const BESIDE_CAPTION = 'The rule sets the batch size by itself. Dots are the sizes that would have passed the test.';
const WANTED_CAPTION = 'The rule sets the batch size by itself. Dots are the sizes that it wanted, before rounding, limits and waiting.';
const SEVERAL_CAPTION = 'Each run’s rule sets its batch size. Dots are the sizes that the rule or the test wanted, before limits and waiting.';
const NO_TEST_CAPTION = 'There is no test: the rule alone sets the batch size.';
const THRESHOLDS_CAPTION = 'Thin lines: the sizes that each threshold would require at the same steps.';
const OTHER_PATTERNS = [[2, 2], [6, 3], [10, 4, 2, 4]];

export function batchChart(): RunChart {
  const chart = new Chart({
    id: 'batch',
    title: 'Batch size',
    logarithmic: true,
    heading: 'h2',
    namesMarks: true,
    height: 'styled',
    axisFormat: formatCompact,
  });
  const picture = (view: RunView): Picture => ({
    ...frame(view),
    lines: view.runs.flatMap((run) => linesOf(view, run)),
    summary: summarise(view.leading),
    caption: `${captionOf(view)}${drawnSteps(view)}`,
  });
  return { chart, picture };
}

/** Says what is drawn: other thresholds only of the leading run, and only where it has one. */
function captionOf(view: RunView): string {
  const { leading, runs } = view;
  const tests = leading === null ? [view.test] : runs.map((run) => run.latestConfig.test);
  if (tests.every((test) => test === null) && !runs.some(tellsWanted)) return NO_TEST_CAPTION;
  if (leading !== null) {
    const byTest = runs.filter((run) => usesTest(run.latestConfig.controller));
    if (byTest.length === 0) return runs.some(tellsWanted) ? WANTED_CAPTION : BESIDE_CAPTION;
    if (byTest.length < runs.length) return SEVERAL_CAPTION;
  }
  if (!view.thresholds || leading === null || thresholdsBeside(leading.latestConfig.test).length === 0) return CAPTION;
  return isAlone(view) ? THRESHOLDS_CAPTION : `${CAPTION} For ${leading.name}, thin lines show the sizes that each threshold would require at the same steps.`;
}

/** Whether its dots are what a rule of its own wanted, and not what the test required. */
function tellsWanted({ log, latestConfig }: TrainedRun): boolean {
  return !usesTest(latestConfig.controller) && log.column('wanted').some((value) => !Number.isNaN(value));
}

function linesOf(view: RunView, run: TrainedRun): Line[] {
  const { log } = run;
  const rows = rowsToDraw(log.column(view.thresholds ? 'required' : 'samples'), pointsForEach(view));
  const x = positions(log, view.axis, rows);
  const used = usedLine(run, rows, x, labelOf(view, run, 'used'));
  if (view.thresholds && run === view.leading) return [...otherThresholds(view, run, rows, x), used];
  const column = tellsWanted(run) ? 'wanted' : 'required';
  const asked: Line = {
    label: isAlone(view) ? column : `${run.name}, ${column}`,
    colour: secondColour(view, run),
    kind: isAlone(view) ? 'points' : 'faint-points',
    dash: [],
    width: 1,
    x,
    y: numbers(log, column, rows).map((value) => drawable(value, true)),
    format: formatSize,
    inLegend: isAlone(view),
  };
  return [asked, used];
}

/** The sizes that a run's steps had. */
export function usedLine(run: TrainedRun, rows: readonly number[], x: readonly number[], label: string): Line {
  return { label, colour: run.slot, kind: 'stepped', dash: patternOf(run), width: 2.5, x, y: numbers(run.log, 'samples', rows), format: formatCount, inLegend: true };
}

/** The required size scales with one over the threshold squared, so that what is logged tells it for any other. */
function otherThresholds(view: RunView, run: TrainedRun, rows: readonly number[], x: readonly number[]): Line[] {
  return thresholdsBeside(run.latestConfig.test).map(({ value, label }, index) => ({
    label,
    colour: index === 1 ? secondColour(view, run) : 'text',
    kind: 'line',
    dash: OTHER_PATTERNS[index] ?? [],
    width: 1.25,
    x,
    y: rows.map((row) => drawable(requiredAt(run.log, row, value), true)),
    format: formatSize,
    inLegend: true,
  }));
}

function summarise(run: TrainedRun | null): string {
  const first = run?.log.value('samples', 0) ?? null;
  const last = run?.log.last('samples') ?? null;
  return first === null || last === null ? 'no steps yet' : `${last < first ? 'fell' : 'grew'} from ${formatCount(first)} to ${formatCount(last)}`;
}
