use super::rounding::floor;
use super::rows::EVERY_EPOCHS;
use super::{Controller, Decision, Situation, Words};
use crate::real::Real;
use crate::settings::{Field, Range};
use crate::statistics::{Needs, Reason};

/// DiveBatch: every k epochs b′ = ⌊min(max, max(b, δ·N·Δ))⌋ with the gradient diversity Δ = Σ‖gᵢ‖²/‖Σ gᵢ‖² over all
/// samples of the epoch, each gradient at the parameters of its own step. `wanted` is δ·N·Δ at those steps, and `None`
/// at others.
///
/// arXiv 2509.16173. N·Δ is one more than the (biased) gradient noise scale, so δ corresponds to 1/η².
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct DiveBatch {
    /// δ > 0. 0.1 by default.
    pub delta: f64,
    /// k, at least 1. 20 by default.
    pub every_epochs: u64,
    /// Whether the learning rate grows with the batch, α′ = α·b′/b. Off by default.
    pub scale_learning_rate: bool,
}

crate::settings::settings!(DiveBatch {
    title: "DiveBatch",
    doc: "Every few epochs the batch grows with the diversity of the epoch's gradients.",
    source: "arXiv 2509.16173",
    fields: {
        delta: f64 = 0.1 => Field::new("scale", "The factor by which the diversity of the gradients is multiplied.")
            .symbol("δ")
            .range(Range::POSITIVE)
            .retunable(),
        every_epochs: u64 = 20 => EVERY_EPOCHS,
        scale_learning_rate: bool = false => Field::new(
            "scale the learning rate",
            "Multiplies the learning rate by the growth of the batch.",
        )
        .retunable(),
    },
});

/// What [`DiveBatch`] has summed since the epoch began.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct DiveBatchState<S> {
    /// Σ‖gᵢ‖².
    pub sum_squared_norms: S,
}

#[cfg(feature = "serde")]
crate::fields::required_settings!(DiveBatchState<f64> { sum_squared_norms });

impl DiveBatch {
    /// What it does, in words.
    pub const WORDS: Words = Words {
        grew: "an epoch ended whose gradients were diverse enough for a larger batch",
        shrank: Words::LIMITED,
        kept: "DiveBatch changes the size at most once per {every_epochs:epochs}",
        against: "Every adaptive scheme in DiveBatch’s own CIFAR-10 table loses 0.4 to 1.7 points to constant b = 128.",
    };
}

impl<S: Real> Controller<S> for DiveBatch {
    type State = DiveBatchState<S>;

    fn needs(&self) -> Needs {
        Needs { norms: true, epoch: true, ..Needs::NONE }
    }

    fn changes_learning_rate(&self) -> bool {
        self.scale_learning_rate
    }

    fn uses_training_samples(&self) -> bool {
        true
    }

    fn decide(&self, state: DiveBatchState<S>, now: &Situation<'_, S>) -> (Decision, DiveBatchState<S>) {
        let kept = now.limits.clip(now.batch);
        let Some(norms) = now.evidence.sum_squared_norms else {
            return (Decision::hold(kept, Reason::MissingEvidence), state);
        };
        let sum_squared_norms = state.sum_squared_norms + norms;
        if !sum_squared_norms.is_finite() {
            return (Decision::hold(kept, Reason::NonFinite), state);
        }
        if !now.ends_epoch() {
            return (Decision::next(kept), DiveBatchState { sum_squared_norms });
        }
        let next_epoch = DiveBatchState { sum_squared_norms: S::zero() };
        let [_, epochs] = now.epochs();
        if epochs % self.every_epochs.max(1) != 0 {
            return (Decision::next(kept), next_epoch);
        }
        // The largest batch needs no reason to stay.
        let hold = |reason| {
            let is_largest = now.batch >= now.limits.max;
            (if is_largest { Decision::next(kept) } else { Decision::hold(kept, reason) }, next_epoch)
        };
        match now.evidence.epoch_norm_sq {
            None => hold(Reason::MissingEvidence),
            Some(norm) if !norm.is_finite() => hold(Reason::NonFinite),
            Some(norm) if norm.is_zero() => hold(Reason::ZeroMeanGradient),
            Some(norm) => {
                let diversity = sum_squared_norms / norm;
                let raw = S::of(self.delta) * S::of(now.training_samples.into()) * diversity;
                if now.batch >= now.limits.max {
                    return (Decision::next(kept).wanting(raw), next_epoch);
                }
                let next = now.limits.clip(floor(raw).max(now.batch));
                let rate = if self.scale_learning_rate {
                    f64::from(next) / f64::from(now.batch.max(1))
                } else {
                    1.0
                };
                (Decision::with_rate(next, rate).wanting(raw), next_epoch)
            }
        }
    }
}
