use super::rounding::floor;
use super::{About, Controller, Decision, Situation};
use crate::real::Real;

/// AdaBatch: every k epochs the batch is multiplied by a factor, up to the largest, and the learning rate by γ, also
/// once the batch does not grow any more. After j of these changes b′ = min(max, ⌊b₁·factorʲ⌋) and α′ = α·γʲ.
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

#[cfg(feature = "serde")]
crate::fields::settings!(AdaBatch { every_epochs, factor, gamma });

impl Default for AdaBatch {
    fn default() -> Self {
        Self { every_epochs: 20, factor: 2.0, gamma: 0.75 }
    }
}

impl AdaBatch {
    pub(super) const ABOUT: About = About {
        name: "geometric",
        title: "AdaBatch",
        source: "Devarakonda, Naumov, Garland 2017, arXiv 1712.02029",
        summary: "Every few epochs the batch is doubled, and the learning rate reduced a little.",
        evidence: "nothing",
    };
}

impl<S: Real> Controller<S> for AdaBatch {
    type State = ();

    fn decide(&self, (): (), now: &Situation<'_, S>) -> (Decision, ()) {
        let [before, after] = now.epochs().map(|epochs| epochs / self.every_epochs.max(1));
        let size = floor(f64::from(now.initial_batch) * self.factor.power(after));
        (Decision::with_rate(now.limits.clip(size), self.gamma.power(after - before)), ())
    }
}
