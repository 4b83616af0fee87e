//! Why a sweep failed.

use core::fmt;

use crate::dataset::ReadError;
use crate::statistics::LengthMismatch;

/// Why a sweep failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SweepError {
    /// A slice has the wrong length.
    Length(LengthMismatch),
    /// More samples than the workspace was made for.
    TooManySamples {
        /// Its capacity.
        capacity: usize,
    },
    /// A sample that the data set does not have.
    Sample {
        /// Which sample was requested.
        sample: u32,
        /// Number of samples.
        samples: u32,
    },
    /// A sample could not be read.
    Read {
        /// Which sample of the data set.
        sample: u32,
        /// What its data set says.
        error: ReadError,
    },
    /// A second sweep over samples that cannot be read again.
    Stream,
    /// A label that is not below the network's number of classes.
    Label {
        /// Which sample of the data set.
        sample: u32,
        /// Its label.
        label: u32,
        /// Number of classes.
        classes: usize,
    },
    /// A value that an embedding does not take: not a whole number, or not below its vocabulary.
    Token {
        /// Which sample of the data set.
        sample: u32,
        /// At which position, counted from 0.
        position: usize,
        /// Number of tokens.
        vocabulary: u32,
    },
    /// A target that binary cross-entropy does not take: less than 0, more than 1, or not a number.
    Target {
        /// Which sample of the data set.
        sample: u32,
    },
}

impl fmt::Display for SweepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(error) => error.fmt(f),
            Self::TooManySamples { capacity } => {
                write!(f, "too many samples: the working memory holds at most {capacity}")
            }
            Self::Stream => f.write_str(
                "the data set is a stream, whose samples cannot be read again: choose a test without inner products, \
                 or batches of one micro-batch, whose activations are kept",
            ),
            Self::Read { sample, error } => write!(f, "sample {sample} could not be read: {error}"),
            Self::Target { sample } => {
                write!(f, "sample {sample} has a target that is not between 0 and 1, which binary cross-entropy \
                           requires")
            }
            Self::Token { sample, position, vocabulary } => {
                write!(
                    f,
                    "sample {sample} has no token at position {position}: tokens are whole numbers below the embedding's \
                     vocabulary of {vocabulary}"
                )
            }
            Self::Label { sample, label, classes } => {
                write!(f, "sample {sample} has label {label}, but the network has only {classes} classes")
            }
            Self::Sample { sample, samples } => {
                write!(f, "there is no sample {sample} in a data set of {samples} samples, counted from 0")
            }
        }
    }
}

impl core::error::Error for SweepError {}

impl From<LengthMismatch> for SweepError {
    fn from(error: LengthMismatch) -> Self {
        Self::Length(error)
    }
}
