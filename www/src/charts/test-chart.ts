import { formatMeasure } from '../format.js';
import type { TrainedRun } from '../runs/trained-run.js';
import { sidesLabels, testSides } from '../test-sides.js';
import { Chart } from './chart.js';
import { curves } from './curve.js';
import type { Line, Picture } from './picture.js';
import { frame, isAlone, patternOf, secondColour } from './run-view.js';
import type { RunChart, RunView } from './run-view.js';

/** The allowed side; where there are several runs, their patterns are taken and it is only thinner. */
const ALLOWED_PATTERN = [6, 4];

export function testChart(): RunChart {
  const chart = new Chart({
    id: 'test',
    title: 'The test’s two sides',
    logarithmic: true,
    wide: true,
    namesMarks: true,
    height: 240,
    axisFormat: formatMeasure,
  });
  const picture = (all: RunView): Picture => {
    // A run without a test has no sides to draw.
    const view: RunView = { ...all, runs: all.runs.filter((run) => run.config.test !== null) };
    const alone = isAlone(all);
    const lines = view.runs.flatMap((run) => linesOf(view, run, alone));
    const overlay = alone || lines.length === 0 ? '' : ' Thin lines: what the test allows in each run.';
    return { ...frame(view), lines, summary: summarise(view.leading), caption: sidesLabels(view.runs.at(-1)?.latestConfig.test ?? view.test).caption + overlay };
  };
  return { chart, picture };
}

function linesOf(view: RunView, run: TrainedRun, alone: boolean): Line[] {
  const labels = sidesLabels(run.latestConfig.test);
  const sides = sidesOf(run);
  return curves(view, run, [
    {
      label: alone ? labels.measured : run.name,
      colour: alone ? secondColour(view, run) : run.slot,
      dash: alone ? [] : patternOf(run),
      width: 1.5,
      logarithmic: true,
      values: sides.measured,
      format: formatMeasure,
    },
    {
      label: alone ? labels.allowed : `${run.name}, allowed`,
      colour: run.slot,
      dash: alone ? ALLOWED_PATTERN : [],
      width: alone ? 1.5 : 0.75,
      logarithmic: true,
      values: sides.allowed,
      format: formatMeasure,
      inLegend: alone,
    },
  ]);
}

interface Sides {
  measured: Float64Array;
  allowed: Float64Array;
}

/** Sides of steps that were there before stay as they are: only new ones are computed. */
const known = new WeakMap<TrainedRun, Sides & { rows: number; firstStep: number; lastStep: number }>();

function sidesOf(run: TrainedRun): Sides {
  const { log } = run;
  const before = known.get(run);
  const stepAt = (row: number): number => log.value('step', row) ?? -1;
  const usable = before !== undefined && before.rows <= log.length && stepAt(before.rows - 1) === before.lastStep;
  const from = usable ? before.rows : 0;
  const measured = extended(usable ? before.measured : null, log.length);
  const allowed = extended(usable ? before.allowed : null, log.length);
  for (let row = from; row < log.length; row += 1) {
    const record = log.record(row);
    const sides = testSides(run.testAt(record.step), record);
    measured[row] = sides.measured ?? NaN;
    allowed[row] = sides.allowed ?? NaN;
  }
  known.set(run, { measured, allowed, rows: log.length, firstStep: stepAt(0), lastStep: stepAt(log.length - 1) });
  return { measured: measured.subarray(0, log.length), allowed: allowed.subarray(0, log.length) };
}

function extended(array: Float64Array | null, length: number): Float64Array {
  if (array !== null && array.length >= length) return array;
  const larger = new Float64Array(Math.max(1024, length * 2));
  if (array !== null) larger.set(array);
  return larger;
}

function summarise(run: TrainedRun | null): string {
  if (run === null || run.log.length === 0) return 'nothing measured yet';
  const record = run.log.record(run.log.length - 1);
  const test = run.testAt(record.step);
  const { measured, allowed } = testSides(test, record);
  if (measured === null || allowed === null) return 'nothing measured yet';
  const labels = sidesLabels(test);
  return `${labels.measured}: ${formatMeasure(measured)}; ${labels.allowed}: ${formatMeasure(allowed)}`;
}
