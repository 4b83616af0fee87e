/** The charts' colours, read from the style sheet so that both follow the same light or dark scheme. */

export interface Palette {
  text: string;
  grid: string;
  accent: string;
  contrast: string;
}

const darkScheme = window.matchMedia('(prefers-color-scheme: dark)');

let palette = readPalette();

function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  return {
    text: colour('--text-muted'),
    grid: colour('--grid'),
    accent: colour('--accent'),
    contrast: colour('--contrast'),
  };
}

export function currentPalette(): Palette {
  return palette;
}

export function onThemeChange(listener: () => void): void {
  darkScheme.addEventListener('change', () => {
    palette = readPalette();
    listener();
  });
}
