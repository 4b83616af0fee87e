import { formatMeasure } from '../format.js';
import { usesTest } from '../rule-words.js';
import type { TrainedRun } from '../runs/trained-run.js';
import { sidesLabels, testSides } from '../test-sides.js';
import { Chart } from './chart.js';
import { curves } from './curve.js';
import type { Line, Picture } from './picture.js';
import { drawnSteps, frame, patternOf, secondColour, smoothedWords } from './run-view.js';
import type { RunChart, RunView } from './run-view.js';

/** How a run's two sides are told apart, in lines and in words: the caption can only say what is drawn. */
interface Manner {
  dash: (run: TrainedRun) => { measured: readonly number[]; allowed: readonly number[] };
  width: { measured: number; allowed: number };
  /** The reading of the two lines, but for what follows from it. */
  rule: string;
}

const GROWS = 'the batch is too small, and the next one is larger, as far as the settings allow.';
/** Where another rule than AdAdaGrad decides. */
const IS_SMALL = 'the batch is too small for the test.';

/** Patterns tell the sides apart. */
const ALONE: Manner = {
  dash: () => ({ measured: [], allowed: [6, 4] }),
  width: { measured: 1.5, allowed: 1.5 },
  rule: `Where the solid line (measured) is above the dashed line (allowed), `,
};

/** Colours and patterns tell the runs apart, so only the width is left for the sides. */
const TOGETHER: Manner = {
  dash: (run) => ({ measured: patternOf(run), allowed: patternOf(run) }),
  width: { measured: 2, allowed: 0.75 },
  rule: `Each run has a thick line (measured) and a thin one of the same colour (allowed). Where the thick line is above the thin one, `,
};

export function testChart(): RunChart {
  const chart = new Chart({
    id: 'test',
    title: 'The two sides of the test',
    emptyText: 'The lines start with the first step that can be tested.',
    logarithmic: true,
    namesMarks: true,
    axisFormat: formatMeasure,
  });
  const picture = (all: RunView): Picture => {
    // A run without a test has no sides to draw.
    const runs = all.runs.filter((run) => run.config.test !== null);
    const view: RunView = { ...all, runs, leading: runs.at(-1) ?? null };
    const alone = all.runs.length <= 1;
    const manner = alone ? ALONE : TOGETHER;
    return {
      ...frame(view),
      lines: runs.flatMap((run) => linesOf(view, run, manner)),
      summary: summarise(view.leading, alone),
      caption: caption(view, manner),
    };
  };
  return { chart, picture };
}

/** What each of the tests drawn compares, and how to read the lines. */
function caption(view: RunView, manner: Manner): string {
  const tests = view.runs.length === 0 ? [view.test] : view.runs.map((run) => run.latestConfig.test);
  const compared = [...new Set(tests.map((test) => sidesLabels(test).caption))];
  if (tests.every((test) => test === null)) return compared.join(' ');
  const follows = view.runs.every((run) => usesTest(run.latestConfig.controller)) ? GROWS : IS_SMALL;
  return `${compared.join(' ')} ${manner.rule}${follows}${smoothedWords(view)}${drawnSteps(view)}`;
}

function linesOf(view: RunView, run: TrainedRun, manner: Manner): Line[] {
  const labels = sidesLabels(run.latestConfig.test);
  const sides = sidesOf(run);
  const alone = manner === ALONE;
  const dash = manner.dash(run);
  return curves(view, run, [
    {
      label: alone ? labels.measured : run.name,
      colour: alone ? secondColour(view, run) : run.slot,
      dash: dash.measured,
      width: manner.width.measured,
      logarithmic: true,
      values: sides.measured,
      format: formatMeasure,
    },
    {
      label: alone ? labels.allowed : `${run.name}, allowed`,
      colour: run.slot,
      dash: dash.allowed,
      width: manner.width.allowed,
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

function summarise(run: TrainedRun | null, alone: boolean): string {
  if (run === null || run.log.length === 0) return 'nothing measured yet';
  const record = run.log.record(run.log.length - 1);
  const test = run.testAt(record.step);
  const { measured, allowed } = testSides(test, record);
  if (measured === null || allowed === null) return 'nothing measured yet';
  const labels = sidesLabels(test);
  const whose = alone ? '' : `${run.name}: `;
  return `${whose}${labels.measured}: ${formatMeasure(measured)}; ${labels.allowed}: ${formatMeasure(allowed)}`;
}
