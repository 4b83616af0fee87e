/** The charts' colours, read from the style sheet so that both follow the same light or dark scheme. */

export interface Palette {
  text: string;
  /** For headings. */
  strong: string;
  /** The page's ground. */
  page: string;
  grid: string;
  accent: string;
  contrast: string;
  /** One for each of RunLibrary's SLOTS. */
  runs: string[];
}

/** A run's colour, by its slot, or one of the page's own. */
export type Colour = number | 'accent' | 'contrast' | 'text';

/** A pattern besides the colour, for those who do not see colours apart; the first is a plain line. */
export const PATTERNS: readonly (readonly number[])[] = [[], [8, 4], [2, 3], [12, 3, 2, 3], [16, 5], [4, 4], [8, 3, 2, 3, 2, 3], [1, 5]];

const darkScheme = window.matchMedia('(prefers-color-scheme: dark)');

let palette = readPalette();

function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  return {
    text: colour('--text-muted'),
    strong: colour('--text'),
    page: colour('--page'),
    grid: colour('--grid'),
    accent: colour('--accent'),
    contrast: colour('--contrast'),
    runs: PATTERNS.map((_, slot) => colour(`--run-${slot}`)),
  };
}

export function currentPalette(): Palette {
  return palette;
}

export function paint(colour: Colour): string {
  return typeof colour === 'number' ? (palette.runs[colour] ?? palette.text) : palette[colour];
}

export function onThemeChange(listener: () => void): void {
  darkScheme.addEventListener('change', () => {
    palette = readPalette();
    listener();
  });
}
