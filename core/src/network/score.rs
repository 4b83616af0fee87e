//! Loss and correct predictions.

use crate::real::Real;

/// Loss and number of correct predictions over some samples.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score<S> {
    /// Sum of the losses in nats.
    pub loss: S,
    /// Correct predictions; of a sequence, at each of its positions.
    pub correct: u32,
}

impl<S: Real> Score<S> {
    /// Adds other samples' score.
    pub fn merge(&mut self, other: Self) {
        self.loss += other.loss;
        self.correct = self.correct.saturating_add(other.correct);
    }
}
