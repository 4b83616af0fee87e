/** Our engines, as the page's own worker drives them. */
import initialise, { Session } from '../../../pkg/adadagrad_web.js';
import type { EngineName as Computer } from '../../../pkg/adadagrad_web.js';
import { Sharing } from '../../../src/team/sharing.js';
import type { Engine, Problem } from '../engine.js';

/** No step is cut short by the clock. */
const NO_LIMIT_MILLISECONDS = 1e9;

interface Way {
  /** Whether the norm test is on. */
  test: boolean;
  /** Whether several workers compute together. */
  team?: boolean;
}

export class OurEngine implements Engine {
  readonly #computer: Computer;
  readonly #way: Way;
  #session: Session | null = null;
  #sharing: Sharing | null = null;
  #trouble: string | null = null;

  constructor(computer: Computer, way: Way) {
    this.#computer = computer;
    this.#way = way;
  }

  async prepare({ config, files }: Problem): Promise<void> {
    if (files === null) throw new Error('this engine needs the whole data set');
    await initialise();
    this.#session = new Session(files, config.dataset, config.text);
    const settings = this.#way.test ? config : { ...config, test: null };
    this.#session.start(settings, this.#computer, null, null);
    if (this.#way.team !== true) return;
    this.#sharing = new Sharing(this.#session, files, (trouble) => (this.#trouble = trouble));
    await this.#sharing.begin(settings);
  }

  async step(): Promise<number> {
    const session = this.#session;
    if (session === null) throw new Error('the engine is gone');
    for (;;) {
      const isShared = await this.#share(session);
      const progress = session.advance(isShared ? 0 : NO_LIMIT_MILLISECONDS, 1, false);
      if (!isShared) this.#sharing?.countAlone(progress.steps);
      const [notice] = progress.notices;
      if (progress.engine !== this.#computer) throw new Error(notice ?? 'another engine took over');
      const [step] = progress.steps;
      if (step !== undefined) return step.loss;
      // A GPU works by itself, on the event loop.
      if (this.#computer === 'webgpu') await moment();
    }
  }

  /** Lets the team sweep, where it is worth it. */
  async #share(session: Session): Promise<boolean> {
    const work = this.#sharing?.offer(1, false) ?? null;
    if (work === null) return false;
    await this.#sharing?.sweep(work, () => true, ({ numbers, values }) => session.take(numbers, values));
    if (this.#trouble !== null) throw new Error(this.#trouble);
    return true;
  }

  describe(): string {
    if (this.#computer === 'webgpu') return 'WebGPU';
    return this.#sharing === null ? 'WebAssembly, one thread' : `WebAssembly, ${this.#sharing.size} workers`;
  }

  dispose(): void {
    this.#sharing?.dismiss();
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
