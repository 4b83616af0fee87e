//! The messages that a cluster must be able to exchange.

use std::fmt;
use std::string::String;
use std::vec::Vec;

/// Carries messages between the ranks of a cluster. All ranks call it in the same order.
pub trait Collective: Send {
    /// This rank: below [`Self::size`].
    fn rank(&self) -> usize;

    /// Number of ranks, at least 1.
    fn size(&self) -> usize;

    /// Sends `messages[r]` to each rank r, this one included, and fills `received[r]` with the message of rank r to this
    /// one. Both sides know its length beforehand.
    ///
    /// # Errors
    /// When a rank has ended, or has sent a message of another length.
    fn exchange(&mut self, messages: &[&[u8]], received: &mut [Vec<u8>]) -> Result<(), CollectiveError>;
}

/// Why messages did not arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CollectiveError {
    /// A rank has ended.
    Lost {
        /// Which.
        rank: usize,
    },
    /// A rank has sent a message of another length than expected: the ranks are not at the same step.
    Length {
        /// Which.
        rank: usize,
        /// Bytes that were expected.
        expected: usize,
        /// Bytes that were received.
        found: usize,
    },
    /// The transport has failed.
    Failed(String),
}

impl fmt::Display for CollectiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost { rank } => write!(f, "rank {rank} has ended"),
            Self::Length { rank, expected, found } => {
                write!(
                    f,
                    "rank {rank} sent {found} bytes, but {expected} were expected: the ranks are not at the same step"
                )
            }
            Self::Failed(error) => f.write_str(error),
        }
    }
}

impl std::error::Error for CollectiveError {}
