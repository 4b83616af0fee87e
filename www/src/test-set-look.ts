/**
 * Looks through the test images, or has the networks of a text's measurements write, in slices: a few beside training, one after
 * another when nothing is trained. Runs in the worker.
 */
import type { Look, LookProgress, Session } from '../pkg/adadagrad_web.js';
import type { Post } from './protocol.js';
import { bytesOf, isSequence } from './samples.js';

const BESIDE_MILLISECONDS = 8;
/** Of the worker's time, while it trains. */
const LARGEST_SHARE = 0.1;
/** Small networks are looked through in no time; nobody sees more of it than this. */
const PAUSE_MILLISECONDS = 500;
const ALONE_MILLISECONDS = 30;

export class TestSetLook {
  readonly #session: Session;
  readonly #post: Post;
  readonly #imageBytes: number;
  readonly #channel = new MessageChannel();
  #run = 0;
  /** Of images: only while they can be seen. Of a text, every measurement has its sample. */
  #on: boolean;
  /** Nothing is trained at present. */
  #alone = true;
  #waits = false;
  #nextAt = 0;

  constructor(session: Session, post: Post) {
    this.#session = session;
    this.#post = post;
    this.#imageBytes = bytesOf(session.shape);
    this.#on = isSequence(session.shape);
    this.#channel.port1.onmessage = () => this.#sliceAlone();
  }

  set(on: boolean): void {
    this.#on = on || isSequence(this.#session.shape);
    if (this.#alone) this.#goOn();
  }

  /** A slice beside training, if one is due. */
  beside(run: number): void {
    this.#run = run;
    this.#alone = false;
    if (!this.#on || performance.now() < this.#nextAt) return;
    const begun = performance.now();
    const { look } = this.#slice(BESIDE_MILLISECONDS);
    const ended = performance.now();
    const rest = (ended - begun) * (1 / LARGEST_SHARE - 1);
    this.#nextAt = ended + Math.max(rest, look === null ? 0 : PAUSE_MILLISECONDS);
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
    if (this.#alone && this.#on && this.#slice(ALONE_MILLISECONDS).more) this.#goOn();
  }

  #slice(milliseconds: number): LookProgress {
    const progress = this.#session.look(milliseconds);
    if (progress.look !== null) this.#tell(progress.look);
    if (progress.sample !== null) this.#post({ type: 'sample', run: this.#run, ...progress.sample });
    return progress;
  }

  #tell(look: Look): void {
    const images = new Uint8Array(look.mistakes.length * this.#imageBytes);
    look.mistakes.forEach(({ sample }, place) => {
      const pixels = this.#session.test_image(sample);
      if (pixels !== undefined) images.set(pixels, place * this.#imageBytes);
    });
    this.#post({ type: 'look', run: this.#run, look, images }, [images.buffer]);
  }
}
