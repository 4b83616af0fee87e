/** A run on paper: what came of it, all its settings, what made it, how to train it again, and the charts with it alone. */
import { element, required } from '../dom.js';
import { formatCount, formatPercent, formatSeconds, formatSteps } from '../format.js';
import { allSettings } from '../runs/differences.js';
import { originOf } from '../runs/made-with.js';
import { outcomeOf } from '../runs/outcome.js';
import type { TrainedRun } from '../runs/trained-run.js';

/** `address`: where these settings can be trained again; empty where that cannot be said. `drawOnly`: draws one run alone, or all again. */
export function printRun(run: TrainedRun, address: string, drawOnly: (run: TrainedRun | null) => void): void {
  const { dataset } = document.documentElement;
  const ended = new AbortController();
  const end = (): void => {
    if (ended.signal.aborted) return;
    ended.abort();
    delete dataset['print'];
    drawOnly(null);
  };
  drawOnly(run);
  required('sheet', HTMLElement).replaceChildren(...contents(run, address));
  dataset['print'] = 'run';
  // Where a browser does not print, or does not say that it has, the page comes back as soon as it is used.
  for (const type of ['afterprint', 'pointerdown', 'keydown']) window.addEventListener(type, end, { signal: ended.signal });
  // The charts have their scales once what was queued by drawing them is done.
  queueMicrotask(() => {
    try {
      window.print();
    } catch {
      end();
    }
  });
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
    ...(address === '' ? [] : [element('p', { class: 'sheet-origin' }, `${run.changes.length === 0 ? 'To train it again' : 'To train it again from its first settings'}: ${address}`)]),
  ];
}

function describeOutcome(run: TrainedRun): string {
  const { accuracy, averageBatch, samples, seconds, steps } = outcomeOf(run);
  if (steps === null) return 'No step was made.';
  const made = `${formatSteps(steps)} over ${formatCount(samples ?? 0)} samples, ${formatCount(averageBatch ?? 0)} per step on average, in ${formatSeconds(seconds ?? 0)} of training`;
  return accuracy === null ? `${made}.` : `${made}; ${formatPercent(accuracy)} of the test set predicted correctly.`;
}

function describeOrigin({ computedBy, madeWith }: TrainedRun): string {
  const engine = computedBy === null ? '' : `Computed by ${computedBy.engine === 'webgpu' ? `WebGPU (${computedBy.adapter ?? 'unknown adapter'})` : 'the CPU'}. `;
  if (madeWith === null) return engine;
  const { program, browser } = originOf(madeWith);
  return `${engine}Made with ${program}, in ${browser}.`;
}
