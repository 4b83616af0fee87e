// The page's worker without the page around it: commands in, reports out.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openPage, pageFolder } from './page.mjs';
import { WORKER } from './steady.mjs';

/** What lies in the place of the page, which would train and draw besides. */
const EMPTY_PAGE = Buffer.from('<!doctype html><html lang="en"><title>The worker alone</title><link rel="icon" href="favicon.svg"></html>');

/** Opens an empty page in the place of the built one and, inside it, the worker, to which a test speaks itself. Options: as openPage has them. */
export async function openEngine(t, { server: serverOptions = {}, ...options } = {}) {
  const replace = (path, bytes) => (path === 'index.html' ? EMPTY_PAGE : serverOptions.replace?.(path, bytes));
  const { page, server } = await openPage(t, { ...options, server: { ...serverOptions, replace } });
  const worker = readdirSync(join(pageFolder, 'assets')).find((name) => WORKER.test(name));
  const address = new URL(`assets/${worker}`, server.address).href;
  const start = (data) => page.evaluate(startWorker, { address, needsGpu: options.webgpu === true, ...data });
  await start({ dataset: 'mnist' });
  return {
    page,
    /** Another worker, over another data set (`dataset`) or over `files` with `name` and `bytes`, a text read as `text` says; gives its report of them. */
    start: ({ dataset, files, text }) => start({ dataset, text, files: files?.map(({ name, bytes }) => ({ name, base64: bytes.toString('base64') })) }),
    /** Sends a command. */
    send: (command) => page.evaluate((sent) => self.engine.send(sent), command),
    /** The next report of a kind that came since the last command was sent, or comes yet; `wanted`: with these values. */
    next: (type, wanted = {}) => page.evaluate(([kind, values]) => self.engine.next(kind, values), [type, wanted]),
    /** Sends a command and waits for a report. */
    ask: (command, type, wanted = {}) =>
      page.evaluate(([sent, kind, values]) => self.engine.ask(sent, kind, values), [command, type, wanted]),
    /** Starts a run, or lets it go on, and gives its steps since it stood still, once it stands still again. */
    run: (command) => page.evaluate((sent) => self.engine.run(sent), command),
    /** Evaluates in the page, where `self.engine` is. */
    evaluate: (act, value) => page.evaluate(act, value),
  };
}

/** Runs in the page. */
async function startWorker({ address, needsGpu, dataset, files, text = { tokens: 'characters', context: 64 } }) {
  self.engine?.worker.terminate();
  const worker = new Worker(address, { type: 'module' });
  let reports = [];
  const all = [];
  /** Reports that no run has given yet: a team may end a step after it was told to pause. */
  let unread = [];
  let waiting = [];
  /** `wanted`: values, or (inside the page) a question to the report. */
  const fits = (report, type, wanted) =>
    report.type === type && (typeof wanted === 'function' ? wanted(report) : Object.entries(wanted).every(([key, value]) => report[key] === value));
  const engine = {
    worker,
    /** Bytes on their way between page and test: a list of numbers takes seconds. */
    bytes: (base64) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)),
    base64: (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')),
    /** Every report of the worker. */
    all,
    /** Every report since the last command. */
    get reports() {
      return reports;
    },
    send: (command) => {
      reports = [];
      worker.postMessage(command);
    },
    next: (type, wanted = {}) => {
      const found = reports.find((report) => fits(report, type, wanted));
      if (found !== undefined) return Promise.resolve(found);
      return new Promise((resolve, reject) => waiting.push({ type, wanted, resolve, reject }));
    },
    ask: (command, type, wanted) => {
      engine.send(command);
      return engine.next(type, wanted);
    },
    run: (command) => {
      engine.send(command);
      if (command.run !== undefined) unread = [];
      return engine.follow(command.run);
    },
    /** What `run` gives, of a run (undefined: of any) that the worker was told to begin or to go on with. */
    follow: async (run) => {
      const steps = [];
      const evaluations = [];
      // A worker that has heard the command says that it runs; what it said before is of an earlier pause.
      let heard = false;
      for (;;) {
        while (unread.length > 0) {
          const report = unread.shift();
          if (report.type === 'failure') throw new Error(report.message);
          if (report.type !== 'update' || (run !== undefined && report.run !== run)) continue;
          steps.push(...report.steps);
          evaluations.push(...report.evaluations);
          heard ||= report.phase === 'running';
          if (heard && (report.phase === 'paused' || report.phase === 'finished')) {
            // How long a step took differs from run to run.
            return { phase: report.phase, engine: report.engine, evaluations, steps: steps.map(({ seconds, ...step }) => step) };
          }
        }
        await new Promise((resolve) => waiting.push({ type: null, resolve }));
      }
    },
  };
  worker.onmessage = ({ data }) => {
    reports.push(data);
    all.push(data);
    unread.push(data);
    const [now, later] = [[], []];
    for (const waiter of waiting) (waiter.type === null || fits(data, waiter.type, waiter.wanted) ? now : later).push(waiter);
    waiting = later;
    for (const waiter of now) waiter.resolve(data);
    if (data.type !== 'failure') return;
    const message = new Error(data.message);
    waiting.forEach((waiter) => waiter.reject?.(message));
    waiting = [];
  };
  self.engine = engine;
  const file = ({ name, base64 }) => new File([engine.bytes(base64)], name);
  const root = new URL('data/', document.baseURI).href;
  const source = files === undefined ? { kind: 'address', dataset, root } : { kind: 'files', files: files.map(file) };
  engine.send({ type: 'open', source, text });
  // A browser whose adapter comes late goes on without.
  if (needsGpu) await engine.next('adapter', ({ adapter }) => adapter.kind !== 'none');
  return engine.next('ready');
}
