use super::rounding::ceiling;
use super::rows::{WINDOW, WINDOW_KIND};
use super::{Controller, Decision, Situation, Window, WindowKind, Words};
use crate::batch_test::{AugmentedTest, BatchTest, Required};
use crate::real::Real;
use crate::settings::{Field, Range};
use crate::statistics::Needs;

/// AdaBatchGrad's rule: the size that the augmented inner product test requires, taken only as the minimum of the last
/// k: b′ = clip(max(b, ⌈min of k T⌉)) with T = max(v_along/(ϑ² n²), v_orth/(ν² n)).
///
/// arXiv 2402.05264. It uses its own test, regardless of the run's. An undefined T is left out of the window. `wanted`
/// is T. Its step is that of [`AdaGradNormDelayed`](crate::optimizer::AdaGradNormDelayed).
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct AdaBatchGrad {
    /// ϑ > 0 of the inner product test. 0.1 by default.
    pub theta: f64,
    /// ν > 0 of the orthogonality test. 0.1 by default.
    pub nu: f64,
    /// k, from 1 to [`MOST_IN_WINDOW`](super::MOST_IN_WINDOW). 5 by default.
    pub window: u32,
    /// When the minimum is taken. In blocks by default, as in the known code.
    pub window_kind: WindowKind,
}

crate::settings::settings!(AdaBatchGrad {
    title: "AdaBatchGrad",
    doc: "Grows to the smallest of the last sizes that the augmented inner product test required.",
    source: "Ostroukhov, Zhumabayeva, Xiang, Gasnikov, Takáč, Kamzolov 2024, arXiv 2402.05264",
    fields: {
        theta: f64 = 0.1 => Field::new("threshold along ḡ", "Limits the noise along the mean gradient.")
            .symbol("ϑ")
            .range(Range::POSITIVE)
            .retunable(),
        nu: f64 = 0.1 => Field::new("orthogonal threshold", "Limits the noise orthogonal to the mean gradient.")
            .symbol("ν")
            .range(Range::POSITIVE)
            .retunable(),
        window: u32 = 5 => WINDOW,
        window_kind: WindowKind = WindowKind::Block => WINDOW_KIND.text("block", WindowKind::NAMES),
    },
});

impl AdaBatchGrad {
    fn test(&self) -> AugmentedTest {
        AugmentedTest { theta: self.theta, nu: self.nu, leave_one_out: false }
    }
}

impl AdaBatchGrad {
    /// What it does, in words.
    pub const WORDS: Words = Words {
        grew: "the smallest of the last {window} sizes that its test required is larger",
        shrank: Words::LIMITED,
        kept: "the smallest of the last {window} sizes that its test required is not larger, or is not known yet",
        against: "Its test needs a second sweep over each batch, and the batch never shrinks again.",
    };
}

impl<S: Real> Controller<S> for AdaBatchGrad {
    type State = Window;

    fn needs(&self) -> Needs {
        self.test().needs()
    }

    fn decide(&self, state: Window, now: &Situation<'_, S>) -> (Decision, Window) {
        let required = self.test().required(now.evidence);
        let wanted = match required {
            Required::Size(size) => ceiling(size),
            Required::Unbounded => u32::MAX,
            Required::Undefined(reason) => {
                return (Decision::hold(now.limits.clip(now.batch), reason), state);
            }
        };
        let (state, smallest) = state.with(wanted, self.window, self.window_kind);
        let next = smallest.map_or(now.batch, |size| size.max(now.batch));
        let decision = Decision::next(now.limits.clip(next));
        (required.size().map_or(decision, |size| decision.wanting(size)), state)
    }
}
