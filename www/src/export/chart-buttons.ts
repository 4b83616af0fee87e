/** Two buttons under a chart that save it as a picture. */
import type { Chart } from '../charts/chart.js';
import { element } from '../dom.js';
import { chartPng } from './chart-png.js';
import { chartSvg } from './chart-svg.js';
import { download, fileName } from './download.js';

export function chartButtons(chart: Chart): HTMLElement {
  const { id, title } = chart.spec;
  const svg = element('button', { type: 'button', class: 'button-quiet', 'aria-label': `${title}: save as SVG` }, 'SVG');
  const png = element('button', { type: 'button', class: 'button-quiet', 'aria-label': `${title}: save as PNG` }, 'PNG');
  svg.addEventListener('click', () => {
    const { plot } = chart;
    if (plot !== null) download(fileName(id, 'svg'), new Blob([chartSvg(chart.spec, chart.picture, plot)], { type: 'image/svg+xml' }));
  });
  png.addEventListener('click', () => {
    const { plot } = chart;
    if (plot === null) return;
    void chartPng(chart.spec, chart.picture, plot).then((picture) => {
      if (picture !== null) download(fileName(id, 'png'), picture);
    });
  });
  return element('div', { class: 'chart-buttons' }, element('span', { 'aria-hidden': 'true' }, 'Save as'), svg, png);
}
