use super::rounding::nearest;
use super::rows::MILESTONES;
use super::{Controller, Decision, Milestones, Situation, Words};
use crate::real::Real;
use crate::settings::{Field, Range};

/// Seesaw: where a schedule would multiply the learning rate by c < 1, the batch becomes b/c and the learning rate
/// √c·α, as long as b/c is not above the largest batch; after that the learning rate becomes c·α. After m milestones
/// since the last step, `wanted` is b/cᵐ, regardless of the limits.
///
/// arXiv 2510.14717: c = ½.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Seesaw {
    /// Samples after which the schedule would cut the learning rate.
    pub milestones: Milestones,
    /// c, above 0 and below 1. ½ by default.
    pub cut: f64,
}

crate::settings::settings!(Seesaw {
    title: "Seesaw",
    doc: "Where a schedule would halve the learning rate, the batch is doubled and the rate divided by √2.",
    source: "arXiv 2510.14717",
    fields: {
        milestones: Milestones = Milestones::default() => MILESTONES,
        cut: f64 = 0.5 => Field::new(
            "cut",
            "The factor by which a schedule would multiply the learning rate at each milestone.",
        )
        .symbol("c")
        .range(Range::Between(0.0, 1.0))
        .retunable(),
    },
});

impl Seesaw {
    /// What it does, in words.
    pub const WORDS: Words = Words {
        grew: "a milestone was reached at which a schedule would reduce the learning rate",
        shrank: Words::LIMITED,
        kept: "no milestone was reached, or only the learning rate was reduced",
        against: "The milestones are fixed before the run and do not depend on the gradients.",
    };
}

impl<S: Real> Controller<S> for Seesaw {
    type State = ();

    fn changes_learning_rate(&self) -> bool {
        true
    }

    fn decide(&self, (): (), now: &Situation<'_, S>) -> (Decision, ()) {
        let (mut size, mut rate) = (now.batch, 1.0);
        let mut wanted = f64::from(now.batch);
        for _ in 0..self.milestones.between(now.seen_before(), now.samples_seen) {
            wanted /= self.cut;
            let grown = f64::from(size) / self.cut;
            if grown <= f64::from(now.limits.max) {
                size = nearest(grown);
                rate *= self.cut.root();
            } else {
                rate *= self.cut;
            }
        }
        (Decision::with_rate(now.limits.clip(size), rate).wanting(wanted), ())
    }
}
