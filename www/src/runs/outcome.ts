/** What came of a run, in numbers: for the table of a comparison, and its CSV file. */
import type { RunConfig } from '../../pkg/adadagrad_web.js';
import { isOfText } from '../samples.js';
import type { TrainedRun } from './trained-run.js';

const TARGET = 0.95;
/** Of the next characters of a text, which are less certain than what an image shows. */
const TEXT_TARGET = 0.4;

/** The accuracy that runs are timed to. */
export function targetOf(config: Pick<RunConfig, 'dataset' | 'model'>): number {
  return isOfText(config) ? TEXT_TARGET : TARGET;
}

export interface Outcome {
  /** When the target was measured first; null where it was not. */
  samplesToTarget: number | null;
  secondsToTarget: number | null;
  stepsToTarget: number | null;
  samples: number | null;
  seconds: number | null;
  steps: number | null;
  averageBatch: number | null;
  accuracy: number | null;
}

export function outcomeOf({ config, log, evaluations }: TrainedRun): Outcome {
  const reached = evaluations.find(({ accuracy }) => accuracy >= targetOf(config));
  const [samples, steps] = [log.last('samples_seen'), log.last('step')];
  return {
    samplesToTarget: reached?.samples_seen ?? null,
    secondsToTarget: reached?.elapsed ?? null,
    stepsToTarget: reached?.step ?? null,
    samples,
    seconds: log.last('elapsed'),
    steps,
    averageBatch: samples === null || steps === null ? null : samples / steps,
    accuracy: evaluations.at(-1)?.accuracy ?? null,
  };
}
