//! Loss and accuracy over a data set.

use super::confusion::Confusion;
use crate::network::Score;
use crate::real::{Real, count};

/// Loss and accuracy over a data set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluation {
    /// Mean loss in nats.
    pub loss: f64,
    /// Fraction of the answers that are correct: one for each sample, or for each position of a sequence.
    pub accuracy: f64,
}

impl Evaluation {
    /// From the sums over `samples` samples with an answer at each of `positions` positions; without samples, both are 0.
    #[must_use]
    pub fn new<S: Real>(score: Score<S>, samples: u32, positions: usize) -> Self {
        let samples = f64::from(samples.max(1));
        let answers = samples * count::<f64>(positions.max(1) as u64);
        Self { loss: score.loss.as_f64() / samples, accuracy: f64::from(score.correct) / answers }
    }
}

/// Loss, accuracy and confusion matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluated {
    /// Loss and accuracy.
    pub evaluation: Evaluation,
    /// How often each answer was given for each class.
    pub confusion: Confusion,
}
