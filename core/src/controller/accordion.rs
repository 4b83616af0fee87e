use super::{Controller, Decision, Situation, Words};
use crate::real::Real;
use crate::settings::{Field, Range};
use crate::statistics::{Needs, Reason};

/// Accordion: two sizes. After each epoch the ratio |‖A′‖ − ‖A‖|/‖A′‖ with A = Σ gᵢ over the epoch and A′ over the one
/// before: below the threshold the gradient has become stable, and the batch is large; otherwise, and after the first
/// epoch, it is small. `wanted` is one of the two sizes at the end of an epoch, and `None` at other steps.
///
/// Agarwal, Wang, Lee, Venkataraman, Papailiopoulos 2020, arXiv 2010.16248.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Accordion {
    /// The small batch, at least 1. 512 by default.
    pub small: u32,
    /// The large batch, at least as large. 4,096 by default.
    pub large: u32,
    /// Above 0. 0.5 by default.
    pub threshold: f64,
}

crate::settings::settings!(Accordion {
    title: "Accordion",
    doc: "Large batches in epochs whose gradient is similar to that of the previous epoch, small ones in the others.",
    source: "Agarwal, Wang, Lee, Venkataraman, Papailiopoulos 2020, arXiv 2010.16248",
    fields: {
        small: u32 = 512 => Field::new("small batch", "The batch while the gradient changes much.")
            .range(Range::whole(1, u32::MAX as u64))
            .retunable()
            .placeholder("SAMPLES"),
        large: u32 = 4_096 => Field::new("large batch", "The batch while the gradient changes little.")
            .range(Range::whole(1, u32::MAX as u64))
            .retunable()
            .placeholder("SAMPLES"),
        threshold: f64 = 0.5 => Field::new(
            "largest change",
            "The batch is large if the relative change of the gradient's norm from one epoch to the next is below \
             this.",
        )
        .range(Range::POSITIVE)
        .retunable(),
    },
});

/// What [`Accordion`] knows of the last epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct AccordionState<S> {
    /// ‖A‖ of the last epoch that has ended.
    pub last_norm: Option<S>,
}

#[cfg(feature = "serde")]
crate::fields::required_settings!(AccordionState<f64> { last_norm });

/// What stands for the ratio where the last epoch's sum is 0: clearly above any threshold, as in the authors' code.
const RATIO_TO_NOTHING: f64 = 9.0;

impl Accordion {
    /// What it does, in words.
    pub const WORDS: Words = Words {
        grew: "the gradient of the last epoch was similar to that of the epoch before",
        shrank: "the gradient of the last epoch differed from that of the epoch before",
        kept: "Accordion chooses between its two sizes only at the end of an epoch",
        against: "The batch jumps between two sizes, and the learning rate stays as it is.",
    };
}

impl<S: Real> Controller<S> for Accordion {
    type State = AccordionState<S>;

    fn needs(&self) -> Needs {
        Needs { epoch: true, ..Needs::NONE }
    }

    fn uses_training_samples(&self) -> bool {
        true
    }

    fn decide(&self, state: AccordionState<S>, now: &Situation<'_, S>) -> (Decision, AccordionState<S>) {
        let kept = now.limits.clip(now.batch);
        if !now.ends_epoch() {
            return (Decision::next(kept), state);
        }
        let norm = match now.evidence.epoch_norm_sq {
            Some(norm_sq) if norm_sq.is_finite() => norm_sq.root(),
            Some(_) => return (Decision::hold(kept, Reason::NonFinite), state),
            None => return (Decision::hold(kept, Reason::MissingEvidence), state),
        };
        let ratio = |before: S| {
            if before > S::zero() { (before - norm).abs() / before } else { S::of(RATIO_TO_NOTHING) }
        };
        let is_settled = state.last_norm.is_some_and(|before| ratio(before) < S::of(self.threshold));
        let next = if is_settled { self.large } else { self.small };
        let decision = Decision::next(now.limits.clip(next)).wanting(f64::from(next));
        (decision, AccordionState { last_norm: Some(norm) })
    }

    fn first_batch(&self, _: u32) -> u32 {
        self.small
    }
}
