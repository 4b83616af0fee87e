//! The engine that holds parameters and optimizer memory.

use core::ops::Range;
use std::boxed::Box;
use std::num::NonZero;
use std::sync::Arc;
use std::time::Instant;
use std::vec::Vec;

use super::error::ThreadsError;
use super::pool::Pool;
use super::sums::Sums;
use super::sweeps::{Accumulating, Evaluating, Over, Projecting};
use super::worker::ThreadWorker;
use crate::config::RunConfig;
use crate::network::{Grain, Score, initialise};
use crate::owned::cluster::{Collective, Peers, Reduction, Traffic, as_one_part};
use crate::owned::zeros::zeros;
use crate::owned::{
    ActivationCache, BatchSums, Confusion, Control, Evaluated, Evaluation, OwnedNetwork, OwnedStatistics,
    SharedDataset, evidence,
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
    /// The other ranks of a cluster.
    peers: Option<Peers>,
    /// The sums of this rank's parts, for all to add.
    kept: Vec<OwnedStatistics<f32>>,
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
        Self::of_peers(config, network, training, threads, control, None)
    }

    /// One rank of a [`cluster`](crate::owned::cluster): each has an engine of its own, with the same settings, network and data, and all make the
    /// same calls in the same order.
    ///
    /// # Errors
    /// Those of [`Self::new`].
    pub fn of_cluster(
        config: &RunConfig,
        network: OwnedNetwork,
        training: SharedDataset,
        threads: NonZero<usize>,
        control: Arc<Control>,
        (collective, reduction): (Box<dyn Collective>, Reduction),
    ) -> Result<Self, ThreadsError> {
        // One rank is an engine alone.
        let peers = (collective.size() > 1).then(|| Peers::new(collective, reduction)).transpose()?;
        Self::of_peers(config, network, training, threads, control, peers)
    }

    fn of_peers(
        config: &RunConfig,
        network: OwnedNetwork,
        training: SharedDataset,
        threads: NonZero<usize>,
        control: Arc<Control>,
        peers: Option<Peers>,
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
            sums: Sums::new(0, Needs::NONE, peers.as_ref().is_none_or(Peers::is_fast))?,
            peers,
            kept: Vec::new(),
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
        self.sweep(step.plan.cut, BatchOrder::Shuffled { order, start: step.plan.start }, &Needs::NONE)?;
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

    /// In a cluster, what this rank has sent to the others so far.
    #[must_use]
    pub fn traffic(&self) -> Option<Traffic> {
        self.peers.as_ref().map(Peers::traffic)
    }

    /// Whether each rank adds its own sums first, so that the bits depend on the number of ranks.
    #[must_use]
    pub fn adds_by_rank(&self) -> bool {
        self.peers.as_ref().is_some_and(Peers::is_fast)
    }

    /// Number of ranks that compute together.
    #[must_use]
    pub fn ranks(&self) -> usize {
        self.peers.as_ref().map_or(1, Peers::size)
    }

    /// Makes the planned step: sweeps, update, commit.
    ///
    /// # Errors
    /// When the step is refused, cancelled or cannot be computed; then parameters, optimizer memory and the trainer are
    /// as they were before it.
    pub fn step(&mut self, trainer: &mut Trainer<f32>, plan: &Plan<f64>) -> Result<Telemetry, ThreadsError> {
        let begun = Instant::now();
        let visits = |plan: &Plan<f64>| BatchOrder::Shuffled { order: trainer.order(), start: plan.start };
        let inner = self.sweep(plan.cut, visits(plan), &plan.needs)?;
        let mut whole = *plan;
        let (sums, memory) = (of_batch(&mut self.peers, &mut self.sums), &self.memory);
        let mut evidence = evidence(sums, trainer, &plan.needs, inner, memory)?;
        while let Some(extension) = trainer.extension(&whole, &evidence) {
            self.sweep_more(extension.cut, visits(&extension))?;
            whole = whole.with(&extension);
            evidence = of_batch(&mut self.peers, &mut self.sums).evidence(&plan.needs, None)?;
        }
        let seconds = if plan.needs.step_time { self.common_seconds(begun)? } else { None };
        let parameters = Arc::make_mut(&mut self.parameters);
        let telemetry =
            trainer.conclude(&whole, &evidence, &self.mean_gradient, parameters, &mut self.memory)?;
        if plan.needs.step_time {
            let seconds = seconds.unwrap_or_else(|| begun.elapsed().as_secs_f64());
            trainer.measured(whole.cut.samples(), seconds);
        }
        Ok(telemetry)
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
        Ok(of_batch(&mut self.peers, &mut self.sums).evidence(needs, inner)?)
    }

    /// Loss and accuracy on a data set. Cannot be cancelled.
    ///
    /// # Errors
    /// When the samples do not fit the network.
    pub fn evaluate(&mut self, dataset: &SharedDataset) -> Result<Evaluated, ThreadsError> {
        let samples = dataset.len();
        let cut = Cut::new(samples, 0);
        let parts = own_parts(self.peers.as_ref(), cut);
        let over = Over { cut, first: parts.start, dataset, parameters: &self.parameters };
        let classes = self.network.view().classes();
        let (mut scores, mut confusion) = (Vec::new(), Confusion::new(classes));
        let mut evaluating = Evaluating { over, scores, confusion };
        let evaluated = self.pool.run(own_len(&parts), &mut evaluating);
        Evaluating { scores, confusion, .. } = evaluating;
        if let Some(peers) = &mut self.peers {
            scores = peers.gather_by_part(cut.parts(), evaluated.map(|()| scores))?;
            let counts = peers.gather_values(Ok(confusion.counts().to_vec()), |_| classes * classes)?;
            confusion = Confusion::new(classes);
            counts
                .chunks_exact((classes * classes).max(1))
                .for_each(|counts| confusion.add_counts(counts.iter().copied()));
        } else {
            evaluated?;
        }
        let mut total = Score::default();
        scores.into_iter().for_each(|score| total.merge(score));
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
        let begun = self.begin_sums(needs);
        self.begin_caching(cut, needs);
        let swept = begun.and_then(|()| self.sweep_own(cut, visits));
        self.add_up(cut, swept)?;
        if !needs.inner {
            return Ok(None);
        }
        let parts = own_parts(self.peers.as_ref(), cut);
        let over = Over { cut, first: parts.start, dataset: &self.training, parameters: &self.parameters };
        let (mean_gradient, caches) = (&self.mean_gradient, &mut self.caches);
        let mut projecting = Projecting { over, visits, mean_gradient, caches, taken: 0, inner: Vec::new() };
        let projected = self.pool.run(own_len(&parts), &mut projecting).map(|()| projecting.inner);
        let inner = match &mut self.peers {
            Some(peers) => peers.gather_by_part(cut.parts(), projected)?,
            None => projected?,
        };
        let mut total = Inner::default();
        inner.iter().for_each(|part| total.merge(part));
        Ok(Some(total))
    }

    /// Ready for the first part of a batch.
    fn begin_sums(&mut self, needs: &Needs) -> Result<(), ThreadsError> {
        let parameters = self.parameters.len();
        let mut own = *needs;
        if let Some(peers) = &mut self.peers {
            peers.begin(parameters, *needs)?;
            if peers.compares_ranks() {
                own.parts = 0;
            }
        }
        Ok(self.sums.begin(parameters, own)?)
    }

    /// The first sweep of what extends a batch: adds to the sums, and leaves the ḡ of all.
    fn sweep_more(&mut self, cut: Cut, visits: BatchOrder) -> Result<(), ThreadsError> {
        let swept = self.sweep_own(cut, visits);
        self.add_up(cut, swept)
    }

    /// Adds what was swept, in a cluster by all ranks, to the sums of the batch, and leaves ḡ. One that has failed must not
    /// leave the others waiting.
    fn add_up(&mut self, cut: Cut, swept: Result<(), ThreadsError>) -> Result<(), ThreadsError> {
        let mean_gradient: &mut Vec<f32> = Arc::make_mut(&mut self.mean_gradient);
        let Some(peers) = &mut self.peers else {
            swept?;
            return Ok(self.sums.batch.mean_gradient(mean_gradient)?);
        };
        let combined = peers.combine(cut.parts(), swept.map(|()| &self.kept[..]), mean_gradient);
        self.sums.free.append(&mut self.kept);
        combined
    }

    /// Sweeps the parts that are this engine's: to the sums, or where others add them, to `kept`.
    fn sweep_own(&mut self, cut: Cut, visits: BatchOrder) -> Result<(), ThreadsError> {
        let parts = own_parts(self.peers.as_ref(), cut);
        let over = Over { cut, first: parts.start, dataset: &self.training, parameters: &self.parameters };
        let is_fast = self.peers.as_ref().is_some_and(Peers::is_fast);
        let compares_ranks = self.peers.as_ref().is_some_and(Peers::compares_ranks);
        let (needs, caches) = (self.sums.needs, &mut self.caches);
        let kept = (self.peers.is_some() && !is_fast).then_some(&mut self.kept);
        if is_fast {
            // What extends a batch is a sum of its own.
            self.sums.begin(self.parameters.len(), needs)?;
        }
        let sums = &mut self.sums;
        self.pool.run(own_len(&parts), &mut Accumulating { over, visits, sums, kept, caches, taken: 0 })?;
        if is_fast && !parts.is_empty() {
            let mut part = self.sums.part()?;
            as_one_part(&mut self.sums.batch, &mut part, compares_ranks)?;
            self.kept.push(part);
        }
        Ok(())
    }

    /// In a cluster, how long the step took on the first rank: all must decide from the same number.
    fn common_seconds(&mut self, begun: Instant) -> Result<Option<f64>, ThreadsError> {
        let Some(peers) = &mut self.peers else { return Ok(None) };
        let seconds = peers.gather_values(Ok(std::vec![begun.elapsed().as_secs_f64()]), |_| 1)?;
        Ok(seconds.first().copied())
    }

    /// As many micro-batches of each part as there is memory for, where there is a second sweep.
    fn begin_caching(&mut self, cut: Cut, needs: &Needs) {
        let own = own_parts(self.peers.as_ref(), cut).len();
        let parts = if needs.inner { own } else { 0 };
        let limit = ActivationCache::<f32>::limit(self.network.view()) / parts.max(1);
        self.caches.resize_with(parts, ActivationCache::default);
        self.caches.iter_mut().for_each(|cache| cache.begin(limit));
    }
}

/// The parts of a batch that this engine sweeps: all, or in a cluster those of its rank.
fn own_parts(peers: Option<&Peers>, cut: Cut) -> Range<u32> {
    peers.map_or(0..cut.parts(), |peers| peers.own_parts(cut.parts()))
}

const fn own_len(parts: &Range<u32>) -> u32 {
    parts.end - parts.start
}

/// The sums of the whole batch.
fn of_batch<'a>(peers: &'a mut Option<Peers>, sums: &'a mut Sums) -> &'a mut BatchSums<f32> {
    match peers {
        Some(peers) => &mut peers.batch,
        None => &mut sums.batch,
    }
}
