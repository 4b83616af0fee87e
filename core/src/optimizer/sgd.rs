use super::{Optimizer, StepScalars, check, decayed};
use crate::real::Real;
use crate::statistics::LengthMismatch;
use crate::vectors::on_vectors;

/// Stochastic gradient descent: x ← x − α g. Semantics of `torch.optim.SGD`.
#[derive(Default, Clone, Copy, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields, default)
)]
pub struct Sgd {
    /// λ of L2 regularisation, added to the gradient as λ x. 0 by default.
    pub weight_decay: f64,
}

impl<F: Real> Optimizer<F> for Sgd {
    fn slots(&self) -> usize {
        0
    }

    fn update(
        &self,
        scalars: &StepScalars<F>,
        parameters: &mut [F],
        gradient: &[F],
        memory: &mut [F],
    ) -> Result<(), LengthMismatch> {
        check(parameters, gradient, memory, 0)?;
        let weight_decay = F::of(self.weight_decay);
        on_vectors(|| {
            for (x, &g) in parameters.iter_mut().zip(gradient) {
                *x -= scalars.step_size * decayed(g, weight_decay, *x);
            }
        });
        Ok(())
    }
}
