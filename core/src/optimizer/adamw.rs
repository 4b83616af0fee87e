use core::ops;

use super::rows::{BETA1, BETA2, EPSILON, WEIGHT_DECAY};
use super::{Adam, Kernel, Optimizer, Preconditioner, Shared, StepScalars};
use num_traits::One;

use crate::real::Real;
use crate::statistics::LengthMismatch;

/// AdamW: x ← x − α λ x, then Adam's step. Semantics of `torch.optim.AdamW`.
///
/// Loshchilov, Hutter 2019, arXiv 1711.05101.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct AdamW {
    /// β₁, at least 0 and below 1. 0.9 by default.
    pub beta1: f64,
    /// β₂, at least 0 and below 1. 0.999 by default.
    pub beta2: f64,
    /// ε > 0; less than the smallest normal number counts as that. 1e-8 by default.
    pub epsilon: f64,
    /// λ ≥ 0, decoupled from the gradient. 0.01 by default.
    pub weight_decay: f64,
}

crate::settings::settings!(AdamW {
    title: "AdamW",
    doc: "Adam with decoupled weight decay.",
    source: "Loshchilov, Hutter 2019, arXiv 1711.05101",
    fields: {
        beta1: f64 = 0.9 => BETA1,
        beta2: f64 = 0.999 => BETA2,
        epsilon: f64 = 1e-8 => EPSILON,
        weight_decay: f64 = 0.01 => WEIGHT_DECAY,
    },
});

impl AdamW {
    /// The update on devices: Adam's, whose parameters the step's scalars shrink first.
    #[must_use]
    pub const fn kernel(&self) -> Kernel {
        self.adam().kernel()
    }

    /// The step that follows the decay.
    const fn adam(&self) -> Adam {
        Adam { beta1: self.beta1, beta2: self.beta2, epsilon: self.epsilon, weight_decay: 0.0 }
    }
}

impl<F: Real> Optimizer<F> for AdamW {
    fn slots(&self) -> usize {
        Optimizer::<F>::slots(&self.adam())
    }

    fn holds_squares(&self, slot: usize) -> bool {
        Optimizer::<F>::holds_squares(&self.adam(), slot)
    }

    fn prepare(
        &self,
        shared: &Shared<F::Sum>,
        learning_rate: F::Sum,
        mean_norm_sq: F::Sum,
    ) -> (Shared<F::Sum>, StepScalars<F>) {
        let (shared, scalars) = self.adam().prepare(shared, learning_rate, mean_norm_sq);
        let shrink = F::narrow(F::Sum::one() - learning_rate * F::Sum::of(self.weight_decay));
        (shared, StepScalars { shrink, ..scalars })
    }

    fn betas(&self) -> Option<[f64; 2]> {
        Optimizer::<F>::betas(&self.adam())
    }

    fn preconditioner(&self, shared: &Shared<F::Sum>) -> Option<Preconditioner<F::Sum>> {
        Optimizer::<F>::preconditioner(&self.adam(), shared)
    }

    fn update_except(
        &self,
        scalars: &StepScalars<F>,
        exempt: &mut dyn Iterator<Item = ops::Range<usize>>,
        parameters: &mut [F],
        gradient: &[F],
        memory: &mut [F],
    ) -> Result<(), LengthMismatch> {
        self.adam().update_except(scalars, exempt, parameters, gradient, memory)
    }
}
