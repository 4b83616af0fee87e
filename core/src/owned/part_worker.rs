//! A worker that sweeps parts of a run's batches.

use std::collections::BTreeMap;
use std::vec::Vec;

use super::workspaces::CachingWorkspaces;
use super::zeros::zeros;
use super::{ActivationCache, OwnedNetwork, OwnedStatistics, RunError, SweepMemory};
use crate::backend::Backend;
use crate::config::RunConfig;
use crate::dataset::Dataset;
use crate::network::Score;
use crate::real::Real;
use crate::shuffle::Order;
use crate::statistics::{Inner, LengthMismatch, Needs, Statistics, check_length};
use crate::training::{BatchOrder, Part, Sweeper, Task, Work};

/// One of several workers that sweep the parts of a run's batches, each with its own memory and data set: another
/// worker of a browser tab, another process, another machine. The run itself is a [`LocalRun`](super::LocalRun): its
/// `share` says what to do, and it takes the parts in order, so its bits do not depend on which worker swept which
/// part.
#[derive(Debug)]
pub struct PartWorker<F: Real, M> {
    needs: Needs,
    order: Order,
    network: OwnedNetwork,
    product: M,
    memory: SweepMemory<F>,
    sums: OwnedStatistics<F>,
    parameters: Vec<F>,
    mean_gradient: Vec<F>,
    /// What first sweeps left, part by part.
    caches: BTreeMap<u32, ActivationCache<F>>,
    /// The parts whose cache was filled by a sweep with the present parameters.
    current: BTreeMap<u32, Part>,
}

/// The result of a worker for a part.
#[derive(Debug)]
pub enum Swept<'w, 's, F: Real> {
    /// Of a first sweep.
    Sums(&'w mut Statistics<'s, F>),
    /// Of a second one.
    Inner(Inner<F::Sum>),
    /// Of an evaluation.
    Score(Score<F::Sum>),
}

impl<F: Real, M: Backend<F> + Copy> PartWorker<F, M> {
    /// A worker for a run over `samples` training samples.
    ///
    /// # Errors
    /// When the settings cannot run, or there is not enough memory.
    pub fn new(config: RunConfig, network: OwnedNetwork, samples: u32, product: M) -> Result<Self, RunError> {
        config.validate_under_way_in::<F>(samples)?;
        let network = network.by_inputs();
        let (len, needs) = (network.view().parameters(), config.needs());
        Ok(Self {
            memory: SweepMemory::new(network.view())?,
            sums: OwnedStatistics::new(len, &needs)?,
            parameters: zeros(len)?,
            mean_gradient: zeros(len)?,
            caches: BTreeMap::new(),
            current: BTreeMap::new(),
            order: Order::new(samples, config.seed),
            needs,
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

    /// Sweeps a part and passes the result to `read`. A part that the batch does not have has no samples.
    ///
    /// # Errors
    /// When the samples do not fit the network, or do not exist, and those of `read`.
    pub fn sweep<T, E: From<RunError> + From<LengthMismatch>>(
        &mut self,
        part: &Part,
        dataset: &dyn Dataset<F>,
        read: impl FnOnce(Swept<'_, '_, F>) -> Result<T, E>,
    ) -> Result<T, E> {
        let network = self.network.view();
        let of_first_sweep = Part { task: Task::Accumulate, ..*part };
        let cache = match part.task {
            Task::Accumulate => {
                let cache = self.caches.entry(part.index).or_default();
                let limit = ActivationCache::<F>::limit(network) / part.cut.parts() as usize;
                cache.begin(if self.needs.inner { limit } else { 0 });
                self.current.remove(&part.index);
                Some(cache)
            }
            Task::Project if self.current.get(&part.index) == Some(&of_first_sweep) => {
                self.caches.get_mut(&part.index)
            }
            Task::Project | Task::Evaluate => None,
        };
        let mut visits = match part.task {
            Task::Accumulate | Task::Project => BatchOrder::Shuffled { order: self.order, start: part.start },
            Task::Evaluate => BatchOrder::InFileOrder { start: 0 },
        };
        let workspaces =
            &mut CachingWorkspaces { network, backend: self.product, memory: &mut self.memory, cache };
        let visit = |position| visits.visit(position);
        let mut sweeper = Sweeper { workspaces, parameters: &self.parameters, dataset, visit };
        let mut sweep = |mut work: Work<'_, '_, F>| sweeper.part::<RunError>(part, &mut work, |_| Ok(()));
        match part.task {
            Task::Accumulate => {
                let Self { sums, needs, current, .. } = self;
                sums.clear();
                sums.with::<_, RunError>(|sums| sweep(Work::Accumulate { needs, sums }))?;
                current.insert(part.index, *part);
                sums.with(|sums| read(Swept::Sums(sums)))
            }
            Task::Project => {
                let mut inner = Inner::default();
                sweep(Work::Project { mean_gradient: &self.mean_gradient, inner: &mut inner })?;
                read(Swept::Inner(inner))
            }
            Task::Evaluate => {
                let mut score = Score::default();
                sweep(Work::Evaluate { score: &mut score, outputs: &mut |_, _| {} })?;
                read(Swept::Score(score))
            }
        }
    }
}
