use core::ops;

use super::line::{Line, step_size, update_decayed};
use super::rows::{MOMENTUM, WEIGHT_DECAY};
use super::{Kernel, Optimizer, StepScalars};
use crate::real::Real;
use crate::statistics::LengthMismatch;
use crate::subnormal::{Factor, flush};

/// Heavy-ball momentum: u ← μ u + g, x ← x − α u, u₀ = 0, no dampening. Semantics of `torch.optim.SGD`
/// with `momentum`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Momentum {
    /// μ, at least 0 and below 1. 0.9 by default.
    pub momentum: f64,
    /// λ of L2 regularisation, added to the gradient as λ x. 0 by default.
    pub weight_decay: f64,
}

crate::settings::settings!(Momentum {
    title: "SGD with momentum",
    doc: "Heavy-ball momentum.",
    source: "",
    fields: {
        momentum: f64 = 0.9 => MOMENTUM,
        weight_decay: f64 = 0.0 => WEIGHT_DECAY,
    },
});

impl Momentum {
    /// The update on devices.
    #[must_use]
    pub const fn kernel(&self) -> Kernel {
        Kernel { decay: Some(self.momentum), weight_decay: self.weight_decay, ..Kernel::new("momentum", 7) }
    }
}

impl<F: Real> Optimizer<F> for Momentum {
    fn slots(&self) -> usize {
        1
    }

    fn update_except(
        &self,
        scalars: &StepScalars<F>,
        exempt: &mut dyn Iterator<Item = ops::Range<usize>>,
        parameters: &mut [F],
        gradient: &[F],
        memory: &mut [F],
    ) -> Result<(), LengthMismatch> {
        let line = MomentumLine { step_size: step_size(scalars), momentum: F::of(self.momentum) };
        update_decayed(line, self.weight_decay, exempt, parameters, gradient, memory)
    }
}

#[derive(Clone, Copy)]
struct MomentumLine<F> {
    step_size: Factor<F>,
    momentum: F,
}

impl<F: Real> Line<F, 1> for MomentumLine<F> {
    #[inline(always)]
    fn after(self, x: F, g: F, [u]: [F; 1]) -> (F, [F; 1]) {
        let u = flush(self.momentum * u + g);
        (x - self.step_size.times(u), [u])
    }
}
