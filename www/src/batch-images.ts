/** Sends the images of the batch at hand and how many there are of each class, now and then. Runs in the worker. */
import type { Session } from '../pkg/adadagrad_web.js';
import type { Mosaic, Post } from './protocol.js';

const INTERVAL_MILLISECONDS = 250;
/** Images that take long to gather are sent less often: training must not notice. */
const LARGEST_SHARE = 0.02;

/** The largest pictures whose number still makes a message of at most about 256 KB. */
const SIDES = [
  { side: 28, count: 256 },
  { side: 14, count: 1024 },
  { side: 7, count: 4096 },
  { side: 4, count: Infinity },
] satisfies { side: Mosaic['side']; count: number }[];

/** A batch that is about to be, or being, learned from. */
export interface Batch {
  run: number;
  step: number;
  /** Samples seen before it. */
  position: number;
  size: number;
}

export class BatchImages {
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

  #send(): void {
    const batch = this.#batch;
    if (!this.#on || batch === null || sameBatch(batch, this.#sent)) return;
    const now = performance.now();
    if (now < this.#nextAt) {
      this.#timer ??= self.setTimeout(() => this.#later(), this.#nextAt - now);
      return;
    }
    const count = Math.min(batch.size, this.#most);
    const side = SIDES.find((choice) => count <= choice.count)?.side ?? 4;
    const pixels = this.#session.batch_images(batch.position, count, side);
    // Of all of them, those too that do not fit.
    const classes = this.#session.batch_classes(batch.position, batch.size);
    this.#sent = batch;
    const { run, step } = batch;
    this.#post({ type: 'mosaic', run, step, batch: batch.size, count, side, pixels, classes }, [pixels.buffer, classes.buffer]);
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
