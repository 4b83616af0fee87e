use super::{Controller, Decision, Limits};
use crate::batch_test::Required;
use crate::real::Real;
use crate::statistics::Evidence;

/// The batch keeps its size, whatever the test requires.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Constant {}

crate::settings::settings!(Constant {
    title: "constant batch",
    doc: "The batch keeps its size; the result of a test is reported, but has no effect.",
    source: "",
    fields: {},
});

impl<S: Real> Controller<S> for Constant {
    type State = ();

    fn decide(&self, _: &mut (), current: u32, limits: Limits, _: &Evidence<S>, _: Required<S>) -> Decision {
        Decision::Step { next: limits.clip(current) }
    }

    fn is_settled(&self, current: u32, limits: Limits) -> bool {
        current == limits.clip(current)
    }
}
