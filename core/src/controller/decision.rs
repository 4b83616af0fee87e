//! What a rule decides.

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
        /// Why the size is kept for want of something to decide from.
        held: Option<Reason>,
    },
    /// Do not make the step yet: the same batch grows.
    Extend {
        /// The number of samples to add, at least one.
        by: u32,
    },
}

impl Decision {
    /// The next size, with the learning rate as it is.
    #[must_use]
    pub const fn next(size: u32) -> Self {
        Self::Step { next: size, learning_rate_factor: 1.0, held: None }
    }

    /// The same size, because there is nothing to decide from.
    #[must_use]
    pub const fn hold(size: u32, reason: Reason) -> Self {
        Self::Step { next: size, learning_rate_factor: 1.0, held: Some(reason) }
    }

    /// The next size, and another learning rate.
    #[must_use]
    pub const fn with_rate(size: u32, learning_rate_factor: f64) -> Self {
        Self::Step { next: size, learning_rate_factor, held: None }
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
