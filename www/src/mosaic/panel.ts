/**
 * The batch, seen: the very images or sequences of the present batch in one frame that stays as large as it is. It asks for
 * them only while it can be seen.
 */
import './mosaic.css';
import { classKind } from '../classes.js';
import { colourOf, onColourChange } from '../colours.js';
import { element, setText } from '../dom.js';
import type { ImageMosaic, Mosaic, TextMosaic } from '../protocol.js';
import { isSequence } from '../samples.js';
import type { TrainingSession } from '../session.js';
import { roomOn } from '../stage.js';
import { classNamesOf, datasetOf, hasText, shapeOf } from '../state.js';
import type { PageState } from '../state.js';
import { whileVisible } from '../visibility.js';
import { ClassCounts } from './class-counts.js';
import { fitGrid, mostDrawn } from './grid.js';
import type { Grid } from './grid.js';
import { assemble, sideOf } from './picture.js';
import { fitText, mostWritten } from './text-grid.js';
import { paintText } from './text-picture.js';
import { describeMosaic } from './words.js';

const SHRINK_MILLISECONDS = 700;
/** Between large thumbnails there is room for a line. */
const GAP_FROM_CELL = 20;

/** How the batch is drawn. */
interface Layout {
  /** Of one sample, or of its letters: it shrinks towards this. */
  size: number;
  drawn: number;
  /** Paints the picture for this size, in the present colours. */
  paint(): void;
  /** Draws the picture with samples of another size. */
  draw(context: CanvasRenderingContext2D, size: number): void;
  /** What is shown, in a sentence. */
  words: string;
}

const reducedMotion = window.matchMedia('(prefers-reduced-motion: reduce)');

export class MosaicPanel {
  readonly #state: PageState;
  readonly #session: TrainingSession;
  readonly #stage = element('div', { class: 'mosaic-stage' });
  readonly #canvas = element('canvas', { class: 'mosaic-canvas', role: 'img', 'aria-labelledby': 'mosaic-text', 'aria-describedby': 'mosaic-first' });
  readonly #empty = element('p', { class: 'mosaic-empty' });
  readonly #text = element('p', { id: 'mosaic-text', class: 'mosaic-text' });
  /** The first sequence of a text, for those who do not see it. */
  readonly #first = element('p', { id: 'mosaic-first', class: 'visually-hidden' });
  readonly #note = element('p', { class: 'panel-note' });
  readonly #classes = new ClassCounts();
  readonly #context = this.#canvas.getContext('2d');
  #report: Mosaic | null = null;
  #layout: Layout | null = null;
  readonly #atlas = element('canvas');
  /** The size as it is drawn now: it shrinks towards the layout's. */
  #size = 0;
  #animation: number | null = null;
  #visible = false;

  constructor(section: HTMLElement, state: PageState, session: TrainingSession) {
    this.#state = state;
    this.#session = session;
    this.#stage.append(this.#canvas, this.#empty);
    section.append(this.#stage, element('div', { class: 'panel-more' }, this.#text, this.#first, this.#classes.root, this.#note));
    new ResizeObserver(() => this.#resize()).observe(this.#stage);
    onColourChange(() => this.#repaint());
    state.settings.observe(() => this.#suit());
    state.data.observe(({ name }) => {
      this.#suit();
      // How many there is room for depends on what they are.
      if (name === 'ready') this.#ask();
    });
    state.run.observe(({ phase }) => {
      this.#suit();
      if (phase === 'idle') this.#clear();
      else this.#describe();
    });
    session.listen('mosaic', (report) => {
      this.#report = report;
      if (report.kind === 'images') this.#classes.show(report.classes);
      this.#lay();
    });
    whileVisible(this.#stage, (visible) => {
      this.#visible = visible;
      this.#ask();
    });
  }

  /** What there is to see depends on what the data are. */
  #suit(): void {
    const isText = hasText(this.#state);
    this.#classes.root.hidden = isText;
    if (!isText) this.#classes.rename(classKind(datasetOf(this.#state)), classNamesOf(this.#state));
    setText(this.#empty, `The ${isText ? 'sequences' : 'images'} of the batch are shown here once a run has started.`);
    setText(
      this.#note,
      isText
        ? 'The frame keeps its size: as the batch grows, the letters shrink. Letters that are too small to read are drawn as grey spots. ↵ is a line break.'
        : 'The frame keeps its size: as the batch grows, the images shrink.',
    );
  }

  #clear(): void {
    this.#report = null;
    this.#layout = null;
    this.#size = 0;
    this.#stopAnimation();
    this.#context?.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    this.#canvas.dataset['batch'] = '0';
    this.#empty.hidden = false;
    this.#classes.clear();
    this.#describe();
    setText(this.#first, '');
  }

  #ask(): void {
    const { width, height } = this.#canvas;
    const shape = shapeOf(this.#state);
    const most = isSequence(shape) ? mostWritten(shape.width, width, height) : mostDrawn(width, height);
    this.#session.setMosaic(this.#visible && width > 0, most);
  }

  #resize(): void {
    const { width, height } = roomOn(this.#stage);
    if (width <= 0) return;
    const density = window.devicePixelRatio;
    const [pixelWidth, pixelHeight] = [Math.round(width * density), Math.round(height * density)];
    if (this.#canvas.width === pixelWidth && this.#canvas.height === pixelHeight) return;
    this.#canvas.width = pixelWidth;
    this.#canvas.height = pixelHeight;
    this.#canvas.style.width = `${width}px`;
    this.#canvas.style.height = `${height}px`;
    this.#size = 0;
    this.#lay();
    this.#ask();
  }

  /** A new batch, a new width: the batch is laid out anew, and the samples move towards that. */
  #lay(): void {
    const report = this.#report;
    if (report === null || this.#canvas.width === 0) return;
    this.#empty.hidden = true;
    const layout = report.kind === 'images' ? this.#layImages(report) : this.#layText(report);
    this.#layout = layout;
    this.#canvas.dataset['batch'] = String(report.batch);
    this.#canvas.dataset['drawn'] = String(layout.drawn);
    this.#canvas.dataset['cell'] = String(layout.size);
    this.#describe();
    layout.paint();
    const from = this.#size;
    if (from <= layout.size || reducedMotion.matches) this.#settle(layout);
    else this.#shrink(from, layout);
  }

  #describe(): void {
    const isExpected = this.#visible && this.#state.run.value.phase === 'running';
    setText(this.#text, this.#layout?.words ?? (isExpected ? 'Waiting for the batch.' : 'No batch yet.'));
  }

  #layImages(report: ImageMosaic): Layout {
    const grid = fitGrid(report.count, this.#canvas.width, this.#canvas.height);
    const side = sideOf(report.shape);
    return {
      size: grid.cell,
      drawn: grid.drawn,
      words: describeMosaic(report.batch, grid.drawn, report.step),
      paint: () => {
        const picture = assemble(report.pixels, report.shape, grid, colourOf('--text'));
        this.#atlas.width = picture.width;
        this.#atlas.height = picture.height;
        this.#atlas.getContext('2d')?.putImageData(picture, 0, 0);
      },
      draw: (context, cell) => {
        context.imageSmoothingEnabled = cell < side;
        const factor = cell / side;
        context.drawImage(this.#atlas, 0, 0, this.#atlas.width * factor, this.#atlas.height * factor);
        if (cell >= GAP_FROM_CELL) rule(context, grid, cell);
      },
    };
  }

  #layText({ tokens, context: length, count, batch, step }: TextMosaic): Layout {
    const { width, height } = this.#canvas;
    const names = classNamesOf(this.#state);
    const grid = fitText(count, length, width, height, window.devicePixelRatio);
    const size = ` of ${length} ${this.#state.run.value.config?.text.tokens ?? 'characters'}`;
    setText(this.#first, `The first sequence: ${[...tokens.subarray(0, length)].map((token) => names[token] ?? '').join('')}`);
    return {
      size: grid.size,
      drawn: grid.drawn,
      words: describeMosaic(batch, grid.drawn, step, { noun: 'sequence', size }),
      paint: () => {
        this.#atlas.width = width;
        this.#atlas.height = height;
        const context = this.#atlas.getContext('2d');
        const inks = { text: colourOf('--text'), muted: colourOf('--text-muted'), line: colourOf('--line') };
        if (context !== null) paintText(context, { tokens, context: length, names }, grid, inks);
      },
      draw: (context, drawnSize) => {
        const factor = drawnSize / grid.size;
        context.imageSmoothingEnabled = factor !== 1;
        context.drawImage(this.#atlas, 0, 0, width * factor, height * factor);
      },
    };
  }

  #settle(layout: Layout): void {
    this.#stopAnimation();
    this.#size = layout.size;
    this.#draw(layout);
  }

  #shrink(from: number, layout: Layout): void {
    this.#stopAnimation();
    const begun = performance.now();
    const frame = (now: number): void => {
      const share = Math.min(1, Math.max(0, now - begun) / SHRINK_MILLISECONDS);
      // In equal times by equal factors: so it is felt how many times smaller they become.
      this.#size = share < 1 ? from * (layout.size / from) ** (1 - (1 - share) ** 3) : layout.size;
      this.#draw(layout);
      this.#animation = share < 1 ? requestAnimationFrame(frame) : null;
    };
    frame(begun);
  }

  #stopAnimation(): void {
    if (this.#animation !== null) cancelAnimationFrame(this.#animation);
    this.#animation = null;
  }

  #repaint(): void {
    if (this.#layout === null) return;
    this.#layout.paint();
    this.#draw(this.#layout);
  }

  /** What lies outside the frame is still to come in. */
  #draw(layout: Layout): void {
    const context = this.#context;
    if (context === null) return;
    context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    layout.draw(context, this.#size);
  }
}

/** Lines between the thumbnails, where these are large enough. */
function rule(context: CanvasRenderingContext2D, { columns, rows }: Grid, cell: number): void {
  const [red, green, blue] = colourOf('--line');
  context.fillStyle = `rgb(${red} ${green} ${blue})`;
  const [right, bottom] = [columns * cell, rows * cell];
  for (let column = 1; column <= columns; column += 1) context.fillRect(Math.round(column * cell) - 1, 0, 1, bottom);
  for (let row = 1; row <= rows; row += 1) context.fillRect(0, Math.round(row * cell) - 1, right, 1);
}
