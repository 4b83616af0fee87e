/**
 * How the sequences of a batch share one frame: the more there are, the smaller their letters, until these cannot be read any
 * more and each becomes a small bar of tone.
 */

export interface TextGrid {
  /** Whether letters are drawn, else tone. */
  letters: boolean;
  /** Characters in a line; a sequence has one line or more. */
  characters: number;
  lines: number;
  /** Sequences side by side. */
  columns: number;
  /** Of the place of one sequence, with the gap to the next, in device pixels. */
  width: number;
  height: number;
  /** Of the place of one character. */
  advance: number;
  leading: number;
  /** Of the letters; of tones, the side of a square with the place of one. */
  size: number;
  /** How many sequences are drawn; the others do not fit. */
  drawn: number;
}

/** Of the size of letters: how wide one of a fixed width is, and how far lines are apart. */
const ADVANCE = 0.6;
const LEADING = 1.3;
/** Letters that are smaller than this many pixels of the page cannot be read. */
const SMALLEST_LETTERS = 5;
const LARGEST_LETTERS = 22;
const MOST_LINES = 16;
/** Between sequences, in places of a character. */
const GAP = { across: 1, down: 0.45 };
/** The largest and the smallest place of a character as tone, in device pixels: how wide, and how far lines are apart. */
const WIDEST_TONE = 3;
const SMALLEST_TONE: Cell = [1, 2];

type Cell = readonly [number, number];

/** `count` sequences of `context` characters in `width` × `height` device pixels, of which `density` are one of the page. */
export function fitText(count: number, context: number, width: number, height: number, density: number): TextGrid {
  const letters = largestLetters(Math.max(1, count), context, width, height, LARGEST_LETTERS * density);
  if (letters !== null && letters.size >= SMALLEST_LETTERS * density) return letters;
  for (const cell of tones(density)) {
    const grid = tone(cell, count, context, width, height);
    if (grid.drawn >= count) return grid;
  }
  return tone(SMALLEST_TONE, count, context, width, height);
}

/** From large to small, none wider than high. */
function tones(density: number): Cell[] {
  const cells: Cell[] = [];
  for (let across = 1; across <= Math.round(WIDEST_TONE * density); across += 1) {
    for (let down = Math.max(2, across); down <= 3 * across; down += 1) cells.push([across, down]);
  }
  return cells.sort(([a, b], [c, d]) => c * d - a * b);
}

/** How many sequences can be drawn at all. */
export function mostWritten(context: number, width: number, height: number): number {
  return tone(SMALLEST_TONE, Infinity, context, width, height).drawn;
}

function largestLetters(count: number, context: number, width: number, height: number, largest: number): TextGrid | null {
  let best: TextGrid | null = null;
  for (let lines = 1; lines <= Math.min(MOST_LINES, context); lines += 1) {
    const characters = Math.ceil(context / lines);
    for (let columns = 1; columns <= count; columns += 1) {
      const rows = Math.ceil(count / columns);
      const across = width / (columns * (characters + GAP.across)) / ADVANCE;
      if (best !== null && across <= best.size) break;
      const size = Math.min(largest, across, height / (rows * (lines + GAP.down)) / LEADING);
      if (best !== null && size <= best.size) continue;
      const [advance, leading] = [size * ADVANCE, size * LEADING];
      best = {
        letters: true, characters, lines, columns, size, advance, leading,
        width: advance * (characters + GAP.across), height: leading * (lines + GAP.down), drawn: count,
      };
    }
  }
  return best;
}

/** With as many lines as let most sequences in. */
function tone([advance, leading]: Cell, count: number, context: number, width: number, height: number): TextGrid {
  let best: TextGrid | null = null;
  const size = Math.sqrt(advance * leading);
  for (let lines = 1; lines <= Math.min(MOST_LINES, context); lines += 1) {
    const characters = Math.ceil(context / lines);
    const [across, down] = [advance * characters + Math.max(2, advance), leading * lines + 1];
    const columns = Math.floor(width / across);
    const capacity = columns * Math.floor(height / down);
    if (best !== null && capacity <= best.drawn) continue;
    best = { letters: false, characters, lines, columns, size, advance, leading, width: across, height: down, drawn: capacity };
    if (capacity >= count) break;
  }
  const found = best ?? { letters: false, characters: context, lines: 1, columns: 1, size, advance, leading, width, height, drawn: 0 };
  return { ...found, drawn: Math.min(count, found.drawn) };
}
