import { formatMeasure } from '../format.js';
import { sidesLabels } from '../test-sides.js';
import { Chart } from './chart.js';
import type { RunChart } from './run-chart.js';

export function testChart(): RunChart {
  const beginning = sidesLabels(null);
  const chart = new Chart({
    id: 'test',
    title: 'The test’s two sides',
    caption: beginning.caption,
    logarithmic: true,
    wide: true,
    height: 240,
    series: [
      { label: beginning.noise, colour: 'contrast', width: 1.5, format: formatMeasure },
      { label: beginning.allowed, colour: 'accent', width: 1.5, dash: [6, 4], format: formatMeasure },
    ],
    axisFormat: formatMeasure,
  });
  return {
    root: chart.root,
    redraw: () => chart.redraw(),
    show: ({ x, columns, largestX, test }) => {
      const { noise: noiseLabel, allowed: allowedLabel, caption } = sidesLabels(test);
      const noise = columns.noise.at(-1);
      const allowed = columns.allowed.at(-1);
      const summary =
        typeof noise === 'number' && typeof allowed === 'number'
          ? `noise ${formatMeasure(noise)}, allowed ${formatMeasure(allowed)}`
          : 'nothing measured yet';
      chart.setCaption(caption, [noiseLabel, allowedLabel]);
      chart.show([x, columns.noise, columns.allowed], largestX, summary);
    },
  };
}
