/** One engine's worker: asked one thing at a time, with a time limit on every answer. */
import type { EngineName } from './engine-rows.js';
import type { Problem } from './engine.js';
import type { Answer, Request, Turn } from './protocol.js';

export interface Prepared {
  losses: number[];
  description: string;
}

export class Lane {
  readonly engine: EngineName;
  readonly #worker: Worker;
  readonly #limitSeconds: number;

  constructor(engine: EngineName, limitSeconds: number) {
    this.engine = engine;
    this.#limitSeconds = limitSeconds;
    this.#worker = new Worker(new URL('./engine-worker.ts', import.meta.url), { type: 'module' });
  }

  async prepare(problem: Problem, checkSteps: number): Promise<Prepared> {
    const answer = await this.#ask({ type: 'prepare', engine: this.engine, problem, checkSteps });
    if (answer.type !== 'prepared') throw new Error('the worker answered something else than it was asked');
    return answer;
  }

  async measure(seconds: number): Promise<Turn> {
    const answer = await this.#ask({ type: 'measure', milliseconds: seconds * 1000 });
    if (answer.type !== 'measured') throw new Error('the worker answered something else than it was asked');
    return answer.turn;
  }

  /** Ends the worker, whatever it is doing. */
  close(): void {
    this.#worker.terminate();
  }

  #ask(request: Request): Promise<Exclude<Answer, { type: 'failed' }>> {
    return new Promise((resolve, reject) => {
      const limit = setTimeout(
        () => reject(new Error(`it took longer than the ${this.#limitSeconds} seconds it was given`)),
        this.#limitSeconds * 1000,
      );
      const settle = (act: () => void): void => {
        clearTimeout(limit);
        act();
      };
      this.#worker.onmessage = ({ data }: MessageEvent<Answer>) =>
        settle(() => (data.type === 'failed' ? reject(new Error(data.message)) : resolve(data)));
      this.#worker.onerror = (event) => {
        event.preventDefault();
        settle(() => reject(new Error(event.message || 'its worker could not be started')));
      };
      this.#worker.postMessage(request);
    });
  }
}
