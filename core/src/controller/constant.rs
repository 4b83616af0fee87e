use super::{About, Controller, Decision, Limits, Situation};
use crate::real::Real;

/// The batch keeps its size, whatever the test requires.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Constant {}

#[cfg(feature = "serde")]
crate::fields::settings!(Constant {});

impl Constant {
    pub(super) const ABOUT: About = About {
        name: "constant",
        title: "Constant",
        source: "",
        summary: "Every batch has the size of the first.",
        evidence: "nothing",
    };
}

impl<S: Real> Controller<S> for Constant {
    type State = ();

    fn decide(&self, (): (), now: &Situation<'_, S>) -> (Decision, ()) {
        (Decision::next(now.limits.clip(now.batch)), ())
    }

    fn is_settled(&self, batch: u32, limits: Limits) -> bool {
        batch == limits.clip(batch)
    }
}
