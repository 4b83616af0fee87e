use super::{Optimizer, StepScalars, check, decayed};
use crate::real::Real;
use crate::statistics::LengthMismatch;
use crate::vectors::on_vectors;

/// AdaGrad: v ← v + g², x ← x − α g/(√v + ε). Semantics of `torch.optim.Adagrad` without learning-rate
/// decay. With a batch-size test it is AdAdaGrad (arXiv 2402.11215).
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields, default)
)]
pub struct AdaGrad {
    /// v₀ ≥ 0. 0 by default.
    pub initial_accumulator: f64,
    /// ε > 0. 1e-10 by default.
    pub epsilon: f64,
    /// λ of L2 regularisation, added to the gradient as λ x. 0 by default.
    pub weight_decay: f64,
}

impl Default for AdaGrad {
    fn default() -> Self {
        Self { initial_accumulator: 0.0, epsilon: 1e-10, weight_decay: 0.0 }
    }
}

/// Values without a gradient that are left out together: nothing would change but time, most of which goes into roots
/// and quotients. Where images have no ink, no weight has a gradient.
const BLOCK: usize = 128;

impl<F: Real> Optimizer<F> for AdaGrad {
    fn slots(&self) -> usize {
        1
    }

    fn start(&self, memory: &mut [F]) {
        memory.fill(F::of(self.initial_accumulator));
    }

    fn update(
        &self,
        scalars: &StepScalars<F>,
        parameters: &mut [F],
        gradient: &[F],
        memory: &mut [F],
    ) -> Result<(), LengthMismatch> {
        check(parameters, gradient, memory, 1)?;
        let [epsilon, weight_decay] = [self.epsilon, self.weight_decay].map(F::of);
        let blocks = parameters.chunks_mut(BLOCK).zip(gradient.chunks(BLOCK)).zip(memory.chunks_mut(BLOCK));
        for ((parameters, gradient), memory) in blocks {
            let is_zero = gradient.iter().fold(true, |all, g| all & g.is_zero());
            if is_zero && weight_decay.is_zero() {
                continue;
            }
            on_vectors(|| {
                for ((x, &g), v) in parameters.iter_mut().zip(gradient).zip(memory) {
                    let g = decayed(g, weight_decay, *x);
                    *v += g * g;
                    *x -= scalars.step_size * g / (v.root() + epsilon);
                }
            });
        }
        Ok(())
    }
}
