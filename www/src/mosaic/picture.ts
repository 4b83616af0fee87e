/** The thumbnails of a batch as one picture with a pixel for each of theirs; the screen enlarges it without blurring. */
import type { Rgb } from '../colours.js';
import type { Grid } from './grid.js';

/**
 * `pixels` holds `side` × `side` bytes for each image. The ink's colour goes in, its strength becomes opacity:
 * the ground shows through, dark on light or light on dark.
 */
export function assemble(pixels: Uint8Array, side: number, grid: Grid, ink: Rgb): ImageData {
  const width = grid.columns * side;
  const data = new Uint32Array(width * Math.max(1, grid.rows) * side);
  const colour = inkWord(ink);
  const area = side * side;
  const images = Math.min(grid.drawn, Math.floor(pixels.length / area));
  for (let image = 0; image < images; image += 1) {
    const corner = Math.floor(image / grid.columns) * side * width + (image % grid.columns) * side;
    for (let row = 0; row < side; row += 1) {
      const from = image * area + row * side;
      const to = corner + row * width;
      // Canvas pixels lie in memory as red, green, blue, opacity; read as one little-endian word, opacity comes first.
      for (let column = 0; column < side; column += 1) data[to + column] = ((pixels[from + column] ?? 0) << 24) | colour;
    }
  }
  return new ImageData(new Uint8ClampedArray(data.buffer), width);
}

function inkWord([red, green, blue]: Rgb): number {
  return (blue << 16) | (green << 8) | red;
}
