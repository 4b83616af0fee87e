use super::rounding::floor;
use super::rows::EVERY_EPOCHS;
use super::{Controller, Decision, Situation, Words};
use crate::real::Real;
use crate::settings::{Field, Range};

/// AdaBatch: every k epochs the batch is multiplied by a factor, up to the largest, and the learning rate by γ, also
/// once the batch does not grow any more. After j of these changes b′ = min(max, ⌊b₁·factorʲ⌋) and α′ = α·γʲ. `wanted`
/// is b₁·factorʲ.
///
/// Devarakonda, Naumov, Garland 2017, arXiv 1712.02029: k = 20, factor 2, γ = 0.75, from 128 to 2,048.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct AdaBatch {
    /// k, at least 1. 20 by default.
    pub every_epochs: u64,
    /// At least 1. 2 by default.
    pub factor: f64,
    /// γ, above 0 and at most 1. 0.75 by default.
    pub gamma: f64,
}

crate::settings::settings!(AdaBatch {
    title: "AdaBatch",
    doc: "Every few epochs the batch is doubled, and the learning rate reduced a little.",
    source: "Devarakonda, Naumov, Garland 2017, arXiv 1712.02029",
    fields: {
        every_epochs: u64 = 20 => EVERY_EPOCHS,
        factor: f64 = 2.0 => Field::new(
            "growth of the batch",
            "The factor by which the batch size is multiplied at each change.",
        )
        .range(Range::not_below(1.0))
        .retunable(),
        gamma: f64 = 0.75 => Field::new(
            "factor of the learning rate",
            "The factor by which the learning rate is multiplied at each change.",
        )
        .symbol("γ")
        .range(Range::SHARE)
        .retunable(),
    },
});

impl AdaBatch {
    /// What it does, in words.
    pub const WORDS: Words = Words {
        grew: "AdaBatch multiplies the batch by {factor} once per {every_epochs:epochs}",
        shrank: Words::LIMITED,
        kept: "AdaBatch multiplies the batch by {factor} only once per {every_epochs:epochs}",
        against: Words::FIXED,
    };
}

impl<S: Real> Controller<S> for AdaBatch {
    type State = ();

    fn changes_learning_rate(&self) -> bool {
        true
    }

    fn uses_training_samples(&self) -> bool {
        true
    }

    fn decide(&self, (): (), now: &Situation<'_, S>) -> (Decision, ()) {
        let [before, after] = now.epochs().map(|epochs| epochs / self.every_epochs.max(1));
        let size = f64::from(now.initial_batch) * self.factor.power(after);
        let rate = self.gamma.power(after - before);
        (Decision::with_rate(now.limits.clip(floor(size)), rate).wanting(size), ())
    }
}
