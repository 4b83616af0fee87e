use core::ops;

use num_traits::Zero;

use super::line::{step_size, update};
use super::sgd::SgdLine;
use super::{Kernel, Optimizer, Shared, StepScalars};
use crate::real::Real;
use crate::settings::{Field, Range, Rounding};
use crate::statistics::LengthMismatch;

/// AdaGrad-Norm with a delayed sum: x ← x − α g/√(β + V), and only then V ← V + ‖g‖². This step's own gradient is not in
/// the sum, so that the step size does not depend on it.
///
/// The step of AdaBatchGrad, arXiv 2402.05264; its rule is [`AdaBatchGrad`](crate::controller::AdaBatchGrad).
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct AdaGradNormDelayed {
    /// β > 0. 1 by default.
    pub beta: f64,
}

crate::settings::settings!(AdaGradNormDelayed {
    title: "AdaGrad-Norm, delayed",
    doc: "AdaGrad-Norm without this step's own gradient in the sum.",
    source: "Ostroukhov, Zhumabayeva, Xiang, Gasnikov, Takáč, Kamzolov 2024, arXiv 2402.05264",
    fields: {
        beta: f64 = 1.0 => Field::new("beta", "The constant that is added to the sum of squared gradient norms.")
            .symbol("β")
            .range(Range::POSITIVE)
            .rounding(Rounding::Value)
            .placeholder("VALUE"),
    },
});

impl AdaGradNormDelayed {
    /// The update on devices.
    #[must_use]
    pub const fn kernel(&self) -> Kernel {
        Kernel::new("sgd", 5)
    }
}

impl<F: Real> Optimizer<F> for AdaGradNormDelayed {
    fn slots(&self) -> usize {
        0
    }

    fn prepare(
        &self,
        shared: &Shared<F::Sum>,
        learning_rate: F::Sum,
        mean_norm_sq: F::Sum,
    ) -> (Shared<F::Sum>, StepScalars<F>) {
        let root = (F::Sum::of(self.beta) + shared.sum_norm_sq).root();
        // A β that is 0 in the type, and nothing but zeros so far: a step of any size leads nowhere.
        let step_size = if root.is_zero() { root } else { learning_rate / root };
        let sum_norm_sq = shared.sum_norm_sq + mean_norm_sq;
        (
            Shared { steps: shared.steps.saturating_add(1), sum_norm_sq, ..*shared },
            StepScalars::plain(step_size),
        )
    }

    fn wants_norm(&self) -> bool {
        // The next step's size depends on it.
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
