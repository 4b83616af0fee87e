/**
 * The ink on the pad, computed by the page itself from the strokes. Pixels are never read back from a canvas: browsers
 * that protect against fingerprinting give noise there, and every drawing would become the same digit.
 */
import { SIDE } from './preprocess.js';
import type { Ink } from './preprocess.js';

/** In pixels of the image: 0 to SIDE. */
export interface Place {
  x: number;
  y: number;
}

/** Pixels of the ink for one of the image's: strokes stay smooth on every screen. */
export const FINENESS = 16;
const PAD = SIDE * FINENESS;
/** A pen in MNIST is nearly three pixels wide. */
export const PEN_WIDTH = 2.8;

export class PadInk implements Ink {
  readonly width = PAD;
  readonly height = PAD;
  readonly values = new Uint8Array(PAD * PAD);

  clear(): void {
    this.values.fill(0);
  }

  /**
   * A straight stroke with round ends. A pixel's opacity is the share of it that lies within half the pen's width of
   * the stroke, taken as 1 or 0 at more than half a pixel from the edge and linear between; strokes do not add up.
   */
  stroke(from: Place, to: Place): void {
    const radius = (PEN_WIDTH / 2) * FINENESS;
    const [fromX, fromY, toX, toY] = [from.x, from.y, to.x, to.y].map((value) => value * FINENESS) as [number, number, number, number];
    const inside = (value: number): number => Math.min(PAD, Math.max(0, value));
    const [left, right] = [inside(Math.floor(Math.min(fromX, toX) - radius - 1)), inside(Math.ceil(Math.max(fromX, toX) + radius + 1))];
    const [top, bottom] = [inside(Math.floor(Math.min(fromY, toY) - radius - 1)), inside(Math.ceil(Math.max(fromY, toY) + radius + 1))];
    const [wayX, wayY] = [toX - fromX, toY - fromY];
    const lengthSquared = wayX ** 2 + wayY ** 2;
    for (let row = top; row < bottom; row += 1) {
      for (let column = left; column < right; column += 1) {
        const [x, y] = [column + 0.5 - fromX, row + 0.5 - fromY];
        const share = lengthSquared === 0 ? 0 : Math.min(1, Math.max(0, (x * wayX + y * wayY) / lengthSquared));
        const distance = Math.sqrt((x - share * wayX) ** 2 + (y - share * wayY) ** 2);
        const opacity = Math.round(255 * Math.min(1, Math.max(0, radius + 0.5 - distance)));
        const index = row * PAD + column;
        if (opacity > (this.values[index] ?? 0)) this.values[index] = opacity;
      }
    }
  }
}
