use super::{Controller, Decision, Situation, Words};
use crate::real::Real;
use crate::settings::{Field, Range};
use crate::statistics::Needs;

/// SimiGrad: the mean gradients of the two halves of a batch should be similar to a degree. With their cosine above the
/// target b′ = clip(min(b − 1, ⌊0.9 b⌋)), below it clip(max(b + 1, ⌊1.1 b⌋)). `wanted` is 0.9 b, 1.1 b or, at the
/// target, b.
///
/// Qin, Rajbhandari, Ruwase, Yan, Yang, He 2021 (NeurIPS). The batch is cut into exactly two parts, so at most two
/// threads can share it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct SimiGrad {
    /// The target cosine, between −1 and 1. 0.1 by default: choose it for each task.
    pub target: f64,
}

crate::settings::settings!(SimiGrad {
    title: "SimiGrad",
    doc: "The batch grows or shrinks by a tenth, depending on the cosine between the mean gradients of its two halves.",
    source: "Qin, Rajbhandari, Ruwase, Yan, Yang, He 2021, NeurIPS",
    fields: {
        target: f64 = 0.1 => Field::new(
            "target",
            "The cosine above which the batch shrinks, and below which it grows.",
        )
        .range(Range::Closed(-1.0, 1.0))
        .retunable(),
    },
});

impl SimiGrad {
    /// What it does, in words.
    pub const WORDS: Words = Words {
        grew: "the mean gradients of the batch’s halves were less alike than the target (cosine below {target})",
        shrank: "the mean gradients of the batch’s halves were more alike than the target (cosine above {target})",
        kept: "the mean gradients of the batch’s halves were as alike as the target (cosine {target}), or the limits allow no other size",
        against: "The right target depends on the task, and the size changes after almost every step.",
    };
}

impl<S: Real> Controller<S> for SimiGrad {
    type State = ();

    fn needs(&self) -> Needs {
        Needs { halves: true, ..Needs::NONE }
    }

    fn decide(&self, (): (), now: &Situation<'_, S>) -> (Decision, ()) {
        let b = now.batch;
        let cosine = match now.evidence.cosine_of_halves() {
            Ok(cosine) => cosine,
            Err(reason) => return (Decision::hold(now.limits.clip(b), reason), ()),
        };
        let tenths = |count: u64| u32::try_from(count * u64::from(b) / 10).unwrap_or(u32::MAX);
        let target = S::of(self.target);
        let (next, factor) = if cosine < target {
            (tenths(11).max(b.saturating_add(1)), 1.1)
        } else if cosine > target {
            (tenths(9).min(b.saturating_sub(1)), 0.9)
        } else {
            (b, 1.0)
        };
        (Decision::next(now.limits.clip(next)).wanting(factor * f64::from(b)), ())
    }
}
