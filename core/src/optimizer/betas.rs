//! β₁ and β₂ that change during a run.

use crate::real::Real;

/// β₁ and β₂ of a run in which a [coupling](crate::coupling) changes them, and, for bias corrections, the products of
/// the β of all steps.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Betas<S> {
    /// β₁ from the next step on.
    pub beta1: S,
    /// β₂ from the next step on.
    pub beta2: S,
    /// The product of the β₁ of all steps up to the last change. 1 before the first.
    pub product1: S,
    /// The same of β₂.
    pub product2: S,
    /// Steps made up to the last change.
    pub since: u64,
}

#[cfg(feature = "serde")]
crate::fields::required_settings!(Betas<f64> { beta1, beta2, product1, product2, since });

impl<S: Real> Betas<S> {
    /// Those of the settings, which nothing has changed.
    pub(crate) fn unchanged([beta1, beta2]: [f64; 2]) -> Self {
        Self { beta1: S::of(beta1), beta2: S::of(beta2), product1: S::one(), product2: S::one(), since: 0 }
    }

    /// Others from the step after `steps` on.
    #[must_use]
    pub(crate) fn changed(&self, steps: u64, [beta1, beta2]: [S; 2]) -> Self {
        let [product1, product2] = self.products(steps);
        Self { beta1, beta2, product1, product2, since: steps }
    }

    /// 1 − Π β₁ and 1 − Π β₂ over the steps up to `steps`: what biased averages are divided by. Where no β has changed,
    /// 1 − βᵗ to the bit.
    pub(crate) fn corrections(&self, steps: u64) -> [S; 2] {
        self.products(steps).map(|product| S::one() - product)
    }

    fn products(&self, steps: u64) -> [S; 2] {
        let steps = steps.saturating_sub(self.since);
        [self.product1 * self.beta1.power(steps), self.product2 * self.beta2.power(steps)]
    }
}
