/**
 * Every rule of batch-size control in words: why it changed the size, why it kept it, and what is known against it. The
 * clauses stand in the core’s table of settings, beside each rule. They follow “because”, and stand between semicolons.
 */
import type { Controller, Reason, RunConfig } from '../pkg/adadagrad_web.js';
import { formatCount, formatPercent, formatSize } from './format.js';
import type { StepRecord } from './protocol.js';
import type { Words } from './settings/rows.js';
import { CONTROLLER_ROWS } from './settings/table.js';

type Name = Controller['name'];

const NOISE_SCALES: Readonly<Record<string, string>> = {
  plain: 'the smoothed gradient noise scale',
  preconditioned: 'the smoothed noise scale of the preconditioned gradients',
  sign: 'the smoothed noise scale of the gradients’ signs',
};

/** A setting within a clause, by the form that the clause asks for. */
const FORMS: Readonly<Record<string, (setting: number | string) => string>> = {
  '': (setting) => (typeof setting === 'number' && Number.isInteger(setting) ? formatCount(setting) : String(setting)),
  percent: (setting) => formatPercent(Number(setting)),
  epochs: (setting) => (setting === 1 ? 'epoch' : `${formatCount(Number(setting))} epochs`),
  times: (setting) => (setting === 1 ? '' : `${setting} times `),
  noise: (setting) => NOISE_SCALES[setting] ?? String(setting),
};

function wordsOf(name: Name): Words {
  return CONTROLLER_ROWS.find((row) => row.name === name)?.words ?? { grew: '', shrank: '', kept: '', against: '' };
}

/** A clause with the rule’s settings in it. */
function filled(clause: string, rule: Controller): string {
  const settings: Readonly<Record<string, unknown>> = { ...rule };
  return clause.replaceAll(/\{(\w+)(?::(\w+))?\}/g, (_, name: string, form = '') => {
    const setting = settings[name];
    return typeof setting === 'number' || typeof setting === 'string' ? (FORMS[form] ?? String)(setting) : '';
  });
}

/** Why AdAdaGrad’s batch grew: by what the test requires, which step and settings may limit. */
function grewByTest({ growth_cap: cap, window }: Extract<Controller, { name: 'adadagrad' }>, { required, next_batch: next }: StepRecord): string {
  if (required === null) return 'no batch size is large enough for the test';
  const needed = `the test needed ${formatSize(required)} samples`;
  if (next >= required) return needed;
  if (window > 1) return `${needed}, and the smallest of the last ${window} required sizes counts`;
  return cap === null ? needed : `${needed}, and the growth cap allows ${cap} times the batch`;
}

function whyGrew(controller: Controller, step: StepRecord): string {
  return controller.name === 'adadagrad' ? grewByTest(controller, step) : filled(wordsOf(controller.name).grew, controller);
}

/** Why the test has no required size. */
const TEST_REASONS: Record<Reason, string> = {
  non_finite: 'a sum was not finite, so no size can be computed',
  single_sample: 'a batch of one sample has no variance to test',
  zero_mean_gradient: 'the mean gradient is zero, so no size can be computed',
  non_positive_debiased_norm: 'noise dominates the mean gradient, so no batch size is large enough',
  single_worker: 'a single part has no variance between parts',
  missing_evidence: 'the statistics that the test needs were not computed',
  unbounded: 'noise dominates the mean gradient, so no batch size is large enough',
  non_positive_loss: 'the loss is not positive, so no size can be computed',
  no_step_times: 'too few steps were timed',
  other_steps: 'it decides at other steps',
  no_beta_left: 'the coupling leaves no β for a batch of that size',
};

/** Why the rule had nothing to decide from. */
const RULE_REASONS: Record<Reason, string> = {
  ...TEST_REASONS,
  single_sample: 'a batch of one sample has no variance',
  non_positive_debiased_norm: 'noise dominates the mean gradient, so there is no noise scale',
  missing_evidence: 'the statistics that the rule needs were not computed',
};

/** Why the test has no answer. */
export function describeReason(reason: Reason): string {
  return TEST_REASONS[reason];
}

/** Why something that is only reported has no size. */
export function describeUnobserved(reason: Reason): string {
  return RULE_REASONS[reason];
}

/** Whether the batch-size test decides. */
export function usesTest({ name }: Controller): boolean {
  return name === 'adadagrad';
}

/** What is known against a rule, in a sentence; empty where nothing is to be said. */
export function againstRule(name: Name): string {
  return wordsOf(name).against;
}

/** Why the rule changed or kept the size after a step, and which size it wanted where that is another: a clause. */
export function whyNextBatch(config: Pick<RunConfig, 'controller' | 'test'>, step: StepRecord): string {
  const { wanted = null, next_batch: next } = step;
  const isOther = wanted !== null && !usesTest(config.controller) && Math.abs(wanted - next) >= 1;
  return `${whyChanged(config, step)}${isOther ? ` (it wanted ${formatSize(wanted)} samples)` : ''}`;
}

function whyChanged({ controller, test }: Pick<RunConfig, 'controller' | 'test'>, step: StepRecord): string {
  if (step.reasons.controller === 'no_beta_left') return RULE_REASONS.no_beta_left;
  if (step.next_batch > step.samples) return whyGrew(controller, step);
  const words = wordsOf(controller.name);
  if (step.next_batch < step.samples) return filled(words.shrank, controller);
  const { controller: held, required: untested } = step.reasons;
  if (held !== undefined) return RULE_REASONS[held];
  if (usesTest(controller) && test !== null && untested !== undefined) return TEST_REASONS[untested];
  return filled(words.kept, controller);
}

/** A batch that was extended before its step, as Big Batch SGD does, from the size that was planned. */
export function whyExtended({ controller }: Pick<RunConfig, 'controller'>, step: StepRecord): string {
  return whyGrew(controller, step);
}
