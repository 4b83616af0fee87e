/** All figures of one model: a row for each engine, a column for each batch size. */
import { element } from '../../src/dom.js';
import { formatCount, formatFactor } from '../../src/format.js';
import { unitOf } from './plan.js';
import type { ModelName, Plan } from './plan.js';
import { ratios, rowsOf } from './results.js';
import type { Cell } from './results.js';

export function figuresTable(plan: Plan, model: ModelName, cells: readonly Cell[]): HTMLElement {
  const ofModel = cells.filter((cell) => cell.model === model);
  const compared = ratios(ofModel);
  const head = element('tr', {}, heading('Engine', 'col'), ...plan.batches.map((batch) => heading(`b = ${formatCount(batch)}`, 'col')));
  const rows = rowsOf(plan).map((row) => {
    const values = plan.batches.map((batch) => {
      const cell = ofModel.find((candidate) => candidate.batch === batch && candidate.engine === row.name);
      const ratio = compared.find((candidate) => candidate.batch === batch && candidate.engine === row.name);
      return element('td', {}, ...contents(cell, ratio?.ratio));
    });
    return element('tr', { class: `bench-row-${row.side}` }, heading(`${row.label} (${row.hardware})`, 'row'), ...values);
  });
  const table = element(
    'table',
    { class: 'bench-table' },
    element('caption', {}, `${model}, ${unitOf(model).toLowerCase()} per second`),
    element('thead', {}, head),
    element('tbody', {}, ...rows),
  );
  // Wide tables scroll by themselves, with the keyboard too.
  return element('div', { class: 'bench-scroll', tabindex: '0', role: 'region', 'aria-label': `Figures of ${model}` }, table);
}

function heading(text: string, scope: 'col' | 'row'): HTMLElement {
  return element('th', { scope }, text);
}

function contents(cell: Cell | undefined, ratio: number | undefined): (Node | string)[] {
  if (cell === undefined) return ['…'];
  if (cell.samplesPerSecond === null) return [element('span', { class: 'bench-failure' }, cell.failure ?? 'Not measured.')];
  const { median, minimum, maximum } = cell.samplesPerSecond;
  const range = element('span', { class: 'bench-range' }, `${formatCount(minimum)} to ${formatCount(maximum)}`);
  const lines: (Node | string)[] = [element('strong', {}, formatCount(median)), range];
  if (ratio !== undefined) lines.push(element('span', { class: 'bench-ratio' }, `${formatFactor(ratio)} × rival`));
  return lines;
}
