use super::{Optimizer, Shared, StepScalars, check};
use crate::real::Real;
use crate::statistics::LengthMismatch;
use crate::vectors::on_vectors;

/// AdaGrad-Norm: V ← V + ‖g‖², x ← x − α g/√V, with one scalar V that starts at b₀² > 0.
///
/// Ward, Wu, Bottou 2019, arXiv 1806.01811. With a batch-size test it is AdAdaGradNorm (arXiv 2402.11215).
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields, default)
)]
pub struct AdaGradNorm {
    /// b₀ > 0. 0.01 by default.
    pub initial_norm: f64,
}

impl Default for AdaGradNorm {
    fn default() -> Self {
        Self { initial_norm: 0.01 }
    }
}

impl<F: Real> Optimizer<F> for AdaGradNorm {
    fn slots(&self) -> usize {
        0
    }

    fn prepare(
        &self,
        shared: &Shared<F::Sum>,
        learning_rate: F::Sum,
        mean_norm_sq: F::Sum,
    ) -> (Shared<F::Sum>, StepScalars<F>) {
        let sum_norm_sq = shared.sum_norm_sq + mean_norm_sq;
        let root = (F::Sum::of(self.initial_norm).squared() + sum_norm_sq).root();
        (Shared { steps: shared.steps + 1, sum_norm_sq }, StepScalars::plain(learning_rate / root))
    }

    fn wants_norm(&self) -> bool {
        true
    }

    fn update(
        &self,
        scalars: &StepScalars<F>,
        parameters: &mut [F],
        gradient: &[F],
        memory: &mut [F],
    ) -> Result<(), LengthMismatch> {
        check(parameters, gradient, memory, 0)?;
        on_vectors(|| {
            for (x, &g) in parameters.iter_mut().zip(gradient) {
                *x -= scalars.step_size * g;
            }
        });
        Ok(())
    }
}
