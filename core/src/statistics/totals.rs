use super::{Evidence, Inner, LengthMismatch, Needs, Parts, check_length};
use crate::noise_scale::MeasuredNoise;
use crate::real::{Real, count};

/// The sums of [`Statistics`](super::Statistics) that are plain numbers, which can be sent between threads.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Totals<S> {
    /// Samples accumulated.
    pub samples: u32,
    /// How many of them were classified correctly.
    pub correct: u32,
    /// Sum of the losses in nats.
    pub loss: S,
    /// Σ sᵢ.
    pub sum_squared_norms: S,
    /// Parts closed so far.
    pub parts: Parts<S>,
    /// k, where the second moment holds Σ (2ᵏ gᵢ)²: 0 unless such squares would leave the range of their type.
    pub moment_exponent: i32,
}

impl<S: Real> Totals<S> {
    /// Adds another part's sums. The second moments' exponents are [`Statistics::merge`](super::Statistics::merge)'s. Counts stay at 2³² − 1 where
    /// they would exceed it.
    pub fn merge(&mut self, part: &Self) {
        self.samples = self.samples.saturating_add(part.samples);
        self.correct = self.correct.saturating_add(part.correct);
        self.loss += part.loss;
        self.sum_squared_norms += part.sum_squared_norms;
        self.parts.merge(&part.parts);
    }

    /// 1/b.
    pub(crate) fn share(&self) -> Result<S, LengthMismatch> {
        check_some_samples(self.samples)?;
        Ok(S::one() / count(u64::from(self.samples)))
    }

    /// What they say with ‖Σ gᵢ‖² and what else was computed: only what `needs` names. Sensors of noise and the epoch's
    /// norm are not among it, for they take the optimizer's memory.
    #[must_use]
    pub fn evidence(
        &self,
        needs: &Needs,
        sum_norm_sq: S,
        inner: Option<Inner<S>>,
        coordinate_ratio: Option<S>,
    ) -> Evidence<S> {
        // Of no sample, sums and means are 0.
        let b = count(u64::from(self.samples.max(1)));
        Evidence {
            samples: self.samples,
            correct: self.correct,
            loss: self.loss / b,
            mean_norm_sq: sum_norm_sq / b / b,
            sum_squared_norms: needs.norms.then_some(self.sum_squared_norms),
            inner,
            coordinate_ratio,
            parts: needs.compares_parts().then_some(self.parts),
            measured_noise: MeasuredNoise::default(),
            epoch_norm_sq: None,
        }
    }
}

/// `Ok` where means over a batch are defined.
///
/// # Errors
/// When it is empty.
pub fn check_some_samples(samples: u32) -> Result<(), LengthMismatch> {
    check_length("the batch", 1, samples.min(1) as usize)
}
