/**
 * A pad to draw a digit on: with mouse, finger or pen, or with the arrow keys. Gives 28 × 28 pixels as MNIST has
 * them. It can show a ready image instead; the first stroke wipes that away.
 */
import { colourOf, onColourChange } from '../colours.js';
import { element, setText } from '../dom.js';
import { FINENESS, PadInk, PEN_WIDTH } from './ink.js';
import type { Place } from './ink.js';
import { preprocess, SIDE } from './preprocess.js';

/** Pixels along the canvas, on which the ink is only shown. */
const PAD = SIDE * FINENESS;
const MOVES: Record<string, readonly [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

export class DrawingPad {
  readonly root: HTMLElement;
  readonly #changed: () => void;
  readonly #canvas = element('canvas', {
    class: 'pad-canvas',
    tabindex: '0',
    role: 'application',
    'aria-label': 'Drawing pad',
    'aria-describedby': 'pad-hint pad-pen',
  });
  /** In main memory: small, and painted by script alone. */
  readonly #context = this.#canvas.getContext('2d', { willReadFrequently: true });
  readonly #cursor = element('div', { class: 'pad-cursor', 'aria-hidden': 'true' });
  readonly #penText = element('span', { id: 'pad-pen', role: 'status' });
  readonly #drawn = new PadInk();
  #image: Uint8Array | null = null;
  #empty = true;
  /** The pointer that draws, and where it is; other fingers are ignored meanwhile. */
  #pen: { pointer: number; place: Place } | null = null;
  /** Where the keyboard's cursor is, in pixels of the image. */
  #place: Place = { x: SIDE / 2, y: SIDE / 2 };
  #penDown = false;

  /** `changed` is called whenever there is another drawing; `pixels` tells which. */
  constructor(changed: () => void) {
    this.#changed = changed;
    this.#canvas.width = PAD;
    this.#canvas.height = PAD;
    const hint = element(
      'p',
      { id: 'pad-hint', class: 'field-hint' },
      'Draw with mouse, finger or pen. By keyboard: the arrow keys move the cursor, Space puts the pen down or lifts it, Delete clears the pad. ',
      this.#penText,
    );
    this.root = element('div', { class: 'pad' }, element('div', { class: 'pad-frame' }, this.#canvas, this.#cursor), hint);
    this.#listenToPointer();
    this.#canvas.addEventListener('keydown', (event) => this.#key(event));
    this.#canvas.addEventListener('blur', () => this.#liftPen());
    onColourChange(() => this.#recolour());
    this.#placeCursor();
  }

  /** Shows a ready image, which needs no preprocessing. */
  show(pixels: Uint8Array): void {
    this.#wipe();
    this.#image = pixels;
    this.#empty = false;
    this.#paintImage(pixels);
    this.#changed();
  }

  /** Something drawn by hand, not a ready image. */
  get holdsDrawing(): boolean {
    return !this.#empty && this.#image === null;
  }

  clear(): void {
    this.#wipe();
    this.#liftPen();
    this.#changed();
  }

  #wipe(): void {
    this.#image = null;
    this.#empty = true;
    this.#drawn.clear();
    this.#context?.clearRect(0, 0, PAD, PAD);
  }

  #listenToPointer(): void {
    const canvas = this.#canvas;
    canvas.addEventListener('pointerdown', (event) => {
      if (event.button !== 0 || this.#pen !== null) return;
      canvas.setPointerCapture(event.pointerId);
      const place = this.#pointerPlace(event);
      this.#pen = { pointer: event.pointerId, place };
      this.#stroke(place, place);
    });
    canvas.addEventListener('pointermove', (event) => {
      if (this.#pen?.pointer !== event.pointerId) return;
      const parts = event.getCoalescedEvents?.() ?? [];
      // Some browsers give none.
      for (const part of parts.length > 0 ? parts : [event]) {
        const place = this.#pointerPlace(part);
        this.#stroke(this.#pen.place, place);
        this.#pen.place = place;
      }
    });
    // However a stroke ends (lifted, cancelled by the system), the captured pointer is let go.
    canvas.addEventListener('lostpointercapture', (event) => {
      if (this.#pen?.pointer === event.pointerId) this.#pen = null;
    });
  }

  #pointerPlace(event: PointerEvent): Place {
    const box = this.#canvas.getBoundingClientRect();
    return { x: ((event.clientX - box.left) / box.width) * SIDE, y: ((event.clientY - box.top) / box.height) * SIDE };
  }

  #key(event: KeyboardEvent): void {
    const move = MOVES[event.key];
    if (move !== undefined) this.#move(move);
    else if (event.key === ' ') this.#setPen(!this.#penDown);
    else if (event.key === 'Delete' || event.key === 'Backspace') this.clear();
    else return;
    event.preventDefault();
  }

  #move([x, y]: readonly [number, number]): void {
    const from = this.#place;
    const inside = (value: number): number => Math.min(SIDE - 1, Math.max(1, value));
    this.#place = { x: inside(from.x + x), y: inside(from.y + y) };
    this.#placeCursor();
    if (this.#penDown) this.#stroke(from, this.#place);
  }

  #setPen(down: boolean): void {
    this.#penDown = down;
    this.#cursor.dataset['pen'] = down ? 'down' : 'up';
    setText(this.#penText, down ? 'The pen is down.' : 'The pen is up.');
    if (down) this.#stroke(this.#place, this.#place);
  }

  #liftPen(): void {
    if (this.#penDown) this.#setPen(false);
  }

  #placeCursor(): void {
    this.#cursor.style.left = `${(this.#place.x / SIDE) * 100}%`;
    this.#cursor.style.top = `${(this.#place.y / SIDE) * 100}%`;
  }

  #stroke(from: Place, to: Place): void {
    if (this.#image !== null) this.#wipe();
    this.#empty = false;
    this.#drawn.stroke(from, to);
    this.#paintStroke(from, to);
    this.#changed();
  }

  #paintStroke(from: Place, to: Place): void {
    const context = this.#context;
    if (context === null) return;
    context.strokeStyle = this.#ink();
    context.lineWidth = PEN_WIDTH * FINENESS;
    context.lineCap = 'round';
    context.beginPath();
    context.moveTo(from.x * FINENESS, from.y * FINENESS);
    // A line of no length draws nothing in some browsers, not even its round ends.
    context.lineTo(to.x * FINENESS + 0.01, to.y * FINENESS);
    context.stroke();
  }

  /** What is drawn now as MNIST would have it; null where nothing is. */
  pixels(): Uint8Array | null {
    if (this.#image !== null) return this.#image;
    return this.#empty ? null : preprocess(this.#drawn);
  }

  #paintImage(pixels: Uint8Array): void {
    const context = this.#context;
    if (context === null) return;
    const [red, green, blue] = colourOf('--text');
    pixels.forEach((value, index) => {
      context.fillStyle = `rgb(${red} ${green} ${blue} / ${value / 255})`;
      context.fillRect((index % SIDE) * FINENESS, Math.floor(index / SIDE) * FINENESS, FINENESS, FINENESS);
    });
  }

  #ink(): string {
    const [red, green, blue] = colourOf('--text');
    return `rgb(${red} ${green} ${blue})`;
  }

  #recolour(): void {
    const context = this.#context;
    if (context === null) return;
    context.save();
    // Only where there is ink already.
    context.globalCompositeOperation = 'source-in';
    context.fillStyle = this.#ink();
    context.fillRect(0, 0, PAD, PAD);
    context.restore();
  }
}
