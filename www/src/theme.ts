/** The charts' colours and line patterns. */
import { cssColour, styleColour } from './colours.js';
import type { ColourName } from './colours.js';

export interface Palette {
  text: string;
  /** For headings. */
  strong: string;
  /** The page's ground. */
  page: string;
  grid: string;
}

/** A run's colour, by its slot, or one of the page's own. */
export type Colour = number | 'accent' | 'contrast' | 'text';

/** A pattern besides the colour, for those who do not see colours apart; the first is a plain line. One per slot of RunLibrary. */
export const PATTERNS: readonly (readonly number[])[] = [[], [8, 4], [2, 3], [12, 3, 2, 3], [16, 5], [4, 4], [8, 3, 2, 3, 2, 3], [1, 5]];

/** The colours as they are now: ask for them whenever something is drawn. */
export function currentPalette(): Palette {
  return {
    text: cssColour('--text-muted'),
    strong: cssColour('--text'),
    page: cssColour('--page'),
    grid: cssColour('--grid'),
  };
}

/** For a canvas, and for files. */
export function paint(colour: Colour): string {
  return cssColour(nameOf(colour));
}

/** For the style of an element, which then follows the colour scheme by itself. */
export function paintInStyle(colour: Colour): string {
  return styleColour(nameOf(colour));
}

function nameOf(colour: Colour): ColourName {
  if (typeof colour !== 'number') return colour === 'text' ? '--text-muted' : `--${colour}`;
  return colour in PATTERNS ? `--run-${colour}` : '--text-muted';
}
