use super::{Optimizer, StepScalars, check, decayed};
use crate::real::Real;
use crate::statistics::LengthMismatch;
use crate::vectors::on_vectors;

/// RMSProp: v ← ρ v + (1 − ρ) g², x ← x − α g/(√v + ε). Semantics of `torch.optim.RMSprop`, not centred and
/// without momentum.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields, default)
)]
pub struct RmsProp {
    /// ρ, at least 0 and below 1. 0.99 by default.
    pub alpha: f64,
    /// ε > 0. 1e-8 by default.
    pub epsilon: f64,
    /// λ of L2 regularisation, added to the gradient as λ x. 0 by default.
    pub weight_decay: f64,
}

impl Default for RmsProp {
    fn default() -> Self {
        Self { alpha: 0.99, epsilon: 1e-8, weight_decay: 0.0 }
    }
}

impl<F: Real> Optimizer<F> for RmsProp {
    fn slots(&self) -> usize {
        1
    }

    fn update(
        &self,
        scalars: &StepScalars<F>,
        parameters: &mut [F],
        gradient: &[F],
        memory: &mut [F],
    ) -> Result<(), LengthMismatch> {
        check(parameters, gradient, memory, 1)?;
        let [alpha, epsilon, weight_decay] = [self.alpha, self.epsilon, self.weight_decay].map(F::of);
        // The complement is taken before rounding.
        let new = F::of(1.0 - self.alpha);
        on_vectors(|| {
            for ((x, &g), v) in parameters.iter_mut().zip(gradient).zip(memory) {
                let g = decayed(g, weight_decay, *x);
                *v = alpha * *v + new * (g * g);
                *x -= scalars.step_size * g / (v.root() + epsilon);
            }
        });
        Ok(())
    }
}
