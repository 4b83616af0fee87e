use super::rounding::nearest;
use super::rows::MILESTONES;
use super::{Controller, Decision, Milestones, Situation, Words};
use crate::real::Real;
use crate::settings::{Field, Range};

/// "Don't decay the learning rate, increase the batch size": where a schedule would divide the learning rate by f, the
/// batch is multiplied by f as long as b·f is at most a limit; after that the learning rate is divided. After m
/// milestones since the last step, `wanted` is b·fᵐ, regardless of the limits.
///
/// Smith, Kindermans, Ying, Le 2018, arXiv 1711.00489: f = 5, the limit a tenth of the training set.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Smith {
    /// Samples after which the schedule would cut the learning rate.
    pub milestones: Milestones,
    /// f > 1. 5 by default.
    pub factor: f64,
    /// The largest batch size that replaces a cut; `None`, the default, for N/10.
    pub limit: Option<f64>,
}

crate::settings::settings!(Smith {
    title: "Smith et al.",
    doc: "Where a schedule would cut the learning rate, the batch grows instead, up to a tenth of the data.",
    source: "Smith, Kindermans, Ying, Le 2018, arXiv 1711.00489",
    fields: {
        milestones: Milestones = Milestones::default() => MILESTONES,
        factor: f64 = 5.0 => Field::new(
            "growth of the batch",
            "The factor by which the batch size is multiplied at each milestone.",
        )
        .range(Range::above(1.0))
        .retunable(),
        limit: Option<f64> = None => Field::new(
            "largest batch by the rule",
            "The largest batch size of this rule. Where the batch would exceed it, the learning rate is cut instead. By \
             default a tenth of the training set.",
        )
        .range(Range::NOT_NEGATIVE)
        .retunable()
        .placeholder("SAMPLES"),
    },
});

impl Smith {
    /// What it does, in words.
    pub const WORDS: Words = Words {
        grew: "a milestone was reached at which a schedule would reduce the learning rate",
        shrank: Words::LIMITED,
        kept: "no milestone was reached, or the learning rate was reduced instead",
        against: "The milestones are fixed before the run and do not depend on the gradients.",
    };
}

impl<S: Real> Controller<S> for Smith {
    type State = ();

    fn changes_learning_rate(&self) -> bool {
        true
    }

    fn uses_training_samples(&self) -> bool {
        true
    }

    fn decide(&self, (): (), now: &Situation<'_, S>) -> (Decision, ()) {
        let limit = self.limit.unwrap_or(f64::from(now.training_samples) / 10.0);
        let (mut size, mut rate) = (now.batch, 1.0);
        let mut wanted = f64::from(now.batch);
        for _ in 0..self.milestones.between(now.seen_before(), now.samples_seen) {
            wanted *= self.factor;
            let grown = f64::from(size) * self.factor;
            if grown <= limit {
                size = nearest(grown);
            } else {
                rate /= self.factor;
            }
        }
        (Decision::with_rate(now.limits.clip(size), rate).wanting(wanted), ())
    }
}
