/** The style sheet's colours as numbers, for pictures that are painted pixel by pixel. */

/** Red, green and blue, 0 to 255. */
export type Rgb = readonly [number, number, number];

type Name = '--text' | '--line' | '--surface' | '--accent' | '--contrast';

/** The style sheet writes its colours as #rrggbb. */
export function colourOf(name: Name): Rgb {
  const text = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const value = Number.parseInt(text.slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}
