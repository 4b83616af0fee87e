//! Measures the critical batch size: training starts several times from one checkpoint, on the same samples, with
//! batches of k·B samples and the learning rate f(k)·α, for k = 1, 2, 4, … The largest k whose smoothed loss stays
//! within ε of the best so far gives the largest batch that costs no progress.
//!
//! Merrill, Arora, Groeneveld, Hajishirzi 2025, arXiv 2505.23971. This module decides; an engine trains.
//!
//! ```
//! use adadagrad_core::critical_batch::{Answer, Search};
//!
//! let mut search = Search::new(0.01, 0.6);
//! assert!(search.take(1, 0.500));
//! assert!(search.take(2, 0.495));
//! // Within 0.01 of 0.495.
//! assert!(search.take(4, 0.503));
//! assert!(!search.take(8, 0.530));
//! assert_eq!(search.answer(), Some(Answer { factor: 4, behind: Some(8) }));
//! ```

use crate::coupling::{Coupled, Coupling, CouplingError};
use crate::optimizer::AnyOptimizer;
use crate::real::Real;
use crate::signature::is_far_above;

/// How the learning rate follows the batch size by default: with its square root for optimizers that divide by the root
/// of squared gradients, in proportion for the others.
#[must_use]
pub fn usual_scaling(optimizer: &AnyOptimizer) -> Coupling {
    // AdaGrad-Norm divides by one sum for all parameters, which is not in its memory.
    let divides = optimizer.keeps_squares() || optimizer.as_optimizer::<f32>().wants_norm();
    if divides { Coupling::SquareRoot } else { Coupling::Linear }
}

/// f(k): what the learning rate is multiplied by for a batch of `factor` times the first one.
///
/// # Errors
/// None for couplings that leave β as they are.
pub fn rate_factor(scaling: Coupling, factor: u32) -> Result<f64, CouplingError> {
    let before = Coupled { learning_rate: 1.0, beta1: 0.0, beta2: 0.0 };
    Ok(scaling.follow(before, 1, factor)?.learning_rate)
}

/// The loss of a branch, smoothed over samples and not over steps, so that branches can be compared: the average decays
/// by the factor `keep` per B samples. The bias of its start is corrected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SmoothedLoss {
    keep: f64,
    base: u32,
    sum: f64,
    weight: f64,
}

impl SmoothedLoss {
    /// The state before the first batch. `keep`: at least 0 and below 1; `base`: B.
    #[must_use]
    pub const fn new(keep: f64, base: u32) -> Self {
        Self { keep, base, sum: 0.0, weight: 0.0 }
    }

    /// Takes the mean loss of a batch.
    pub fn take(&mut self, samples: u32, loss: f64) {
        let batches = f64::from(samples) / f64::from(self.base.max(1));
        let left = if self.keep > 0.0 { (batches * self.keep.logarithm()).exponential() } else { 0.0 };
        self.sum = left * self.sum + (1.0 - left) * loss;
        self.weight = left * self.weight + (1.0 - left);
    }

    /// The smoothed loss, once there was a batch.
    #[must_use]
    pub fn loss(&self) -> Option<f64> {
        (self.weight > 0.0).then(|| self.sum / self.weight)
    }
}

/// The search for the largest k.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Search {
    tolerance: f64,
    start: f64,
    best: f64,
    within: Option<u32>,
    behind: Option<u32>,
}

/// What a search has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The largest k that stayed within ε. If it is 1, the critical batch may be smaller than B.
    pub factor: u32,
    /// The first k that did not. `None`: all did, so that the critical batch is at least `factor` times B.
    pub behind: Option<u32>,
}

impl Search {
    /// The state before the first branch. `tolerance`: ε; `start`: the loss from which every branch starts.
    #[must_use]
    pub const fn new(tolerance: f64, start: f64) -> Self {
        Self { tolerance, start, best: f64::INFINITY, within: None, behind: None }
    }

    /// Whether a branch with this smoothed loss diverged: it is not finite, or at least 1.5 times that of the start and 0.1 nats above it.
    #[must_use]
    pub fn diverged(&self, loss: f64) -> bool {
        !loss.is_finite() || is_far_above(loss, self.start)
    }

    /// Takes the smoothed loss of the branch with the next k, which is NaN if it could not be trained. Returns whether it is
    /// within ε of the best so far. After the first one that is not, nothing changes the answer.
    pub fn take(&mut self, factor: u32, loss: f64) -> bool {
        let is_within = loss <= self.best + self.tolerance && !self.diverged(loss);
        if self.behind.is_none() {
            if is_within {
                self.within = Some(factor);
                self.best = self.best.min(loss);
            } else {
                self.behind = Some(factor);
            }
        }
        is_within
    }

    /// Whether a branch has fallen behind, so that others need not be tried.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.behind.is_some()
    }

    /// The answer so far; `None` if even the first branch diverged.
    #[must_use]
    pub fn answer(&self) -> Option<Answer> {
        Some(Answer { factor: self.within?, behind: self.behind })
    }
}
