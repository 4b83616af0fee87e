/** Which steps of a long run are drawn, which of them as points, and the smoothed curve through all of them. */

/**
 * Rows to draw: all of them, or of each stretch the ones with the least and the greatest value, so that no spike is
 * lost and every point drawn is a step that was made. The first and the last row are always among them.
 */
export function rowsToDraw(values: Float64Array, most: number): number[] {
  const { length } = values;
  if (length <= most) return Array.from({ length }, (_, index) => index);
  const stretches = Math.max(1, Math.floor(most / 2));
  const rows: number[] = [0];
  for (let stretch = 0; stretch < stretches; stretch += 1) {
    const from = Math.floor((stretch * length) / stretches);
    const to = Math.floor(((stretch + 1) * length) / stretches);
    const [first, second] = extremes(values, from, to);
    for (const row of [first, second]) if (row > (rows.at(-1) ?? -1)) rows.push(row);
  }
  if (rows.at(-1) !== length - 1) rows.push(length - 1);
  return rows;
}

function extremes(values: Float64Array, from: number, to: number): [number, number] {
  let least = from;
  let greatest = from;
  for (let row = from; row < to; row += 1) {
    const value = values[row] ?? NaN;
    // What was not computed is no extreme, and gives way to what was.
    if (Number.isNaN(value)) continue;
    if (!(value >= (values[least] ?? NaN))) least = row;
    if (!(value <= (values[greatest] ?? NaN))) greatest = row;
  }
  return least < greatest ? [least, greatest] : [greatest, least];
}

/** A line through a few points shows little: they are drawn as well. */
const FEW_POINTS = 12;

/**
 * Rows that are drawn as points on a line: all of a short line, and those of a long one that no stroke reaches,
 * because nothing is beside them. Undefined is no row of this line's; null is a gap.
 */
export function pointsOnLine(values: ArrayLike<number | null | undefined>): number[] {
  const rows: number[] = [];
  for (let row = 0; row < values.length; row += 1) if (values[row] !== undefined) rows.push(row);
  const valueAt = (place: number): number | null => values[rows[place] ?? -1] ?? null;
  const few = rows.length <= FEW_POINTS;
  return rows.filter((_, place) => valueAt(place) !== null && (few || (valueAt(place - 1) === null && valueAt(place + 1) === null)));
}

/**
 * The exponential moving average, corrected for its beginning; `strength` from 0 (nothing) to below 1. On a
 * logarithmic axis the logarithms are averaged, or a single spike would lift the whole curve.
 */
export function smooth(values: ArrayLike<number>, strength: number, logarithmic: boolean): Float64Array {
  const smoothed = new Float64Array(values.length);
  let sum = 0;
  let weight = 0;
  for (let row = 0; row < values.length; row += 1) {
    const value = values[row] ?? NaN;
    const term = logarithmic ? Math.log(value) : value;
    if (Number.isFinite(term)) {
      sum = strength * sum + (1 - strength) * term;
      weight = strength * weight + (1 - strength);
    }
    const mean = weight > 0 ? sum / weight : NaN;
    smoothed[row] = logarithmic ? Math.exp(mean) : mean;
  }
  return smoothed;
}
