/** The worker that owns the data and the training. Nothing is decided elsewhere; a team may compute its parts. */
import initialise, { defaults, models, presets, Session, validate } from '../pkg/adadagrad_web.js';
import type { DataFacts, DatasetFiles, DatasetName, OwnFiles, RunConfig, TextSettings } from '../pkg/adadagrad_web.js';
import { Answers } from './answers.js';
import { ConnectionError, DataError } from './data-error.js';
import { availableDatasets, loadImages, loadText } from './dataset.js';
import { findAdapter } from './engine/adapter.js';
import { decideEngine } from './engine/choice.js';
import type { AdapterReport } from './engine/choice.js';
import { guardGpu } from './engine/guarded-gpu.js';
import { readOwnFiles } from './own-files.js';
import type { Command, DataSource, FailureKind, Report } from './protocol.js';
import { isOfText, isSequence, MNIST_SHAPE, sameShape } from './samples.js';
import { forbidden } from './start/policies.js';
import { memberFailed } from './team/member-link.js';
import { Sharing } from './team/sharing.js';
import { TrainingLoop } from './training-loop.js';
import { asSentence, describeFailure, text } from './words-of-errors.js';

/** Until the data is here, settings are checked against the size of MNIST. */
const MNIST_TRAINING_SAMPLES = 60_000;

/** What there is once the data are here. */
let ready: { session: Session; loop: TrainingLoop; answers: Answers; tellData: (facts: DataFacts) => void } | null = null;
/** How the settings that were checked last read a text. */
let latestText: TextSettings | null = null;
/** Until the browser has answered, and where it has no WebGPU, there is none. */
let adapter: AdapterReport = { kind: 'none', reason: 'The browser has not yet answered the request for a GPU.' };
/** Why no run uses WebGPU any more. */
let distrust: string | null = null;
let moduleReady: Promise<unknown> | null = null;
/** Wishes that came before the data, in order. */
const early: Command[] = [];

function post(report: Report, handedOver: Transferable[] = []): void {
  self.postMessage(report, handedOver);
}

async function open(source: DataSource, how: TextSettings): Promise<void> {
  post({ type: 'alive' });
  moduleReady = initialise();
  const data = load(source, how);
  const takeFound = (found: AdapterReport): void => takeAdapter(distrust === null ? found : { kind: 'none', reason: distrust });
  const offer = findAdapter(takeFound).then(takeFound);
  // All run at once; the download's failure is told only after the module's.
  data.catch(() => undefined);
  try {
    await moduleReady;
    post({ type: 'module', presets: presets(), models: models(MNIST_SHAPE), defaults: defaults() });
    post({ type: 'datasets', available: availableDatasets() });
  } catch (error) {
    await reported();
    const blocked = forbidden(text(error));
    if (blocked === null) post({ type: 'failure', kind: 'start', run: null, message: `Its WebAssembly module could not be used (${text(error)}).` });
    else post({ type: 'failure', kind: 'unsupported', run: null, message: blocked });
    return;
  }
  try {
    const dataset = source.kind === 'address' ? source.dataset : 'own';
    const files = await data;
    const session = new Session(files, dataset, how);
    await offer;
    takeSession(session, files, dataset);
  } catch (error) {
    post({ type: 'failure', run: null, ...describeDataFailure(error, source) });
  }
}

/** Browsers report what a policy forbids in a task of its own. */
function reported(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

/** The program, the connection or the data: each has another way on. */
function describeDataFailure(error: unknown, { kind }: DataSource): { kind: FailureKind; message: string } {
  if (error instanceof TypeError || error instanceof ReferenceError) return { kind: 'start', message: `A part of it failed to start (${text(error)}).` };
  if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) return describeFailure(error);
  const message = error instanceof DataError ? text(error) : `The data cannot be used. ${asSentence(text(error))}`;
  return { kind: error instanceof ConnectionError ? 'stalled' : kind === 'files' ? 'files' : 'data', message };
}

function takeAdapter(report: AdapterReport): void {
  adapter = report;
  post({ type: 'adapter', adapter });
}

async function load(source: DataSource, how: TextSettings): Promise<DatasetFiles | OwnFiles> {
  if (source.kind === 'files') {
    await moduleReady;
    return readOwnFiles(source.files, how);
  }
  const loadFiles = source.dataset === 'shakespeare' ? loadText : loadImages;
  return loadFiles(`${source.root}${source.dataset}/`, (progress) => post({ type: 'download', ...progress }));
}

function takeSession(session: Session, files: DatasetFiles | OwnFiles, dataset: DatasetName): void {
  const loop: TrainingLoop = new TrainingLoop(session, new Sharing(session, files, (notice) => loop.teamChanged(notice)), post);
  const named = 'class_names' in files ? files.class_names : [];
  let told: DataFacts | null = null;
  const tellData = (facts: DataFacts): void => {
    if (told !== null && sameData(told, facts)) return;
    told = facts;
    const { training_samples: trainingSamples, test_samples: testSamples, shape, token_names: tokenNames } = facts;
    const classNames = isSequence(shape) ? tokenNames : named;
    post({ type: 'ready', dataset, trainingSamples, testSamples, shape, classNames, models: models(shape) });
  };
  ready = { session, loop, answers: new Answers(session, post), tellData };
  for (const command of early.splice(0)) obey(command);
  tellData(session.facts(null));
}

function sameData(one: DataFacts, other: DataFacts): boolean {
  return one.training_samples === other.training_samples && one.test_samples === other.test_samples && sameShape(one.shape, other.shape);
}

/** While there is no run, the data are for the next one what its settings make of them. */
function tellDataOfNextRun(facts: DataFacts): void {
  if (ready !== null && ready.loop.idle) ready.tellData(facts);
}

/** After a run the settings may already read the text in another way; where they cannot, their check says so. */
function tellNext(session: Session): void {
  try {
    tellDataOfNextRun(session.facts(latestText));
  } catch {
    // The settings' own problem.
  }
}

async function check(request: number, config: RunConfig): Promise<void> {
  let problem: string | null = null;
  try {
    await moduleReady;
    latestText = config.text;
    // Settings for a text that is opened next need not fit the images that are here, nor the reverse.
    const facts = ready !== null && isSequence(ready.session.shape) === isOfText(config) ? ready.session.facts(config.text) : null;
    // First, so that batches are fitted to them.
    if (facts !== null) tellDataOfNextRun(facts);
    validate(config, facts?.training_samples ?? MNIST_TRAINING_SAMPLES, facts?.shape ?? null);
  } catch (error) {
    problem = text(error);
  }
  post({ type: 'validated', request, problem });
}

function obey(command: Command): void {
  switch (command.type) {
    case 'open':
      void open(command.source, command.text);
      break;
    case 'validate':
      void check(command.request, command.config);
      break;
    case 'member-failed':
      memberFailed(command.member, command.message);
      break;
    case 'distrust':
      distrust = command.reason;
      takeAdapter({ kind: 'none', reason: distrust });
      break;
    default:
      if (ready === null) early.push(command);
      else obeyWithData(command, ready);
  }
}

function obeyWithData(command: Exclude<Command, { type: 'open' | 'validate' | 'distrust' | 'member-failed' }>, { session, loop, answers, tellData }: NonNullable<typeof ready>): void {
  switch (command.type) {
    case 'prepare':
      loop.prepare(command.config, decideEngine(command.engine.choice, adapter), command.engine.kernels);
      break;
    case 'begin': {
      const { run, config, engine, stop, parameters } = command;
      loop.begin(run, config, decideEngine(engine.choice, adapter), engine.kernels, stop, parameters);
      tellData(session.facts(null));
      break;
    }
    case 'resume': {
      const { run, checkpoint: bytes, measures, engine, stop } = command;
      loop.resume(run, { bytes, measures }, decideEngine(engine.choice, adapter), engine.kernels, stop);
      tellData(session.facts(null));
      break;
    }
    case 'continue':
      loop.continue(command.stop);
      break;
    case 'pause':
      loop.pause();
      break;
    case 'reset':
      loop.reset();
      tellNext(session);
      break;
    case 'retune':
      void loop.retune(command.config);
      break;
    case 'look':
      loop.setLook(command.on);
      break;
    case 'mosaic':
      loop.setMosaic(command.on, command.most);
      break;
    case 'pace':
      loop.setPace(command.millisecondsPerStep);
      break;
    case 'checkpoint':
      void answers.checkpoint(command.request, loop.run, () => loop.tellAll());
      break;
    case 'classify':
      void answers.classify(command.request, command.pixels, loop.running);
      break;
    case 'follow':
      void answers.follow(command, loop.running);
      break;
    case 'parameters':
      void answers.parameters(command.request, loop.running);
      break;
    case 'test-image':
      answers.testImage(command.request, command.sample);
      break;
    case 'check-model':
      answers.checkModel(command.request, command.config, command.parameters);
      break;
  }
}

export function train(): void {
  guardGpu();
  // Nothing waits for the wasm module's own tasks: a trap in one would end the run without a word. Before the data is here,
  // nobody would say anything more, whatever failed.
  self.addEventListener('unhandledrejection', ({ reason }) => {
    const { kind, message } = describeFailure(reason);
    if (kind === 'crash' || ready === null) post({ type: 'failure', kind: 'crash', run: ready?.loop.run ?? null, message });
  });

  self.addEventListener('message', (event: MessageEvent<Command>) => obey(event.data));
}
