/** Printing: what is painted by script on the screen is told when the page goes to paper, and what inks it was painted with. */
import { onColourChange } from './colours.js';

const print = window.matchMedia('print');
const dark = window.matchMedia('(prefers-color-scheme: dark)');

/** `draw`: whether the page is on its way to paper; it must be ready when the call returns. */
export function onPrint(draw: (onPaper: boolean) => void): void {
  window.addEventListener('beforeprint', () => draw(true));
  window.addEventListener('afterprint', () => draw(false));
  print.addEventListener('change', ({ matches }) => draw(matches));
}

/** Canvases keep the inks of the screen: the style sheet for paper turns light ones round. */
export function markInks(): void {
  const mark = (): void => {
    if (!print.matches) document.documentElement.dataset['ink'] = dark.matches ? 'light' : 'dark';
  };
  onColourChange(mark);
  mark();
}
