/**
 * The batch, seen: the very images of the present batch in one frame that stays as large as it is. It asks for
 * pictures only while it can be seen.
 */
import './mosaic.css';
import { classKind } from '../classes.js';
import { colourOf, onColourChange } from '../colours.js';
import { element, setText } from '../dom.js';
import type { Mosaic } from '../protocol.js';
import type { TrainingSession } from '../session.js';
import { classNamesOf, datasetOf } from '../state.js';
import type { PageState } from '../state.js';
import { whileVisible } from '../visibility.js';
import { ClassCounts } from './class-counts.js';
import { fitGrid, mostDrawn } from './grid.js';
import type { Grid } from './grid.js';
import { assemble, sideOf } from './picture.js';
import { describeMosaic } from './words.js';

const HEIGHT = { narrow: 280, wide: 420 };
const WIDE_PIXELS = 480;
const SHRINK_MILLISECONDS = 700;
/** Between large thumbnails there is room for a line. */
const GAP_FROM_CELL = 20;

const reducedMotion = window.matchMedia('(prefers-reduced-motion: reduce)');

export class MosaicPanel {
  readonly #session: TrainingSession;
  readonly #stage = element('div', { class: 'mosaic-stage' });
  readonly #canvas = element('canvas', { class: 'mosaic-canvas', role: 'img', 'aria-labelledby': 'mosaic-text' });
  readonly #empty = element('p', { class: 'mosaic-empty' }, 'The images of the batch are shown here once a run has started.');
  readonly #text = element('p', { id: 'mosaic-text', class: 'mosaic-text' });
  readonly #classes = new ClassCounts();
  readonly #context = this.#canvas.getContext('2d');
  #report: Mosaic | null = null;
  #grid: Grid | null = null;
  #atlas: HTMLCanvasElement | null = null;
  /** The cell's side as it is drawn now: it shrinks towards the grid's. */
  #cell = 0;
  #animation: number | null = null;
  #visible = false;

  constructor(section: HTMLElement, state: PageState, session: TrainingSession) {
    this.#session = session;
    this.#stage.append(this.#canvas, this.#empty);
    section.append(
      this.#stage,
      this.#text,
      this.#classes.root,
      element('p', { class: 'panel-note' }, 'The frame keeps its size: as the batch grows, the images shrink.'),
    );
    new ResizeObserver(() => this.#resize()).observe(this.#stage);
    onColourChange(() => this.#repaint());
    const rename = (): void => this.#classes.rename(classKind(datasetOf(state)), classNamesOf(state));
    state.settings.observe(rename);
    state.data.observe(rename);
    state.run.observe(({ phase }) => {
      rename();
      if (phase === 'idle') this.#clear();
      else this.#describe();
    });
    session.listen('mosaic', (report) => {
      this.#report = report;
      this.#classes.show(report.classes);
      this.#lay();
    });
    whileVisible(this.#stage, (visible) => {
      this.#visible = visible;
      this.#ask();
    });
  }

  #clear(): void {
    this.#report = null;
    this.#grid = null;
    this.#cell = 0;
    this.#stopAnimation();
    this.#context?.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    this.#canvas.dataset['batch'] = '0';
    this.#empty.hidden = false;
    this.#classes.clear();
    setText(this.#text, 'No batch yet.');
  }

  #ask(): void {
    const { width, height } = this.#canvas;
    this.#session.setMosaic(this.#visible && width > 0, mostDrawn(width, height));
  }

  #resize(): void {
    const width = Math.floor(this.#stage.clientWidth);
    if (width <= 0) return;
    const height = width < WIDE_PIXELS ? HEIGHT.narrow : HEIGHT.wide;
    const density = window.devicePixelRatio;
    const [pixelWidth, pixelHeight] = [Math.round(width * density), Math.round(height * density)];
    if (this.#canvas.width === pixelWidth && this.#canvas.height === pixelHeight) return;
    this.#canvas.width = pixelWidth;
    this.#canvas.height = pixelHeight;
    this.#canvas.style.width = `${width}px`;
    this.#canvas.style.height = `${height}px`;
    this.#cell = 0;
    this.#lay();
    this.#ask();
  }

  /** A new batch, a new width: the grid is laid anew, and the thumbnails move towards it. */
  #lay(): void {
    const report = this.#report;
    if (report === null || this.#canvas.width === 0) return;
    this.#empty.hidden = true;
    const grid = fitGrid(report.count, this.#canvas.width, this.#canvas.height);
    this.#grid = grid;
    this.#canvas.dataset['batch'] = String(report.batch);
    this.#canvas.dataset['drawn'] = String(grid.drawn);
    this.#canvas.dataset['cell'] = String(grid.cell);
    this.#describe();
    this.#paintAtlas(report, grid);
    const from = this.#cell;
    if (from <= grid.cell || reducedMotion.matches) this.#settle(grid);
    else this.#shrink(from, grid);
  }

  #describe(): void {
    if (this.#report === null || this.#grid === null) return;
    const { batch, step } = this.#report;
    setText(this.#text, describeMosaic(batch, this.#grid.drawn, step));
  }

  #paintAtlas(report: Mosaic, grid: Grid): void {
    const picture = assemble(report.pixels, report.shape, grid, colourOf('--text'));
    this.#atlas ??= element('canvas');
    this.#atlas.width = picture.width;
    this.#atlas.height = picture.height;
    this.#atlas.getContext('2d')?.putImageData(picture, 0, 0);
  }

  #settle(grid: Grid): void {
    this.#stopAnimation();
    this.#cell = grid.cell;
    this.#draw(grid);
  }

  #shrink(from: number, grid: Grid): void {
    this.#stopAnimation();
    const begun = performance.now();
    const frame = (now: number): void => {
      const share = Math.min(1, Math.max(0, now - begun) / SHRINK_MILLISECONDS);
      // In equal times by equal factors: so it is felt how many times smaller they become.
      this.#cell = share < 1 ? from * (grid.cell / from) ** (1 - (1 - share) ** 3) : grid.cell;
      this.#draw(grid);
      this.#animation = share < 1 ? requestAnimationFrame(frame) : null;
    };
    frame(begun);
  }

  #stopAnimation(): void {
    if (this.#animation !== null) cancelAnimationFrame(this.#animation);
    this.#animation = null;
  }

  #repaint(): void {
    if (this.#report === null || this.#grid === null) return;
    this.#paintAtlas(this.#report, this.#grid);
    this.#draw(this.#grid);
  }

  /** The picture with `#cell` pixels for each thumbnail; what lies outside the frame is still to come in. */
  #draw(grid: Grid): void {
    const context = this.#context;
    if (context === null || this.#atlas === null || this.#report === null) return;
    const { width, height } = this.#canvas;
    context.clearRect(0, 0, width, height);
    const side = sideOf(this.#report.shape);
    context.imageSmoothingEnabled = this.#cell < side;
    const factor = this.#cell / side;
    context.drawImage(this.#atlas, 0, 0, this.#atlas.width * factor, this.#atlas.height * factor);
    if (this.#cell >= GAP_FROM_CELL) this.#rule(context, grid);
  }

  /** Lines between the thumbnails, where these are large enough. */
  #rule(context: CanvasRenderingContext2D, { columns, rows }: Grid): void {
    const [red, green, blue] = colourOf('--line');
    context.fillStyle = `rgb(${red} ${green} ${blue})`;
    const [right, bottom] = [columns * this.#cell, rows * this.#cell];
    for (let column = 1; column <= columns; column += 1) context.fillRect(Math.round(column * this.#cell) - 1, 0, 1, bottom);
    for (let row = 1; row <= rows; row += 1) context.fillRect(0, Math.round(row * this.#cell) - 1, right, 1);
  }
}
