//! What a rule decides.

use crate::real::Real;
use crate::statistics::Reason;

/// What to do after a batch was evaluated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decision {
    /// Make the step.
    Step {
        /// b of the next batch.
        next: u32,
        /// Multiplies the learning rate from the next step on; 1 leaves it as it is.
        learning_rate_factor: f64,
        /// Why the rule could not decide and kept the size.
        held: Option<Reason>,
        /// The size that the rule wanted: a real number, before rounding, limits, windows and waiting. `None` if it has
        /// none; the documentation of each rule has its formula.
        wanted: Option<f64>,
    },
    /// Do not make the step yet: the same batch grows.
    Extend {
        /// The number of samples to add, at least one.
        by: u32,
        /// As for a step.
        wanted: Option<f64>,
    },
}

impl Decision {
    /// The next size, with the learning rate as it is.
    #[must_use]
    pub const fn next(size: u32) -> Self {
        Self::Step { next: size, learning_rate_factor: 1.0, held: None, wanted: None }
    }

    /// The same size, because there is nothing to decide from.
    #[must_use]
    pub const fn hold(size: u32, reason: Reason) -> Self {
        Self::Step { next: size, learning_rate_factor: 1.0, held: Some(reason), wanted: None }
    }

    /// The next size, and another learning rate.
    #[must_use]
    pub const fn with_rate(size: u32, learning_rate_factor: f64) -> Self {
        Self::Step { next: size, learning_rate_factor, held: None, wanted: None }
    }

    /// The same decision with the size that the rule wanted. A size that is not finite is left out.
    #[must_use]
    pub fn wanting<S: Real>(self, size: S) -> Self {
        let size = Some(size.as_f64()).filter(|size| size.is_finite());
        match self {
            Self::Step { next, learning_rate_factor, held, .. } => {
                Self::Step { next, learning_rate_factor, held, wanted: size }
            }
            Self::Extend { by, .. } => Self::Extend { by, wanted: size },
        }
    }

    /// The size that the rule wanted.
    #[must_use]
    pub const fn wanted(self) -> Option<f64> {
        match self {
            Self::Step { wanted, .. } | Self::Extend { wanted, .. } => wanted,
        }
    }

    /// Why the rule could not decide and kept the size.
    #[must_use]
    pub const fn held(self) -> Option<Reason> {
        match self {
            Self::Step { held, .. } => held,
            Self::Extend { .. } => None,
        }
    }

    /// The size of the next batch, if the step is to be made.
    #[must_use]
    pub const fn next_batch(self) -> Option<u32> {
        match self {
            Self::Step { next, .. } => Some(next),
            Self::Extend { .. } => None,
        }
    }
}

/// Whether a learning rate can be multiplied by this: a positive number.
pub(crate) fn is_factor(scale: f64) -> bool {
    scale > 0.0 && scale.is_finite()
}
