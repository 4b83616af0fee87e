/** Looks through the test set in slices: a few beside training, one after another when nothing is trained. Runs in the worker. */
import type { Look, Session } from '../pkg/adadagrad_web.js';
import type { Post } from './protocol.js';

const BESIDE_MILLISECONDS = 8;
/** Of the worker's time, while it trains. */
const LARGEST_SHARE = 0.2;
const ALONE_MILLISECONDS = 30;
const IMAGE_BYTES = 784;

export class TestSetLook {
  readonly #session: Session;
  readonly #post: Post;
  readonly #channel = new MessageChannel();
  #run = 0;
  #on = false;
  /** Nothing is trained at present. */
  #alone = true;
  #waits = false;
  #nextAt = 0;

  constructor(session: Session, post: Post) {
    this.#session = session;
    this.#post = post;
    this.#channel.port1.onmessage = () => this.#sliceAlone();
  }

  set(on: boolean): void {
    this.#on = on;
    if (this.#alone) this.#goOn();
  }

  /** A slice beside training, if one is due. */
  beside(run: number): void {
    this.#run = run;
    this.#alone = false;
    if (!this.#on || performance.now() < this.#nextAt) return;
    const begun = performance.now();
    this.#slice(BESIDE_MILLISECONDS);
    const ended = performance.now();
    this.#nextAt = ended + (ended - begun) * (1 / LARGEST_SHARE - 1);
  }

  /** From now on nothing is trained. */
  alone(run: number): void {
    this.#run = run;
    this.#alone = true;
    if (!this.#on) return;
    this.#goOn();
    // What a GPU has learned since its last copy.
    void this.#session.refresh().then(() => this.#goOn());
  }

  #goOn(): void {
    if (this.#waits || !this.#on) return;
    this.#waits = true;
    this.#channel.port2.postMessage(null);
  }

  #sliceAlone(): void {
    this.#waits = false;
    if (this.#alone && this.#on && this.#slice(ALONE_MILLISECONDS)) this.#goOn();
  }

  /** Whether there is more to look at. */
  #slice(milliseconds: number): boolean {
    const { look, more } = this.#session.look(milliseconds);
    if (look !== null) this.#tell(look);
    return more;
  }

  #tell(look: Look): void {
    const images = new Uint8Array(look.mistakes.length * IMAGE_BYTES);
    look.mistakes.forEach(({ sample }, place) => {
      const pixels = this.#session.test_image(sample);
      if (pixels !== undefined) images.set(pixels, place * IMAGE_BYTES);
    });
    this.#post({ type: 'look', run: this.#run, look, images }, [images.buffer]);
  }
}
