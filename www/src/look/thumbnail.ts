/** One image on a small canvas; grey ones in the page's own ink. */
import { colourOf } from '../colours.js';
import { element } from '../dom.js';
import { paintImage } from '../pixels.js';
import type { ImageShape } from '../samples.js';

export function thumbnail(): HTMLCanvasElement {
  return element('canvas', { class: 'thumbnail', 'aria-hidden': 'true' });
}

export function paintThumbnail(canvas: HTMLCanvasElement, pixels: Uint8Array | null, shape: ImageShape): void {
  paintImage(canvas, pixels, shape, colourOf('--text'));
}
