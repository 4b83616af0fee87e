import { formatCompact, formatCount } from '../format.js';
import type { StepLog } from '../runs/step-log.js';
import { Chart } from './chart.js';
import { curves } from './curve.js';
import type { Picture } from './picture.js';
import { drawnSteps, frame, labelOf, patternOf, smoothedWords } from './run-view.js';
import type { RunChart, RunView } from './run-view.js';

const CAPTION = 'Samples per second in each step. Large batches keep the machine busy; in very small batches the update of the parameters takes most of the time.';

export function speedChart(): RunChart {
  const chart = new Chart({
    id: 'speed',
    title: 'Samples per second',
    emptyText: 'The curve starts with the first step that is long enough to be timed by this browser’s clock.',
    logarithmic: false,
    axisFormat: formatCompact,
    range: (_low, high) => [0, high > 0 ? high * 1.08 : 1],
  });
  const picture = (view: RunView): Picture => {
    const { leading } = view;
    const last = leading === null ? undefined : speeds(leading.log).at(-1);
    return {
      ...frame(view),
      lines: view.runs.flatMap((run) =>
        curves(view, run, [
          {
            label: labelOf(view, run, 'samples/s'),
            colour: run.slot,
            dash: patternOf(run),
            width: 1.5,
            logarithmic: false,
            values: speeds(run.log),
            format: formatCount,
          },
        ]),
      ),
      summary: last === undefined || Number.isNaN(last) ? 'no steps yet' : `now ${formatCount(last)}`,
      caption: `${CAPTION}${smoothedWords(view)}${drawnSteps(view)}`,
    };
  };
  return { chart, picture };
}

/** A clock that is too coarse for a step gives no speed. */
function speeds(log: StepLog): Float64Array {
  const seconds = log.column('seconds');
  return log.column('samples').map((samples, row) => ((seconds[row] ?? 0) > 0 ? samples / (seconds[row] ?? NaN) : NaN));
}
