/** The page's end of the worker: commands out, reports in. Knows which run is the present one. */
import type { Checkpoint, DatasetName, RunConfig, TextSettings } from '../pkg/adadagrad_web.js';
import { DISTRUST } from './engine/choice.js';
import type {
  CheckpointReport, Classified, Command, DataSource, EngineWish, Failure, FailureKind, Followed, ParametersReport, Report, StopAfter, TestImage, Update, Validated,
} from './protocol.js';
import { USUAL_TEXT } from './protocol.js';
import { startModuleWorker, UnsupportedError } from './start/module-worker.js';
import { PageMembers } from './team/page-members.js';
import { text as wordsOf } from './words-of-errors.js';
import workerAddress from './worker.ts?worker&url';

export interface SessionListener {
  onModule(report: Extract<Report, { type: 'module' }>): void;
  onAdapter(report: Extract<Report, { type: 'adapter' }>): void;
  onDownload(report: Extract<Report, { type: 'download' }>): void;
  onReady(report: Extract<Report, { type: 'ready' }>): void;
  onUpdate(update: Update): void;
  onFailure(failure: Failure): void;
}

/** What parts of the page can listen to beside that. */
export type News = Extract<Report, { type: 'alive' | 'datasets' | 'team' | 'resumed' | 'retuned' | 'refused-retune' | 'look' | 'sample' | 'mosaic' }>;

type NewsOf<Type extends News['type']> = Extract<News, { type: Type }>;
type Answer = CheckpointReport | Classified | Followed | ParametersReport | TestImage | Validated;
type Question = Extract<Command, { type: 'checkpoint' | 'classify' | 'follow' | 'parameters' | 'test-image' | 'validate' | 'check-model' }>;
/** A question without its number. */
type Asking<Type extends Question['type']> = Omit<Extract<Question, { type: Type }>, 'request'>;

/** Where the page learns from. */
export type Source = { kind: 'dataset'; dataset: Exclude<DatasetName, 'own'> } | Extract<DataSource, { kind: 'files' }>;

export class TrainingSession {
  readonly #listener: SessionListener;
  readonly #newsListeners = new Map<News['type'], ((news: News) => void)[]>();
  #worker: Worker | null = null;
  readonly #members = new PageMembers();
  /** The worker has said something: its file arrived, and runs. */
  #isAlive = false;
  #run = 0;
  #stop: StopAfter = null;
  /** Whether the run at hand was computed by WebGPU when it was heard of last. */
  #isOnGpu = false;
  #requests = 0;
  #validations = 0;
  readonly #questions = new Map<number, (answer: Answer | null) => void>();
  /** What a new worker must be told again. */
  readonly #wishes = new Map<Command['type'], Command>();

  constructor(listener: SessionListener) {
    this.#listener = listener;
  }

  /** Calls back with each report of a kind about the present run (or about none). */
  listen<Type extends News['type']>(type: Type, listener: (news: NewsOf<Type>) => void): void {
    const listeners = this.#newsListeners.get(type) ?? [];
    // The map's key says which kind of news a listener gets.
    listeners.push(listener as (news: News) => void);
    this.#newsListeners.set(type, listeners);
  }

  /**
   * Starts the worker (anew, after a crash or for other data); it begins at once to load the module and the data. `text`: how a
   * text is read, until a run says it.
   */
  open(source: Source = { kind: 'dataset', dataset: 'mnist' }, text: TextSettings = USUAL_TEXT): void {
    this.#terminate();
    this.#run += 1;
    this.#leaveUnanswered();
    // A browser makes the same request wait for one that has no answer yet.
    const address = this.#worker === null || this.#isAlive ? workerAddress : `${workerAddress}?${this.#run}`;
    this.#isAlive = false;
    let worker: Worker;
    try {
      worker = startModuleWorker(address);
    } catch (error) {
      this.#fail(error instanceof UnsupportedError ? 'unsupported' : 'start', wordsOf(error));
      return;
    }
    // What one that was ended has still said counts no more.
    worker.onmessage = (event: MessageEvent<Report>) => {
      if (this.#worker === worker) this.#receive(event.data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.#crashed(event.message);
    };
    worker.onmessageerror = () => this.#crashed('A message could not be read.');
    this.#worker = worker;
    this.#send({ type: 'open', source: addressed(source), text });
    for (const wish of this.#wishes.values()) this.#send(wish);
  }

  /** Nothing more is heard of the worker. */
  close(): void {
    this.#terminate();
    this.#worker = null;
    this.#leaveUnanswered();
  }

  #terminate(): void {
    this.#worker?.terminate();
    this.#members.endAll();
  }

  /** A run that is likely to be begun next. */
  prepare(config: RunConfig, engine: EngineWish): void {
    this.#send({ type: 'prepare', config, engine });
  }

  /** `parameters`: a safetensors file to begin from instead of parameters drawn from the seed. */
  begin(config: RunConfig, engine: EngineWish, stop: StopAfter, parameters: Uint8Array | null = null): void {
    this.#run += 1;
    this.#isOnGpu = false;
    this.#stop = stop;
    this.#send({ type: 'begin', run: this.#run, config, engine, stop, parameters });
  }

  /** Goes on from a checkpoint; `resumed` tells where it stands, or there is a failure as with `begin`. */
  resume({ bytes, measures }: Checkpoint, engine: EngineWish, stop: StopAfter): void {
    this.#run += 1;
    this.#isOnGpu = false;
    this.#stop = stop;
    this.#send({ type: 'resume', run: this.#run, checkpoint: bytes, measures, engine, stop });
  }

  /** When the run at hand was last told to pause by itself. */
  get stop(): StopAfter {
    return this.#stop;
  }

  continue(stop: StopAfter): void {
    this.#stop = stop;
    this.#send({ type: 'continue', stop });
  }

  pause(): void {
    this.#send({ type: 'pause' });
  }

  reset(): void {
    // What the worker still has to say about the run that is dropped no longer counts.
    this.#run += 1;
    this.#send({ type: 'reset' });
  }

  /** What is wrong with settings; `problem` is null when nothing is. */
  check(config: RunConfig): Promise<Validated | null> {
    return this.#ask<Validated, 'validate'>({ type: 'validate', config });
  }

  /** Whether a run could begin with these settings and a safetensors file; the run at hand goes on. */
  checkModel(config: RunConfig, parameters: Uint8Array): Promise<Validated | null> {
    return this.#ask<Validated, 'check-model'>({ type: 'check-model', config, parameters });
  }

  /** Answers with what is wrong, or null; only the newest question is answered. */
  validate(config: RunConfig, answer: (problem: string | null) => void): void {
    this.#validations += 1;
    const newest = this.#validations;
    void this.check(config).then((report) => {
      if (report !== null && newest === this.#validations) answer(report.problem);
    });
  }

  /** Other settings for the run at hand; `retuned` or `refused-retune` follows. */
  retune(config: RunConfig): void {
    this.#send({ type: 'retune', config });
  }

  /** The run as it stands after its last step. Null, as with all questions: nobody could answer any more. */
  checkpoint(): Promise<CheckpointReport | null> {
    return this.#ask<CheckpointReport, 'checkpoint'>({ type: 'checkpoint' });
  }

  /** What the network takes a drawing for, with the newest parameters. `pixels`: as the data at hand have images. */
  classify(pixels: Uint8Array): Promise<Classified | null> {
    return this.#ask<Classified, 'classify'>({ type: 'classify', pixels });
  }

  /** How a text goes on with the newest parameters: how likely each token is to come next, and `count` more of them. */
  follow(asking: { beginning: string; temperature: number; count: number; seed: number }): Promise<Followed | null> {
    return this.#ask<Followed, 'follow'>({ type: 'follow', ...asking });
  }

  parameters(): Promise<ParametersReport | null> {
    return this.#ask<ParametersReport, 'parameters'>({ type: 'parameters' });
  }

  testImage(sample: number): Promise<TestImage | null> {
    return this.#ask<TestImage, 'test-image'>({ type: 'test-image', sample });
  }

  /** Whether `look` reports are wanted. */
  setLook(on: boolean): void {
    this.#wish({ type: 'look', on });
  }

  /** Whether `mosaic` reports are wanted, and of how many samples at most. */
  setMosaic(on: boolean, most: number): void {
    this.#wish({ type: 'mosaic', on, most });
  }

  /** Slow motion; null: as fast as can be. */
  setPace(millisecondsPerStep: number | null): void {
    this.#wish({ type: 'pace', millisecondsPerStep });
  }

  #wish(command: Command): void {
    this.#wishes.set(command.type, command);
    this.#send(command);
  }

  /** Reports answer with the number of the question, so that each question gets the kind of answer it asks for. */
  #ask<Reply extends Answer, Type extends Question['type']>(asking: Asking<Type>): Promise<Reply | null> {
    if (this.#worker === null) return Promise.resolve(null);
    this.#requests += 1;
    const request = this.#requests;
    this.#send({ ...asking, request } as Question);
    return new Promise((resolve) => this.#questions.set(request, resolve as (answer: Answer | null) => void));
  }

  #leaveUnanswered(): void {
    for (const resolve of this.#questions.values()) resolve(null);
    this.#questions.clear();
  }

  #send(command: Command): void {
    this.#worker?.postMessage(command);
  }

  #receive(report: Report): void {
    this.#isAlive = true;
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
      case 'update':
        if (report.run !== this.#run) break;
        this.#noteEngine(report);
        this.#listener.onUpdate(report);
        break;
      case 'failure':
        if (report.kind === 'crash') this.#distrustGpu();
        // Without its module the worker does nothing more: what else arrives there must not say that all is well.
        if (report.kind === 'start' || report.kind === 'unsupported') this.close();
        if (report.run === null || report.run === this.#run) this.#listener.onFailure(report);
        break;
      case 'checkpoint':
      case 'classified':
      case 'followed':
      case 'parameters':
      case 'test-image':
      case 'validated':
        this.#questions.get(report.request)?.(report);
        this.#questions.delete(report.request);
        break;
      case 'member-wanted':
      case 'member-dismissed':
        this.#members.obey(report, (member, message) => this.#send({ type: 'member-failed', member, message }));
        break;
      case 'alive':
      case 'datasets':
        this.#tell(report);
        break;
      case 'team':
      case 'resumed':
      case 'retuned':
      case 'refused-retune':
      case 'look':
      case 'sample':
      case 'mosaic':
        if (report.run === this.#run) this.#tell(report);
        break;
    }
  }

  #noteEngine({ engine }: Update): void {
    const isOnGpu = engine?.engine === 'webgpu';
    if (engine?.engine === 'cpu') this.#distrustGpu();
    this.#isOnGpu = isOnGpu;
  }

  /** A GPU that failed once in this visit is not taken again, nor by another worker. */
  #distrustGpu(): void {
    if (this.#isOnGpu) this.#wish({ type: 'distrust', reason: DISTRUST });
    this.#isOnGpu = false;
  }

  #tell(news: News): void {
    for (const listener of this.#newsListeners.get(news.type) ?? []) listener(news);
  }

  #crashed(detail: string): void {
    this.#distrustGpu();
    this.close();
    const words = detail ? ` (${detail})` : '';
    if (this.#isAlive) this.#fail('crash', `The training worker stopped unexpectedly.${words}`);
    else this.#fail('start', `The training worker stopped before it started${words}: its file is missing, blocked or damaged.`);
  }

  #fail(kind: FailureKind, message: string): void {
    this.#listener.onFailure({ type: 'failure', kind, run: null, message });
  }
}

function addressed(source: Source): DataSource {
  return source.kind === 'files' ? source : { kind: 'address', dataset: source.dataset, root: new URL('data/', document.baseURI).href };
}
