/** The runs as a table: what sets them apart, what came of them, and whether they are drawn and kept. */
import { element, required, setText } from '../dom.js';
import { formatCount, formatMeasure, formatPercent } from '../format.js';
import { drawSwatch } from '../charts/legend.js';
import { PATTERNS } from '../theme.js';
import type { Moments } from '../moment.js';
import { describeSettings, whatSetsApart } from './differences.js';
import type { RunLibrary } from './library.js';
import { runActions } from './run-actions.js';
import type { RunActions, RunExports } from './run-actions.js';
import type { TrainedRun } from './trained-run.js';

const MOST_CHANGES_TOLD = 6;

interface Row {
  root: HTMLTableRowElement;
  settings: HTMLElement;
  figures: [Figure, HTMLElement][];
  actions: RunActions;
}

const FIGURES = ['steps', 'samples', 'batch', 'loss', 'accuracy', 'seconds'] as const;
type Figure = (typeof FIGURES)[number];

const FIGURE_TITLES: Record<Figure, string> = {
  steps: 'Steps',
  samples: 'Samples',
  batch: 'Last batch',
  loss: 'Loss',
  accuracy: 'Accuracy',
  seconds: 'Seconds',
};

export class RunsTable {
  readonly #library: RunLibrary;
  readonly #exports: RunExports;
  readonly #table = required('runs', HTMLTableElement);
  readonly #head = required('runs-head', HTMLTableSectionElement);
  readonly #body = required('runs-body', HTMLTableSectionElement);
  #rows = new Map<TrainedRun, Row>();

  constructor(moments: Moments, library: RunLibrary, exports: RunExports) {
    this.#library = library;
    this.#exports = exports;
    const figures = FIGURES.map((figure) => element('th', { scope: 'col', class: 'run-figure' }, FIGURE_TITLES[figure]));
    const others = ['Drawn', 'Run', 'Settings that differ'].map((title) => element('th', { scope: 'col' }, title));
    this.#head.replaceChildren(element('tr', {}, ...others, ...figures, element('td', {})));
    library.revision.observe(() => this.#rebuild());
    moments.latest.observe(() => this.#followCurrent());
  }

  /** Rows that stay are not made anew, so that the focus stays where it is. */
  #rebuild(): void {
    const { runs } = this.#library;
    this.#table.hidden = runs.length === 0;
    for (const [run, row] of this.#rows) {
      if (runs.includes(run)) continue;
      row.root.remove();
      this.#rows.delete(run);
    }
    for (const run of runs) {
      if (this.#rows.has(run)) continue;
      const row = this.#createRow(run);
      this.#rows.set(run, row);
      this.#body.append(row.root);
    }
    for (const [run, row] of this.#rows) this.#showRow(run, row);
  }

  /** Only the run at hand grows. */
  #followCurrent(): void {
    const { current } = this.#library;
    const row = current === null ? undefined : this.#rows.get(current);
    if (current !== null && row !== undefined) showFigures(current, row);
  }

  #showRow(run: TrainedRun, row: Row): void {
    const others = this.#library.runs.filter((other) => other !== run).map((other) => other.config);
    const apart = whatSetsApart(run.config, others) || describeSettings(run.config);
    setText(row.settings, apart + describeChanges(run));
    showFigures(run, row);
    row.actions.show();
  }

  #createRow(run: TrainedRun): Row {
    const settings = element('td', { class: 'run-settings' });
    const cells = FIGURES.map((figure): [Figure, HTMLElement] => [figure, element('td', { class: 'run-figure', 'data-title': FIGURE_TITLES[figure] })]);
    const actions = runActions(run, this.#library, this.#exports);
    const swatch = drawSwatch({ colour: run.slot, kind: 'line', dash: PATTERNS[run.slot] ?? [], width: 2.5 });
    const root = element(
      'tr',
      {},
      element('td', { class: 'run-drawn' }, actions.drawn, swatch),
      element('th', { scope: 'row' }, actions.name),
      settings,
      ...cells.map(([, cell]) => cell),
      element('td', { class: 'run-actions' }, ...actions.buttons),
    );
    return { root, settings, figures: cells, actions };
  }
}

/** The newest; a slider can leave hundreds. */
function describeChanges({ changes }: TrainedRun): string {
  const earlier = changes.length - MOST_CHANGES_TOLD;
  const told = changes.slice(-MOST_CHANGES_TOLD).map(({ step, text }) => `; after step ${formatCount(step)}: ${text}`);
  return [...(earlier > 0 ? [`; ${formatCount(earlier)} earlier ${earlier === 1 ? 'change' : 'changes'}`] : []), ...told].join('');
}

function showFigures(run: TrainedRun, row: Row): void {
  const figures = figuresOf(run);
  for (const [figure, cell] of row.figures) setText(cell, figures[figure]);
}

function figuresOf(run: TrainedRun): Record<Figure, string> {
  const { log } = run;
  const accuracy = run.evaluations.at(-1)?.accuracy;
  const write = (value: number | null, format: (value: number) => string): string => (value === null ? '' : format(value));
  return {
    steps: write(log.last('step'), formatCount),
    samples: write(log.last('samples_seen'), formatCount),
    batch: write(log.last('samples'), formatCount),
    loss: write(log.last('loss'), formatMeasure),
    accuracy: write(accuracy ?? null, formatPercent),
    seconds: write(log.last('elapsed'), formatMeasure),
  };
}
