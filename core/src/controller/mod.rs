//! Controllers: rules for the size of the next batch. One file per rule.
//!
//! A rule is a pure function: [`Controller::decide`] takes its state and the [`Situation`] after a batch, and returns a
//! [`Decision`] and the next state. Settings and states are plain values, so a step that fails changes nothing, and a
//! run continues from a checkpoint as if it had not stopped.
//!
//! A rule that changes the learning rate returns a factor with its decision. The trainer multiplies the schedule's rate
//! by the product of these factors.

mod accordion;
mod ada_batch;
mod ada_batch_grad;
mod adadagrad;
mod any;
mod big_batch;
mod cabs;
mod constant;
mod cost_aware;
mod decision;
mod dive_batch;
mod gradient_noise_scale;
mod linear;
mod list;
mod milestones;
mod rounding;
mod rows;
mod seesaw;
mod simi_grad;
mod situation;
mod smith;
mod stages;
mod step_time;
mod window;
mod words;

pub use crate::ratio_average::RatioAverage;
pub use accordion::{Accordion, AccordionState};
pub use ada_batch::AdaBatch;
pub use ada_batch_grad::AdaBatchGrad;
pub use adadagrad::AdAdaGrad;
pub use big_batch::BigBatch;
pub use cabs::{Cabs, CabsState};
pub use constant::Constant;
pub use cost_aware::{CostAware, CostAwareState};
pub use decision::Decision;
pub(crate) use decision::is_factor;
pub use dive_batch::{DiveBatch, DiveBatchState};
pub use gradient_noise_scale::GradientNoiseScale;
pub use linear::Linear;
pub use list::ListError;
pub use milestones::Milestones;
pub use seesaw::Seesaw;
pub use simi_grad::SimiGrad;
pub(crate) use situation::epochs;
pub use situation::{Limits, Situation};
pub use smith::Smith;
pub use stages::{StageList, Stages};
pub use step_time::{StepTime, TimeFit};
pub use window::{MOST_IN_WINDOW, Window, WindowKind};
pub use words::Words;

use any::{Answers, rules};

use crate::real::Real;
use crate::statistics::Needs;

/// A rule for the next batch size.
pub trait Controller<S: Real> {
    /// What the rule remembers from step to step.
    type State: Copy + Default + PartialEq + core::fmt::Debug;

    /// What an engine must compute for it, beyond loss and mean gradient and what the batch-size test needs.
    fn needs(&self) -> Needs {
        Needs::NONE
    }

    /// Whether it decides by what the batch-size test requires.
    fn uses_test(&self) -> bool {
        false
    }

    /// Whether it decides by the loss, with the learning rate.
    fn uses_loss(&self) -> bool {
        false
    }

    /// Whether it changes the learning rate.
    fn changes_learning_rate(&self) -> bool {
        false
    }

    /// Whether it decides by the number of training samples: it counts epochs, or its limit is a fraction of that
    /// number.
    fn uses_training_samples(&self) -> bool {
        false
    }

    /// Decides after a batch. Changes nothing: the caller keeps the new state once the step is complete.
    fn decide(&self, state: Self::State, now: &Situation<'_, S>) -> (Decision, Self::State);

    /// Whether the batch after one of `batch` samples has the same size and learning rate in any case, and the state
    /// does not matter. Then the next step is known before this one is computed.
    fn is_settled(&self, batch: u32, limits: Limits) -> bool {
        let _ = (batch, limits);
        false
    }

    /// The size of the first batch, where the settings ask for `initial`.
    fn first_batch(&self, initial: u32) -> u32 {
        initial
    }
}

// The one table of rules: a new one is a row here, and a file.
rules! {
    with_state {
        "adadagrad" => AdAdaGrad, Window,
        "cabs" => Cabs, CabsState<S>,
        "dive_batch" => DiveBatch, DiveBatchState<S>,
        "gradient_noise_scale" => GradientNoiseScale, RatioAverage<S>,
        "ada_batch_grad" => AdaBatchGrad, Window,
        "accordion" => Accordion, AccordionState<S>,
        "cost_aware" => CostAware, CostAwareState<S>,
    }
    without_state {
        "constant" => Constant,
        "stages" => Stages,
        "linear" => Linear,
        "geometric" => AdaBatch,
        "smith" => Smith,
        "seesaw" => Seesaw,
        "big_batch" => BigBatch,
        "simi_grad" => SimiGrad,
    }
}
