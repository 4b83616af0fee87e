/**
 * Every rule of batch-size control in words: why it changed the size, why it kept it, and what is known against it. A new
 * rule is a row here. What it says follows “because”, and stands between semicolons.
 */
import type { Controller, Reason, RunConfig } from '../pkg/adadagrad_web.js';
import { formatCount, formatPercent, formatSize } from './format.js';
import type { StepRecord } from './protocol.js';

type Name = Controller['name'];
type Rule<Of extends Name> = Extract<Controller, { name: Of }>;
/** A clause about a step of a rule. */
type Clause<Of extends Name> = (rule: Rule<Of>, step: StepRecord) => string;

interface RuleWords<Of extends Name> {
  grew: Clause<Of>;
  shrank: Clause<Of>;
  kept: Clause<Of>;
  /** What is known against it: a sentence. */
  against?: string;
}

/** A rule that never shrinks the batch: only the settings can. */
const LIMITED = (): string => 'the largest batch in the settings was reduced';

const NOISE_SCALE_MISLEADS = 'The noise scale can underestimate the critical batch by orders of magnitude under Adam (arXiv 2505.23971).';

const NOISE_SCALES: Record<Rule<'gradient_noise_scale'>['sensor'], string> = {
  plain: 'the smoothed gradient noise scale',
  preconditioned: 'the smoothed noise scale of the preconditioned gradients',
  sign: 'the smoothed noise scale of the gradients’ signs',
};

const WORDS: { readonly [Of in Name]: RuleWords<Of> } = {
  adadagrad: {
    grew: ({ growth_cap: cap, window }, { required, next_batch: next }) => {
      if (required === null) return 'no batch size is large enough for the test';
      const needed = `the test needed ${formatSize(required)} samples`;
      if (next >= required) return needed;
      if (window > 1) return `${needed}, and the smallest of the last ${window} required sizes counts`;
      return cap === null ? needed : `${needed}, and the growth cap allows ${cap} times the batch`;
    },
    shrank: LIMITED,
    kept: () => 'the batch was large enough for the test',
    against: 'A very small initial batch can require far too much by chance, and the batch never shrinks again.',
  },
  cabs: {
    grew: () => 'the learning rate times the variance of the gradients, divided by the loss, is above the batch size',
    shrank: () => 'the learning rate times the variance of the gradients, divided by the loss, is below the batch size',
    kept: () => 'the learning rate times the variance of the gradients, divided by the loss, requires no other size',
    against: 'It assumes the steps of plain SGD and a smallest possible loss of 0.',
  },
  dive_batch: {
    grew: () => 'an epoch ended whose gradients were diverse enough for a larger batch',
    shrank: LIMITED,
    kept: ({ every_epochs: epochs }) => `DiveBatch changes the size at most once per ${manyEpochs(epochs)}`,
    against: 'Every adaptive scheme in DiveBatch’s own CIFAR-10 table loses 0.4 to 1.7 points to constant b = 128.',
  },
  gradient_noise_scale: {
    grew: (rule) => `${noiseScale(rule)} is above the batch size`,
    shrank: (rule) => `${noiseScale(rule)} is below the batch size`,
    kept: (rule) => `${noiseScale(rule)} requires no other size`,
    against: NOISE_SCALE_MISLEADS,
  },
  ada_batch_grad: {
    grew: ({ window }) => `the smallest of the last ${window} sizes that its test required is larger`,
    shrank: LIMITED,
    kept: ({ window, window_kind: kind }) =>
      kind === 'block' ? `it decides once per ${window} steps, by the smallest size that its test required` : `the smallest of the last ${window} sizes that its test required is not larger`,
    against: 'Its test needs a second sweep over each batch, and the batch never shrinks again.',
  },
  accordion: {
    grew: () => 'the gradient of the last epoch was like that of the epoch before',
    shrank: () => 'the gradient of the last epoch differed from that of the epoch before',
    kept: () => 'Accordion chooses between its two sizes only at the end of an epoch',
    against: 'The batch jumps between two sizes, and the learning rate stays as it is.',
  },
  cost_aware: {
    grew: () => 'a larger batch promised more progress per second, or had to be timed first',
    shrank: () => 'a smaller batch promised more progress per second, or had to be timed first',
    kept: ({ gain, dwell }) => `no other size promised at least ${formatPercent(gain)} more progress per second, or the size had changed within the last ${formatCount(dwell)} steps`,
    against: `Its choice depends on this machine’s speed, so a run does not repeat exactly. ${NOISE_SCALE_MISLEADS}`,
  },
  constant: {
    grew: () => 'the smallest batch in the settings was raised',
    shrank: LIMITED,
    kept: () => 'the rule keeps the batch constant',
  },
  stages: {
    grew: () => 'the list of sizes has reached its next stage',
    shrank: () => 'the list of sizes has reached its next stage',
    kept: () => 'the list of sizes has not reached another stage',
    against: 'The list is fixed before the run, and follows nothing that the gradients say.',
  },
  linear: {
    grew: (rule) => ramp(rule),
    shrank: (rule) => ramp(rule),
    kept: (rule, { samples_seen: seen }) => (seen >= rule.over_samples ? 'the growth has ended' : ramp(rule)),
    against: 'The growth is fixed before the run, and follows nothing that the gradients say.',
  },
  geometric: {
    grew: ({ factor, every_epochs: epochs }) => `AdaBatch multiplies the batch by ${factor} once per ${manyEpochs(epochs)}`,
    shrank: LIMITED,
    kept: ({ factor, every_epochs: epochs }) => `AdaBatch multiplies the batch by ${factor} only once per ${manyEpochs(epochs)}`,
    against: 'The growth is fixed before the run, and follows nothing that the gradients say.',
  },
  smith: {
    grew: () => 'a milestone was reached at which a schedule would reduce the learning rate',
    shrank: LIMITED,
    kept: () => 'no milestone was reached, or the learning rate was reduced instead',
    against: 'The milestones are fixed before the run, and follow nothing that the gradients say.',
  },
  seesaw: {
    grew: () => 'a milestone was reached at which a schedule would reduce the learning rate',
    shrank: LIMITED,
    kept: () => 'no milestone was reached, or only the learning rate was reduced',
    against: 'The milestones are fixed before the run, and follow nothing that the gradients say.',
  },
  big_batch: {
    grew: () => 'the mean gradient of a smaller batch did not stand out from the noise',
    shrank: LIMITED,
    kept: () => 'the mean gradient of a batch of this size stood out from the noise, or no larger batch is allowed',
    against: 'The batch never shrinks again, and each extension costs another pass over the new samples.',
  },
  simi_grad: {
    grew: ({ target }) => `the mean gradients of the batch’s halves were less alike than the target (cosine below ${target})`,
    shrank: ({ target }) => `the mean gradients of the batch’s halves were more alike than the target (cosine above ${target})`,
    kept: ({ target }) => `the mean gradients of the batch’s halves were as alike as the target (cosine ${target}), or the limits allow no other size`,
    against: 'The right target depends on the task, and the size changes after almost every step.',
  },
};

function noiseScale({ sensor, scale }: Rule<'gradient_noise_scale'>): string {
  return scale === 1 ? NOISE_SCALES[sensor] : `${scale} times ${NOISE_SCALES[sensor]}`;
}

function manyEpochs(count: number): string {
  return count === 1 ? 'epoch' : `${formatCount(count)} epochs`;
}

function ramp({ last_batch: last, over_samples: over }: Rule<'linear'>): string {
  return `the size follows the samples seen, to ${formatCount(last)} after ${formatCount(over)} samples`;
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
  return WORDS[name].against ?? '';
}

/** Why the rule changed or kept the size after a step, and which size it wanted where that is another: a clause. */
export function whyNextBatch(config: Pick<RunConfig, 'controller' | 'test'>, step: StepRecord): string {
  const { wanted = null, next_batch: next } = step;
  const isOther = wanted !== null && !usesTest(config.controller) && Math.abs(wanted - next) >= 1;
  return `${whyChanged(config, step)}${isOther ? ` (it wanted ${formatSize(wanted)} samples)` : ''}`;
}

function whyChanged({ controller, test }: Pick<RunConfig, 'controller' | 'test'>, step: StepRecord): string {
  // The table has for each name the words for the rule of that name.
  const words = WORDS[controller.name] as RuleWords<Name>;
  const rule = controller as Rule<Name>;
  if (step.reasons.controller === 'no_beta_left') return RULE_REASONS.no_beta_left;
  if (step.next_batch > step.samples) return words.grew(rule, step);
  if (step.next_batch < step.samples) return words.shrank(rule, step);
  const { controller: held, required: untested } = step.reasons;
  if (held !== undefined) return RULE_REASONS[held];
  if (usesTest(controller) && test !== null && untested !== undefined) return TEST_REASONS[untested];
  return words.kept(rule, step);
}

/** A batch that was extended before its step, as Big Batch SGD does, from the size that was planned. */
export function whyExtended({ controller }: Pick<RunConfig, 'controller'>, step: StepRecord): string {
  return (WORDS[controller.name] as RuleWords<Name>).grew(controller as Rule<Name>, step);
}
