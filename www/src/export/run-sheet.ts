/** A run on paper: what came of it, all its settings, what made it, how to train it again, and the charts with it alone. */
import { element, required } from '../dom.js';
import { formatCount, formatPercent, formatSeconds } from '../format.js';
import { allSettings } from '../runs/differences.js';
import type { RunLibrary } from '../runs/library.js';
import { originOf } from '../runs/made-with.js';
import { outcomeOf } from '../runs/outcome.js';
import type { TrainedRun } from '../runs/trained-run.js';

/** `address`: where these settings can be trained again; empty where that cannot be said. */
export function printRun(run: TrainedRun, library: RunLibrary, address: string): void {
  const { dataset } = document.documentElement;
  const before = library.runs.filter(({ shown }) => shown);
  const draw = (wanted: readonly TrainedRun[]): void => {
    for (const candidate of library.runs) candidate.shown = wanted.includes(candidate);
    library.touch();
  };
  draw([run]);
  required('sheet', HTMLElement).replaceChildren(...contents(run, address));
  dataset['print'] = 'run';
  window.addEventListener(
    'afterprint',
    () => {
      delete dataset['print'];
      draw(before);
    },
    { once: true },
  );
  window.print();
}

function contents(run: TrainedRun, address: string): HTMLElement[] {
  const settings = allSettings(run.latestConfig).map(([label, value]) => element('div', {}, element('dt', {}, label), element('dd', {}, value)));
  return [
    element('h2', {}, run.name),
    element('p', {}, describeOutcome(run)),
    ...(run.changes.length === 0 ? [] : [element('p', {}, `Changed during the run: ${run.changes.map(({ step, text }) => `after step ${formatCount(step)}, ${text}`).join('; ')}.`)]),
    element('h3', {}, run.changes.length === 0 ? 'Settings' : 'Settings at the end'),
    element('dl', { class: 'sheet-settings' }, ...settings),
    element('p', { class: 'sheet-origin' }, describeOrigin(run)),
    ...(address === '' ? [] : [element('p', { class: 'sheet-origin' }, `To train it again: ${address}`)]),
  ];
}

function describeOutcome(run: TrainedRun): string {
  const { accuracy, averageBatch, samples, seconds, steps } = outcomeOf(run);
  if (steps === null) return 'No step was made.';
  const made = `${formatCount(steps)} steps over ${formatCount(samples ?? 0)} samples, ${formatCount(averageBatch ?? 0)} per step on average, in ${formatSeconds(seconds ?? 0)} of training`;
  return accuracy === null ? `${made}.` : `${made}; ${formatPercent(accuracy)} of the test set predicted correctly.`;
}

function describeOrigin({ computedBy, madeWith }: TrainedRun): string {
  const engine = computedBy === null ? '' : `Computed by ${computedBy.engine === 'webgpu' ? `WebGPU (${computedBy.adapter ?? 'unknown adapter'})` : 'the CPU'}. `;
  if (madeWith === null) return engine;
  const { program, browser } = originOf(madeWith);
  return `${engine}Made with ${program}, in ${browser}.`;
}
