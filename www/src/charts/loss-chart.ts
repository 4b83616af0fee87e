import { formatMeasure } from '../format.js';
import { Chart } from './chart.js';
import type { RunChart } from './run-chart.js';

const CAPTION = 'The mean loss of each batch falls; it trembles less as batches grow, because larger batches are less noisy.';

export function lossChart(): RunChart {
  const chart = new Chart({
    id: 'loss',
    title: 'Training loss',
    caption: CAPTION,
    logarithmic: false,
    series: [{ label: 'loss', colour: 'accent', width: 1.5, format: formatMeasure }],
    axisFormat: formatMeasure,
    range: (_low, high) => [0, high > 0 ? high * 1.08 : 1],
  });
  return {
    root: chart.root,
    redraw: () => chart.redraw(),
    show: ({ x, columns, largestX, stepsPerRow }) => {
      const last = columns.loss.at(-1);
      chart.setCaption(stepsPerRow > 1 ? `${CAPTION} Each point is the mean of ${stepsPerRow} steps.` : CAPTION, []);
      chart.show([x, columns.loss], largestX, last === undefined ? 'no steps yet' : `now ${formatMeasure(last)}`);
    },
  };
}
