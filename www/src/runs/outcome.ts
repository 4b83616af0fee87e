/** What came of a run, in numbers: for the table of a comparison, and its CSV file. */
import type { TrainedRun } from './trained-run.js';

/** The accuracy that runs are timed to. */
export const TARGET = 0.95;

export interface Outcome {
  /** When TARGET was measured first; null where it was not. */
  samplesToTarget: number | null;
  secondsToTarget: number | null;
  samples: number | null;
  seconds: number | null;
  steps: number | null;
  averageBatch: number | null;
  accuracy: number | null;
}

export function outcomeOf({ log, evaluations }: TrainedRun): Outcome {
  const reached = evaluations.find(({ accuracy }) => accuracy >= TARGET);
  const [samples, steps] = [log.last('samples_seen'), log.last('step')];
  return {
    samplesToTarget: reached?.samples_seen ?? null,
    secondsToTarget: reached?.elapsed ?? null,
    samples,
    seconds: log.last('elapsed'),
    steps,
    averageBatch: samples === null || steps === null ? null : samples / steps,
    accuracy: evaluations.at(-1)?.accuracy ?? null,
  };
}
