/** Whether engines compute the same thing: from the same parameters, the same losses. */

/** The first loss depends on the forward pass alone: on the order of its sums in f32. */
export const FIRST_LOSS_BOUND = 1e-5;

/**
 * Later ones have been through AdaGrad, whose first steps are of the learning rate's size however small a gradient
 * is: rounding that turns its sign moves a parameter. Measured over all engines, models and batches: at most 3e-6.
 */
export const LATER_LOSS_BOUND = 1e-4;

/** In a sentence, where losses differ by more than the bounds (relative to the reference); else null. */
export function disagreement(losses: readonly number[], reference: readonly number[]): string | null {
  if (losses.length !== reference.length) return `It told ${losses.length} losses instead of ${reference.length}.`;
  for (const [index, expected] of reference.entries()) {
    const found = losses[index] ?? Number.NaN;
    const bound = index === 0 ? FIRST_LOSS_BOUND : LATER_LOSS_BOUND;
    const difference = Math.abs(found - expected) / Math.abs(expected);
    // Written so that NaN fails.
    if (!(difference <= bound)) {
      return `It computes something else: its loss at step ${index + 1} is ${found.toPrecision(6)}, ours ${expected.toPrecision(6)} (they may differ by ${bound}).`;
    }
  }
  return null;
}
