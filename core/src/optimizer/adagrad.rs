use core::ops;

use super::line::{Line, divisor, step_size, update_decayed};
use super::rows::{EPSILON, WEIGHT_DECAY};
use super::{Kernel, Optimizer, Preconditioner, Shared, StepScalars};
use num_traits::One;

use crate::real::Real;
use crate::settings::{Field, Range, Rounding};
use crate::statistics::LengthMismatch;
use crate::subnormal::Factor;

/// AdaGrad: v ← v + g², x ← x − α g/(√v + ε). Semantics of `torch.optim.Adagrad` without learning-rate
/// decay. With a batch-size test it is AdAdaGrad (arXiv 2402.11215).
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct AdaGrad {
    /// v₀ ≥ 0. 0 by default.
    pub initial_accumulator: f64,
    /// ε > 0; less than the smallest normal number counts as that. 1e-10 by default.
    pub epsilon: f64,
    /// λ of L2 regularisation, added to the gradient as λ x. 0 by default.
    pub weight_decay: f64,
}

crate::settings::settings!(AdaGrad {
    title: "AdaGrad",
    doc: "A step size per coordinate from the sum of squares.",
    source: "Duchi, Hazan, Singer 2011",
    fields: {
        initial_accumulator: f64 = 0.0 => Field::new(
            "initial accumulator",
            "The initial value of the sums of squared gradients.",
        )
        .symbol("v₀")
        .range(Range::NOT_NEGATIVE)
        .rounding(Rounding::Value)
        .placeholder("VALUE"),
        epsilon: f64 = 1e-10 => EPSILON,
        weight_decay: f64 = 0.0 => WEIGHT_DECAY,
    },
});

impl AdaGrad {
    /// The update on devices.
    #[must_use]
    pub const fn kernel(&self) -> Kernel {
        Kernel { epsilon: self.epsilon, weight_decay: self.weight_decay, ..Kernel::new("adagrad", 9) }
    }
}

impl<F: Real> Optimizer<F> for AdaGrad {
    fn slots(&self) -> usize {
        1
    }

    fn holds_squares(&self, slot: usize) -> bool {
        slot == 0
    }

    fn start(&self, memory: &mut [F]) {
        memory.fill(F::of(self.initial_accumulator));
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
        let line = AdaGradLine {
            step_size: step_size(scalars),
            one: Factor::new(F::one()),
            epsilon: divisor(self.epsilon),
        };
        update_decayed(line, self.weight_decay, exempt, parameters, gradient, memory)
    }
}

#[derive(Clone, Copy)]
struct AdaGradLine<F> {
    step_size: Factor<F>,
    one: Factor<F>,
    epsilon: F,
}

impl<F: Real> Line<F, 1> for AdaGradLine<F> {
    #[inline(always)]
    fn after(self, x: F, g: F, [v]: [F; 1]) -> (F, [F; 1]) {
        let v = v + self.one.times_square(g);
        (x - self.step_size.times(g) / (v.root() + self.epsilon), [v])
    }

    #[inline(always)]
    fn rests_without_gradient(self) -> bool {
        true
    }
}
