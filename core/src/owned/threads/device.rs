//! What sweeps the parts of a batch instead of the threads.

use std::boxed::Box;
use std::num::NonZero;
use std::string::String;

use super::error::ThreadsError;
use crate::network::Score;
use crate::owned::{Control, SharedDataset};
use crate::statistics::{Inner, Needs, Statistics};
use crate::training::{BatchOrder, Part};

/// A part of a batch for a device.
#[allow(missing_debug_implementations, reason = "it holds a data set")]
#[derive(Clone, Copy)]
pub struct DevicePart<'a> {
    /// Which samples of the batch.
    pub part: &'a Part,
    /// Which samples of the data set these are.
    pub visits: BatchOrder,
    /// Where they come from.
    pub dataset: &'a SharedDataset,
    /// D values, in the order of files.
    pub parameters: &'a [f32],
    /// How far a step is, and whether it was cancelled.
    pub control: &'a Control,
}

/// Sweeps parts on a device of its own, such as a GPU, while parameters, training memory and the step stay with the engine.
///
/// A result must depend on nothing but the part, the parameters and ḡ, so that it is the same whichever device computes
/// it, and after a device was lost.
pub trait PartDevice: Send {
    /// Adds the sums of a part that `needs` names to `sums`, which are empty: Σ gᵢ, the loss and the correct answers, Σ sᵢ and
    /// Σ gᵢ². The means of parts are compared by the engine.
    ///
    /// # Errors
    /// When it was cancelled or cannot be computed.
    fn accumulate(
        &mut self,
        part: &DevicePart<'_>,
        needs: &Needs,
        sums: &mut Statistics<'_, f32>,
    ) -> Result<(), ThreadsError>;

    /// The inner products of a part's gradients with ḡ, D values.
    ///
    /// # Errors
    /// When it was cancelled or cannot be computed.
    fn project(&mut self, part: &DevicePart<'_>, mean_gradient: &[f32]) -> Result<Inner<f64>, ThreadsError>;

    /// Loss and correct answers of a part of a data set. `outputs` is shown the labels of the samples, and their outputs,
    /// \[samples\]\[outputs\].
    ///
    /// # Errors
    /// When it cannot be computed.
    fn evaluate(
        &mut self,
        part: &DevicePart<'_>,
        outputs: &mut dyn FnMut(&[u32], &[f32]),
    ) -> Result<Score<f64>, ThreadsError>;

    /// What computes, in words.
    fn description(&self) -> String;
}

/// What computes the parts that are an engine's own.
#[allow(missing_debug_implementations, reason = "a device need not have any")]
pub enum Processors {
    /// So many threads.
    Threads(NonZero<usize>),
    /// A device.
    Device(Box<dyn PartDevice>),
}

impl From<NonZero<usize>> for Processors {
    fn from(threads: NonZero<usize>) -> Self {
        Self::Threads(threads)
    }
}

impl From<Box<dyn PartDevice>> for Processors {
    fn from(device: Box<dyn PartDevice>) -> Self {
        Self::Device(device)
    }
}
