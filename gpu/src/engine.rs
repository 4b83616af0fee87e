//! What every engine does: one training step, the evidence of a batch, an evaluation.

use std::fmt;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use adadagrad_core::cut::Cut;
use adadagrad_core::dataset::Visit;
use adadagrad_core::local::{Evaluation, RunError};
use adadagrad_core::network::SweepError;
use adadagrad_core::shuffle::Order;
use adadagrad_core::statistics::{Evidence, LengthMismatch, Needs};
use adadagrad_core::trainer::{Plan, StepError, Telemetry, Trainer};

use crate::dataset::SharedDataset;
use crate::pool::PoolError;
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

    /// What computes, in a few words for the user.
    fn description(&self) -> String;

    /// How far a step is, and the way to cancel it.
    fn control(&self) -> &Arc<Control>;
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

    fn description(&self) -> String {
        (**self).description()
    }

    fn control(&self) -> &Arc<Control> {
        (**self).control()
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

/// Which training samples stand at a batch's positions.
#[derive(Clone, Copy, Debug)]
pub enum BatchOrder {
    /// Those that a run visits after so many others.
    Shuffled {
        /// The run's order.
        order: Order,
        /// Samples visited before.
        start: u64,
    },
    /// File order, from this sample on.
    InFileOrder {
        /// The first.
        start: u32,
    },
}

impl BatchOrder {
    /// The visit at a position of the batch.
    #[must_use]
    pub fn visit(&mut self, position: u32) -> Visit {
        match self {
            Self::Shuffled { order, start } => order.visit(start.saturating_add(position.into())),
            Self::InFileOrder { start } => start.saturating_add(position).into(),
        }
    }
}

/// Loss, accuracy and who was taken for whom.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluated {
    /// Loss and accuracy.
    pub evaluation: Evaluation,
    /// How often each answer was given for each class.
    pub confusion: Confusion,
}

/// How often a sample of class `row` was classified as class `column`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confusion {
    classes: usize,
    counts: Vec<u32>,
}

impl Confusion {
    /// Zero counts.
    #[must_use]
    pub fn new(classes: usize) -> Self {
        Self { classes, counts: vec![0; classes * classes] }
    }

    /// Counts one sample by the network's outputs, and returns the answer: of equal ones the first. Labels beyond
    /// the classes are left out.
    #[allow(clippy::cast_possible_truncation)]
    pub fn add(&mut self, label: u32, outputs: &[f32]) -> u32 {
        let mut answer = 0;
        for (class, &value) in outputs.iter().enumerate() {
            if value > outputs[answer] {
                answer = class;
            }
        }
        let label = usize::try_from(label).unwrap_or(usize::MAX);
        if label < self.classes && answer < self.classes {
            self.counts[label * self.classes + answer] += 1;
        }
        answer as u32
    }

    /// Adds other samples' counts.
    pub fn merge(&mut self, other: &Self) {
        for (count, &more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
    }

    /// One row of counts a class.
    pub fn rows(&self) -> impl Iterator<Item = &[u32]> {
        self.counts.chunks_exact(self.classes.max(1))
    }
}

/// Shared with whoever watches: how much of the step is done, and requests to wait or to end.
#[derive(Debug, Default)]
pub struct Control {
    done: AtomicU64,
    cancelled: AtomicBool,
    paused: AtomicBool,
    /// A step that waits.
    waiting: Mutex<Option<Waker>>,
}

impl Control {
    /// Sample visits that the step under way has made, all its sweeps together.
    #[must_use]
    pub fn visits(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Asks the engine to end the step under way, and any later one, with [`EngineError::Cancelled`].
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
        self.wake();
    }

    /// Takes the request back.
    pub fn go_on(&self) {
        self.cancelled.store(false, Ordering::Relaxed);
    }

    /// Whether the step is to end.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Asks a step that is awaited to wait between two of its micro-batches. The engine on threads does not.
    pub fn pause(&self) {
        self.paused.store(true, Ordering::Relaxed);
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.paused.store(false, Ordering::Relaxed);
        self.wake();
    }

    pub(crate) fn begin(&self) {
        self.done.store(0, Ordering::Relaxed);
    }

    pub(crate) fn add(&self, visits: u64) {
        self.done.fetch_add(visits, Ordering::Relaxed);
    }

    /// Returns at once unless a pause is asked for, else when it is over.
    pub(crate) async fn wait_while_paused(&self) {
        poll_fn(|context| {
            // Before the look at the flag, so that a call of `resume` in between is not missed.
            *self.waiting() = Some(context.waker().clone());
            let waits = self.paused.load(Ordering::Relaxed) && !self.is_cancelled();
            if waits { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
    }

    fn wake(&self) {
        if let Some(waker) = self.waiting().take() {
            waker.wake();
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Option<Waker>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
    /// A thread failed.
    Pool(PoolError),
    /// No thread could be started.
    Threads(std::io::Error),
    /// The GPU cannot be used, or no longer.
    Gpu(GpuError),
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled => f.write_str("interrupted"),
            Self::Step(error) => error.fmt(f),
            Self::Core(error) => error.fmt(f),
            Self::Pool(error) => error.fmt(f),
            Self::Gpu(error) => error.fmt(f),
            Self::Threads(error) => write!(f, "no thread could be started: {error}"),
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
    SweepError => |error| Self::Core(RunError::Sweep(error)),
    LengthMismatch => |error| Self::Step(StepError::Length(error)),
    PoolError => Self::Pool,
    GpuError => Self::Gpu,
    std::io::Error => Self::Threads,
}
