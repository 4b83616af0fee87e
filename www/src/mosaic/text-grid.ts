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
  /** Size of the letters. */
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
/** Places of a character as tone, from large to small. */
const TONES: readonly (readonly [number, number])[] = [[3, 6], [3, 5], [2, 5], [2, 4], [2, 3], [1, 3], [1, 2]];

/** `count` sequences of `context` characters in `width` × `height` device pixels, of which `density` are one of the page. */
export function fitText(count: number, context: number, width: number, height: number, density: number): TextGrid {
  const letters = largestLetters(Math.max(1, count), context, width, height, LARGEST_LETTERS * density);
  if (letters !== null && letters.size >= SMALLEST_LETTERS * density) return letters;
  const tones = TONES.map((cell) => tone(cell, count, context, width, height));
  return tones.find(({ drawn }) => drawn >= count) ?? tones.at(-1) ?? tone([1, 2], count, context, width, height);
}

/** How many sequences can be drawn at all. */
export function mostWritten(context: number, width: number, height: number): number {
  return tone([1, 2], Infinity, context, width, height).drawn;
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
function tone([advance, leading]: readonly [number, number], count: number, context: number, width: number, height: number): TextGrid {
  let best: TextGrid | null = null;
  for (let lines = 1; lines <= Math.min(MOST_LINES, context); lines += 1) {
    const characters = Math.ceil(context / lines);
    const [across, down] = [advance * characters + Math.max(2, advance), leading * lines + 1];
    const columns = Math.floor(width / across);
    const capacity = columns * Math.floor(height / down);
    if (best !== null && capacity <= best.drawn) continue;
    best = { letters: false, characters, lines, columns, size: leading, advance, leading, width: across, height: down, drawn: capacity };
    if (capacity >= count) break;
  }
  const found = best ?? { letters: false, characters: context, lines: 1, columns: 1, size: leading, advance, leading, width, height, drawn: 0 };
  return { ...found, drawn: Math.min(count, found.drawn) };
}
