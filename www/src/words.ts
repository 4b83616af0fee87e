/** The run in sentences: for reading, and for screen readers. */
import type { Telemetry } from '../pkg/adadagrad_web.js';
import { formatCount, formatFactor, formatPercent, formatSize } from './format.js';
import type { StepRecord } from './protocol.js';
import type { DataState, RunState } from './state.js';

type Reason = NonNullable<Telemetry['reasons']['required']>;

const REASONS: Record<Reason, string> = {
  non_finite: 'a sum was not a finite number, so no size can be computed',
  single_sample: 'a batch of one sample says nothing about its noise',
  zero_mean_gradient: 'the mean gradient is zero, so no size can be computed',
  non_positive_debiased_norm: 'the noise drowns the mean gradient, so no batch is large enough',
  single_worker: 'one part alone says nothing about the noise between parts',
  missing_evidence: 'what the test needs was not measured',
  unbounded: 'the noise drowns the mean gradient, so no batch is large enough',
};

export function describeReason(reason: Reason): string {
  return REASONS[reason];
}

export function describeRun(run: RunState, data: DataState, startWaits: boolean): string {
  const step = run.latestStep;
  if (step === null) return describeBeginning(run, data, startWaits);
  return [describePhase(run), describeStep(step, run), describeAccuracy(run)].filter(Boolean).join(' ');
}

function describeBeginning(run: RunState, data: DataState, startWaits: boolean): string {
  if (run.phase === 'running') return 'The first step is being computed.';
  if (run.phase === 'failed') return 'The run stopped before its first step.';
  if (data.name === 'unusable') return 'Nothing can be trained without the data.';
  if (data.name !== 'ready') {
    return startWaits ? 'Training starts as soon as the data is here.' : 'The data is on its way; Start can be pressed already.';
  }
  return `${formatCount(data.trainingSamples)} training images are ready. Press Start.`;
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
  return `Finished: ${formatCount(step.step)} steps, ${formatCount(step.samples_seen)} images, ${average} a step on average.`;
}

export function describeStep(step: StepRecord, run: RunState): string {
  const beginning = `Step ${formatCount(step.step)}: batch ${formatCount(step.samples)}`;
  const ending = describeNextBatch(step, run);
  if (run.config?.test === null) return `${beginning}; no test is on, the batch stays as it is.`;
  if (step.required === null) {
    const reason = step.reasons.required;
    if (reason === undefined) return `${beginning}; the test was not made; ${ending}.`;
    return `${beginning}; ${REASONS[reason]}; ${ending}.`;
  }
  const needed = formatSize(step.required);
  const factor = step.required / step.samples;
  // Of noise, a length, the figure speaks: here both sides are counted in samples.
  if (factor <= 1) return `${beginning} was large enough, as ${needed} samples would have been; ${ending}.`;
  return `${beginning}; ${needed} samples needed, ${formatFactor(factor)} times as many; ${ending}.`;
}

function describeNextBatch(step: StepRecord, run: RunState): string {
  const largest = run.config !== null && step.next_batch >= run.config.max_batch ? ', the largest allowed' : '';
  if (step.next_batch === step.samples) return `the next stays ${formatCount(step.next_batch)}${largest}`;
  return `next batch ${formatCount(step.next_batch)}${largest}`;
}

function describeAccuracy(run: RunState): string {
  const evaluation = run.latestEvaluation;
  return evaluation === null ? '' : `${formatPercent(evaluation.accuracy)} of the test images are read rightly.`;
}
