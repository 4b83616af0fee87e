/** Runs one engine on one problem, turn by turn. */
import { LOADERS } from './engine-loaders.js';
import { engineRow } from './engine-rows.js';
import type { EngineName } from './engine-rows.js';
import type { Engine, Problem } from './engine.js';
import type { Answer, Request, Turn } from './protocol.js';

let engine: Engine | null = null;

async function prepare(name: EngineName, problem: Problem, checkSteps: number): Promise<Answer> {
  // The libraries take to threads as soon as memory can be shared.
  if (!engineRow(name).threads) Object.assign(globalThis, { SharedArrayBuffer: undefined });
  else if (!globalThis.crossOriginIsolated) throw new Error('this page may not share memory between threads');
  engine = await LOADERS[name]();
  await engine.prepare(problem);
  const losses: number[] = [];
  for (let step = 0; step < checkSteps; step += 1) losses.push(await engine.step());
  return { type: 'prepared', losses, description: engine.describe() };
}

async function measure(milliseconds: number): Promise<Turn> {
  if (engine === null) throw new Error('no engine has been prepared');
  const begun = performance.now();
  let steps = 0;
  let elapsed = 0;
  do {
    const loss = await engine.step();
    if (!Number.isFinite(loss)) throw new Error(`the loss became ${loss}`);
    steps += 1;
    elapsed = performance.now() - begun;
  } while (elapsed < milliseconds);
  return { steps, seconds: elapsed / 1000 };
}

async function answer(request: Request): Promise<Answer> {
  try {
    if (request.type === 'prepare') return await prepare(request.engine, request.problem, request.checkSteps);
    return { type: 'measured', turn: await measure(request.milliseconds) };
  } catch (error) {
    return { type: 'failed', message: error instanceof Error ? error.message : String(error) };
  }
}

self.addEventListener('message', (event: MessageEvent<Request>) => {
  void answer(event.data).then((message) => self.postMessage(message));
});
