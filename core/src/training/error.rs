//! Why a step was refused.

use core::fmt;

use super::part::PartError;
use crate::statistics::LengthMismatch;

/// Why a step was refused. Parameters and optimizer memory are as they were before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StepError {
    /// Loss or gradient is not finite.
    NonFinite {
        /// Which step.
        step: u64,
        /// Which number.
        what: &'static str,
    },
    /// The rule has made the learning rate 0 or infinite.
    LearningRate {
        /// Which step.
        step: u64,
    },
    /// The engine returned another batch than was planned.
    Samples {
        /// Planned.
        planned: u32,
        /// Returned.
        found: u32,
    },
    /// The rule extends the batch before its step, and the engine has not done so.
    NotExtended {
        /// The number of samples to add.
        by: u32,
    },
    /// A part of the batch is missing, or is not the one that is taken next.
    Part(PartError),
    /// A slice has the wrong length.
    Length(LengthMismatch),
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NonFinite { step, what } => write!(
                f,
                "step {step}: the {what} is not a finite number, so the step was not applied: the learning \
                 rate is probably too large, or the data contain a NaN"
            ),
            Self::LearningRate { step } => write!(
                f,
                "step {step}: the rule for batch sizes would multiply the learning rate by 0 or by infinity, so the step \
                 was not applied: let it change the rate by less, or less often"
            ),
            Self::Samples { planned, found } => {
                write!(f, "the step was planned with {planned} samples, but the sums cover {found}")
            }
            Self::NotExtended { by } => {
                write!(
                    f,
                    "the rule extends the batch by {by} samples before its step, which this engine cannot do"
                )
            }
            Self::Part(error) => error.fmt(f),
            Self::Length(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for StepError {}

impl From<LengthMismatch> for StepError {
    fn from(error: LengthMismatch) -> Self {
        Self::Length(error)
    }
}

impl From<PartError> for StepError {
    fn from(error: PartError) -> Self {
        Self::Part(error)
    }
}
