/** Answers the page's questions about the run at hand. Runs in the worker. */
import type { Checkpoint, Following, RunConfig, Session } from '../pkg/adadagrad_web.js';
import type { Command, Post } from './protocol.js';
import { text } from './words-of-errors.js';

export class Answers {
  readonly #session: Session;
  readonly #post: Post;

  constructor(session: Session, post: Post) {
    this.#session = session;
    this.#post = post;
  }

  /** `tellAll`: has the page told of every step up to the checkpoint before that comes. */
  async checkpoint(request: number, run: number, tellAll: () => void): Promise<void> {
    let checkpoint: Checkpoint | null = null;
    try {
      checkpoint = await this.#session.checkpoint();
    } catch {
      // There is no run, or its numbers cannot be written.
    }
    if (checkpoint !== null) tellAll();
    this.#post({ type: 'checkpoint', request, run, checkpoint }, checkpoint === null ? [] : [checkpoint.bytes.buffer]);
  }

  async classify(request: number, pixels: Uint8Array, running: boolean): Promise<void> {
    await this.#refresh(running);
    const { step, probabilities } = this.#session.classify(pixels) ?? { step: null, probabilities: null };
    this.#post({ type: 'classified', request, step, probabilities });
  }

  async follow({ request, beginning, temperature, count, seed }: Extract<Command, { type: 'follow' }>, running: boolean): Promise<void> {
    await this.#refresh(running);
    let following: Following | null = null;
    try {
      following = this.#session.follow(beginning, temperature, count, seed);
    } catch {
      // Parameters that have grown without limit give no numbers.
    }
    this.#post({ type: 'followed', request, following });
  }

  async parameters(request: number, running: boolean): Promise<void> {
    await this.#refresh(running);
    const { step, model, values } = this.#session.parameters() ?? { step: null, model: null, values: null };
    this.#post({ type: 'parameters', request, step, model, values }, values === null ? [] : [values.buffer]);
  }

  testImage(request: number, sample: number): void {
    const pixels = this.#session.test_image(sample) ?? null;
    this.#post({ type: 'test-image', request, sample, pixels });
  }

  checkModel(request: number, config: RunConfig, parameters: Uint8Array): void {
    let problem: string | null = null;
    try {
      this.#session.check_model(config, parameters);
    } catch (error) {
      problem = text(error);
    }
    this.#post({ type: 'validated', request, problem });
  }

  /** A GPU that stands still can give its parameters as they are, at no cost for training. */
  async #refresh(running: boolean): Promise<void> {
    if (!running) await this.#session.refresh();
  }
}
