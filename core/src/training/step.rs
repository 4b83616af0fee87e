//! A training step as a state machine: it says what to sweep, takes the parts in order, and decides.

use super::batch::{Batch, Next};
use super::error::StepError;
use super::plan::{Decided, Plan};
use super::telemetry::Telemetry;
use super::trainer::{Pending, Trainer};
use crate::config::RunConfig;
use crate::network::Network;
use crate::optimizer::StepScalars;
use crate::real::Real;
use crate::statistics::{Evidence, LengthMismatch, Needs};

/// The state machine of a step. The engine calls [`Self::next`] and does what it says:
///
/// | next | the engine | then |
/// |---|---|---|
/// | [`Next::Sweep`] | sweeps parts, here or elsewhere, and adds their sums in order | [`Batch::take_sums`], [`Batch::take_inner`] |
/// | [`Next::MeanGradient`] | computes ḡ from the sums | [`Batch::close`] |
/// | [`Next::Weigh`] | computes the evidence of the batch | [`Self::conclude`], or [`Self::weigh`] and [`Trainer::commit`] |
/// | [`Next::Repeat`] | – | [`Self::repeat`] |
///
/// A part that is missing, duplicated or out of order is an error, and so is a part of another sweep. Nothing has
/// changed before the step is concluded: drop the state machine to start again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step<F: Real> {
    /// With its extensions so far.
    plan: Plan<F::Sum>,
    batch: Batch<F::Sum>,
    /// The scalars of a step that is made again.
    decided: Option<StepScalars<F>>,
}

impl<F: Real> Step<F> {
    /// The next step of a run; `None` when the sample budget is spent.
    #[must_use]
    pub fn begin(trainer: &Trainer<F>) -> Option<Self> {
        trainer.plan().map(|plan| Self::of_plan(&plan))
    }

    /// A planned step.
    #[must_use]
    pub fn of_plan(plan: &Plan<F::Sum>) -> Self {
        Self { plan: *plan, batch: Batch::new(plan.start, plan.cut, plan.needs.inner), decided: None }
    }

    /// A step that already counts and is repeated. Only its gradient is computed, which is summed as it was.
    #[must_use]
    pub fn again(decided: &Decided<F>) -> Self {
        let Decided { plan, scalars } = *decided;
        let plan = Plan { needs: Needs { inner: false, ..plan.needs }, ..plan };
        Self { decided: Some(scalars), ..Self::of_plan(&plan) }
    }

    /// The next action.
    #[must_use]
    pub fn next(&self) -> Next {
        match self.batch.next() {
            Next::Weigh if self.decided.is_some() => Next::Repeat,
            next => next,
        }
    }

    /// Whether it already counts and is repeated.
    #[must_use]
    pub const fn is_repeated(&self) -> bool {
        self.decided.is_some()
    }

    /// What the step does, with the samples by which its batch has been extended.
    #[must_use]
    pub const fn plan(&self) -> &Plan<F::Sum> {
        &self.plan
    }

    /// Its batch.
    #[must_use]
    pub const fn batch(&self) -> &Batch<F::Sum> {
        &self.batch
    }

    /// Its batch, to take parts.
    pub const fn batch_mut(&mut self) -> &mut Batch<F::Sum> {
        &mut self.batch
    }

    /// Weighs the batch's evidence. `None` if the rule has extended the batch: then its next samples are to be swept
    /// into the same sums.
    ///
    /// # Errors
    /// When a part is missing, or those of [`Trainer::weigh`].
    pub fn weigh(
        &mut self,
        trainer: &Trainer<F>,
        evidence: &Evidence<F::Sum>,
    ) -> Result<Option<Pending<F>>, StepError> {
        if self.extend(trainer, evidence)? {
            return Ok(None);
        }
        trainer.weigh(&self.plan, evidence).map(Some)
    }

    /// Weighs the batch's evidence, and makes the step: updates parameters and training memory, and commits. `None` if
    /// the rule has extended the batch, as with [`Self::weigh`]. ḡ is as
    /// [`Statistics::mean_gradient`](crate::statistics::Statistics::mean_gradient) rounds it; it is clipped in place.
    ///
    /// # Errors
    /// When a part is missing, or the step is refused; then nothing has changed.
    pub fn conclude(
        &mut self,
        trainer: &mut Trainer<F>,
        evidence: &Evidence<F::Sum>,
        network: Network<'_>,
        mean_gradient: &mut [F],
        parameters: &mut [F],
        memory: &mut [F],
    ) -> Result<Option<Telemetry>, StepError> {
        if self.extend(trainer, evidence)? {
            return Ok(None);
        }
        trainer.conclude(&self.plan, evidence, network, mean_gradient, parameters, memory).map(Some)
    }

    /// Makes the update of a step that already counts, over a run of `samples` training samples.
    ///
    /// # Errors
    /// When a part is missing, a length does not fit, or the step was not weighed before; then nothing has changed.
    pub fn repeat(
        &self,
        config: &RunConfig,
        samples: u32,
        network: Network<'_>,
        mean_gradient: &mut [F],
        parameters: &mut [F],
        memory: &mut [F],
    ) -> Result<(), StepError> {
        self.batch.check_whole()?;
        let what = "the scalars of the step";
        let scalars = self.decided.ok_or(LengthMismatch { what, expected: 1, found: 0 })?;
        let decided = Decided { plan: self.plan, scalars };
        Ok(config.update(&decided, samples, network, parameters, mean_gradient, memory)?)
    }

    /// Whether the rule extends the batch, which is done then.
    fn extend(&mut self, trainer: &Trainer<F>, evidence: &Evidence<F::Sum>) -> Result<bool, StepError> {
        self.batch.check_whole()?;
        let Some(cut) = trainer.extension(&self.plan, evidence) else { return Ok(false) };
        self.batch.extend(cut);
        self.plan.cut = self.plan.cut.with(cut);
        Ok(true)
    }
}
