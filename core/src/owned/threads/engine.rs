//! The engine that holds parameters and optimizer memory.

use std::num::NonZero;
use std::sync::Arc;
use std::vec::Vec;

use super::error::ThreadsError;
use super::pool::Pool;
use super::sums::Sums;
use super::sweeps::{Accumulating, Evaluating, Over, Projecting};
use super::worker::ThreadWorker;
use crate::config::RunConfig;
use crate::network::{Grain, Score, initialise};
use crate::owned::zeros::zeros;
use crate::owned::{
    ActivationCache, Confusion, Control, Evaluated, Evaluation, OwnedNetwork, SharedDataset, evidence,
};
use crate::shuffle::Order;
use crate::statistics::{Evidence, Inner, Needs, check_length};
use crate::subnormal::flush_all;
use crate::training::{BatchOrder, Cut, Decided, Plan, Telemetry, Trainer};

/// Training on persistent threads. See the [module](super).
pub struct ThreadsEngine {
    pool: Pool<ThreadWorker>,
    network: Arc<OwnedNetwork>,
    training: SharedDataset,
    /// In the network's own order, as the memory and ḡ.
    parameters: Arc<Vec<f32>>,
    memory: Vec<f32>,
    /// What [`Self::as_files_hold`] shows: parameters and memory as files hold them.
    shown: [Vec<f32>; 2],
    /// ḡ; meaningful from the first sweep's end to the step's.
    mean_gradient: Arc<Vec<f32>>,
    sums: Sums,
    /// What each part's first sweep leaves for the second.
    caches: Vec<ActivationCache<f32>>,
    control: Arc<Control>,
}

impl core::fmt::Debug for ThreadsEngine {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let (threads, parameters) = (self.threads(), self.parameters.len());
        write!(f, "ThreadsEngine {{ {threads} threads, {parameters} parameters }}")
    }
}

impl ThreadsEngine {
    /// An engine for the settings' model and optimizer, with parameters drawn from the settings' seed.
    ///
    /// # Errors
    /// When the model does not fit the data, there is not enough memory, or no thread can be started.
    pub fn new(
        config: &RunConfig,
        training: SharedDataset,
        threads: NonZero<usize>,
    ) -> Result<Self, ThreadsError> {
        let network = OwnedNetwork::of_model(config.model, training.shape())?;
        Self::of_network(config, network, training, threads, Arc::default())
    }

    /// The same for any network, under a control that somebody may hold already.
    ///
    /// # Errors
    /// Those of [`Self::new`].
    pub fn of_network(
        config: &RunConfig,
        network: OwnedNetwork,
        training: SharedDataset,
        threads: NonZero<usize>,
        control: Arc<Control>,
    ) -> Result<Self, ThreadsError> {
        let network = Arc::new(network.by_inputs());
        let len = network.view().parameters();
        let mut parameters: Vec<f32> = zeros(len)?;
        let mut memory: Vec<f32> = zeros(config.slots() * len)?;
        initialise(network.view(), config.seed, &mut parameters)?;
        config.start(len, &mut memory);
        let pool = Pool::new(threads, || ThreadWorker::new(&network, &control))?;
        Ok(Self {
            pool,
            training,
            parameters: Arc::new(parameters),
            memory,
            shown: [Vec::new(), Vec::new()],
            mean_gradient: Arc::new(zeros(len)?),
            // The first batch says which.
            sums: Sums::new(0, Needs::default())?,
            caches: Vec::new(),
            network,
            control,
        })
    }

    /// The parameters, D values, as files hold them.
    #[must_use]
    pub fn parameters(&self) -> Vec<f32> {
        self.network.as_files_hold(&self.parameters)
    }

    /// The training memory, [`RunConfig::slots`] · D values, as files hold them.
    #[must_use]
    pub fn memory(&self) -> Vec<f32> {
        self.network.as_files_hold(&self.memory)
    }

    /// Makes a step again that counts already: its gradient, and the update with the scalars decided then.
    ///
    /// # Errors
    /// When it is cancelled or cannot be computed; then nothing has changed.
    pub fn repeat(&mut self, config: &RunConfig, step: &Decided<f32>) -> Result<(), ThreadsError> {
        let order = Order::new(self.training.len(), config.seed);
        self.sweep(step.plan.cut, BatchOrder::Shuffled { order, start: step.plan.start }, &Needs::default())?;
        let parameters = Arc::make_mut(&mut self.parameters);
        let samples = self.training.len();
        Ok(config.update(
            &step.plan,
            samples,
            &step.scalars,
            parameters,
            &self.mean_gradient,
            &mut self.memory,
        )?)
    }

    /// How finely the batches of a run of its network are cut.
    #[must_use]
    pub fn grain(&self) -> Grain {
        self.network.grain()
    }

    /// How many threads compute.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.pool.threads()
    }

    /// Makes the planned step: sweeps, update, commit.
    ///
    /// # Errors
    /// When the step is refused, cancelled or cannot be computed; then parameters, optimizer memory and the trainer are
    /// as they were before it.
    pub fn step(&mut self, trainer: &mut Trainer<f32>, plan: &Plan<f64>) -> Result<Telemetry, ThreadsError> {
        let visits = |plan: &Plan<f64>| BatchOrder::Shuffled { order: trainer.order(), start: plan.start };
        let inner = self.sweep(plan.cut, visits(plan), &plan.needs)?;
        let mut whole = *plan;
        let mut evidence = evidence(&mut self.sums.batch, trainer, &plan.needs, inner, &self.memory)?;
        while let Some(extension) = trainer.extension(&whole, &evidence) {
            self.sweep_more(extension.cut, visits(&extension))?;
            whole = whole.with(&extension);
            evidence = self.sums.batch.evidence(&plan.needs, None)?;
        }
        let parameters = Arc::make_mut(&mut self.parameters);
        Ok(trainer.conclude(&whole, &evidence, &self.mean_gradient, parameters, &mut self.memory)?)
    }

    /// What a batch of training samples says about its gradient. Changes nothing.
    ///
    /// # Errors
    /// When it is cancelled or cannot be computed.
    pub fn evidence(
        &mut self,
        cut: Cut,
        visits: BatchOrder,
        needs: &Needs,
    ) -> Result<Evidence<f64>, ThreadsError> {
        let inner = self.sweep(cut, visits, needs)?;
        Ok(self.sums.batch.evidence(needs, inner)?)
    }

    /// Loss and accuracy on a data set. Cannot be cancelled.
    ///
    /// # Errors
    /// When the samples do not fit the network.
    pub fn evaluate(&mut self, dataset: &SharedDataset) -> Result<Evaluated, ThreadsError> {
        let samples = dataset.len();
        let cut = Cut::new(samples, 0);
        let over = Over { cut, dataset, parameters: &self.parameters };
        let confusion = Confusion::new(self.network.view().classes());
        let mut evaluating = Evaluating { over, total: Score::default(), confusion };
        self.pool.run(cut.parts(), &mut evaluating)?;
        let Evaluating { total, confusion, .. } = evaluating;
        Ok(Evaluated { evaluation: Evaluation::new(total, samples), confusion })
    }

    /// Parameters and optimizer memory between two steps, as files hold them.
    ///
    /// # Errors
    /// When there is not enough memory for these copies.
    pub fn as_files_hold(&mut self) -> Result<[&[f32]; 2], ThreadsError> {
        let network = self.network.view();
        for (shown, own) in self.shown.iter_mut().zip([&self.parameters[..], &self.memory[..]]) {
            if shown.len() != own.len() {
                *shown = zeros(own.len())?;
            }
            network.from_own_order(own, shown)?;
        }
        Ok(self.shown.each_ref().map(Vec::as_slice))
    }

    /// Puts other parameters in place of the present ones, and where given another optimizer memory, as files hold them.
    ///
    /// # Errors
    /// When the lengths do not fit; then nothing has changed.
    pub fn restore(&mut self, parameters: &[f32], memory: Option<&[f32]>) -> Result<(), ThreadsError> {
        check_length("the parameters", self.parameters.len(), parameters.len())?;
        let memory_len = memory.map_or(self.memory.len(), <[f32]>::len);
        check_length("the optimizer memory", self.memory.len(), memory_len)?;
        let network = self.network.view();
        if let Some(memory) = memory {
            network.to_own_order(memory, &mut self.memory)?;
            flush_all(&mut self.memory);
        }
        let own: &mut Vec<f32> = Arc::make_mut(&mut self.parameters);
        network.to_own_order(parameters, own)?;
        flush_all(own);
        Ok(())
    }

    /// How far a step is, and the way to cancel it.
    #[must_use]
    pub const fn control(&self) -> &Arc<Control> {
        &self.control
    }

    /// The sweeps of a batch: leaves the total and ḡ, and returns what the second sweep found.
    fn sweep(
        &mut self,
        cut: Cut,
        visits: BatchOrder,
        needs: &Needs,
    ) -> Result<Option<Inner<f64>>, ThreadsError> {
        self.control.begin();
        self.sums.begin(self.parameters.len(), *needs)?;
        self.begin_caching(cut, needs);
        self.sweep_more(cut, visits)?;
        if !needs.inner {
            return Ok(None);
        }
        let over = Over { cut, dataset: &self.training, parameters: &self.parameters };
        let (mean_gradient, caches) = (&self.mean_gradient, &mut self.caches);
        let mut projecting =
            Projecting { over, visits, mean_gradient, caches, taken: 0, total: Inner::default() };
        self.pool.run(cut.parts(), &mut projecting)?;
        Ok(Some(projecting.total))
    }

    /// The first sweep of a batch, or of what extends it: adds to the sums, and leaves the ḡ of all.
    fn sweep_more(&mut self, cut: Cut, visits: BatchOrder) -> Result<(), ThreadsError> {
        let over = Over { cut, dataset: &self.training, parameters: &self.parameters };
        let (sums, caches) = (&mut self.sums, &mut self.caches);
        self.pool.run(cut.parts(), &mut Accumulating { over, visits, sums, caches, taken: 0 })?;
        let mean_gradient: &mut Vec<f32> = Arc::make_mut(&mut self.mean_gradient);
        Ok(self.sums.batch.mean_gradient(mean_gradient)?)
    }

    /// As many micro-batches of each part as there is memory for, where there is a second sweep.
    fn begin_caching(&mut self, cut: Cut, needs: &Needs) {
        let parts = if needs.inner { cut.parts() as usize } else { 0 };
        let limit = ActivationCache::<f32>::limit(self.network.view()) / parts.max(1);
        self.caches.resize_with(parts, ActivationCache::default);
        self.caches.iter_mut().for_each(|cache| cache.begin(limit));
    }
}
