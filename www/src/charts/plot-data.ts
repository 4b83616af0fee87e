/** Lines with horizontal positions of their own as the one table that uPlot draws. */
import uPlot from 'uplot';
import type { Line } from './picture.js';

/** Lines over the same positions stand together: the order in which `tableOf` gives their columns. */
export function inTableOrder(lines: readonly Line[]): Line[] {
  const positions = new Map<readonly number[], Line[]>();
  for (const line of lines) {
    const group = positions.get(line.x);
    if (group === undefined) positions.set(line.x, [line]);
    else group.push(line);
  }
  return [...positions.values()].flat();
}

/** Where a line has no point, the joined table holds undefined, over which uPlot draws on; null is a gap. */
export function tableOf(ordered: readonly Line[]): uPlot.AlignedData {
  if (ordered.length === 0) return [[]];
  const tables: (number | null)[][][] = [];
  let x: readonly number[] | null = null;
  for (const line of ordered) {
    if (line.x !== x) tables.push([line.x as number[]]);
    tables.at(-1)?.push(line.y as (number | null)[]);
    x = line.x;
  }
  const first = tables[0];
  if (tables.length === 1 && first !== undefined) return first as unknown as uPlot.AlignedData;
  return uPlot.join(tables as unknown as uPlot.AlignedData[]);
}
