import type { BatchTest } from '../../pkg/adadagrad_web.js';
import type { Columns } from '../history.js';
import type { Evaluation } from '../protocol.js';
import type { HorizontalAxis } from '../state.js';

/** What every chart is given; each takes what it draws. */
export interface RunView {
  axis: HorizontalAxis;
  x: number[];
  columns: Columns;
  evaluations: readonly Evaluation[];
  largestX: number;
  stepsPerRow: number;
  test: BatchTest | null;
}

export interface RunChart {
  readonly root: HTMLElement;
  show(view: RunView): void;
  /** Draws the same data again, in new colours. */
  redraw(): void;
}
