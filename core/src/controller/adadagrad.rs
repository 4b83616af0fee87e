use super::{Controller, Decision, Limits, ceiling};
use crate::batch_test::Required;
use crate::real::Real;
use crate::settings::{Field, Range};
use crate::statistics::Evidence;

/// AdAdaGrad's rule: b′ = min(max, max(min, ⌈max(b, T)⌉)). The batch never shrinks; an undefined T keeps its size,
/// an unbounded T gives the largest.
///
/// arXiv 2402.11215. With a growth cap c, off by default, the next batch has at most ⌈c b⌉ samples: the first batches
/// are so noisy that the plain rule can jump from 8 to thousands.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct AdAdaGrad {
    /// c > 1, or `None` for growth without a cap.
    pub growth_cap: Option<f64>,
}

crate::settings::settings!(AdAdaGrad {
    title: "AdAdaGrad",
    doc: "The next batch has the size that the test requires, and never fewer samples than this one.",
    source: "AdAdaGrad, arXiv 2402.11215",
    fields: {
        growth_cap: Option<f64> = None => Field::new(
            "growth cap",
            "The largest growth factor of the batch size in one step; none, as in the paper, where it is left out.",
        )
        .range(Range::above(1.0))
        .retunable()
        .placeholder("FACTOR"),
    },
});

impl<S: Real> Controller<S> for AdAdaGrad {
    type State = ();

    fn decide(
        &self,
        _: &mut (),
        current: u32,
        limits: Limits,
        _: &Evidence<S>,
        required: Required<S>,
    ) -> Decision {
        let wanted = match required {
            Required::Size(size) => ceiling(size),
            Required::Unbounded => u32::MAX,
            Required::Undefined(_) => current,
        };
        let cap = self.growth_cap.map_or(u32::MAX, |cap| ceiling(cap * f64::from(current)));
        Decision::Step { next: limits.clip(wanted.min(cap).max(current)) }
    }

    fn is_settled(&self, current: u32, limits: Limits) -> bool {
        current == limits.max
    }
}
