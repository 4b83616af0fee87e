//! Controllers: required size → next size. One file per rule.

mod adadagrad;
mod constant;

pub use adadagrad::AdAdaGrad;
pub use constant::Constant;

use crate::batch_test::Required;
use crate::real::Real;
use crate::statistics::Evidence;

/// What a batch size may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The smallest batch.
    pub min: u32,
    /// The largest batch; wins over `min`.
    pub max: u32,
}

impl Limits {
    /// min(max, max(min, size)).
    #[must_use]
    pub fn clip(self, size: u32) -> u32 {
        size.max(self.min).min(self.max)
    }
}

/// What to do after a batch was evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Make the step; the next batch has this size.
    Step {
        /// b of the next batch.
        next: u32,
    },
}

/// A rule for the next batch size.
pub trait Controller<S: Real> {
    /// The rule's state from step to step. `Copy`, so that a step that fails changes nothing.
    type State: Copy + Default;

    /// Decides after a batch of `current` samples, for which the test requires `required`.
    fn decide(
        &self,
        state: &mut Self::State,
        current: u32,
        limits: Limits,
        evidence: &Evidence<S>,
        required: Required<S>,
    ) -> Decision;

    /// Whether the batch after one of `current` samples has the same size in any case. Then the next step is known
    /// before this one is computed.
    fn is_settled(&self, current: u32, limits: Limits) -> bool;
}

/// Any of the rules, by name, as settings contain them.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(tag = "name", rename_all = "lowercase"))]
pub enum AnyController {
    /// [`AdAdaGrad`].
    AdAdaGrad(AdAdaGrad),
    /// [`Constant`].
    Constant(Constant),
}

crate::settings::named_settings!(AnyController { "adadagrad" => AdAdaGrad, "constant" => Constant });

impl<S: Real> Controller<S> for AnyController {
    /// No rule has state so far.
    type State = ();

    fn decide(
        &self,
        state: &mut (),
        current: u32,
        limits: Limits,
        evidence: &Evidence<S>,
        required: Required<S>,
    ) -> Decision {
        match self {
            Self::AdAdaGrad(rule) => rule.decide(state, current, limits, evidence, required),
            Self::Constant(rule) => rule.decide(state, current, limits, evidence, required),
        }
    }

    fn is_settled(&self, current: u32, limits: Limits) -> bool {
        match self {
            Self::AdAdaGrad(rule) => Controller::<S>::is_settled(rule, current, limits),
            Self::Constant(rule) => Controller::<S>::is_settled(rule, current, limits),
        }
    }
}

/// ⌈x⌉ as a batch size, held to 2³² − 1.
pub(crate) fn ceiling<S: Real>(x: S) -> u32 {
    x.ceil().to_u32().unwrap_or(if x > S::zero() { u32::MAX } else { 0 })
}
