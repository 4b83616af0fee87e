/**
 * Makes of a drawing what MNIST's makers made of theirs: fitted into 20 × 20 without changing its proportions, then
 * moved so that the centre of mass of its ink lies in the middle of 28 × 28.
 */

export const SIDE = 28;
const BOX = 20;
/**
 * Where the centre of mass lies, measured from the edge. In MNIST that is the middle of pixel 14 (counted from 0), half
 * a pixel beyond the image's own middle, give or take the rest of a shift by whole pixels.
 */
const MIDDLE = SIDE / 2 + 0.5;

export interface Ink {
  /** Opacity, 0 to 255, row by row. */
  values: Uint8Array | Uint8ClampedArray;
  width: number;
  height: number;
}

interface Box {
  left: number;
  top: number;
  /** Exclusive. */
  right: number;
  bottom: number;
}

interface Place {
  x: number;
  y: number;
}

/** 28 × 28 bytes, 0 is background; null where nothing is drawn. */
export function preprocess(ink: Ink): Uint8Array | null {
  const box = boundingBox(ink);
  if (box === null) return null;
  const scale = BOX / Math.max(box.right - box.left, box.bottom - box.top);
  const centre = centreOfMass(ink, box);
  // By whole pixels, as MNIST's were: so the strokes stay as sharp as theirs.
  const corner = { x: Math.round(MIDDLE - centre.x * scale), y: Math.round(MIDDLE - centre.y * scale) };
  return resample(ink, box, scale, corner);
}

function boundingBox({ values, width, height }: Ink): Box | null {
  const box: Box = { left: width, top: height, right: 0, bottom: 0 };
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      if ((values[y * width + x] ?? 0) === 0) continue;
      box.left = Math.min(box.left, x);
      box.right = Math.max(box.right, x + 1);
      box.top = Math.min(box.top, y);
      box.bottom = Math.max(box.bottom, y + 1);
    }
  }
  return box.right > box.left ? box : null;
}

/** In pixels of the drawing, measured from the box's corner. */
function centreOfMass({ values, width }: Ink, box: Box): Place {
  let [mass, sumX, sumY] = [0, 0, 0];
  for (let y = box.top; y < box.bottom; y += 1) {
    for (let x = box.left; x < box.right; x += 1) {
      const value = values[y * width + x] ?? 0;
      mass += value;
      sumX += value * (x + 0.5);
      sumY += value * (y + 0.5);
    }
  }
  return { x: sumX / mass - box.left, y: sumY / mass - box.top };
}

/** Each pixel of the drawing spreads its ink over the pixels of the image that it covers, by area. */
function resample({ values, width }: Ink, box: Box, scale: number, corner: Place): Uint8Array {
  const sums = new Float64Array(SIDE * SIDE);
  for (let y = box.top; y < box.bottom; y += 1) {
    const top = (y - box.top) * scale + corner.y;
    for (let x = box.left; x < box.right; x += 1) {
      const value = values[y * width + x] ?? 0;
      if (value > 0) spread(sums, value, (x - box.left) * scale + corner.x, top, scale);
    }
  }
  return Uint8Array.from(sums, (sum) => Math.min(255, Math.round(sum)));
}

function spread(sums: Float64Array, value: number, left: number, top: number, size: number): void {
  const lastRow = Math.min(SIDE - 1, Math.ceil(top + size) - 1);
  const lastColumn = Math.min(SIDE - 1, Math.ceil(left + size) - 1);
  for (let row = Math.max(0, Math.floor(top)); row <= lastRow; row += 1) {
    const high = Math.min(top + size, row + 1) - Math.max(top, row);
    for (let column = Math.max(0, Math.floor(left)); column <= lastColumn; column += 1) {
      const wide = Math.min(left + size, column + 1) - Math.max(left, column);
      const index = row * SIDE + column;
      sums[index] = (sums[index] ?? 0) + value * high * wide;
    }
  }
}
