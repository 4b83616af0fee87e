/** Our engines, as the page's own worker drives them. */
import initialise, { Session } from '../../../pkg/adadagrad_web.js';
import type { EngineName as Computer } from '../../../pkg/adadagrad_web.js';
import type { Engine, Problem } from '../engine.js';

/** No step is cut short by the clock. */
const NO_LIMIT_MILLISECONDS = 1e9;

export class OurEngine implements Engine {
  readonly #computer: Computer;
  readonly #test: boolean;
  #session: Session | null = null;

  constructor(computer: Computer, { test }: { test: boolean }) {
    this.#computer = computer;
    this.#test = test;
  }

  async prepare({ config, files }: Problem): Promise<void> {
    if (files === null) throw new Error('this engine needs the whole data set');
    await initialise();
    this.#session = new Session(files, config.dataset);
    this.#session.start(this.#test ? config : { ...config, test: null }, this.#computer, null, null);
  }

  async step(): Promise<number> {
    for (;;) {
      const progress = this.#session?.advance(NO_LIMIT_MILLISECONDS, 1, false);
      if (progress === undefined) throw new Error('the engine is gone');
      const [notice] = progress.notices;
      if (progress.engine !== this.#computer) throw new Error(notice ?? 'another engine took over');
      const [step] = progress.steps;
      if (step !== undefined) return step.loss;
      // A GPU works by itself, on the event loop.
      await moment();
    }
  }

  describe(): string {
    return this.#computer === 'cpu' ? 'WebAssembly, one thread' : 'WebGPU';
  }

  dispose(): void {
    this.#session?.free();
    this.#session = null;
  }
}

/** A millisecond that leaves the processor to the GPU's answers. Timers that set each other off would take four. */
function moment(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close();
      setTimeout(resolve, 1);
    };
    port2.postMessage(null);
  });
}
