/** The thumbnails of a batch as one picture with a pixel for each of theirs; the screen enlarges it without blurring. */
import type { Rgb } from '../colours.js';
import { writeImage } from '../pixels.js';
import { bytesOf } from '../samples.js';
import type { ImageShape } from '../samples.js';
import type { Grid } from './grid.js';

/** Pixels along a thumbnail's place, which is a square. */
export function sideOf({ height, width }: ImageShape): number {
  return Math.max(height, width);
}

/** `pixels` holds the thumbnails one after another. What is no square stands in the middle of its place. */
export function assemble(pixels: Uint8Array, shape: ImageShape, grid: Grid, ink: Rgb): ImageData {
  const side = sideOf(shape);
  const width = grid.columns * side;
  const data = new Uint32Array(width * Math.max(1, grid.rows) * side);
  const bytes = bytesOf(shape);
  const margin = Math.floor((side - shape.height) / 2) * width + Math.floor((side - shape.width) / 2);
  const images = Math.min(grid.drawn, Math.floor(pixels.length / bytes));
  for (let image = 0; image < images; image += 1) {
    const corner = Math.floor(image / grid.columns) * side * width + (image % grid.columns) * side;
    writeImage(pixels, image * bytes, shape, { data, width }, corner + margin, ink);
  }
  return new ImageData(new Uint8ClampedArray(data.buffer), width);
}
