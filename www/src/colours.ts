/**
 * The style sheet's colours, for all that is painted by script. They are read when they are needed, never while a
 * module loads: until the sheet has arrived, and where it never does, the copy that the build made of it serves.
 */

/** A custom property of style.css's `:root`. */
export type ColourName = `--${string}`;

/** Red, green and blue, 0 to 255. */
export type Rgb = readonly [number, number, number];

/** Written in by vite-palette.ts: what style.css says, by colour scheme. */
declare const PALETTE: Record<'light' | 'dark', Record<ColourName, string>>;

const darkScheme = window.matchMedia('(prefers-color-scheme: dark)');
/** All that may give the style sheet's properties other values. */
const causes = [darkScheme, window.matchMedia('(prefers-contrast: more)'), window.matchMedia('(forced-colors: active)')];

/** The colours of the sheet, once it is there and until one of the causes changes. */
const known = new Map<ColourName, string>();

/** As CSS and a canvas take it. */
export function cssColour(name: ColourName): string {
  return known.get(name) ?? fromSheet(name) ?? fromBuild(name);
}

/** For the style of an element: it follows the sheet by itself, whenever that comes or changes. */
export function styleColour(name: ColourName): string {
  return `var(${name}, ${fromBuild(name)})`;
}

/** As numbers, for pictures that are painted pixel by pixel. */
export function colourOf(name: ColourName): Rgb {
  const [, red = 0, green = 0, blue = 0] = /^#(..)(..)(..)$/.exec(normalised(cssColour(name)))?.map((part) => Number.parseInt(part, 16)) ?? [];
  return [red, green, blue];
}

/** Calls `listener` when colours have changed: the sheet has arrived, or the visitor asks for another scheme. */
export function onColourChange(listener: () => void): void {
  const changed = (): void => {
    known.clear();
    listener();
  };
  for (const cause of causes) cause.addEventListener('change', changed);
  // The load event of a style sheet does not bubble.
  document.addEventListener('load', ({ target }) => target instanceof HTMLLinkElement && changed(), true);
}

function fromSheet(name: ColourName): string | null {
  const colour = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  if (colour === '') return null;
  known.set(name, colour);
  return colour;
}

function fromBuild(name: ColourName): string {
  return PALETTE[darkScheme.matches ? 'dark' : 'light'][name] ?? 'currentcolor';
}

/** A canvas writes every opaque colour, named, by system or by function, as #rrggbb. */
function normalised(colour: string): string {
  if (colour.startsWith('#') && colour.length === 7) return colour;
  const context = document.createElement('canvas').getContext('2d');
  if (context === null) return colour;
  context.fillStyle = colour;
  return context.fillStyle;
}
