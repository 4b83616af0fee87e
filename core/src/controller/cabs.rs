use super::rounding::nearest;
use super::rows::{EMA, SCALE};
use super::{Controller, Decision, Situation, Words};
use crate::moving_average::moving_average;
use crate::real::Real;
use crate::statistics::{Needs, Reason};

/// CABS: b′ = clip(round(c·α·ξ̄/L̄)) with ξ = (b − 1)/b·v = S/b − n and the mean loss L, both as running averages. The
/// batch may shrink. It assumes that the smallest loss is 0 and the steps are those of plain SGD. `wanted` is
/// c·α·ξ̄/L̄.
///
/// Balles, Romero, Hennig 2017, arXiv 1612.05086. The averages start at ξ̄ = 0 and L̄ = 1 without bias correction, as
/// in the authors' code.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Cabs {
    /// Decay factor of the averages per step, at least 0 and below 1. 0.95 by default.
    pub ema: f64,
    /// c > 0. 1 by default.
    pub scale: f64,
}

crate::settings::settings!(Cabs {
    title: "CABS",
    doc: "The batch is the learning rate times the gradients' variance over the loss; it may shrink.",
    source: "Balles, Romero, Hennig 2017, arXiv 1612.05086",
    fields: {
        ema: f64 = 0.95 => EMA,
        scale: f64 = 1.0 => SCALE,
    },
});

/// The running averages of [`Cabs`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct CabsState<S> {
    /// ξ̄.
    pub xi: S,
    /// L̄.
    pub loss: S,
}

#[cfg(feature = "serde")]
crate::fields::required_settings!(CabsState<f64> { xi, loss });

impl<S: Real> Default for CabsState<S> {
    fn default() -> Self {
        Self { xi: S::zero(), loss: S::one() }
    }
}

impl Cabs {
    /// What it does, in words.
    pub const WORDS: Words = Words {
        grew: "the learning rate times the variance of the gradients, divided by the loss, is above the batch size",
        shrank: "the learning rate times the variance of the gradients, divided by the loss, is below the batch size",
        kept: "the learning rate times the variance of the gradients, divided by the loss, requires no other size",
        against: "It assumes the steps of plain SGD and a smallest possible loss of 0.",
    };
}

impl<S: Real> Controller<S> for Cabs {
    type State = CabsState<S>;

    fn needs(&self) -> Needs {
        Needs { norms: true, ..Needs::NONE }
    }

    fn uses_loss(&self) -> bool {
        true
    }

    fn decide(&self, state: CabsState<S>, now: &Situation<'_, S>) -> (Decision, CabsState<S>) {
        let hold = |reason| (Decision::hold(now.limits.clip(now.batch), reason), state);
        let variance = match now.evidence.variance() {
            Ok(variance) if now.evidence.loss.is_finite() => variance,
            Ok(_) => return hold(Reason::NonFinite),
            Err(reason) => return hold(reason),
        };
        let b = now.evidence.batch();
        let state = CabsState {
            xi: moving_average(state.xi, (b - S::one()) / b * variance, self.ema),
            loss: moving_average(state.loss, now.evidence.loss, self.ema),
        };
        if state.loss <= S::zero() {
            return (Decision::hold(now.limits.clip(now.batch), Reason::NonPositiveLoss), state);
        }
        let raw = S::of(self.scale) * now.learning_rate * state.xi / state.loss;
        (Decision::next(now.limits.clip(nearest(raw))).wanting(raw), state)
    }
}
