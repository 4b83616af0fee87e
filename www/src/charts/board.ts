/** All charts of a run. Redraws one chart a frame and all of them a few times a second: training comes first. */
import type { BatchTest } from '../../pkg/adadagrad_web.js';
import type { RunHistory } from '../history.js';
import type { HorizontalAxis } from '../state.js';
import { accuracyChart } from './accuracy-chart.js';
import { batchChart } from './batch-chart.js';
import { lossChart } from './loss-chart.js';
import type { RunChart, RunView } from './run-chart.js';
import { testChart } from './test-chart.js';

const REDRAW_INTERVAL_MILLISECONDS = 300;

interface BoardSource {
  history: RunHistory;
  axis: () => HorizontalAxis;
  test: () => BatchTest | null;
}

export class ChartBoard {
  readonly #source: BoardSource;
  readonly #charts: RunChart[];
  #stale = false;
  #queue: RunChart[] = [];
  #view: RunView | null = null;
  #frameWaits = false;
  #lastRound = -Infinity;

  constructor(container: HTMLElement, source: BoardSource) {
    this.#source = source;
    this.#charts = [batchChart(), testChart(), lossChart(), accuracyChart()];
    container.append(...this.#charts.map((chart) => chart.root));
    this.refresh();
  }

  /** Something changed; the charts follow as soon as their turn comes. */
  refresh(): void {
    this.#stale = true;
    this.#requestFrame();
  }

  recolour(): void {
    for (const chart of this.#charts) chart.redraw();
  }

  #requestFrame(): void {
    if (this.#frameWaits) return;
    this.#frameWaits = true;
    requestAnimationFrame((now) => this.#frame(now));
  }

  #frame(now: number): void {
    this.#frameWaits = false;
    if (this.#queue.length === 0 && this.#stale && now - this.#lastRound >= REDRAW_INTERVAL_MILLISECONDS) {
      this.#beginRound(now);
    }
    const chart = this.#queue.shift();
    if (chart !== undefined && this.#view !== null) chart.show(this.#view);
    if (this.#queue.length > 0 || this.#stale) this.#requestFrame();
  }

  #beginRound(now: number): void {
    this.#stale = false;
    this.#lastRound = now;
    this.#queue = [...this.#charts];
    this.#view = this.#takeView();
  }

  #takeView(): RunView {
    const { history } = this.#source;
    const axis = this.#source.axis();
    const columns = history.columns();
    const x = axis === 'steps' ? columns.step : columns.samplesSeen;
    return {
      axis,
      x,
      columns,
      evaluations: history.evaluations,
      largestX: x.at(-1) ?? 0,
      stepsPerRow: history.stepsPerRow,
      test: this.#source.test(),
    };
  }
}
