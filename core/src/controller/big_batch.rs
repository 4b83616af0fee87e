use super::rounding::floor;
use super::{Controller, Decision, Situation, Words};
use crate::real::Real;
use crate::settings::{Field, Range};
use crate::statistics::{Needs, Reason};

/// Big Batch SGD: while n > v/b does not hold, the *same* batch is extended by a tenth of itself, and by at least one
/// sample. The step uses the whole extended batch, and the next one begins at its size. `wanted` is v/n, the size at
/// which n = v/b.
///
/// De, Yadav, Jacobs, Goldstein 2016, arXiv 1610.05792.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct BigBatch {
    /// The share by which it is extended, above 0. 0.1 by default.
    pub growth: f64,
}

crate::settings::settings!(BigBatch {
    title: "Big Batch SGD",
    doc: "A batch is extended before its step until its mean gradient is larger than the noise.",
    source: "De, Yadav, Jacobs, Goldstein 2016, arXiv 1610.05792",
    fields: {
        growth: f64 = 0.1 => Field::new("growth", "The fraction of the batch by which it is extended each time.")
            .range(Range::POSITIVE)
            .retunable(),
    },
});

impl BigBatch {
    /// What it does, in words.
    pub const WORDS: Words = Words {
        grew: "the mean gradient of a smaller batch was not larger than the noise",
        shrank: Words::LIMITED,
        kept: "the mean gradient of a batch of this size was larger than the noise, or no larger batch is allowed",
        against: "The batch never shrinks again, and each extension costs another pass over the new samples.",
    };
}

impl<S: Real> Controller<S> for BigBatch {
    type State = ();

    fn needs(&self) -> Needs {
        Needs { norms: true, extends: true, ..Needs::NONE }
    }

    fn decide(&self, (): (), now: &Situation<'_, S>) -> (Decision, ()) {
        let (batch, limits) = (now.batch, now.limits);
        let norm = now.evidence.mean_norm_sq;
        let (is_clear, wanted) = match now.evidence.variance() {
            Ok(variance) => (norm > variance / now.evidence.batch(), variance / norm),
            // Another sample defines it.
            Err(Reason::SingleSample) => (false, S::nan()),
            Err(reason) => return (Decision::hold(limits.clip(batch), reason), ()),
        };
        if is_clear || batch >= limits.max {
            return (Decision::next(limits.clip(batch)).wanting(wanted), ());
        }
        let by = floor(f64::from(batch) * self.growth).max(1);
        (Decision::Extend { by: by.min(limits.max - batch), wanted: None }.wanting(wanted), ())
    }
}
