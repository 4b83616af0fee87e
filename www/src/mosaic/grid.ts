/** How the images of a batch share one frame: the more there are, the smaller each becomes. */

export interface Grid {
  columns: number;
  rows: number;
  /** Side of one cell, in device pixels; a whole number, so that every thumbnail is equally sharp. */
  cell: number;
  /** How many images are drawn; the others do not fit. */
  drawn: number;
}

/** Thumbnails smaller than this many device pixels tell nothing any more. */
export const SMALLEST_CELL = 4;
/** The first eight are to be large, but not larger than they can be looked at. */
const LARGEST_CELL = 28 * 12;

/** The largest cells with which `count` images fit into `width` × `height` device pixels, or as many as fit. */
export function fitGrid(count: number, width: number, height: number): Grid {
  const roof = Math.min(width, height, LARGEST_CELL, Math.ceil(Math.sqrt((width * height) / Math.max(1, count))));
  let cell = Math.max(SMALLEST_CELL, Math.floor(roof));
  while (cell > SMALLEST_CELL && capacity(width, height, cell) < count) cell -= 1;
  const drawn = Math.min(count, capacity(width, height, cell));
  const columns = Math.max(1, Math.floor(width / cell));
  return { columns, rows: Math.ceil(drawn / columns), cell, drawn };
}

/** How many images can be drawn at all. */
export function mostDrawn(width: number, height: number): number {
  return capacity(width, height, SMALLEST_CELL);
}

function capacity(width: number, height: number, cell: number): number {
  return Math.floor(width / cell) * Math.floor(height / cell);
}
