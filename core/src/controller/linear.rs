use super::{Controller, Decision, Situation, Words};
use crate::real::Real;
use crate::settings::{Field, Range};

/// The batch changes linearly with the samples seen, from the first size to the last one: b′ = b₁ + ⌊(b_last −
/// b₁)·min(seen, over)/over⌋, in whole numbers. `wanted` is the same without rounding.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Linear {
    /// b_last, at least 1. 1,024 by default.
    pub last_batch: u32,
    /// Samples over which the batch changes, at least 1. A million by default.
    pub over_samples: u64,
}

crate::settings::settings!(Linear {
    title: "linear growth",
    doc: "The batch grows linearly with the number of samples seen, up to a last size.",
    source: "Megatron-LM's batch-size ramp",
    fields: {
        last_batch: u32 = 1_024 => Field::new("last batch", "The batch size at the end of the growth.")
            .range(Range::whole(1, u32::MAX as u64))
            .retunable()
            .placeholder("SAMPLES"),
        over_samples: u64 = 1_000_000 => Field::new(
            "samples of the growth",
            "The number of samples seen at which the last size is reached.",
        )
        .range(Range::at_least(1))
        .retunable()
        .placeholder("SAMPLES"),
    },
});

impl Linear {
    /// What it does, in words.
    pub const WORDS: Words = Words {
        grew: "the size follows the samples seen, to {last_batch} after {over_samples} samples",
        shrank: "the size follows the samples seen, to {last_batch} after {over_samples} samples",
        kept: "the size only follows the samples seen, to {last_batch} after {over_samples} samples",
        against: Words::FIXED,
    };
}

impl<S: Real> Controller<S> for Linear {
    type State = ();

    fn decide(&self, (): (), now: &Situation<'_, S>) -> (Decision, ()) {
        let over = self.over_samples.max(1);
        let first = i128::from(now.initial_batch);
        let change = i128::from(self.last_batch) - first;
        let size = first + (change * i128::from(now.samples_seen.min(over))).div_euclid(over.into());
        // Whole numbers up to 2⁵³.
        #[allow(clippy::cast_precision_loss)]
        let share = now.samples_seen.min(over) as f64 / over as f64;
        let first = f64::from(now.initial_batch);
        let wanted = first + (f64::from(self.last_batch) - first) * share;
        (Decision::next(now.limits.clip(u32::try_from(size).unwrap_or_default())).wanting(wanted), ())
    }
}
