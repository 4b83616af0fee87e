/** One image on a small canvas; grey ones in the page's own ink. */
import { colourOf } from '../colours.js';
import { element } from '../dom.js';
import { paintImage } from '../pixels.js';
import type { ImageShape } from '../samples.js';

/** About so many pixels along the longer side; of the screen, where text has its usual size. */
export type ThumbnailSize = 56 | 84 | 224;
/** What CSS calls a rem. */
const REM = 16;

export function thumbnail(size: ThumbnailSize = 56): HTMLCanvasElement {
  return element('canvas', { class: 'thumbnail', 'aria-hidden': 'true', 'data-size': String(size) });
}

export function paintThumbnail(canvas: HTMLCanvasElement, pixels: Uint8Array | null, shape: ImageShape): void {
  const size = Number(canvas.dataset['size']);
  const side = Math.max(shape.height, shape.width);
  // Whole numbers of the screen's pixels for each of the image's, where there are enough of them.
  const scale = side <= size ? Math.round(size / side) : size / side;
  canvas.style.setProperty('--wide', String((shape.width * scale) / REM));
  canvas.style.setProperty('--high', String((shape.height * scale) / REM));
  canvas.classList.toggle('thumbnail-smooth', scale < 1);
  paintImage(canvas, pixels, shape, colourOf('--text'));
}

/** It is painted in its size the next time. */
export function resizeThumbnail(canvas: HTMLCanvasElement, size: ThumbnailSize): void {
  canvas.dataset['size'] = String(size);
}
