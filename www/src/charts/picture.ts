/** What a chart is to draw, as plain data: uPlot, the SVG writer and the table twin all read the same. */
import type { Colour } from '../theme.js';

export type LineKind =
  | 'line'
  /** Level until the next point. */
  | 'stepped'
  | 'points'
  /** The logged values behind a smoothed curve. */
  | 'faint-points';

export interface Line {
  /** In the legend and at the head of a table's column. */
  label: string;
  colour: Colour;
  kind: LineKind;
  dash: readonly number[];
  width: number;
  /** Ascending. */
  x: readonly number[];
  y: readonly (number | null)[];
  /** What the legend and the table tell, where it is not what is drawn: a smoothed curve tells what was logged. */
  told?: readonly (number | null)[];
  format: (value: number) => string;
  /** Points stand behind their smoothed curve, so only one of the two is named. */
  inLegend: boolean;
}

/** A vertical mark: something was changed there. */
export interface Mark {
  x: number;
  text: string;
  colour: Colour;
}

export interface Picture {
  lines: Line[];
  marks: Mark[];
  /** What the horizontal axis counts, in words: “samples seen”. */
  xLabel: string;
  largestX: number;
  /** What the picture shows, in words. */
  summary: string;
  caption: string;
}

export const NO_PICTURE: Picture = { lines: [], marks: [], xLabel: '', largestX: 1, summary: 'no steps yet', caption: '' };

/** The value that a line tells at a row. */
export function toldAt(line: Line, row: number): number | null {
  return (line.told ?? line.y)[row] ?? null;
}

/** Two pictures with the same signature differ in their values alone. */
export function signature({ lines }: Picture): string {
  return JSON.stringify(lines.map(({ label, colour, kind, dash, width, inLegend }) => [label, colour, kind, dash, width, inLegend]));
}
