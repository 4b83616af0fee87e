use super::rounding::ceiling;
use super::{About, Controller, Decision, Limits, Situation, Window, WindowKind};
use crate::batch_test::Required;
use crate::real::Real;

/// AdAdaGrad's rule: b′ = min(max, max(min, ⌈max(b, T)⌉)). The batch never shrinks; an undefined T keeps its size,
/// an unbounded T gives the largest.
///
/// arXiv 2402.11215. Two options, off by default, because the first batches are so noisy that the plain rule can jump
/// from 8 to thousands. With a growth cap c the next batch has at most ⌈c b⌉ samples. With a window of k the smallest of
/// k required sizes counts in place of T.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct AdAdaGrad {
    /// c > 1, or `None` for growth without a cap.
    pub growth_cap: Option<f64>,
    /// k, from 1 to [`MOST_IN_WINDOW`](super::MOST_IN_WINDOW). 1 by default: no window.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_one"))]
    pub window: u32,
    /// When the smallest is taken. Sliding by default.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_sliding"))]
    pub window_kind: WindowKind,
}

#[cfg(feature = "serde")]
crate::fields::settings!(AdAdaGrad { growth_cap, window, window_kind });

/// Settings without a window are written as before there were windows.
#[cfg(feature = "serde")]
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_one(window: &u32) -> bool {
    *window == 1
}

#[cfg(feature = "serde")]
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_sliding(kind: &WindowKind) -> bool {
    matches!(kind, WindowKind::Sliding)
}

impl Default for AdAdaGrad {
    fn default() -> Self {
        Self { growth_cap: None, window: 1, window_kind: WindowKind::Sliding }
    }
}

impl AdAdaGrad {
    pub(super) const ABOUT: About = About {
        name: "adadagrad",
        title: "AdAdaGrad",
        source: "Lau, Liu, Kolar 2024, arXiv 2402.11215",
        summary: "The next batch is as large as the test requires, and never smaller than this one.",
        evidence: "a batch-size test",
    };
}

impl<S: Real> Controller<S> for AdAdaGrad {
    type State = Window;

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
        (Decision::next(now.limits.clip(next)), state)
    }

    fn is_settled(&self, batch: u32, limits: Limits) -> bool {
        self.window <= 1 && batch == limits.max
    }
}
