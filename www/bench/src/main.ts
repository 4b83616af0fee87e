/** The bench's page: what is in the address is measured, on a click or, with `auto`, at once. */
import '../../src/style.css';
import './style.css';
import { element, required, setText } from '../../src/dom.js';
import { runBench } from './bench.js';
import { speedChart } from './chart.js';
import { engineRow } from './engine-rows.js';
import { readPlan } from './plan.js';
import type { Plan } from './plan.js';
import { Problems } from './problems.js';
import { FORMAT_VERSION, ratios, rowsOf } from './results.js';
import type { Cell, Results } from './results.js';
import { figuresTable } from './table.js';

const status = required('status', HTMLElement);
const progress = required('progress', HTMLProgressElement);
const start = required('start', HTMLButtonElement);
const charts = required('charts', HTMLElement);
const tables = required('tables', HTMLElement);
const engines = required('engines', HTMLElement);
const machine = required('machine', HTMLElement);

type Phase = 'idle' | 'running' | 'finished' | 'failed';

function say(phase: Phase, text: string): void {
  status.dataset['phase'] = phase;
  setText(status, text);
}

function showFigures(plan: Plan, cells: readonly Cell[]): void {
  charts.replaceChildren(...plan.models.map((model) => speedChart(plan, model, cells)));
  tables.replaceChildren(...plan.models.map((model) => figuresTable(plan, model, cells)));
}

function showEngines({ plan, engines: described, browser, processors, adapter }: Results): void {
  engines.replaceChildren(
    ...rowsOf(plan).flatMap(({ name, label, hardware }) => [
      element('dt', {}, `${label} (${hardware})`),
      element('dd', {}, [engineRow(name).note, described[name]].filter(Boolean).join(' ')),
    ]),
  );
  setText(machine, `${browser}; ${processors} processors; WebGPU adapter: ${adapter ?? 'none'}.`);
}

async function adapterName(): Promise<string | null> {
  // TypeScript's own types say that it is always there.
  const gpu = navigator.gpu as GPU | undefined;
  const info = (await gpu?.requestAdapter().catch(() => null))?.info;
  if (info === undefined) return null;
  return [info.vendor, info.architecture, info.description].filter(Boolean).join(' ') || 'without a name';
}

async function run(plan: Plan): Promise<void> {
  start.hidden = true;
  const results: Results = {
    version: FORMAT_VERSION,
    plan,
    browser: navigator.userAgent,
    processors: navigator.hardwareConcurrency,
    crossOriginIsolated,
    adapter: await adapterName(),
    engines: {},
    cells: [],
    ratios: [],
  };
  say('running', 'Fetching the data…');
  const problems = await Problems.load(plan);
  await runBench(plan, problems, {
    onProgress: (text, done, total) => {
      say('running', text);
      progress.value = done / total;
    },
    onDescription: (engine, description) => (results.engines[engine] = description),
    onCell: (cell) => {
      results.cells.push(cell);
      showFigures(plan, results.cells);
    },
  });
  results.ratios = ratios(results.cells);
  showEngines(results);
  document.body.append(element('script', { id: 'results', type: 'application/json' }, JSON.stringify(results)));
  progress.value = 1;
  say('finished', 'All is measured.');
}

function fail(error: unknown): void {
  say('failed', `The bench stopped. ${error instanceof Error ? error.message : String(error)}`);
}

function begin(): void {
  const address = new URLSearchParams(location.search);
  const plan = readPlan(address);
  showFigures(plan, []);
  const go = (): void => void run(plan).catch(fail);
  if (address.has('auto')) return go();
  say('idle', `${plan.models.join(', ')}; batches ${plan.batches.join(', ')}; ${plan.engines.length} engines; ${plan.rounds} rounds.`);
  start.addEventListener('click', go, { once: true });
}

try {
  begin();
} catch (error) {
  fail(error);
}
