/**
 * A run's steps as comma-separated values: one line per step, telemetry's names, why a value is missing, and the accuracy
 * where it was measured.
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

export function runCsv(run: TrainedRun, { separator, decimal }: CsvStyle = PLAIN_CSV): string {
  const write = (value: number | string | null): string => {
    if (value === null) return '';
    return typeof value === 'number' ? String(value).replace('.', decimal) : value;
  };
  const measured = new Map(run.evaluations.map((evaluation) => [evaluation.step, evaluation]));
  const reasons = REASON_COLUMNS.map((name) => `reasons.${name}`);
  const lines = [[...STEP_COLUMNS, ...reasons, 'accuracy', 'test_loss'].join(separator)];
  for (let row = 0; row < run.log.length; row += 1) {
    const evaluation = measured.get(run.log.value('step', row) ?? -1);
    const values = [
      ...STEP_COLUMNS.map((name) => run.log.value(name, row)),
      ...REASON_COLUMNS.map((name) => run.log.reason(name, row)),
      evaluation?.accuracy ?? null,
      evaluation?.loss ?? null,
    ];
    lines.push(values.map(write).join(separator));
  }
  return `${lines.join('\n')}\n`;
}
