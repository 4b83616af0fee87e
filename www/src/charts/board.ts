/** All charts. Redraws one chart a frame and all of them a few times a second: training comes first. */
import type { BatchTest } from '../../pkg/adadagrad_web.js';
import type { RunLibrary } from '../runs/library.js';
import type { TrainedRun } from '../runs/trained-run.js';
import type { HorizontalAxis } from '../state.js';
import { accuracyChart } from './accuracy-chart.js';
import { batchChart } from './batch-chart.js';
import type { Chart } from './chart.js';
import type { ComparisonChart } from './comparison-chart.js';
import { lossChart } from './loss-chart.js';
import { X_COLUMNS } from './run-view.js';
import type { RunChart, RunView } from './run-view.js';
import { speedChart } from './speed-chart.js';
import { testChart } from './test-chart.js';

const REDRAW_INTERVAL_MILLISECONDS = 300;

interface BoardSource {
  /** Where the batch size is drawn, next to what decides it; the other charts are in the board's own container. */
  stage: HTMLElement;
  library: RunLibrary;
  axis: () => HorizontalAxis;
  smoothing: () => number;
  thresholds: () => boolean;
  /** The test that the settings name. */
  test: () => BatchTest | null;
  onCursor: (x: number | null) => void;
  /** Drawn elsewhere on the page, in the same rounds. */
  comparison: ComparisonChart;
}

export class ChartBoard {
  readonly #source: BoardSource;
  readonly #container: HTMLElement;
  readonly #charts: RunChart[];
  #stale = false;
  /** What is still to be drawn in this round. */
  #queue: ((view: RunView) => void)[] = [];
  #view: RunView | null = null;
  /** Drawn alone. */
  #only: TrainedRun | null = null;
  #frameWaits = false;
  #lastRound = -Infinity;

  constructor(container: HTMLElement, source: BoardSource) {
    this.#source = source;
    this.#container = container;
    const batch = batchChart();
    const others = [testChart(), lossChart(), accuracyChart(), speedChart()];
    this.#charts = [batch, ...others];
    for (const chart of this.#all) chart.onCursor = source.onCursor;
    source.stage.append(batch.chart.root);
    container.append(...others.map(({ chart }) => chart.root));
    this.refresh();
  }

  /** Something changed; the charts follow as soon as their turn comes. */
  refresh(): void {
    this.#stale = true;
    this.#container.dataset['drawn'] = 'earlier';
    this.#requestFrame();
  }

  /** Draws one run alone, and at once: paper does not wait for frames. Null: all that is to be drawn again. */
  drawOnly(run: TrainedRun | null): void {
    this.#only = run;
    this.#queue = [];
    const view = this.#takeView();
    for (const { chart, picture } of this.#charts) chart.show(picture(view));
    this.refresh();
  }

  recolour(): void {
    for (const chart of this.#all) chart.redraw();
  }

  drawForPaper(on: boolean): void {
    for (const chart of this.#all) chart.drawForPaper(on);
  }

  get #all(): Chart[] {
    return [...this.#charts.map(({ chart }) => chart), this.#source.comparison.chart];
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
    const next = this.#queue.shift();
    if (next !== undefined && this.#view !== null) next(this.#view);
    if (next !== undefined && this.#queue.length === 0) this.#endRound();
    if (this.#queue.length > 0 || this.#stale) this.#requestFrame();
  }

  #beginRound(now: number): void {
    this.#stale = false;
    this.#lastRound = now;
    this.#queue = [...this.#charts.map(({ chart, picture }) => (view: RunView) => chart.show(picture(view))), ...this.#source.comparison.drawings];
    this.#view = this.#takeView();
  }

  /** The attributes are for programs (tests among them): how often all charts were drawn, and whether they show all there is. */
  #endRound(): void {
    const { dataset } = this.#container;
    dataset['rounds'] = String(Number(dataset['rounds'] ?? 0) + 1);
    if (!this.#stale) dataset['drawn'] = 'newest';
  }

  #takeView(): RunView {
    const { library } = this.#source;
    const leading = this.#only ?? library.leading;
    const drawn = this.#only === null ? library.drawn : [this.#only];
    const axis = this.#source.axis();
    const others = drawn.filter((run) => run !== leading);
    return {
      runs: leading === null ? others : [...others, leading],
      leading,
      axis,
      smoothing: this.#source.smoothing(),
      thresholds: this.#source.thresholds(),
      test: leading === null ? this.#source.test() : leading.latestConfig.test,
      largestX: Math.max(1e-9, ...drawn.map((run) => run.log.last(X_COLUMNS[axis]) ?? 0)),
    };
  }
}
