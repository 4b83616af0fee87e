/** The runs of a comparison as a table: how soon each was accurate, and where it ended, or why it was not made. */
import { describeNoiseScale } from '../charts/comparison-chart.js';
import { drawSwatch } from '../charts/legend.js';
import { element, required, setText } from '../dom.js';
import { formatCount, formatMeasure, formatPercent } from '../format.js';
import type { Moments } from '../moment.js';
import { PATTERNS } from '../theme.js';
import type { ComparisonCourse, Course, Entry, EntryState } from './comparison-course.js';
import { outcomeOf, targetOf } from './outcome.js';
import type { TrainedRun } from './trained-run.js';

const NOT_REACHED = 'not reached';

interface Column {
  title: string;
  of: (run: TrainedRun, isOver: boolean) => string;
}

const write = (value: number | null, format: (value: number) => string): string => (value === null ? '' : format(value));
const reached = (value: number | null, format: (value: number) => string, isOver: boolean): string => (value === null ? (isOver ? NOT_REACHED : '') : format(value));

/** The accuracy that the runs are timed to, in words. */
function targetIn(course: Course | null): string {
  const config = course?.entries[0]?.variant.config ?? { dataset: 'mnist', model: '' };
  return formatPercent(targetOf(config)).replace('.0', '');
}

/** `target` stands for that accuracy. */
const COLUMNS: readonly Column[] = [
  { title: 'Samples to target', of: (run, isOver) => reached(outcomeOf(run).samplesToTarget, formatCount, isOver) },
  { title: 'Seconds to target', of: (run, isOver) => reached(outcomeOf(run).secondsToTarget, formatMeasure, isOver) },
  { title: 'Steps to target', of: (run, isOver) => reached(outcomeOf(run).stepsToTarget, formatCount, isOver) },
  { title: 'Samples', of: (run) => write(outcomeOf(run).samples, formatCount) },
  { title: 'Seconds', of: (run) => write(outcomeOf(run).seconds, formatMeasure) },
  { title: 'Steps', of: (run) => write(outcomeOf(run).steps, formatCount) },
  { title: 'Average batch', of: (run) => write(outcomeOf(run).averageBatch, formatCount) },
  { title: 'Accuracy', of: (run) => write(outcomeOf(run).accuracy, formatPercent) },
  { title: 'Noise scale', of: describeNoiseScale },
];

const STATES: Record<EntryState, string> = {
  waiting: 'waiting',
  running: 'running',
  finished: '',
  stopped: 'stopped',
  refused: 'not run',
  failed: 'failed',
};

interface Row {
  entry: Entry;
  state: HTMLElement;
  cells: HTMLElement[];
}

/** What a row says of itself. */
function stateOf({ state }: Entry, { phase }: Course): string {
  return state === 'running' && phase === 'paused' ? 'paused' : STATES[state];
}

export class ComparisonTable {
  readonly #body = required('comparison-body', HTMLTableSectionElement);
  readonly #caption = required('comparison-caption', HTMLElement);
  #rows: Row[] = [];

  constructor(course: ComparisonCourse, moments: Moments) {
    course.course.observe((now) => this.#rebuild(now));
    moments.latest.observe(() => {
      for (const row of this.#rows) if (row.entry.state === 'running') showFigures(row);
    });
  }

  #rebuild(course: Course | null): void {
    const heads = ['Run', ...titlesFor(course)].map((title, index) => element('th', { scope: 'col', ...(index === 0 ? {} : { class: 'run-figure' }) }, title));
    required('comparison-head', HTMLTableSectionElement).replaceChildren(element('tr', {}, ...heads));
    this.#rows = course?.entries.map((entry) => createRow(entry, course)) ?? [];
    this.#body.replaceChildren(...this.#rows.map(({ entry, state, cells }) => rootOf(entry, state, cells)));
    for (const row of this.#rows) showFigures(row);
    setText(this.#caption, course === null ? '' : captionOf(course));
  }
}

function titlesFor(course: Course | null): string[] {
  return COLUMNS.map(({ title }) => title.replace('target', targetIn(course)));
}

function captionOf(course: Course): string {
  const { entries } = course;
  const every = Math.max(0, ...entries.map(({ variant }) => variant.config.evaluate_every));
  return `Accuracy is measured every ${formatCount(every)} samples, so ${targetIn(course)} may have been reached up to that much earlier. Seconds count the steps alone, not the measurements.`;
}

function createRow(entry: Entry, course: Course): Row {
  const cells = titlesFor(course).map((title) => element('td', { class: 'run-figure', 'data-title': title }));
  return { entry, state: element('span', { class: 'entry-state', 'data-state': entry.state }, stateOf(entry, course)), cells };
}

function rootOf({ variant, state, reason, run }: Entry, label: HTMLElement, cells: HTMLElement[]): HTMLTableRowElement {
  const swatch = run === null ? [] : [drawSwatch({ colour: run.slot, kind: 'line', dash: PATTERNS[run.slot] ?? [], width: 2.5 })];
  const note = variant.note === undefined || variant.note === '' ? [] : [element('span', { class: 'entry-note' }, variant.note)];
  const name = element('th', { scope: 'row' }, ...swatch, element('span', { class: 'entry-name', dir: 'auto' }, run?.name ?? variant.name), label, ...note);
  const isBare = state === 'refused' || (run === null && reason !== '');
  const rest = isBare ? [element('td', { class: 'entry-reason', colspan: String(COLUMNS.length) }, reason)] : cells;
  const root = element('tr', {}, name, ...rest);
  if (!isBare && reason !== '') name.append(element('span', { class: 'entry-note' }, reason));
  return root;
}

function showFigures({ entry: { run, state }, cells }: Row): void {
  const isOver = state !== 'running';
  COLUMNS.forEach(({ of }, index) => {
    const cell = cells[index];
    if (cell !== undefined) setText(cell, run === null ? '' : of(run, isOver));
  });
}
