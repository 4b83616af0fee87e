//! What may be wrong with a checkpoint.

use std::fmt;
use std::string::String;
use std::vec::Vec;

use safetensors::SafeTensorError;

use super::names::{STATE, STATE_VERSION};
use crate::fields::Fault;

/// What is wrong with a checkpoint.
#[derive(Debug)]
pub enum CheckpointError {
    /// Not a valid safetensors file.
    Format(SafeTensorError),
    /// The header places a tensor beyond the end of the file.
    Beyond {
        /// Which tensor.
        tensor: String,
        /// Bytes in the file.
        bytes: usize,
    },
    /// The header is not valid: in which field, and why.
    Header(Fault),
    /// A file as `torch.save` writes it.
    Pickle,
    /// Values of a type that is not F16, BF16, F32 or F64.
    Type {
        /// Which tensor.
        tensor: String,
        /// Its type.
        found: String,
    },
    /// A value is NaN or infinite, or beyond the range of `f32`.
    NonFinite {
        /// Which tensor.
        tensor: String,
        /// Which value, counted from 0.
        index: usize,
    },
    /// A value of a sum or mean of squares is negative.
    Negative {
        /// Which tensor of the optimizer's memory.
        tensor: String,
        /// Which value, counted from 0.
        index: usize,
    },
    /// The state is not valid: in which field, and why.
    State(String),
    /// A state of another version.
    Version(u32),
    /// There is no state, so no run can continue from this file.
    NoState,
    /// The state is inconsistent.
    Progress(&'static str),
    /// A tensor is missing.
    Missing {
        /// Its name.
        tensor: String,
        /// The shape it should have.
        expected: Vec<usize>,
    },
    /// A tensor has another shape than the network asks for.
    Shape {
        /// Its name.
        tensor: String,
        /// The shape it should have.
        expected: Vec<usize>,
        /// The shape it has.
        found: Vec<usize>,
    },
    /// Running statistics of a batch normalization, which the network does not have.
    BatchNorm {
        /// The tensor's name.
        tensor: String,
    },
    /// A layer that the network does not have.
    Unexpected {
        /// The tensor's name.
        tensor: String,
        /// Its shape.
        found: Vec<usize>,
    },
}

impl fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format(error) => write!(f, "not a valid safetensors file: {error}"),
            Self::Beyond { tensor, bytes } => {
                write!(
                    f,
                    "the file is cut off, or its header is wrong: the tensor {tensor} lies beyond the end at byte {bytes}"
                )
            }
            Self::Header(fault) => write!(f, "not a valid safetensors file: {fault}"),
            Self::Pickle => f.write_str(
                "not a valid safetensors file, but one written by torch.save: save the state_dict with \
                 safetensors.torch.save_file",
            ),
            Self::Type { tensor, found } => write!(
                f,
                "the tensor {tensor} has values of type {found}, but F32, F16, BF16 or F64 is expected"
            ),
            Self::NonFinite { tensor, index } => {
                write!(f, "value {index} of the tensor {tensor} is not a finite F32 number")
            }
            Self::Negative { tensor, index } => {
                write!(f, "value {index} of the tensor {tensor} is negative, but it is a sum or mean of squares")
            }
            Self::State(problem) => {
                write!(f, "the metadata entry `{STATE}` is not a valid run state: {problem}")
            }
            Self::Version(version) => {
                write!(
                    f,
                    "the checkpoint has version {version}, but this program reads versions 1 to {STATE_VERSION}"
                )
            }
            Self::NoState => f.write_str(
                "the file contains parameters, but not the state of a run: only a new run can start from them",
            ),
            Self::Progress(what) => write!(f, "the run's state is inconsistent: {what}"),
            Self::Missing { tensor, expected } => {
                write!(f, "the tensor {tensor} of shape {expected:?} is missing")
            }
            Self::Shape { tensor, expected, found } => {
                write!(f, "the tensor {tensor} has the shape {found:?}, but {expected:?} is expected")
            }
            Self::BatchNorm { tensor } => write!(
                f,
                "the tensor {tensor} belongs to a batch normalization, which these models do not have: merge it into \
                 the preceding layer first"
            ),
            Self::Unexpected { tensor, found } => {
                write!(f, "the tensor {tensor} of shape {found:?} does not belong to any layer of this model")
            }
        }
    }
}

impl std::error::Error for CheckpointError {}

impl From<SafeTensorError> for CheckpointError {
    fn from(error: SafeTensorError) -> Self {
        Self::Format(error)
    }
}
