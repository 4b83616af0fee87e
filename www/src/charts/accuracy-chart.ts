import { formatPercent } from '../format.js';
import type { TrainedRun } from '../runs/trained-run.js';
import { isOfText } from '../samples.js';
import type { HorizontalAxis } from '../state.js';
import { Chart } from './chart.js';
import type { PaneSpec } from './pane.js';
import type { Line, Picture } from './picture.js';
import { evaluationPosition, frame, labelOf, patternOf } from './run-view.js';
import type { RunChart, RunView } from './run-view.js';

const CAPTION = 'The fraction of the test images, which are never trained on, that the network classifies correctly.';
const TEXT_CAPTION = 'The fraction of the test text, which is never trained on, that the network predicts correctly, each character from those before it.';

const ACCURACY_PANE: PaneSpec = {
  id: 'accuracy',
  title: 'Test accuracy',
  logarithmic: false,
  emptyText: 'The curve starts with the first measurement.',
  axisFormat: (share) => `${Math.round(share * 1000) / 10}%`,
  // Where much is left to be learned, as of a text, the curve has the whole height.
  range: (_low, high) => [0, highest(high)],
};

/** For several runs next to one another: what sets them apart needs the height. */
export const CLOSE_UP_PANE: PaneSpec = {
  ...ACCURACY_PANE,
  range: (low, high) => [Math.min(0.9, Math.floor(low * 10) / 10), highest(high)],
};

function highest(high: number): number {
  return high < 0.7 ? Math.ceil(high * 10 + 0.5) / 10 : 1;
}

export function accuracyChart(): RunChart {
  const chart = new Chart(ACCURACY_PANE);
  const picture = (view: RunView): Picture => {
    const last = view.leading?.evaluations.at(-1);
    return {
      ...frame(view),
      lines: view.runs.map((run) => accuracyLine(view.axis, run, labelOf(view, run, 'accuracy'))),
      summary: last === undefined ? 'not measured yet' : `now ${formatPercent(last.accuracy)}`,
      caption: view.leading !== null && isOfText(view.leading.config) ? TEXT_CAPTION : CAPTION,
    };
  };
  return { chart, picture };
}

export function accuracyLine(axis: HorizontalAxis, run: TrainedRun, label: string): Line {
  return {
    label,
    colour: run.slot,
    kind: 'line',
    dash: patternOf(run),
    width: 2,
    x: run.evaluations.map((evaluation) => evaluationPosition(axis, evaluation)),
    y: run.evaluations.map((evaluation) => evaluation.accuracy),
    format: formatPercent,
    inLegend: true,
  };
}
