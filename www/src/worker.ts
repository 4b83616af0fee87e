/** The worker that owns the wasm module, the data and the training. Nothing is computed elsewhere. */
import initialise, { models, presets, Session, validate } from '../pkg/adadagrad_web.js';
import type { RunConfig } from '../pkg/adadagrad_web.js';
import { DataError, loadDataset } from './dataset.js';
import { findAdapter } from './engine/adapter.js';
import { decideEngine } from './engine/choice.js';
import type { AdapterReport } from './engine/choice.js';
import type { Command, DataSource, Report } from './protocol.js';
import { TrainingLoop } from './training-loop.js';

/** Until the data is here, settings are checked against the size of MNIST. */
const MNIST_TRAINING_SAMPLES = 60_000;

let loop: TrainingLoop | null = null;
let trainingSamples = MNIST_TRAINING_SAMPLES;
/** Until the browser has answered, and where it has no WebGPU, there is none. */
let adapter: AdapterReport = { kind: 'none', reason: 'The browser has not said yet what it offers for WebGPU.' };
let moduleReady: Promise<unknown> | null = null;

function post(report: Report): void {
  self.postMessage(report);
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function open(source: DataSource): Promise<void> {
  const dataAddress = source.kind === 'address' ? `${source.root}${source.dataset}/` : '';
  moduleReady = initialise();
  const download = loadDataset(dataAddress, (progress) => post({ type: 'download', ...progress }));
  const offer = findAdapter().then((found) => {
    adapter = found;
    post({ type: 'adapter', adapter });
  });
  // All run at once; the download's failure is told only after the module's.
  download.catch(() => undefined);
  try {
    await moduleReady;
    post({ type: 'module', presets: presets(), models: models() });
  } catch (error) {
    post({ type: 'failure', kind: 'crash', run: null, message: `The training program could not be loaded. ${text(error)}` });
    return;
  }
  try {
    const session = new Session(await download);
    await offer;
    trainingSamples = session.training_samples;
    loop = new TrainingLoop(session, post);
    post({ type: 'ready', dataset: source.kind === 'address' ? source.dataset : 'own', trainingSamples, testSamples: session.test_samples });
  } catch (error) {
    const message = error instanceof DataError ? text(error) : `The data cannot be used. ${text(error)}`;
    post({ type: 'failure', kind: 'data', run: null, message });
  }
}

async function check(request: number, config: RunConfig): Promise<void> {
  let problem: string | null = null;
  try {
    await moduleReady;
    validate(config, trainingSamples);
  } catch (error) {
    problem = text(error);
  }
  post({ type: 'validated', request, problem });
}

function begin({ run, config, engine, stop }: Extract<Command, { type: 'begin' }>): void {
  loop?.begin(run, config, decideEngine(engine.choice, adapter), engine.kernels, stop);
}

function obey(command: Command): void {
  switch (command.type) {
    case 'open':
      void open(command.source);
      break;
    case 'validate':
      void check(command.request, command.config);
      break;
    case 'begin':
      begin(command);
      break;
    case 'continue':
      loop?.continue(command.stop);
      break;
    case 'pause':
      loop?.pause();
      break;
    case 'reset':
      loop?.reset();
      break;
    case 'resume':
      post({ type: 'failure', kind: 'training', run: command.run, message: 'This version cannot go on from a checkpoint yet.' });
      break;
    case 'retune':
      post({ type: 'refused-retune', run: 0, message: 'This version cannot change the settings of a run yet.' });
      break;
    case 'checkpoint':
      post({ type: 'checkpoint', request: command.request, run: 0, checkpoint: null });
      break;
    case 'classify':
      post({ type: 'classified', request: command.request, step: null, probabilities: null });
      break;
    case 'parameters':
      post({ type: 'parameters', request: command.request, step: null, model: null, values: null });
      break;
    case 'test-image':
      post({ type: 'test-image', request: command.request, sample: command.sample, pixels: null });
      break;
    case 'look':
    case 'mosaic':
    case 'pace':
      break;
  }
}

self.addEventListener('message', (event: MessageEvent<Command>) => obey(event.data));
