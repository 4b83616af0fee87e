use super::rounding::ceiling;
use super::rows::{WINDOW, WINDOW_KIND};
use super::{Controller, Decision, Limits, Situation, Window, WindowKind, Words};
use crate::batch_test::Required;
use crate::real::Real;
use crate::settings::{Field, Range};

/// AdAdaGrad's rule: b′ = min(max, max(min, ⌈max(b, T)⌉)). The batch never shrinks; an undefined T keeps its size,
/// an unbounded T gives the largest.
///
/// arXiv 2402.11215. Two options, off by default, because the first batches are so noisy that the plain rule can jump
/// from 8 to thousands. With a growth cap c the next batch has at most ⌈c b⌉ samples. With a window of k the smallest
/// of k required sizes is used instead of T. `wanted` is T.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct AdAdaGrad {
    /// c > 1, or `None` for growth without a cap.
    pub growth_cap: Option<f64>,
    /// k, from 1 to [`MOST_IN_WINDOW`](super::MOST_IN_WINDOW). 1 by default: no window.
    pub window: u32,
    /// When the smallest is taken. Sliding by default.
    pub window_kind: WindowKind,
}

crate::settings::settings!(AdAdaGrad {
    title: "AdAdaGrad",
    doc: "The next batch is as large as the test requires, and never smaller than this one.",
    source: "Lau, Liu, Kolar 2024, arXiv 2402.11215",
    fields: {
        growth_cap: Option<f64> = None => Field::new(
            "growth cap",
            "The largest growth factor of the batch size per step; by default there is no limit, as in the paper.",
        )
        .range(Range::above(1.0))
        .retunable()
        .flag("growth-cap")
        .placeholder("FACTOR"),
        window: u32 = 1 => WINDOW,
        window_kind: WindowKind = WindowKind::Sliding => WINDOW_KIND.text("sliding", WindowKind::NAMES),
    },
});

impl AdAdaGrad {
    /// What it does, in words.
    pub const WORDS: Words = Words {
        grew: "the test needed {required} samples",
        shrank: Words::LIMITED,
        kept: "the batch was large enough for the test",
        against: "A very small initial batch can require far too much by chance, and the batch never shrinks again.",
    };
}

impl<S: Real> Controller<S> for AdAdaGrad {
    type State = Window;

    fn uses_test(&self) -> bool {
        true
    }

    fn decide(&self, state: Window, now: &Situation<'_, S>) -> (Decision, Window) {
        let wanted = match now.required {
            Required::Size(size) => ceiling(size),
            Required::Unbounded => u32::MAX,
            Required::Undefined(reason) => {
                return (Decision::hold(now.limits.clip(now.batch), reason), state);
            }
        };
        let (state, wanted) = if self.window > 1 {
            state.with(wanted, self.window, self.window_kind)
        } else {
            (state, Some(wanted))
        };
        let cap = self.growth_cap.map_or(u32::MAX, |cap| ceiling(cap * f64::from(now.batch)));
        let next = wanted.unwrap_or(now.batch).min(cap).max(now.batch);
        let decision = Decision::next(now.limits.clip(next));
        (now.required.size().map_or(decision, |size| decision.wanting(size)), state)
    }

    fn is_settled(&self, batch: u32, limits: Limits) -> bool {
        self.window <= 1 && batch == limits.max
    }
}
