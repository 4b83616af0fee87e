/** The run in sentences: for reading, and for screen readers. */
import type { BatchTest, RunConfig } from '../pkg/adadagrad_web.js';
import { formatCount, formatFactor, formatPercent, formatSize } from './format.js';
import type { StepRecord } from './protocol.js';
import { describeReason, usesTest, whyNextBatch } from './rule-words.js';
import { isOfText, nounOf } from './samples.js';
import { isLastStep } from './state.js';
import type { DataState, RunState } from './state.js';

const UNUSABLE: Record<Extract<DataState, { name: 'unusable' }>['because'], string> = {
  data: 'Training needs the data, which could not be loaded.',
  program: 'Training needs the training program, which could not be loaded or has stopped.',
  browser: 'Training is not possible here.',
};

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
  if (run.phase === 'paused') return 'Paused before the first step. Press Resume or Step.';
  if (run.phase === 'failed') return 'The run stopped before its first step.';
  if (data.name === 'unusable') return UNUSABLE[data.because];
  if (data.name !== 'ready') {
    return startWaits ? 'Training starts as soon as the data is loaded.' : 'Loading the data. You can already press Start.';
  }
  const noun = nounOf(data.shape);
  const samples = data.trainingSamples === 1 ? `One training ${noun} is` : `${formatCount(data.trainingSamples)} training ${noun}s are`;
  return problem === null ? `${samples} ready. Press Start.` : `${samples} ready, but no run can start with these settings. ${problem}`;
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
  const { config } = run;
  if (config !== null && (config.test === null || !usesTest(config.controller))) return `${beginning}; ${describeTestBeside(step, config.test)}${whyNextBatch(config, step)}; ${ending}.`;
  if (step.required === null) {
    const reason = step.reasons.required;
    if (reason === undefined) return `${beginning}; the test was not computed; ${ending}.`;
    return `${beginning}; ${describeReason(reason)}; ${ending}.`;
  }
  const needed = formatSize(step.required);
  const factor = step.required / step.samples;
  // Of noise, a length, the figure speaks: here both sides are counted in samples.
  if (factor <= 1) return `${beginning} was large enough (${needed} samples were needed); ${ending}.`;
  return `${beginning}; ${needed} samples needed, ${formatFactor(factor)} times as many; ${ending}.`;
}

/** What a test says whose result has no effect on the batch. */
function describeTestBeside({ required }: StepRecord, test: BatchTest | null): string {
  return test === null || required === null ? '' : `the test would need ${formatSize(required)} samples, but does not decide; `;
}

function describeNextBatch(step: StepRecord, run: RunState): string {
  if (run.config !== null && isLastStep(run.config, step)) return 'it was the last';
  const largest = run.config !== null && step.next_batch >= run.config.max_batch ? ', the largest allowed' : '';
  if (step.next_batch === step.samples) return `the next stays ${formatCount(step.next_batch)}${largest}`;
  return `next batch ${formatCount(step.next_batch)}${largest}`;
}

function describeAccuracy(run: RunState): string {
  const evaluation = run.latestEvaluation;
  return evaluation === null ? '' : `${formatPercent(evaluation.accuracy)} of the ${answersOf(run.config)}.`;
}

/** What accuracy is a fraction of. */
function answersOf(config: RunConfig | null): string {
  if (config === null || !isOfText(config)) return 'test images are classified correctly';
  return `${config.text.tokens} of the test text are predicted correctly`;
}
