use core::ops;

use super::line::{Line, step_size, update_decayed};
use super::rows::WEIGHT_DECAY;
use super::{Kernel, Optimizer, StepScalars};
use crate::real::Real;
use crate::statistics::LengthMismatch;
use crate::subnormal::Factor;

/// Stochastic gradient descent: x ← x − α g. Semantics of `torch.optim.SGD`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Sgd {
    /// λ of L2 regularisation, added to the gradient as λ x. 0 by default.
    pub weight_decay: f64,
}

crate::settings::settings!(Sgd {
    title: "SGD",
    doc: "The step is the learning rate times the gradient.",
    source: "",
    fields: {
        weight_decay: f64 = 0.0 => WEIGHT_DECAY,
    },
});

impl Sgd {
    /// The update on devices.
    #[must_use]
    pub const fn kernel(&self) -> Kernel {
        Kernel { weight_decay: self.weight_decay, ..Kernel::new("sgd", 5) }
    }
}

impl<F: Real> Optimizer<F> for Sgd {
    fn slots(&self) -> usize {
        0
    }

    fn update_except(
        &self,
        scalars: &StepScalars<F>,
        exempt: &mut dyn Iterator<Item = ops::Range<usize>>,
        parameters: &mut [F],
        gradient: &[F],
        memory: &mut [F],
    ) -> Result<(), LengthMismatch> {
        let line = SgdLine { step_size: step_size(scalars) };
        update_decayed(line, self.weight_decay, exempt, parameters, gradient, memory)
    }
}

#[derive(Clone, Copy)]
pub(super) struct SgdLine<F> {
    pub(super) step_size: Factor<F>,
}

impl<F: Real> Line<F, 0> for SgdLine<F> {
    #[inline(always)]
    fn after(self, x: F, g: F, memory: [F; 0]) -> (F, [F; 0]) {
        (x - self.step_size.times(g), memory)
    }
}
