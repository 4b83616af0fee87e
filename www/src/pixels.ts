/** From an image's bytes to the pixels of a canvas. */
import type { Rgb } from './colours.js';
import type { ImageShape } from './samples.js';

/** A picture that images are written into: a word for each pixel, as a canvas has them in memory. */
export interface Words {
  data: Uint32Array;
  width: number;
}

/**
 * Writes an image whose planes begin at byte `from`, with its upper left corner at word `corner`. One channel is ink: its
 * colour goes in, the byte becomes opacity, and the ground shows through, dark on light or light on dark. Three are red,
 * green and blue; a fourth is opacity; two are red and green.
 */
export function writeImage(pixels: Uint8Array, from: number, { channels, height, width }: ImageShape, to: Words, corner: number, ink: Rgb): void {
  const plane = height * width;
  const colour = word(ink[0], ink[1], ink[2], 0);
  const at = (channel: number, pixel: number): number => pixels[from + channel * plane + pixel] ?? 0;
  for (let row = 0; row < height; row += 1) {
    const line = corner + row * to.width;
    for (let column = 0; column < width; column += 1) {
      const pixel = row * width + column;
      to.data[line + column] =
        channels === 1
          ? (at(0, pixel) << 24) | colour
          : word(at(0, pixel), at(1, pixel), channels > 2 ? at(2, pixel) : 0, channels > 3 ? at(3, pixel) : 255);
    }
  }
}

/** Canvas pixels lie in memory as red, green, blue, opacity; read as one little-endian word, opacity comes first. */
function word(red: number, green: number, blue: number, opacity: number): number {
  return (opacity << 24) | (blue << 16) | (green << 8) | red;
}

/** One image on a canvas of its own size, which is set; empty without an image. */
export function paintImage(canvas: HTMLCanvasElement, pixels: Uint8Array | null, shape: ImageShape, ink: Rgb): void {
  const { width, height } = shape;
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext('2d');
  if (context === null) return;
  context.clearRect(0, 0, width, height);
  if (pixels === null) return;
  const data = new Uint32Array(width * height);
  writeImage(pixels, 0, shape, { data, width }, 0, ink);
  context.putImageData(new ImageData(new Uint8ClampedArray(data.buffer), width), 0, 0);
}
