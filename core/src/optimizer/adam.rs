use core::ops;

use super::line::{Decayed, Line, divisor, step_size, update_both, update_decayed};
use super::rows::{BETA1, BETA2, EPSILON, WEIGHT_DECAY};
use super::{Betas, Kernel, Optimizer, Preconditioner, Shared, StepScalars};
use num_traits::{One, Zero};

use crate::real::Real;
use crate::statistics::LengthMismatch;
use crate::subnormal::{Factor, flush};

/// Adam: m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², x ← x − α m̂/(√v̂ + ε) with the bias-corrected m̂ = m/(1 −
/// β₁ᵗ), v̂ = v/(1 − β₂ᵗ); where β changes during a run, with the product of all β instead of βᵗ. Semantics of
/// `torch.optim.Adam`; memory is all m, then all v.
///
/// Kingma, Ba 2015, arXiv 1412.6980.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Adam {
    /// β₁, at least 0 and below 1. 0.9 by default.
    pub beta1: f64,
    /// β₂, at least 0 and below 1. 0.999 by default.
    pub beta2: f64,
    /// ε > 0; less than the smallest normal number counts as that. 1e-8 by default.
    pub epsilon: f64,
    /// λ of L2 regularisation, added to the gradient as λ x. 0 by default.
    pub weight_decay: f64,
}

crate::settings::settings!(Adam {
    title: "Adam",
    doc: "Momentum and a running mean of squares, with bias correction.",
    source: "Kingma, Ba 2015, arXiv 1412.6980",
    fields: {
        beta1: f64 = 0.9 => BETA1,
        beta2: f64 = 0.999 => BETA2,
        epsilon: f64 = 1e-8 => EPSILON,
        weight_decay: f64 = 0.0 => WEIGHT_DECAY,
    },
});

impl Adam {
    /// β for the next step.
    fn betas_of<S: Real>(&self, shared: &Shared<S>) -> Betas<S> {
        shared.betas.unwrap_or_else(|| Betas::unchanged([self.beta1, self.beta2]))
    }
}

impl Adam {
    /// The update on devices.
    #[must_use]
    pub const fn kernel(&self) -> Kernel {
        Kernel { epsilon: self.epsilon, weight_decay: self.weight_decay, ..Kernel::new("adam", 16) }
    }
}

impl<F: Real> Optimizer<F> for Adam {
    fn slots(&self) -> usize {
        2
    }

    fn holds_squares(&self, slot: usize) -> bool {
        slot == 1
    }

    fn prepare(
        &self,
        shared: &Shared<F::Sum>,
        learning_rate: F::Sum,
        _: F::Sum,
    ) -> (Shared<F::Sum>, StepScalars<F>) {
        let steps = shared.steps.saturating_add(1);
        let betas = self.betas_of(shared);
        let [first_correction, second_correction] = betas.corrections(steps);
        // The complements are taken before rounding: 1 − 0.999 in f32 would be off by 1e-5 of itself.
        let complement = |beta| F::narrow(F::Sum::one() - beta);
        let scalars = StepScalars {
            step_size: F::narrow(learning_rate / first_correction),
            root_scale: F::narrow(F::Sum::one() / second_correction.root()),
            shrink: F::one(),
            clip: F::one(),
            beta1: F::narrow(betas.beta1),
            new1: complement(betas.beta1),
            beta2: F::narrow(betas.beta2),
            new2: complement(betas.beta2),
        };
        (Shared { steps, ..*shared }, scalars)
    }

    fn betas(&self) -> Option<[f64; 2]> {
        Some([self.beta1, self.beta2])
    }

    fn preconditioner(&self, shared: &Shared<F::Sum>) -> Option<Preconditioner<F::Sum>> {
        let [_, correction] = self.betas_of(shared).corrections(shared.steps);
        // Before the first step nothing is averaged, and all coordinates count alike.
        let correction = if correction > F::Sum::zero() { correction } else { F::Sum::one() };
        Some(Preconditioner { slot: 1, correction, epsilon: divisor::<F>(self.epsilon).widen() })
    }

    fn update_except(
        &self,
        scalars: &StepScalars<F>,
        exempt: &mut dyn Iterator<Item = ops::Range<usize>>,
        parameters: &mut [F],
        gradient: &[F],
        memory: &mut [F],
    ) -> Result<(), LengthMismatch> {
        let line = AdamLine {
            step_size: step_size(scalars),
            root_scale: scalars.root_scale,
            beta1: scalars.beta1,
            beta2: scalars.beta2,
            new1: scalars.new1,
            new2: Factor::new(scalars.new2),
            epsilon: divisor(self.epsilon),
        };
        if scalars.shrink == F::one() {
            return update_decayed(line, self.weight_decay, exempt, parameters, gradient, memory);
        }
        let shrink = scalars.shrink;
        if self.weight_decay == 0.0 {
            return update_both(Shrunk { line, shrink }, line, exempt, parameters, gradient, memory);
        }
        let decayed = Decayed { line, weight_decay: Factor::new(F::of(self.weight_decay)) };
        update_both(Shrunk { line: decayed, shrink }, line, exempt, parameters, gradient, memory)
    }
}

#[derive(Clone, Copy)]
struct AdamLine<F> {
    step_size: Factor<F>,
    root_scale: F,
    beta1: F,
    beta2: F,
    new1: F,
    new2: Factor<F>,
    epsilon: F,
}

impl<F: Real> Line<F, 2> for AdamLine<F> {
    #[inline(always)]
    fn after(self, x: F, g: F, [m, v]: [F; 2]) -> (F, [F; 2]) {
        let m = self.beta1 * m + self.new1 * g;
        let v = flush(self.beta2 * v + self.new2.times_square(g));
        // The factor sees for itself that m is subnormal, and need not wait for it to be flushed.
        (x - self.step_size.times(m) / (v.root() * self.root_scale + self.epsilon), [flush(m), v])
    }
}

/// AdamW's decay, which comes first.
#[derive(Clone, Copy)]
struct Shrunk<F, L> {
    line: L,
    shrink: F,
}

impl<F: Real, L: Line<F, 2>> Line<F, 2> for Shrunk<F, L> {
    #[inline(always)]
    fn after(self, x: F, g: F, memory: [F; 2]) -> (F, [F; 2]) {
        let (x, memory) = self.line.after(self.shrink * x, g, memory);
        // A weight without a gradient shrinks as memory does.
        (flush(x), memory)
    }
}
