use super::{Optimizer, Shared, StepScalars, check, decayed};
use num_traits::One;

use crate::real::Real;
use crate::statistics::LengthMismatch;
use crate::vectors::on_vectors;

/// Adam: m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², x ← x − α m̂/(√v̂ + ε) with the bias-corrected
/// m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ). Semantics of `torch.optim.Adam`; memory is all m, then all v.
///
/// Kingma, Ba 2015, arXiv 1412.6980.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields, default)
)]
pub struct Adam {
    /// β₁, at least 0 and below 1. 0.9 by default.
    pub beta1: f64,
    /// β₂, at least 0 and below 1. 0.999 by default.
    pub beta2: f64,
    /// ε > 0. 1e-8 by default.
    pub epsilon: f64,
    /// λ of L2 regularisation, added to the gradient as λ x. 0 by default.
    pub weight_decay: f64,
}

impl Default for Adam {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 }
    }
}

impl<F: Real> Optimizer<F> for Adam {
    fn slots(&self) -> usize {
        2
    }

    fn prepare(
        &self,
        shared: &Shared<F::Sum>,
        learning_rate: F::Sum,
        _: F::Sum,
    ) -> (Shared<F::Sum>, StepScalars<F>) {
        let steps = shared.steps + 1;
        let first_correction = F::Sum::one() - F::Sum::of(self.beta1).power(steps);
        let second_correction = F::Sum::one() - F::Sum::of(self.beta2).power(steps);
        let scalars = StepScalars {
            step_size: F::narrow(learning_rate / first_correction),
            root_scale: F::narrow(F::Sum::one() / second_correction.root()),
            shrink: F::one(),
        };
        (Shared { steps, ..*shared }, scalars)
    }

    fn update(
        &self,
        scalars: &StepScalars<F>,
        parameters: &mut [F],
        gradient: &[F],
        memory: &mut [F],
    ) -> Result<(), LengthMismatch> {
        check(parameters, gradient, memory, 2)?;
        let [beta1, beta2] = [self.beta1, self.beta2].map(F::of);
        // The complements are taken before rounding: 1 − 0.999 in f32 would be off by 1e-5 of itself.
        let [new1, new2] = [1.0 - self.beta1, 1.0 - self.beta2].map(F::of);
        let [epsilon, weight_decay] = [self.epsilon, self.weight_decay].map(F::of);
        let (first, second) = memory.split_at_mut(parameters.len());
        on_vectors(|| {
            for (((x, &g), m), v) in parameters.iter_mut().zip(gradient).zip(first).zip(second) {
                *x *= scalars.shrink;
                let g = decayed(g, weight_decay, *x);
                *m = beta1 * *m + new1 * g;
                *v = beta2 * *v + new2 * (g * g);
                *x -= scalars.step_size * *m / (v.root() * scalars.root_scale + epsilon);
            }
        });
        Ok(())
    }
}
