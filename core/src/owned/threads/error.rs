//! Why the engine on threads gave no result.

use std::fmt;

use std::string::String;

use super::pool::PoolError;
use crate::network::SweepError;
use crate::owned::RunError;
use crate::owned::cluster::CollectiveError;
use crate::statistics::LengthMismatch;
use crate::training::{PartError, StepError};

/// Why the engine on threads gave no result.
#[derive(Debug)]
pub enum ThreadsError {
    /// It was asked to end.
    Cancelled,
    /// The step was refused or cannot be computed.
    Run(RunError),
    /// A thread failed.
    Pool(PoolError),
    /// No thread could be started.
    Start(std::io::Error),
    /// The device that sweeps instead of threads has failed; what it says.
    Device(String),
    /// Another rank of the cluster has failed.
    Rank {
        /// Which.
        rank: usize,
        /// What it says.
        error: String,
    },
    /// Messages between ranks did not arrive.
    Collective(CollectiveError),
}

impl fmt::Display for ThreadsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled => f.write_str("interrupted"),
            Self::Run(error) => error.fmt(f),
            Self::Pool(error) => error.fmt(f),
            Self::Start(error) => write!(f, "no thread could be started: {error}"),
            Self::Device(error) => f.write_str(error),
            Self::Rank { rank, error } => write!(f, "rank {rank}: {error}"),
            Self::Collective(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ThreadsError {}

macro_rules! from {
    ($($error:ty => $variant:expr),+ $(,)?) => {
        $(impl From<$error> for ThreadsError {
            fn from(error: $error) -> Self {
                ($variant)(error)
            }
        })+
    };
}

from! {
    RunError => Self::Run,
    StepError => |error| Self::Run(RunError::Step(error)),
    SweepError => |error| Self::Run(RunError::Sweep(error)),
    LengthMismatch => |error| Self::Run(RunError::from(error)),
    PartError => |error| Self::Run(RunError::from(error)),
    PoolError => Self::Pool,
    CollectiveError => Self::Collective,
    std::io::Error => Self::Start,
}
