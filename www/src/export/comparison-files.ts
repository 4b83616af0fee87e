/** Saves all runs of a comparison together: their steps as one table, and as one file that this page opens again. */
import { element, isDisabled, required, setDisabled } from '../dom.js';
import type { ComparisonCourse } from '../runs/comparison-course.js';
import type { RunLibrary } from '../runs/library.js';
import { writeRunsFile } from '../runs/run-file.js';
import type { TrainedRun } from '../runs/trained-run.js';
import { download, fileName } from './download.js';
import { DECIMAL_COMMA_CSV, PLAIN_CSV, runsCsv } from './run-csv.js';

interface Kind {
  label: string;
  name: string;
  title: string;
  ending: string;
  write: (runs: readonly TrainedRun[]) => Blob;
}

const KINDS: readonly Kind[] = [
  {
    label: 'CSV',
    name: 'Save all runs as CSV',
    title: 'All steps of all runs. Columns separated by commas, decimals with a point',
    ending: 'csv',
    write: (runs) => new Blob([runsCsv(runs, PLAIN_CSV)], { type: 'text/csv' }),
  },
  {
    label: 'CSV 0,5',
    name: 'Save all runs as CSV 0,5, with decimal commas',
    title: 'All steps of all runs, for spreadsheets that write 0,5: columns separated by semicolons, decimals with a comma',
    ending: 'csv',
    write: (runs) => new Blob([runsCsv(runs, DECIMAL_COMMA_CSV)], { type: 'text/csv' }),
  },
  {
    label: 'JSON',
    name: 'Save all runs as JSON',
    title: 'One file, which this page opens again',
    ending: 'json',
    write: (runs) => new Blob([JSON.stringify(writeRunsFile(runs))], { type: 'application/json' }),
  },
];

export class ComparisonFiles {
  constructor(course: ComparisonCourse, library: RunLibrary) {
    const withSteps = (): TrainedRun[] => course.runs.filter(({ log }) => log.length > 0);
    const buttons = KINDS.map(({ label, name, title, ending, write }) => {
      const button = element('button', { type: 'button', class: 'button-quiet', 'aria-label': name, title }, label);
      button.addEventListener('click', () => {
        const { value } = course.course;
        if (!isDisabled(button) && value !== null) download(fileName(value.comparison.title, ending), write(withSteps()));
      });
      return button;
    });
    required('comparison-files', HTMLElement).append(element('span', { 'aria-hidden': 'true' }, 'Save all runs as'), ...buttons);
    const refresh = (): void => buttons.forEach((button) => setDisabled(button, withSteps().length === 0));
    course.course.observe(refresh);
    library.revision.observe(refresh);
  }
}
