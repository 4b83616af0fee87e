use core::ops;

use super::line::{Line, divisor, step_size, update_decayed};
use super::rows::{EPSILON, WEIGHT_DECAY};
use super::{Kernel, Optimizer, Preconditioner, Shared, StepScalars};
use num_traits::One;

use crate::real::Real;
use crate::settings::{Field, Range, Rounding};
use crate::statistics::LengthMismatch;
use crate::subnormal::{Factor, flush};

/// RMSProp: v ← ρ v + (1 − ρ) g², x ← x − α g/(√v + ε). Semantics of `torch.optim.RMSprop`, not centred and
/// without momentum.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RmsProp {
    /// ρ, at least 0 and below 1. 0.99 by default.
    pub alpha: f64,
    /// ε > 0; less than the smallest normal number counts as that. 1e-8 by default.
    pub epsilon: f64,
    /// λ of L2 regularisation, added to the gradient as λ x. 0 by default.
    pub weight_decay: f64,
}

crate::settings::settings!(RmsProp {
    title: "RMSProp",
    doc: "A step size per coordinate from a running mean of squares.",
    source: "",
    fields: {
        alpha: f64 = 0.99 => Field::new("alpha", "The decay rate of the running mean of squared gradients.")
            .symbol("ρ")
            .range(Range::BELOW_ONE)
            .rounding(Rounding::Value),
        epsilon: f64 = 1e-8 => EPSILON,
        weight_decay: f64 = 0.0 => WEIGHT_DECAY,
    },
});

impl RmsProp {
    /// The update on devices.
    #[must_use]
    pub const fn kernel(&self) -> Kernel {
        Kernel {
            decay: Some(self.alpha),
            epsilon: self.epsilon,
            weight_decay: self.weight_decay,
            ..Kernel::new("rmsprop", 11)
        }
    }
}

impl<F: Real> Optimizer<F> for RmsProp {
    fn slots(&self) -> usize {
        1
    }

    fn holds_squares(&self, slot: usize) -> bool {
        slot == 0
    }

    fn preconditioner(&self, _: &Shared<F::Sum>) -> Option<Preconditioner<F::Sum>> {
        let epsilon = divisor::<F>(self.epsilon).widen();
        Some(Preconditioner { slot: 0, correction: F::Sum::one(), epsilon })
    }

    fn update_except(
        &self,
        scalars: &StepScalars<F>,
        exempt: &mut dyn Iterator<Item = ops::Range<usize>>,
        parameters: &mut [F],
        gradient: &[F],
        memory: &mut [F],
    ) -> Result<(), LengthMismatch> {
        let line = RmsPropLine {
            step_size: step_size(scalars),
            alpha: F::of(self.alpha),
            // The complement is taken before rounding.
            new: Factor::new(F::of(1.0 - self.alpha)),
            epsilon: divisor(self.epsilon),
        };
        update_decayed(line, self.weight_decay, exempt, parameters, gradient, memory)
    }
}

#[derive(Clone, Copy)]
struct RmsPropLine<F> {
    step_size: Factor<F>,
    alpha: F,
    new: Factor<F>,
    epsilon: F,
}

impl<F: Real> Line<F, 1> for RmsPropLine<F> {
    #[inline(always)]
    fn after(self, x: F, g: F, [v]: [F; 1]) -> (F, [F; 1]) {
        let v = flush(self.alpha * v + self.new.times_square(g));
        (x - self.step_size.times(g) / (v.root() + self.epsilon), [v])
    }
}
