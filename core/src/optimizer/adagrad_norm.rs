use core::ops;

use super::line::{step_size, update};
use super::sgd::SgdLine;
use super::{Kernel, Optimizer, Shared, StepScalars};
use num_traits::Zero;

use crate::real::Real;
use crate::settings::{Field, Range, Rounding};
use crate::statistics::LengthMismatch;

/// AdaGrad-Norm: V ← V + ‖g‖², x ← x − α g/√V, with one scalar V that starts at b₀² > 0.
///
/// Ward, Wu, Bottou 2019, arXiv 1806.01811. With a batch-size test it is AdAdaGradNorm (arXiv 2402.11215).
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct AdaGradNorm {
    /// b₀ > 0. 0.01 by default.
    pub initial_norm: f64,
}

crate::settings::settings!(AdaGradNorm {
    title: "AdaGrad-Norm",
    doc: "One step size from the sum of squared norms.",
    source: "Ward, Wu, Bottou 2019, arXiv 1806.01811",
    fields: {
        initial_norm: f64 = 0.01 => Field::new(
            "initial norm",
            "The square root of the initial value of the sum of squared gradient norms.",
        )
        .symbol("b₀")
        .range(Range::POSITIVE)
        .rounding(Rounding::Square)
        .placeholder("VALUE"),
    },
});

impl AdaGradNorm {
    /// The update on devices.
    #[must_use]
    pub const fn kernel(&self) -> Kernel {
        Kernel::new("sgd", 5)
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
        // Nothing but zeros so far, and a b₀ whose square is 0 too: a step of any size leads nowhere.
        let step_size = if root.is_zero() { root } else { learning_rate / root };
        (
            Shared { steps: shared.steps.saturating_add(1), sum_norm_sq, ..*shared },
            StepScalars::plain(step_size),
        )
    }

    fn wants_norm(&self) -> bool {
        true
    }

    fn update_except(
        &self,
        scalars: &StepScalars<F>,
        _: &mut dyn Iterator<Item = ops::Range<usize>>,
        parameters: &mut [F],
        gradient: &[F],
        memory: &mut [F],
    ) -> Result<(), LengthMismatch> {
        update(SgdLine { step_size: step_size(scalars) }, parameters, gradient, memory)
    }
}
