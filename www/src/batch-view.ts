/** Sends the samples of the batch at hand, and of images how many there are of each class, now and then. Runs in the worker. */
import type { Session } from '../pkg/adadagrad_web.js';
import type { ImageMosaic, Post, TextMosaic } from './protocol.js';
import { isSequence } from './samples.js';
import type { ImageShape } from './samples.js';

const INTERVAL_MILLISECONDS = 250;
/** Samples that take long to gather are sent less often: training must not notice. */
const LARGEST_SHARE = 0.02;

/** Of all thumbnails together: 256 images of MNIST's as they are, or more that are smaller. */
const MOST_PIXELS = 256 * 28 * 28;
/** By how much images can be made smaller. */
const SHRINKS = [1, 2, 4, 7, 14, 28, 56, 112];
/** Along the longer side: fewer pixels tell nothing any more. */
const LEAST_PIXELS = 4;

/** By how much images are made smaller where there are so many. */
export function shrinkFor(count: number, shape: ImageShape): number {
  const useful = SHRINKS.filter((shrink) => shrink === 1 || Math.max(shape.height, shape.width) / shrink >= LEAST_PIXELS);
  const fits = (shrink: number): boolean => count * Math.ceil(shape.height / shrink) * Math.ceil(shape.width / shrink) <= MOST_PIXELS;
  return useful.find(fits) ?? useful.at(-1) ?? 1;
}

function shrunk({ channels, height, width }: ImageShape, shrink: number): ImageShape {
  return { channels, height: Math.ceil(height / shrink), width: Math.ceil(width / shrink) };
}

/** A batch that is about to be, or being, learned from; after the end of a run the last one. */
export interface Batch {
  run: number;
  step: number;
  /** Samples seen before it. */
  position: number;
  size: number;
}

export class BatchView {
  readonly #session: Session;
  readonly #post: Post;
  #on = false;
  #most = 0;
  #batch: Batch | null = null;
  #sent: Batch | null = null;
  #nextAt = 0;
  #timer: number | null = null;

  constructor(session: Session, post: Post) {
    this.#session = session;
    this.#post = post;
  }

  set(on: boolean, most: number): void {
    this.#on = on;
    this.#most = most;
    this.#sent = null;
    this.#send();
  }

  /** Null: there is no batch to come. */
  show(batch: Batch | null): void {
    this.#batch = batch;
    this.#send();
  }

  /** At the end of a run: at once, because what is shown says of which step it is. */
  showLast(batch: Batch | null): void {
    this.#nextAt = 0;
    this.show(batch);
  }

  #send(): void {
    const batch = this.#batch;
    if (!this.#on || batch === null || sameBatch(batch, this.#sent)) return;
    const now = performance.now();
    if (now < this.#nextAt) {
      this.#timer ??= self.setTimeout(() => this.#later(), this.#nextAt - now);
      return;
    }
    const count = Math.min(batch.size, this.#most);
    const { run, step, size } = batch;
    const { shape } = this.#session;
    const facts = { type: 'mosaic', run, step, batch: size, count } as const;
    if (isSequence(shape)) {
      const tokens = this.#session.batch_tokens(batch.position, count);
      this.#post({ ...facts, kind: 'text', context: shape.width, tokens } satisfies TextMosaic, [tokens.buffer]);
    } else {
      const shrink = shrinkFor(count, shape);
      const pixels = this.#session.batch_images(batch.position, count, shrink);
      // Of all of them, those too that do not fit.
      const classes = this.#session.batch_classes(batch.position, size);
      this.#post({ ...facts, kind: 'images', shape: shrunk(shape, shrink), pixels, classes } satisfies ImageMosaic, [pixels.buffer, classes.buffer]);
    }
    this.#sent = batch;
    const ended = performance.now();
    this.#nextAt = Math.max(now + INTERVAL_MILLISECONDS, ended + (ended - now) / LARGEST_SHARE);
  }

  #later(): void {
    this.#timer = null;
    this.#send();
  }
}

function sameBatch(one: Batch, other: Batch | null): boolean {
  return other !== null && one.run === other.run && one.step === other.step && one.position === other.position && one.size === other.size;
}
