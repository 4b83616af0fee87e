//! What every engine does: one training step, the evidence of a batch, an evaluation.

use std::fmt;
use std::sync::Arc;

use adadagrad_core::network::Grain;
use adadagrad_core::owned::threads::ThreadsError;
use adadagrad_core::owned::{Control, Evaluated, RunError, SharedDataset};
use adadagrad_core::statistics::{Evidence, LengthMismatch, Needs};
use adadagrad_core::training::{BatchOrder, Cut, Plan, StepError, Telemetry, Trainer};

use crate::memory::NotEnoughMemory;
use crate::webgpu::GpuError;

/// An engine: it holds the parameters and the optimizer memory, and computes what the trainer decides.
pub trait Engine {
    /// Makes the planned step: sweeps, update, commit.
    ///
    /// # Errors
    /// When the step is refused, cancelled or cannot be computed; then parameters, optimizer memory and the
    /// trainer are as they were before it.
    fn step(&mut self, trainer: &mut Trainer<f32>, plan: &Plan<f64>) -> Result<Telemetry, EngineError>;

    /// What a batch of training samples says about its gradient. Changes nothing.
    ///
    /// # Errors
    /// When it is cancelled or cannot be computed.
    fn evidence(&mut self, cut: Cut, visits: BatchOrder, needs: &Needs)
    -> Result<Evidence<f64>, EngineError>;

    /// Loss and accuracy on a data set. Cannot be cancelled.
    ///
    /// # Errors
    /// When the samples do not fit the network.
    fn evaluate(&mut self, dataset: &SharedDataset) -> Result<Evaluated, EngineError>;

    /// Parameters and optimizer memory as they stand between two steps.
    ///
    /// # Errors
    /// When they cannot be had from the device.
    fn snapshot(&mut self) -> Result<Snapshot<'_>, EngineError>;

    /// Puts other parameters in place of the present ones, and where given another optimizer memory.
    ///
    /// # Errors
    /// When the lengths do not fit; then nothing has changed.
    fn restore(&mut self, parameters: &[f32], memory: Option<&[f32]>) -> Result<(), EngineError>;

    /// Answers of a sample: [`Trainer::with_positions`].
    fn positions(&self) -> usize;

    /// How finely the batches of a run of its network are cut: [`Trainer::with_grain`].
    fn grain(&self) -> Grain;

    /// What computes, in a few words for the user.
    fn description(&self) -> String;

    /// How far a step is, and the way to cancel it.
    fn control(&self) -> &Arc<Control>;

    /// The number of ranks that add their own sums first, where that decides the bits.
    fn fast_ranks(&self) -> Option<u32> {
        None
    }
}

/// An engine that was chosen while the program runs.
impl Engine for Box<dyn Engine> {
    fn step(&mut self, trainer: &mut Trainer<f32>, plan: &Plan<f64>) -> Result<Telemetry, EngineError> {
        (**self).step(trainer, plan)
    }

    fn evidence(
        &mut self,
        cut: Cut,
        visits: BatchOrder,
        needs: &Needs,
    ) -> Result<Evidence<f64>, EngineError> {
        (**self).evidence(cut, visits, needs)
    }

    fn evaluate(&mut self, dataset: &SharedDataset) -> Result<Evaluated, EngineError> {
        (**self).evaluate(dataset)
    }

    fn snapshot(&mut self) -> Result<Snapshot<'_>, EngineError> {
        (**self).snapshot()
    }

    fn restore(&mut self, parameters: &[f32], memory: Option<&[f32]>) -> Result<(), EngineError> {
        (**self).restore(parameters, memory)
    }

    fn positions(&self) -> usize {
        (**self).positions()
    }

    fn grain(&self) -> Grain {
        (**self).grain()
    }

    fn description(&self) -> String {
        (**self).description()
    }

    fn control(&self) -> &Arc<Control> {
        (**self).control()
    }

    fn fast_ranks(&self) -> Option<u32> {
        (**self).fast_ranks()
    }
}

/// What a checkpoint holds of an engine.
#[derive(Clone, Copy, Debug)]
pub struct Snapshot<'a> {
    /// D values.
    pub parameters: &'a [f32],
    /// Slots · D values.
    pub memory: &'a [f32],
}

/// Checks what [`Engine::restore`] is given against what it replaces.
pub(crate) fn check_lengths(
    parameters: &[f32],
    new_parameters: &[f32],
    memory: &[f32],
    new_memory: Option<&[f32]>,
) -> Result<(), LengthMismatch> {
    let fits = |what, expected, found| {
        if expected == found { Ok(()) } else { Err(LengthMismatch { what, expected, found }) }
    };
    fits("the parameters", parameters.len(), new_parameters.len())?;
    fits("the optimizer memory", memory.len(), new_memory.map_or(memory.len(), <[f32]>::len))
}

/// Why an engine gave no result.
#[derive(Debug)]
pub enum EngineError {
    /// It was asked to end.
    Cancelled,
    /// The trainer refused the step.
    Step(StepError),
    /// Anything else that core found wrong.
    Core(RunError),
    /// A thread failed, or could not be started.
    Threads(ThreadsError),
    /// The machine cannot hold it.
    Memory(NotEnoughMemory),
    /// The GPU cannot be used, or no longer.
    Gpu(GpuError),
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled => f.write_str("interrupted"),
            Self::Step(error) => error.fmt(f),
            Self::Core(error) => error.fmt(f),
            Self::Threads(error) => error.fmt(f),
            Self::Memory(error) => error.fmt(f),
            Self::Gpu(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for EngineError {}

macro_rules! from {
    ($($error:ty => $variant:expr),+ $(,)?) => {
        $(impl From<$error> for EngineError {
            fn from(error: $error) -> Self {
                ($variant)(error)
            }
        })+
    };
}

from! {
    StepError => Self::Step,
    RunError => |error| match error {
        RunError::Step(error) => Self::Step(error),
        error => Self::Core(error),
    },
    LengthMismatch => |error| Self::Step(StepError::Length(error)),
    ThreadsError => |error| match error {
        ThreadsError::Cancelled => Self::Cancelled,
        ThreadsError::Run(error) => error.into(),
        error => Self::Threads(error),
    },
    std::io::Error => |error| Self::Threads(ThreadsError::Start(error)),
    NotEnoughMemory => Self::Memory,
    GpuError => |error| match error {
        GpuError::Data(error) => Self::Core(error.into()),
        error => Self::Gpu(error),
    },
}
