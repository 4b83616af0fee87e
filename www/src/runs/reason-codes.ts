/** Reasons as small numbers, for columns in memory. */
import type { Reason } from '../../pkg/adadagrad_web.js';

/** A new one is added at the end: runs that browsers keep hold these numbers. */
const REASONS: readonly Reason[] = [
  'non_finite',
  'single_sample',
  'zero_mean_gradient',
  'non_positive_debiased_norm',
  'single_worker',
  'missing_evidence',
  'unbounded',
  'non_positive_loss',
  'no_step_times',
  'other_steps',
  'no_beta_left',
];

/** 0: no reason, or one that only another version of the page knows. */
export function reasonCode(reason: unknown): number {
  return REASONS.findIndex((known) => known === reason) + 1;
}

export function reasonOf(code: number | undefined): Reason | null {
  return REASONS[(code ?? 0) - 1] ?? null;
}
