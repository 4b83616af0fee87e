/** The page's end of the worker: commands out, reports in. Knows which run is the present one. */
import type { RunConfig } from '../pkg/adadagrad_web.js';
import type { Command, EngineWish, Failure, Report, Update } from './protocol.js';

export interface SessionListener {
  onModule(report: Extract<Report, { type: 'module' }>): void;
  onAdapter(report: Extract<Report, { type: 'adapter' }>): void;
  onDownload(report: Extract<Report, { type: 'download' }>): void;
  onReady(report: Extract<Report, { type: 'ready' }>): void;
  onUpdate(update: Update): void;
  onFailure(failure: Failure): void;
}

export class TrainingSession {
  readonly #listener: SessionListener;
  #worker: Worker | null = null;
  #run = 0;
  #validations = 0;
  #pendingValidation: { request: number; answer: (problem: string | null) => void } | null = null;

  constructor(listener: SessionListener) {
    this.#listener = listener;
  }

  /** Starts the worker (anew, after a crash); it begins at once to load the module and the data. */
  open(): void {
    this.#worker?.terminate();
    this.#run += 1;
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    worker.onmessage = (event: MessageEvent<Report>) => this.#receive(event.data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#crashed(event.message);
    };
    worker.onmessageerror = () => this.#crashed('A message could not be read.');
    this.#worker = worker;
    this.#send({ type: 'open', dataAddress: new URL('data/mnist/', document.baseURI).href });
  }

  begin(config: RunConfig, engine: EngineWish, steps: number | null): void {
    this.#run += 1;
    this.#send({ type: 'begin', run: this.#run, config, engine, steps });
  }

  continue(steps: number | null): void {
    this.#send({ type: 'continue', steps });
  }

  pause(): void {
    this.#send({ type: 'pause' });
  }

  reset(): void {
    // What the worker still has to say about the run that is dropped no longer counts.
    this.#run += 1;
    this.#send({ type: 'reset' });
  }

  /** Answers with what is wrong, or null; only the newest question is answered. */
  validate(config: RunConfig, answer: (problem: string | null) => void): void {
    this.#validations += 1;
    this.#pendingValidation = { request: this.#validations, answer };
    this.#send({ type: 'validate', request: this.#validations, config });
  }

  #send(command: Command): void {
    this.#worker?.postMessage(command);
  }

  #receive(report: Report): void {
    switch (report.type) {
      case 'module':
        this.#listener.onModule(report);
        break;
      case 'adapter':
        this.#listener.onAdapter(report);
        break;
      case 'download':
        this.#listener.onDownload(report);
        break;
      case 'ready':
        this.#listener.onReady(report);
        break;
      case 'validated':
        if (this.#pendingValidation?.request === report.request) this.#pendingValidation.answer(report.problem);
        break;
      case 'update':
        if (report.run === this.#run) this.#listener.onUpdate(report);
        break;
      case 'failure':
        if (report.run === null || report.run === this.#run) this.#listener.onFailure(report);
        break;
    }
  }

  #crashed(detail: string): void {
    this.#worker?.terminate();
    this.#worker = null;
    const message = `The training worker stopped unexpectedly.${detail ? ` (${detail})` : ''}`;
    this.#listener.onFailure({ type: 'failure', kind: 'crash', run: null, message });
  }
}
