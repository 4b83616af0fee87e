//! Binary cross-entropy of logits, the mean over a sample's outputs.

use super::SampleLoss;
use crate::real::{Real, count};
use crate::subnormal::flush;

/// For one sample: (1/K) Σₖ ln(1 + exp zₖ) − tₖ zₖ, and its gradient (1/K)(σ(zₖ) − tₖ).
///
/// Both from e = exp(−|z|), which cannot overflow: ln(1 + exp z) = max(z, 0) + ln(1 + e), and σ(z) is 1/(1 + e) or
/// e/(1 + e).
pub(super) fn binary_cross_entropy<F: Real>(z: &[F], t: &[F], dz: &mut [F]) -> SampleLoss<F> {
    let share = F::one() / count(z.len() as u64);
    let half = F::of(0.5);
    let mut sample = SampleLoss { loss: F::zero(), correct: 1 };
    for ((dz, &z), &t) in dz.iter_mut().zip(z).zip(t) {
        let e = flush((-z.abs()).exponential());
        let is_positive = z > F::zero();
        sample.loss += z.max(F::zero()) - z * t + log_of_1_plus(e);
        let probability = if is_positive { F::one() } else { e } / (F::one() + e);
        *dz = flush((probability - t) * share);
        sample.correct &= u32::from(is_positive == (t > half));
    }
    sample.loss *= share;
    sample
}

/// ln(1 + e) for 0 ≤ e ≤ 1, to a few units in the last place also where 1 + e rounds e away (D. Goldberg, What Every
/// Computer Scientist Should Know About Floating-Point Arithmetic, theorem 4).
fn log_of_1_plus<F: Real>(e: F) -> F {
    let sum = F::one() + e;
    if sum == F::one() { e } else { sum.logarithm() * e / (sum - F::one()) }
}
