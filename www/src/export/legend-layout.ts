/** Where the entries of a saved chart's legend stand: side by side, in as many rows as they need, none over another. */
import type { Line } from '../charts/picture.js';

export const LEGEND_FONT = '12px system-ui, sans-serif';
export const SAMPLE_WIDTH = 24;
const TEXT_INSET = 30;
const GAP = 18;
export const ROW_HEIGHT = 18;

export interface LegendEntry {
  line: Line;
  /** Cut short where it is wider than a row. */
  label: string;
  /** The entry's left edge, from the legend's. */
  left: number;
  /** Where its label begins. */
  textLeft: number;
  row: number;
}

export interface LegendLayout {
  entries: LegendEntry[];
  /** At least one. */
  rows: number;
}

/** `measure`: how wide a text is in the legend's font. */
export function layOutLegend(lines: readonly Line[], width: number, measure: (text: string) => number): LegendLayout {
  let [left, row] = [0, 0];
  const entries = lines
    .filter((line) => line.inLegend)
    .map((line): LegendEntry => {
      const label = shortened(line.label, width - TEXT_INSET, measure);
      const needed = TEXT_INSET + measure(label);
      if (left > 0 && left + needed > width) {
        left = 0;
        row += 1;
      }
      const entry: LegendEntry = { line, label, left, textLeft: left + TEXT_INSET, row };
      left += needed + GAP;
      return entry;
    });
  return { entries, rows: row + 1 };
}

/** The text, or its beginning and an ellipsis. */
function shortened(text: string, width: number, measure: (text: string) => number): string {
  if (measure(text) <= width) return text;
  const characters = charactersOf(text);
  let [fits, tooLong] = [0, characters.length];
  const cut = (count: number): string => `${characters.slice(0, count).join('').trimEnd()}…`;
  while (tooLong - fits > 1) {
    const middle = Math.floor((fits + tooLong) / 2);
    if (measure(cut(middle)) <= width) fits = middle;
    else tooLong = middle;
  }
  return cut(fits);
}

/** As readers count them: a letter and its marks are one. */
function charactersOf(text: string): string[] {
  if (!('Segmenter' in Intl)) return [...text];
  return [...new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text)].map(({ segment }) => segment);
}

/** Measures with the fonts of this browser. */
export function textMeasure(): (text: string) => number {
  const context = document.createElement('canvas').getContext('2d');
  if (context !== null) context.font = LEGEND_FONT;
  return (text) => context?.measureText(text).width ?? 12 * text.length;
}
