/** The run in sentences: for reading, and for screen readers. */
import type { Telemetry } from '../pkg/adadagrad_web.js';
import { formatCount, formatFactor, formatPercent, formatSize } from './format.js';
import type { StepRecord } from './protocol.js';
import type { DataState, RunState } from './state.js';

type Reason = NonNullable<Telemetry['reasons']['required']>;

const REASONS: Record<Reason, string> = {
  non_finite: 'a sum was not finite, so no size can be computed',
  single_sample: 'a batch of one sample has no variance to test',
  zero_mean_gradient: 'the mean gradient is zero, so no size can be computed',
  non_positive_debiased_norm: 'noise dominates the mean gradient, so no batch size is large enough',
  single_worker: 'a single part has no variance between parts',
  missing_evidence: 'the statistics that the test needs were not computed',
  unbounded: 'noise dominates the mean gradient, so no batch size is large enough',
  non_positive_loss: 'the loss is not positive, so no size can be computed',
  no_step_times: 'too few steps were timed',
  other_steps: 'the rule decides at other steps',
  no_beta_left: 'the coupling leaves no β for a batch of that size',
};

const UNUSABLE: Record<Extract<DataState, { name: 'unusable' }>['because'], string> = {
  data: 'Training needs the data, which could not be loaded.',
  program: 'Training needs the training program, which could not be loaded or has stopped.',
  browser: 'Training is not possible here.',
};

export function describeReason(reason: Reason): string {
  return REASONS[reason];
}

/** `problem`: why the settings shown cannot be run. */
export function describeRun(run: RunState, data: DataState, startWaits: boolean, problem: string | null = null): string {
  const step = run.latestStep;
  if (step === null) return describeBeginning(run, data, startWaits, problem);
  const begunAgain = run.phase === 'finished' || run.phase === 'failed';
  const hindrance = begunAgain && problem !== null ? `No new run can start with these settings. ${problem}` : '';
  return [describePhase(run), describeStep(step, run), describeAccuracy(run), hindrance].filter(Boolean).join(' ');
}

function describeBeginning(run: RunState, data: DataState, startWaits: boolean, problem: string | null): string {
  if (run.phase === 'running') return 'Computing the first step.';
  if (run.phase === 'failed') return 'The run stopped before its first step.';
  if (data.name === 'unusable') return UNUSABLE[data.because];
  if (data.name !== 'ready') {
    return startWaits ? 'Training starts as soon as the data is loaded.' : 'Loading the data. You can press Start already.';
  }
  const images = data.trainingSamples === 1 ? 'One training image is' : `${formatCount(data.trainingSamples)} training images are`;
  return problem === null ? `${images} ready. Press Start.` : `${images} ready, but no run can start with these settings. ${problem}`;
}

function describePhase(run: RunState): string {
  switch (run.phase) {
    case 'paused':
      return 'Paused.';
    case 'finished':
      return describeEnd(run);
    case 'failed':
      return 'Stopped.';
    default:
      return '';
  }
}

function describeEnd({ latestStep: step }: RunState): string {
  if (step === null) return 'Finished.';
  const average = formatCount(step.samples_seen / step.step);
  return `Finished: ${formatCount(step.step)} steps, ${formatCount(step.samples_seen)} samples, ${average} per step on average.`;
}

export function describeStep(step: StepRecord, run: RunState): string {
  const beginning = `Step ${formatCount(step.step)}: batch ${formatCount(step.samples)}`;
  const ending = describeNextBatch(step, run);
  if (run.config?.test === null) {
    return run.config.controller.name === 'constant' ? `${beginning}; there is no test, so the batch size is constant.` : `${beginning}; ${ending}.`;
  }
  if (step.required === null) {
    const reason = step.reasons.required;
    if (reason === undefined) return `${beginning}; the test was not computed; ${ending}.`;
    return `${beginning}; ${REASONS[reason]}; ${ending}.`;
  }
  const needed = formatSize(step.required);
  const factor = step.required / step.samples;
  // Of noise, a length, the figure speaks: here both sides are counted in samples.
  if (factor <= 1) return `${beginning} was large enough (${needed} samples were needed); ${ending}.`;
  return `${beginning}; ${needed} samples needed, ${formatFactor(factor)} times as many; ${ending}.`;
}

function describeNextBatch(step: StepRecord, run: RunState): string {
  const largest = run.config !== null && step.next_batch >= run.config.max_batch ? ', the largest allowed' : '';
  if (step.next_batch === step.samples) return `the next stays ${formatCount(step.next_batch)}${largest}`;
  return `next batch ${formatCount(step.next_batch)}${largest}`;
}

function describeAccuracy(run: RunState): string {
  const evaluation = run.latestEvaluation;
  return evaluation === null ? '' : `${formatPercent(evaluation.accuracy)} of the test images are classified correctly.`;
}
