//! Why a run does not start or continue.

use core::fmt;

use crate::config::ConfigError;
use crate::model::ModelError;
use crate::network::{NetworkError, SweepError};
use crate::statistics::LengthMismatch;
use crate::training::{PartError, StepError};

/// Why a run does not start or continue. Its state is unchanged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RunError {
    /// The settings cannot run.
    Config(ConfigError),
    /// The model has no layers.
    Model(ModelError),
    /// The layers do not fit together, or not the data.
    Network(NetworkError),
    /// A step was refused.
    Step(StepError),
    /// A micro-batch could not be swept.
    Sweep(SweepError),
    /// This many bytes could not be allocated.
    OutOfMemory {
        /// Bytes requested.
        bytes: usize,
    },
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::Model(error) => error.fmt(f),
            Self::Network(error) => error.fmt(f),
            Self::Step(error) => error.fmt(f),
            Self::Sweep(error) => error.fmt(f),
            Self::OutOfMemory { bytes } => {
                write!(f, "out of memory: {} MiB more could not be allocated", bytes.div_ceil(1 << 20))
            }
        }
    }
}

impl core::error::Error for RunError {}

macro_rules! from {
    ($($error:ty => $variant:expr),+ $(,)?) => {
        $(impl From<$error> for RunError {
            fn from(error: $error) -> Self {
                $variant(error)
            }
        })+
    };
}

from! {
    ConfigError => RunError::Config,
    ModelError => RunError::Model,
    NetworkError => RunError::Network,
    StepError => RunError::Step,
    SweepError => RunError::Sweep,
    LengthMismatch => |error| RunError::Step(StepError::Length(error)),
    PartError => |error| RunError::Step(StepError::Part(error)),
}
