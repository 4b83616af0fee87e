/**
 * The steps of one run or several as comma-separated values: one line per step, telemetry's names, why a value is missing, the
 * accuracy where it was measured, what was only reported, and what made the run.
 */
import { REASON_COLUMNS, STEP_COLUMNS } from '../runs/step-log.js';
import type { TrainedRun } from '../runs/trained-run.js';

/** How numbers and columns are written. */
export interface CsvStyle {
  separator: string;
  decimal: string;
}

/** As programs read it (RFC 4180). */
export const PLAIN_CSV: CsvStyle = { separator: ',', decimal: '.' };
/** As spreadsheets open it where decimals are written with a comma. */
export const DECIMAL_COMMA_CSV: CsvStyle = { separator: ';', decimal: ',' };

export function runCsv(run: TrainedRun, style: CsvStyle = PLAIN_CSV): string {
  const { observedNames } = run.log;
  return `${[columnsWith(observedNames), ...rowsOf(run, style, observedNames)].map((row) => row.join(style.separator)).join('\n')}\n`;
}

/** All runs one below the other; the first column is the run's name. */
export function runsCsv(runs: readonly TrainedRun[], style: CsvStyle = PLAIN_CSV): string {
  const observed = [...new Set(runs.flatMap(({ log }) => log.observedNames))];
  const rows = runs.flatMap((run) => rowsOf(run, style, observed).map((row) => [quoted(run.name), ...row]));
  return `${[['run', ...columnsWith(observed)], ...rows].map((row) => row.join(style.separator)).join('\n')}\n`;
}

const COLUMNS = [...STEP_COLUMNS, ...REASON_COLUMNS.map((name) => `reasons.${name}`), 'accuracy', 'test_loss'];

/** What made the run; last, and the same in each of its lines. */
const ORIGIN_COLUMNS = ['engine', 'adapter', 'version', 'commit', 'browser'];

function originOf({ computedBy, madeWith }: TrainedRun): (string | null)[] {
  const words = [computedBy?.engine, computedBy?.adapter, madeWith?.version, madeWith?.commit, madeWith?.browser];
  // Whatever separates columns.
  return words.map((word) => word?.replaceAll(/[,;"\s]+/g, ' ') ?? null);
}

/** What a step says of something that is only reported. */
const OBSERVED_COLUMNS = ['size', 'smoothed', 'reason'] as const;

function columnsWith(observed: readonly string[]): string[] {
  return [...COLUMNS, ...observed.flatMap((name) => OBSERVED_COLUMNS.map((part) => `observed.${name}.${part}`)), ...ORIGIN_COLUMNS];
}

/** A name may have any character in it. */
function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function rowsOf(run: TrainedRun, { decimal }: CsvStyle, observed: readonly string[]): string[][] {
  const write = (value: number | string | null): string => {
    if (value === null) return '';
    return typeof value === 'number' ? String(value).replace('.', decimal) : value;
  };
  const measured = new Map(run.evaluations.map((evaluation) => [evaluation.step, evaluation]));
  const origin = originOf(run);
  const rows: string[][] = [];
  for (let row = 0; row < run.log.length; row += 1) {
    const evaluation = measured.get(run.log.value('step', row) ?? -1);
    const values = [
      ...STEP_COLUMNS.map((name) => run.log.value(name, row)),
      ...REASON_COLUMNS.map((name) => run.log.reason(name, row)),
      evaluation?.accuracy ?? null,
      evaluation?.loss ?? null,
      ...observed.flatMap((name) => {
        const own = run.log.observed(name, row);
        return OBSERVED_COLUMNS.map((part) => own?.[part] ?? null);
      }),
      ...origin,
    ];
    rows.push(values.map(write));
  }
  return rows;
}
