//! A whole run on one thread that owns its memory. It works one micro-batch at a time, so that a caller with a
//! clock can stop inside a step.

mod evaluating;
mod shared;
mod under_way;

pub use shared::Shared;

use std::collections::VecDeque;
use std::vec::Vec;

use self::evaluating::Evaluating;
use self::under_way::UnderWay;
use super::zeros::zeros;
use super::{ActivationCache, BatchSums, OwnedNetwork, OwnedStatistics, RunError, SweepMemory};
use crate::backend::Backend;
use crate::config::{RetuneError, RunConfig};
use crate::dataset::Dataset;
use crate::network::initialise;
use crate::real::Real;
use crate::statistics::check_length;
use crate::subnormal::flush_all;
use crate::training::{Decided, Progress, Telemetry, Trainer};

/// What one call of [`LocalRun::advance`] did.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "one is returned per micro-batch, and none is kept")]
pub enum Advance {
    /// A micro-batch; the step is not complete.
    Working,
    /// The last micro-batch of a step.
    Step(Telemetry),
    /// Nothing: the sample budget is spent.
    Finished,
}

/// A run on this thread.
#[derive(Debug)]
pub struct LocalRun<F: Real, M> {
    trainer: Trainer<F>,
    engine: LocalEngine<F, M>,
    parameters: Vec<F>,
    memory: Vec<F>,
    part: OwnedStatistics<F>,
    sums: BatchSums<F>,
    /// ḡ; during the first sweep nobody needs it.
    mean_gradient: Vec<F>,
    under_way: Option<UnderWay<F>>,
    cache: ActivationCache<F>,
    /// Steps to be made again before any new one.
    repeats: VecDeque<Decided<F>>,
    evaluation: Option<Evaluating<F>>,
}

#[derive(Debug)]
struct LocalEngine<F: Real, M> {
    network: OwnedNetwork,
    memory: SweepMemory<F>,
    product: M,
}

impl<F: Real, M: Backend<F> + Copy> LocalRun<F, M> {
    /// The start of a run of a network over `samples` training samples.
    ///
    /// # Errors
    /// When the settings cannot run, or there is not enough memory.
    pub fn new(config: RunConfig, network: OwnedNetwork, samples: u32, product: M) -> Result<Self, RunError> {
        let mut run = Self::empty(Trainer::new(config, samples)?, network, product)?;
        initialise(run.engine.network.view(), config.seed, &mut run.parameters)?;
        config.start(run.parameters.len(), &mut run.memory);
        Ok(run)
    }

    /// Continues a run at the trainer's progress, from an earlier copy of its parameters and optimizer memory and
    /// the steps that were made since: these are repeated first, and not counted again.
    ///
    /// # Errors
    /// When the lengths do not fit, or there is not enough memory.
    pub fn resume(
        trainer: Trainer<F>,
        network: OwnedNetwork,
        product: M,
        parameters: &[F],
        memory: &[F],
        since: impl IntoIterator<Item = Decided<F>>,
    ) -> Result<Self, RunError> {
        let mut run = Self::empty(trainer, network, product)?;
        check_length("the parameters", run.parameters.len(), parameters.len())?;
        check_length("the optimizer memory", run.memory.len(), memory.len())?;
        let network = run.engine.network.view();
        network.to_own_order(parameters, &mut run.parameters)?;
        network.to_own_order(memory, &mut run.memory)?;
        flush_all(&mut run.parameters);
        flush_all(&mut run.memory);
        run.repeats = since.into_iter().collect();
        Ok(run)
    }

    fn empty(trainer: Trainer<F>, network: OwnedNetwork, product: M) -> Result<Self, RunError> {
        let network = network.by_inputs();
        let trainer = trainer.with_grain(network.grain()).with_positions(network.view().positions());
        let len = network.view().parameters();
        let parameters = zeros(len)?;
        let memory = zeros(trainer.config().slots() * len)?;
        let sweep_memory = SweepMemory::new(network.view())?;
        Ok(Self {
            trainer,
            parameters,
            memory,
            part: OwnedStatistics::new(len, &trainer.needs())?,
            sums: BatchSums::new(len, &trainer.needs())?,
            mean_gradient: zeros(len)?,
            engine: LocalEngine { network, memory: sweep_memory, product },
            under_way: None,
            cache: ActivationCache::default(),
            repeats: VecDeque::new(),
            evaluation: None,
        })
    }

    /// Continues with other settings. An unfinished step starts again with them.
    ///
    /// # Errors
    /// As [`Trainer::retune`].
    pub fn retune(&mut self, config: RunConfig) -> Result<(), RetuneError> {
        self.trainer.retune(config)?;
        self.under_way = self.under_way.take().filter(|under_way| under_way.step.is_repeated());
        Ok(())
    }

    /// The trainer.
    #[must_use]
    pub const fn trainer(&self) -> &Trainer<F> {
        &self.trainer
    }

    /// Reports how long the last step took: [`Trainer::measured`].
    pub fn measured(&mut self, samples: u32, seconds: f64) {
        self.trainer.measured(samples, seconds);
    }

    /// How far the run has come.
    #[must_use]
    pub const fn progress(&self) -> &Progress<F::Sum> {
        self.trainer.progress()
    }

    /// The parameters, D values, in the order of files.
    #[must_use]
    pub fn parameters(&self) -> Vec<F> {
        self.engine.network.as_files_hold(&self.parameters)
    }

    /// The training memory, [`RunConfig::slots`] · D values, in the order of files.
    #[must_use]
    pub fn memory(&self) -> Vec<F> {
        self.engine.network.as_files_hold(&self.memory)
    }

    /// How many sample visits of the current step (or evaluation) are done, and how many it has in total.
    #[must_use]
    pub fn visits(&self) -> (u64, u64) {
        match (&self.evaluation, &self.under_way) {
            (Some(evaluating), _) => evaluating.visits(),
            (None, Some(under_way)) => under_way.visits(),
            (None, None) => (0, 0),
        }
    }

    /// Whether a step has started and is not complete.
    #[must_use]
    pub const fn is_inside_step(&self) -> bool {
        self.under_way.is_some()
    }

    /// Whether steps still have to be repeated; until then the parameters are older than [`Self::progress`].
    #[must_use]
    pub fn is_repeating(&self) -> bool {
        !self.repeats.is_empty()
    }

    /// Sweeps the next micro-batch, and makes the step with the last one.
    ///
    /// # Errors
    /// When the step is refused or cannot be computed; then parameters, optimizer memory and progress are as
    /// they were before it, and the next call starts it again.
    pub fn advance(&mut self, dataset: &dyn Dataset<F>) -> Result<Advance, RunError> {
        let [expected, found] = [self.trainer.samples(), dataset.len()].map(|len| len as usize);
        check_length("the training set", expected, found)?;
        let begun = self.under_way.take().or_else(|| self.begin());
        let Some(under_way) = begun else { return Ok(Advance::Finished) };
        self.sweep(under_way, dataset)
    }
}
