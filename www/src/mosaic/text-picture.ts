/** The sequences of a batch, written: letters where they can be read, else a tone for each character. */
import type { Rgb } from '../colours.js';
import type { TextGrid } from './text-grid.js';

const FONT = 'ui-monospace, "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace';
/** What stands for a line break, and for a token that is no character. */
const LINE_BREAK = '↵';
const NO_CHARACTER = '·';

export interface Inks {
  text: Rgb;
  muted: Rgb;
  line: Rgb;
}

/** Sequences of `context` tokens, one after another; `names`: what tokens stand for. */
export interface WrittenBatch {
  tokens: Uint16Array;
  context: number;
  names: readonly string[];
}

export function paintText(context: CanvasRenderingContext2D, batch: WrittenBatch, grid: TextGrid, inks: Inks): void {
  const { width, height } = context.canvas;
  context.clearRect(0, 0, width, height);
  if (grid.letters) paintLetters(context, batch, grid, inks);
  else paintTones(context, batch, grid, inks);
}

function css([red, green, blue]: Rgb, alpha = 1): string {
  return `rgb(${red} ${green} ${blue} / ${alpha})`;
}

/** Where a sequence's place begins. */
function corner(place: number, { columns, width, height }: TextGrid): [number, number] {
  return [(place % columns) * width, Math.floor(place / columns) * height];
}

function paintLetters(context: CanvasRenderingContext2D, batch: WrittenBatch, grid: TextGrid, inks: Inks): void {
  const { size, advance, leading, characters, lines } = grid;
  context.font = `${size}px ${FONT}`;
  context.textBaseline = 'middle';
  context.textAlign = 'center';
  for (let sequence = 0; sequence < grid.drawn; sequence += 1) {
    const [left, top] = corner(sequence, grid);
    for (let place = 0; place < batch.context; place += 1) {
      const shown = glyph(batch.names[batch.tokens[sequence * batch.context + place] ?? 0] ?? '');
      if (shown === ' ') continue;
      context.fillStyle = shown === LINE_BREAK || shown === NO_CHARACTER ? css(inks.muted, 0.6) : css(inks.text);
      const [line, column] = [Math.floor(place / characters), place % characters];
      context.fillText(shown, left + (column + 1) * advance, top + (line + 0.72) * leading);
    }
    if (lines > 1 || grid.columns > 1) rule(context, left, top, grid, inks);
  }
}

/** A line below a sequence, so that it can be told from the next. */
function rule(context: CanvasRenderingContext2D, left: number, top: number, { width, height, advance }: TextGrid, { line }: Inks): void {
  context.fillStyle = css(line);
  context.fillRect(Math.round(left + advance / 2), Math.round(top + height) - 1, Math.round(width - advance), 1);
}

function paintTones(context: CanvasRenderingContext2D, batch: WrittenBatch, grid: TextGrid, { text: [red, green, blue] }: Inks): void {
  const { width, height } = context.canvas;
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const colour = (blue << 16) | (green << 8) | red;
  const tones = batch.names.map((name) => ((Math.round(255 * toneOf(name)) << 24) | colour) >>> 0);
  // The last row of a line is the gap to the next.
  const high = grid.leading - 1;
  for (let sequence = 0; sequence < grid.drawn; sequence += 1) {
    const [left, top] = corner(sequence, grid);
    for (let place = 0; place < batch.context; place += 1) {
      const tone = tones[batch.tokens[sequence * batch.context + place] ?? 0] ?? 0;
      const x = left + (place % grid.characters) * grid.advance;
      const y = top + Math.floor(place / grid.characters) * grid.leading;
      for (let row = y; row < y + high; row += 1) pixels.fill(tone, row * width + x, row * width + x + grid.advance);
    }
  }
  context.putImageData(image, 0, 0);
}

function glyph(name: string): string {
  if (name === '\n') return LINE_BREAK;
  if (name === '\t') return ' ';
  return [...name].length === 1 ? name : NO_CHARACTER;
}

/** How dark a character looks from afar. */
function toneOf(name: string): number {
  if (/^\s*$/.test(name)) return 0;
  if (/^[.,;:'"’‘“”`·-]$/.test(name)) return 0.3;
  return /^\p{Lu}$/u.test(name) ? 0.95 : 0.7;
}
