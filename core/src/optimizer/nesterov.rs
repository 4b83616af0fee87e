use super::{Optimizer, StepScalars, check, decayed};
use crate::real::Real;
use crate::statistics::LengthMismatch;
use crate::vectors::on_vectors;

/// Nesterov momentum: u ← μ u + g, x ← x − α (g + μ u), u₀ = 0. Semantics of `torch.optim.SGD` with
/// `nesterov=True`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields, default)
)]
pub struct Nesterov {
    /// μ, at least 0 and below 1. 0.9 by default.
    pub momentum: f64,
    /// λ of L2 regularisation, added to the gradient as λ x. 0 by default.
    pub weight_decay: f64,
}

impl Default for Nesterov {
    fn default() -> Self {
        Self { momentum: 0.9, weight_decay: 0.0 }
    }
}

impl<F: Real> Optimizer<F> for Nesterov {
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
        let [momentum, weight_decay] = [self.momentum, self.weight_decay].map(F::of);
        on_vectors(|| {
            for ((x, &g), u) in parameters.iter_mut().zip(gradient).zip(memory) {
                let g = decayed(g, weight_decay, *x);
                *u = momentum * *u + g;
                *x -= scalars.step_size * (g + momentum * *u);
            }
        });
        Ok(())
    }
}
