/** Two buttons under a chart that save it as a picture. */
import type { Pane } from '../charts/pane.js';
import { element, setText } from '../dom.js';
import { chartPng, picturesAreTrue } from './chart-png.js';
import { chartSvg } from './chart-svg.js';
import { download, fileName } from './download.js';
import { drawnParts } from './drawn-part.js';

const PROTECTED = 'This browser hides the pixels of pictures from pages, as a protection against fingerprinting. Save the chart as SVG.';

/** `title`: what the chart is called; its files are called after its first pane. */
export function chartButtons(panes: readonly Pane[], title: string): HTMLElement {
  const id = panes[0]?.spec.id ?? '';
  const svg = element('button', { type: 'button', class: 'button-quiet', 'aria-label': `${title}: save as SVG` }, 'SVG');
  const png = element('button', { type: 'button', class: 'button-quiet', 'aria-label': `${title}: save as PNG` }, 'PNG');
  const note = element('span', { role: 'status', class: 'chart-save-note' });
  svg.addEventListener('click', () => {
    const parts = drawnParts(panes);
    if (parts.length > 0) download(fileName(id, 'svg'), new Blob([chartSvg(parts)], { type: 'image/svg+xml' }));
  });
  png.addEventListener('click', () => {
    const parts = drawnParts(panes);
    if (parts.length === 0) return;
    if (!picturesAreTrue()) {
      setText(note, PROTECTED);
      return;
    }
    void chartPng(parts).then((picture) => {
      if (picture !== null) download(fileName(id, 'png'), picture);
      else setText(note, 'This browser cannot create the PNG image. Save the chart as SVG.');
    });
  });
  return element('div', { class: 'chart-buttons' }, element('span', { 'aria-hidden': 'true' }, 'Save as'), svg, png, note);
}
