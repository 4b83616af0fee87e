import { formatMeasure } from '../format.js';
import { Chart } from './chart.js';
import { curves } from './curve.js';
import type { Picture } from './picture.js';
import { drawnSteps, frame, labelOf, patternOf, smoothedWords } from './run-view.js';
import type { RunChart, RunView } from './run-view.js';

const CAPTION = 'The mean loss of each batch. It fluctuates less as batches grow, because larger batches are less noisy.';

export function lossChart(): RunChart {
  const chart = new Chart({
    id: 'loss',
    title: 'Training loss',
    logarithmic: false,
    axisFormat: formatMeasure,
    range: (_low, high) => [0, high > 0 ? high * 1.08 : 1],
  });
  const picture = (view: RunView): Picture => {
    const last = view.leading?.log.last('loss') ?? null;
    return {
      ...frame(view),
      lines: view.runs.flatMap((run) =>
        curves(view, run, [
          {
            label: labelOf(view, run, 'loss'),
            colour: run.slot,
            dash: patternOf(run),
            width: 1.5,
            logarithmic: false,
            values: run.log.column('loss'),
            format: formatMeasure,
          },
        ]),
      ),
      summary: last === null ? 'no steps yet' : `now ${formatMeasure(last)}`,
      caption: `${CAPTION}${smoothedWords(view)}${drawnSteps(view)}`,
    };
  };
  return { chart, picture };
}
