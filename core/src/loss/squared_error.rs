//! The mean of squared errors over a sample's outputs.

use super::SampleLoss;
use crate::real::{Real, count};

/// For one sample: (1/K) Σₖ (zₖ − tₖ)², and its gradient (2/K)(zₖ − tₖ).
pub(super) fn squared_error<F: Real>(z: &[F], t: &[F], dz: &mut [F]) -> SampleLoss<F> {
    let share = F::one() / count(z.len() as u64);
    let mut loss = F::zero();
    for ((dz, &z), &t) in dz.iter_mut().zip(z).zip(t) {
        let error = z - t;
        loss += error.squared();
        *dz = (error + error) * share;
    }
    SampleLoss { loss: loss * share, correct: 0 }
}
