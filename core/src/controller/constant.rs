use super::{Controller, Decision, Limits, Situation, Words};
use crate::real::Real;

/// The batch keeps its size, regardless of what the test requires. `wanted` is `None`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Constant {}

crate::settings::settings!(Constant {
    title: "constant batch",
    doc: "The batch keeps its size; the result of a test is reported, but has no effect.",
    source: "",
    fields: {},
});

impl Constant {
    /// What it does, in words.
    pub const WORDS: Words = Words {
        grew: "the smallest batch in the settings was raised",
        shrank: Words::LIMITED,
        kept: "the rule keeps the batch constant",
        against: "",
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
