import { formatCompact, formatCount, formatSize } from '../format.js';
import { Chart } from './chart.js';
import type { RunChart } from './run-chart.js';

export function batchChart(): RunChart {
  const chart = new Chart({
    id: 'batch',
    title: 'Batch size',
    caption: 'Each stair upwards follows a batch that the test found too small; dots are the sizes that would have passed.',
    logarithmic: true,
    wide: true,
    height: 280,
    series: [
      { label: 'used', colour: 'accent', stepped: true, width: 2.5, format: formatCount },
      { label: 'required', colour: 'contrast', pointsOnly: true, format: formatSize },
    ],
    axisFormat: formatCompact,
  });
  return {
    root: chart.root,
    redraw: () => chart.redraw(),
    show: ({ x, columns, largestX }) => {
      const first = columns.batch[0];
      const last = columns.batch.at(-1);
      const summary = first === undefined || last === undefined ? 'no steps yet' : `grew from ${formatCount(first)} to ${formatCount(last)}`;
      chart.show([x, columns.batch, columns.required], largestX, summary);
    },
  };
}
