/** What all charts share: a figure with heading, legend, uPlot canvas and caption, in the page's colours. */
import uPlot from 'uplot';
import { element, setText } from '../dom.js';
import { formatCompact } from '../format.js';
import { currentPalette } from '../theme.js';
import type { Palette } from '../theme.js';

type Colour = keyof Pick<Palette, 'accent' | 'contrast' | 'text'>;

export interface SeriesSpec {
  label: string;
  colour: Colour;
  /** A pattern besides the colour, for those who do not see colours apart. */
  dash?: number[];
  width?: number;
  stepped?: boolean;
  pointsOnly?: boolean;
  points?: boolean;
  format: (value: number) => string;
}

export interface ChartSpec {
  id: string;
  title: string;
  caption: string;
  logarithmic: boolean;
  series: SeriesSpec[];
  axisFormat: (value: number) => string;
  range?: (low: number, high: number) => [number, number];
  height?: number;
  emptyText?: string;
  /** Takes the whole width where charts stand side by side. */
  wide?: boolean;
}

/** One array of horizontal positions, then one array of values for each series. */
export type ChartData = [number[], ...(number | null)[][]];

const HEIGHT = 210;
const SYNC_KEY = 'run';
const FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

export class Chart {
  readonly root: HTMLElement;
  readonly #spec: ChartSpec;
  readonly #stage: HTMLElement;
  readonly #empty: HTMLElement;
  readonly #caption: HTMLElement;
  readonly #values: HTMLElement[] = [];
  readonly #labels: HTMLElement[] = [];
  #plot: uPlot | null = null;
  #data: ChartData;
  #largestX = 1;

  constructor(spec: ChartSpec) {
    this.#spec = spec;
    this.#data = [[], ...spec.series.map(() => [])];
    this.#stage = element('div', { class: 'chart-stage', role: 'img', 'aria-label': `${spec.title}: no steps yet` });
    this.#empty = element('p', { class: 'chart-empty' }, element('span', {}, spec.emptyText ?? 'The curve begins with the first step.'));
    this.#caption = element('figcaption', {}, spec.caption);
    this.root = element(
      'figure',
      { class: spec.wide === true ? 'chart chart-wide' : 'chart', id: `chart-${spec.id}` },
      element('div', { class: 'chart-head' }, element('h3', {}, spec.title), this.#createLegend()),
      this.#stage,
      this.#caption,
    );
    this.#stage.style.height = `${this.#height}px`;
    this.#stage.append(this.#empty);
    new ResizeObserver(() => this.#resize()).observe(this.#stage);
  }

  /** `summary` says in words what the picture shows. */
  show(data: ChartData, largestX: number, summary: string): void {
    this.#data = data;
    this.#largestX = Math.max(1, largestX);
    this.#empty.hidden = data[0].length > 0;
    this.#stage.setAttribute('aria-label', `${this.#spec.title}: ${summary}`);
    this.#showLatestValues();
    this.#plot?.setData(data);
  }

  setCaption(caption: string, labels: string[]): void {
    setText(this.#caption, caption);
    labels.forEach((label, index) => {
      const target = this.#labels[index];
      if (target !== undefined) setText(target, label);
    });
  }

  redraw(): void {
    this.#plot?.redraw(false, true);
  }

  get #height(): number {
    return this.#spec.height ?? HEIGHT;
  }

  #createLegend(): HTMLElement {
    const legend = element('div', { class: 'chart-legend' });
    for (const series of this.#spec.series) {
      const label = element('span', { class: 'legend-label' }, series.label);
      const value = element('span', { class: 'legend-value' });
      const pattern = series.dash !== undefined ? 'dashed' : series.pointsOnly ? 'dotted' : 'solid';
      const swatch = element('span', { class: `legend-swatch swatch-${series.colour} swatch-${pattern}` });
      this.#labels.push(label);
      this.#values.push(value);
      legend.append(element('span', { class: 'legend-entry' }, swatch, label, value));
    }
    return legend;
  }

  #resize(): void {
    const width = Math.floor(this.#stage.clientWidth);
    if (width <= 0) return;
    if (this.#plot === null) this.#plot = new uPlot(this.#options(width), this.#data, this.#stage);
    else if (this.#plot.width !== width) this.#plot.setSize({ width, height: this.#height });
  }

  #options(width: number): uPlot.Options {
    return {
      width,
      height: this.#height,
      legend: { show: false },
      padding: [10, 12, 0, 0],
      cursor: {
        y: false,
        drag: { x: false, y: false },
        points: { size: 7 },
        sync: { key: SYNC_KEY, scales: ['x', null] },
      },
      scales: {
        x: { time: false, range: () => [0, this.#largestX] },
        y: this.#verticalScale(),
      },
      axes: [this.#axis(formatCompact, 30, 60), this.#verticalAxis()],
      series: [{}, ...this.#spec.series.map((series) => seriesOptions(series))],
      hooks: { setCursor: [(plot) => this.#showCursorValues(plot)] },
    };
  }

  #verticalScale(): uPlot.Scale {
    const range = (_plot: uPlot, low: number | null, high: number | null): [number, number] => {
      if (low === null || high === null) return this.#spec.logarithmic ? [1, 10] : [0, 1];
      if (this.#spec.range !== undefined) return this.#spec.range(low, high);
      const [from, to] = this.#spec.logarithmic
        ? uPlot.rangeLog(low, high, 10, true)
        : uPlot.rangeNum(low, high, 0.1, true);
      return [from ?? low, to ?? high];
    };
    return this.#spec.logarithmic ? { distr: 3, log: 10, range } : { range };
  }

  #verticalAxis(): uPlot.Axis {
    const axis = this.#axis(this.#spec.axisFormat, 48, 32);
    if (!this.#spec.logarithmic) return axis;
    return {
      ...axis,
      splits: (_plot, _axis, low, high) => decadeSplits(low, high),
      // uPlot's own filter would leave out labels by rules meant for its own splits.
      filter: (_plot, splits) => splits,
    };
  }

  #axis(format: (value: number) => string, size: number, space: number): uPlot.Axis {
    return {
      stroke: () => currentPalette().text,
      font: FONT,
      size,
      space,
      gap: 6,
      grid: { stroke: () => currentPalette().grid, width: 1 },
      ticks: { show: false },
      border: { show: false },
      // An axis without a curve would only tell the made-up range.
      values: (_plot, splits) => splits.map((value) => (this.#data[0].length === 0 ? '' : format(value))),
    };
  }

  #showLatestValues(): void {
    this.#values.forEach((target, index) => {
      this.#showValue(target, index, this.#data[index + 1]?.at(-1));
    });
  }

  #showCursorValues(plot: uPlot): void {
    const { idx } = plot.cursor;
    if (idx === null || idx === undefined) {
      this.#showLatestValues();
      return;
    }
    this.#values.forEach((target, index) => this.#showValue(target, index, this.#data[index + 1]?.[idx]));
  }

  #showValue(target: HTMLElement, index: number, value: number | null | undefined): void {
    const series = this.#spec.series[index];
    setText(target, value === null || value === undefined || series === undefined ? '' : series.format(value));
  }
}

/** Powers of ten, with 2 and 5 between them while there are few. */
function decadeSplits(low: number, high: number): number[] {
  const first = Math.floor(Math.log10(low));
  const last = Math.ceil(Math.log10(high));
  const every = Math.max(1, Math.ceil((last - first) / 6));
  const factors = last - first <= 2 ? [1, 2, 5] : [1];
  const splits: number[] = [];
  for (let exponent = first; exponent <= last; exponent += every) {
    for (const factor of factors) splits.push(Number(`${factor}e${exponent}`));
  }
  return splits.filter((value) => value >= low * 0.999 && value <= high * 1.001);
}

function seriesOptions(series: SeriesSpec): uPlot.Series {
  const stroke = (): string => currentPalette()[series.colour];
  const stepped = series.stepped ? uPlot.paths.stepped?.({ align: -1 }) : undefined;
  return {
    label: series.label,
    stroke,
    width: series.width ?? 2,
    ...(series.dash === undefined ? {} : { dash: series.dash }),
    ...(stepped === undefined ? {} : { paths: stepped }),
    ...(series.pointsOnly ? { paths: () => null } : {}),
    points: { show: (plot) => showsPoints(series, plot), size: 4, stroke, fill: stroke },
  };
}

/** A line through one point is nothing to see: the first steps are drawn as points as well. */
function showsPoints(series: SeriesSpec, plot: uPlot): boolean {
  return series.pointsOnly === true || series.points === true || plot.data[0].length <= 12;
}
