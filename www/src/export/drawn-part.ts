/** What a saved picture is made of: a pane as it is drawn on the page. */
import type uPlot from 'uplot';
import type { Pane, PaneSpec } from '../charts/pane.js';
import type { Picture } from '../charts/picture.js';

export interface DrawnPart {
  spec: PaneSpec;
  picture: Picture;
  plot: uPlot;
}

/** Those that have been drawn. */
export function drawnParts(panes: readonly Pane[]): DrawnPart[] {
  return panes.flatMap(({ spec, picture, plot }) => (plot === null ? [] : [{ spec, picture, plot }]));
}
