import { formatPercent } from '../format.js';
import { Chart } from './chart.js';
import type { RunChart } from './run-chart.js';

export function accuracyChart(): RunChart {
  const chart = new Chart({
    id: 'accuracy',
    title: 'Test accuracy',
    caption: 'The share of 10,000 images never trained on that the network reads rightly, measured from time to time.',
    logarithmic: false,
    emptyText: 'The curve begins with the first measurement.',
    series: [{ label: 'accuracy', colour: 'accent', points: true, format: formatPercent }],
    axisFormat: (share) => `${Math.round(share * 1000) / 10}%`,
    range: (low) => [Math.min(0.9, Math.floor(low * 10) / 10), 1],
  });
  return {
    root: chart.root,
    redraw: () => chart.redraw(),
    show: ({ evaluations, axis, largestX }) => {
      const x = evaluations.map((evaluation) => (axis === 'steps' ? evaluation.step : evaluation.samples_seen));
      const accuracy = evaluations.map((evaluation) => evaluation.accuracy);
      const last = accuracy.at(-1);
      chart.show([x, accuracy], largestX, last === undefined ? 'not measured yet' : `now ${formatPercent(last)}`);
    },
  };
}
