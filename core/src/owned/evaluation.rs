//! Loss and accuracy over a data set.

use super::confusion::Confusion;
use crate::network::Score;
use crate::real::Real;

/// Loss and accuracy over a data set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluation {
    /// Mean loss in nats.
    pub loss: f64,
    /// Fraction classified correctly.
    pub accuracy: f64,
}

impl Evaluation {
    /// From the sums over `samples` samples; without samples, both are 0.
    #[must_use]
    pub fn new<S: Real>(score: Score<S>, samples: u32) -> Self {
        let samples = f64::from(samples.max(1));
        Self { loss: score.loss.as_f64() / samples, accuracy: f64::from(score.correct) / samples }
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
