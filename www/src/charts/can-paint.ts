/** Some browsers give a page no canvas: to hide what it could read from one, or because their memory for them is used up. */
export const NO_CANVAS = 'This browser gives the page no canvas to draw on. The table below holds the numbers.';

let known: boolean | null = null;

export function canPaint(): boolean {
  known ??= document.createElement('canvas').getContext('2d') !== null;
  return known;
}
