/** Our WebAssembly engine, as the page's own worker drives it. */
import initialise, { Session } from '../../../pkg/adadagrad_web.js';
import type { Engine, Problem } from '../engine.js';

/** No step is cut short by the clock. */
const NO_LIMIT_MILLISECONDS = 1e9;

export class OurEngine implements Engine {
  readonly #test: boolean;
  #session: Session | null = null;

  constructor({ test }: { test: boolean }) {
    this.#test = test;
  }

  async prepare({ config, files }: Problem): Promise<void> {
    if (files === null) throw new Error('this engine needs the whole data set');
    await initialise();
    this.#session = new Session(files);
    this.#session.start(this.#test ? config : { ...config, test: null });
  }

  step(): Promise<number> {
    const progress = this.#session?.advance(NO_LIMIT_MILLISECONDS, 1);
    const loss = progress?.steps[0]?.loss;
    return loss === undefined ? Promise.reject(new Error('no step was made')) : Promise.resolve(loss);
  }

  describe(): string {
    return 'WebAssembly, one thread';
  }

  dispose(): void {
    this.#session?.free();
    this.#session = null;
  }
}
