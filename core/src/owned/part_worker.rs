//! A worker that sweeps parts of a run's batches.

use std::collections::{BTreeMap, BTreeSet};
use std::vec::Vec;

use super::part_sweep::PartSweep;
use super::zeros::zeros;
use super::{ActivationCache, OwnedNetwork, OwnedStatistics, RunError, SweepMemory};
use crate::backend::Backend;
use crate::config::RunConfig;
use crate::dataset::Dataset;
use crate::network::Score;
use crate::real::Real;
use crate::statistics::{Inner, LengthMismatch, Needs, Statistics, check_length};
use crate::training::{Cut, MicroBatch, Trainer};

/// One of several workers that sweep the parts of a run's batches, each with its own memory and data set: another
/// worker of a browser tab, another process, another machine. The run itself is a [`LocalRun`](super::LocalRun): its
/// `share` says what to do, and it takes the parts in order, so its bits do not depend on which worker swept which
/// part.
#[derive(Debug)]
pub struct PartWorker<F: Real, M> {
    trainer: Trainer<F>,
    network: OwnedNetwork,
    product: M,
    memory: SweepMemory<F>,
    sums: OwnedStatistics<F>,
    parameters: Vec<F>,
    mean_gradient: Vec<F>,
    /// What first sweeps left, part by part.
    caches: BTreeMap<u32, ActivationCache<F>>,
    /// The parts whose cache was filled by a sweep with the present parameters.
    current: BTreeSet<u32>,
}

/// A part of a step's batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepPart {
    /// Samples seen before the batch.
    pub start: u64,
    /// Samples in the batch.
    pub batch: u32,
    /// Which part.
    pub part: u32,
}

impl<F: Real, M: Backend<F> + Copy> PartWorker<F, M> {
    /// A worker for a run over `samples` training samples.
    ///
    /// # Errors
    /// When the settings cannot run, or there is not enough memory.
    pub fn new(config: RunConfig, network: OwnedNetwork, samples: u32, product: M) -> Result<Self, RunError> {
        let network = network.by_inputs();
        let trainer = Trainer::new(config, samples)?.with_grain(network.grain());
        let len = network.view().parameters();
        Ok(Self {
            memory: SweepMemory::new(network.view())?,
            sums: OwnedStatistics::new(len, &trainer.needs())?,
            parameters: zeros(len)?,
            mean_gradient: zeros(len)?,
            caches: BTreeMap::new(),
            current: BTreeSet::new(),
            trainer,
            network,
            product,
        })
    }

    /// Sets the parameters for the sweeps from now on, as [`LocalRun::share`](super::LocalRun::share) returns
    /// them.
    ///
    /// # Errors
    /// When there are not D values.
    pub fn set_parameters(&mut self, parameters: &[F]) -> Result<(), LengthMismatch> {
        check_length("the parameters", self.parameters.len(), parameters.len())?;
        self.parameters.copy_from_slice(parameters);
        self.current.clear();
        Ok(())
    }

    /// Sets ḡ for second sweeps.
    ///
    /// # Errors
    /// When it does not have D values.
    pub fn set_mean_gradient(&mut self, mean_gradient: &[F]) -> Result<(), LengthMismatch> {
        check_length("the mean gradient", self.mean_gradient.len(), mean_gradient.len())?;
        self.mean_gradient.copy_from_slice(mean_gradient);
        Ok(())
    }

    /// Computes the sums over one part and passes them to `read`. A part that the batch does not have has no samples.
    ///
    /// # Errors
    /// When the samples do not fit the network, or there are none such, and those of `read`.
    pub fn accumulate<T, E: From<RunError> + From<LengthMismatch>>(
        &mut self,
        part: StepPart,
        dataset: &dyn Dataset<F>,
        read: impl FnOnce(&mut Statistics<'_, F>) -> Result<T, E>,
    ) -> Result<T, E> {
        let needs = self.trainer.needs();
        self.sums.clear();
        self.sweep_sums(part, dataset, &needs)?;
        self.sums.with(read)
    }

    fn sweep_sums(
        &mut self,
        StepPart { start, batch, part }: StepPart,
        dataset: &dyn Dataset<F>,
        needs: &Needs,
    ) -> Result<(), RunError> {
        let cut = self.trainer.cut(batch);
        let mut order = self.trainer.order();
        let network = self.network.view();
        let cache = self.caches.entry(part).or_default();
        cache.begin(if needs.inner {
            ActivationCache::<F>::limit(network) / cut.parts() as usize
        } else {
            0
        });
        let walk = cut.walk_part(part, self.memory.micro_batch());
        let parameters = &self.parameters;
        let sweep = PartSweep { network, backend: self.product, memory: &mut self.memory, parameters };
        let visit = |position: u32| order.visit(start.saturating_add(position.into()));
        sweep.accumulate::<RunError>(walk.map(Ok), dataset, visit, needs, cache, &mut self.sums)?;
        self.current.insert(part);
        Ok(())
    }

    /// The inner products of one part with ḡ. Those of a part that the batch does not have are of no sample.
    ///
    /// # Errors
    /// When the samples do not fit the network, or there are none such.
    pub fn project(
        &mut self,
        StepPart { start, batch, part }: StepPart,
        dataset: &dyn Dataset<F>,
    ) -> Result<Inner<F::Sum>, RunError> {
        let cut = self.trainer.cut(batch);
        let mut order = self.trainer.order();
        let network = self.network.view();
        let cache = self.caches.get_mut(&part).filter(|_| self.current.contains(&part));
        let walk = cut.walk_part(part, self.memory.micro_batch());
        let parameters = &self.parameters;
        let sweep = PartSweep { network, backend: self.product, memory: &mut self.memory, parameters };
        let visit = |position: u32| order.visit(start.saturating_add(position.into()));
        sweep.project(walk.map(Ok), dataset, visit, &self.mean_gradient, cache)
    }

    /// The score of one part of an evaluation. That of a part that the data set does not have is of no sample.
    ///
    /// # Errors
    /// When the samples do not fit the network.
    pub fn evaluate(&mut self, part: u32, dataset: &dyn Dataset<F>) -> Result<Score<F::Sum>, RunError> {
        let mut score = Score::default();
        let walk = Cut::new(dataset.len(), 0).walk_part(part, self.memory.micro_batch());
        let mut sweep = self.memory.sweep(self.network.view(), self.product)?;
        for MicroBatch { positions, .. } in walk {
            score.merge(sweep.evaluate(&self.parameters, dataset, positions)?);
        }
        Ok(score)
    }
}
