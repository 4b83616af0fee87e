/** One 28 × 28 image on a small canvas, in the page's own ink. */
import { colourOf } from '../colours.js';
import { element } from '../dom.js';
import { SIDE } from './preprocess.js';

export function thumbnail(): HTMLCanvasElement {
  const canvas = element('canvas', { class: 'thumbnail', 'aria-hidden': 'true' });
  canvas.width = SIDE;
  canvas.height = SIDE;
  return canvas;
}

export function paintThumbnail(canvas: HTMLCanvasElement, pixels: Uint8Array | null): void {
  const context = canvas.getContext('2d');
  if (context === null) return;
  context.clearRect(0, 0, SIDE, SIDE);
  if (pixels === null) return;
  const [red, green, blue] = colourOf('--text');
  const image = context.createImageData(SIDE, SIDE);
  pixels.forEach((value, index) => image.data.set([red, green, blue, value], 4 * index));
  context.putImageData(image, 0, 0);
}
