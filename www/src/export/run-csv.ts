/**
 * A run's steps as comma-separated values: one line a step, telemetry's names, why a value is missing, and the accuracy
 * where it was measured.
 */
import { REASON_COLUMNS, STEP_COLUMNS } from '../runs/step-log.js';
import type { TrainedRun } from '../runs/trained-run.js';

export function runCsv(run: TrainedRun): string {
  const measured = new Map(run.evaluations.map((evaluation) => [evaluation.step, evaluation]));
  const reasons = REASON_COLUMNS.map((name) => `reasons.${name}`);
  const lines = [[...STEP_COLUMNS, ...reasons, 'accuracy', 'test_loss'].join(',')];
  for (let row = 0; row < run.log.length; row += 1) {
    const evaluation = measured.get(run.log.value('step', row) ?? -1);
    const values = [
      ...STEP_COLUMNS.map((name) => run.log.value(name, row)),
      ...REASON_COLUMNS.map((name) => run.log.reason(name, row)),
      evaluation?.accuracy ?? null,
      evaluation?.loss ?? null,
    ];
    lines.push(values.map((value) => (value === null ? '' : String(value))).join(','));
  }
  return `${lines.join('\n')}\n`;
}
