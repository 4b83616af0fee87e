/** What can be done with one run: draw or hide it, name it, keep it from visit to visit, save it, delete it. */
import { element, onPress, setDisabled } from '../dom.js';
import { download, fileName } from '../export/download.js';
import { DECIMAL_COMMA_CSV, PLAIN_CSV, runCsv } from '../export/run-csv.js';
import type { CsvStyle } from '../export/run-csv.js';
import type { RunLibrary } from './library.js';
import { writeRunFile } from './run-file.js';
import type { TrainedRun } from './trained-run.js';

export interface RunActions {
  drawn: HTMLElement;
  name: HTMLElement;
  buttons: HTMLElement[];
  /** Follows what was changed elsewhere. */
  show(): void;
}

/** What leaves the page with a run. */
export interface RunExports {
  copyLink: (run: TrainedRun) => void;
  print: (run: TrainedRun) => void;
}

export function runActions(run: TrainedRun, library: RunLibrary, { copyLink, print }: RunExports): RunActions {
  const name = element('input', { type: 'text', class: 'run-name', dir: 'auto', maxlength: '200', 'aria-label': 'Name of the run', value: run.name });
  const drawn = element('input', { type: 'checkbox', 'aria-label': `Draw ${run.name} in the charts` });
  const pin = element('button', { type: 'button', class: 'button-quiet' }, 'Keep');
  const csv = element('button', { type: 'button', class: 'button-quiet' }, 'CSV');
  const commaCsv = element('button', { type: 'button', class: 'button-quiet' }, 'CSV 0,5');
  const json = element('button', { type: 'button', class: 'button-quiet' }, 'JSON');
  const link = element('button', { type: 'button', class: 'button-quiet' }, 'Link');
  const paper = element('button', { type: 'button', class: 'button-quiet' }, 'Print');
  const remove = element('button', { type: 'button', class: 'button-quiet' }, 'Delete');
  const show = (): void => {
    drawn.checked = run.shown;
    drawn.setAttribute('aria-label', `Draw ${run.name} in the charts`);
    pin.setAttribute('aria-pressed', String(run.pinned));
    pin.setAttribute('aria-label', `Keep ${run.name} when the page is closed`);
    pin.title = 'Keep this run in this browser for your next visit';
    csv.setAttribute('aria-label', `Save ${run.name} as CSV`);
    csv.title = 'Columns separated by commas, decimals with a point';
    commaCsv.setAttribute('aria-label', `Save ${run.name} as CSV 0,5, with decimal commas`);
    commaCsv.title = 'For spreadsheets that write 0,5: columns separated by semicolons, decimals with a comma';
    json.setAttribute('aria-label', `Save ${run.name} as JSON`);
    link.setAttribute('aria-label', `Copy a link to ${run.name}`);
    link.title = 'A link that shows this run and has its settings';
    setDisabled(link, run.log.length === 0);
    paper.setAttribute('aria-label', `Print ${run.name}`);
    paper.title = 'One sheet about this run: its numbers, settings and charts';
    setDisabled(paper, run.log.length === 0);
    remove.setAttribute('aria-label', `Delete ${run.name}`);
    setDisabled(remove, run === library.current);
  };
  show();
  name.addEventListener('change', () => {
    run.name = name.value.trim() || run.name;
    name.value = run.name;
    library.touch();
  });
  drawn.addEventListener('change', () => {
    run.shown = drawn.checked;
    library.touch();
  });
  pin.addEventListener('click', () => {
    run.pinned = !run.pinned;
    library.touch();
  });
  const saveCsv = (style: CsvStyle): void => download(fileName(run.name, 'csv'), new Blob([runCsv(run, style)], { type: 'text/csv' }));
  csv.addEventListener('click', () => saveCsv(PLAIN_CSV));
  commaCsv.addEventListener('click', () => saveCsv(DECIMAL_COMMA_CSV));
  json.addEventListener('click', () =>
    download(fileName(run.name, 'json'), new Blob([JSON.stringify(writeRunFile(run))], { type: 'application/json' })),
  );
  onPress(link, () => copyLink(run));
  onPress(paper, () => print(run));
  // The second click of a double click would meet the next run's button.
  onPress(remove, () => library.remove(run));
  return { drawn, name, buttons: [pin, csv, commaCsv, json, link, paper, remove], show };
}
