//! Why a run stopped.

use core::fmt;

use adadagrad_core::config::ConfigError;
use adadagrad_core::network::SweepError;
use adadagrad_core::parameter_bytes::ParameterBytesError;
use adadagrad_core::statistics::LengthMismatch;
use adadagrad_core::training::{PartError, StepError};

/// Why a run stopped.
#[derive(Debug)]
pub enum Failure {
    /// The settings.
    Config(ConfigError),
    /// A sweep.
    Sweep(SweepError),
    /// A step.
    Step(StepError),
    /// A slice.
    Length(LengthMismatch),
    /// Parameters as bytes.
    Bytes(ParameterBytesError),
    /// The digits in this program.
    Digits,
    /// The rule extends batches, for which these programs have no memory.
    Extended,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::Sweep(error) => error.fmt(f),
            Self::Step(error) => error.fmt(f),
            Self::Length(error) => error.fmt(f),
            Self::Bytes(error) => error.fmt(f),
            Self::Digits => f.write_str("the digits in this program are not as many as their labels"),
            Self::Extended => f.write_str("the rule extends batches, which these programs do not"),
        }
    }
}

impl core::error::Error for Failure {}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<SweepError> for Failure {
    fn from(error: SweepError) -> Self {
        Self::Sweep(error)
    }
}

impl From<StepError> for Failure {
    fn from(error: StepError) -> Self {
        Self::Step(error)
    }
}

impl From<PartError> for Failure {
    fn from(error: PartError) -> Self {
        Self::Step(error.into())
    }
}

impl From<ParameterBytesError> for Failure {
    fn from(error: ParameterBytesError) -> Self {
        Self::Bytes(error)
    }
}

impl From<LengthMismatch> for Failure {
    fn from(error: LengthMismatch) -> Self {
        Self::Length(error)
    }
}
