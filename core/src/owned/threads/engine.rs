//! The engine that holds parameters and optimizer memory.

use core::ops::Range;
use std::boxed::Box;
use std::num::NonZero;
use std::string::String;
use std::sync::Arc;
use std::time::Instant;
use std::vec::Vec;

use super::device::Processors;
use super::error::ThreadsError;
use super::pool::Pool;
use super::sums::Sums;
use super::sweeps::{Accumulating, Evaluating, Over, Projecting, To};
use super::worker::PartWorker;
use crate::config::RunConfig;
use crate::network::{Grain, Score, initialise};
use crate::owned::cluster::{Collective, Peers, Reduction, Traffic, as_one_part};
use crate::owned::zeros::zeros;
use crate::owned::{
    ActivationCache, BatchSums, Confusion, Control, Evaluated, Evaluation, OwnedNetwork, OwnedStatistics,
    SharedDataset, evidence,
};
use crate::shuffle::Order;
use crate::statistics::{Evidence, Needs, check_length};
use crate::subnormal::flush_all;
use crate::training::{Batch, BatchOrder, Cut, Decided, Next, Plan, Round, Step, Task, Telemetry, Trainer};

/// Training on persistent threads. See the [module](super).
pub struct ThreadsEngine {
    pool: Pool<PartWorker>,
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
    /// What sweeps instead of threads.
    device: Option<String>,
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

    /// The same for any network, with a control that the caller may already share.
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
        Self::of_peers(config, network, training, threads.into(), control, None)
    }

    /// One rank of a [`cluster`](crate::owned::cluster): each has an engine of its own, with the same settings, network and data, and all make the
    /// same calls in the same order. With devices instead of threads the bits are those of the devices, for any number of ranks.
    ///
    /// # Errors
    /// Those of [`Self::new`].
    pub fn of_cluster(
        config: &RunConfig,
        network: OwnedNetwork,
        training: SharedDataset,
        processors: impl Into<Processors>,
        control: Arc<Control>,
        (collective, reduction): (Box<dyn Collective>, Reduction),
    ) -> Result<Self, ThreadsError> {
        // One rank is an engine alone.
        let peers = (collective.size() > 1).then(|| Peers::new(collective, reduction)).transpose()?;
        Self::of_peers(config, network, training, processors.into(), control, peers)
    }

    fn of_peers(
        config: &RunConfig,
        network: OwnedNetwork,
        training: SharedDataset,
        processors: Processors,
        control: Arc<Control>,
        peers: Option<Peers>,
    ) -> Result<Self, ThreadsError> {
        // A device has an order of its own.
        let is_threads = matches!(processors, Processors::Threads(_));
        let network = Arc::new(if is_threads { network.by_inputs() } else { network });
        let len = network.view().parameters();
        let mut parameters: Vec<f32> = zeros(len)?;
        let mut memory: Vec<f32> = zeros(config.slots() * len)?;
        initialise(network.view(), config.seed, &mut parameters)?;
        config.start(len, &mut memory);
        let (pool, device) = match processors {
            Processors::Threads(threads) => {
                (Pool::new(threads, || PartWorker::of_thread(&network, &control))?, None)
            }
            Processors::Device(device) => {
                let description = device.description();
                let (network, control) = (Arc::clone(&network), Arc::clone(&control));
                (Pool::of_one(PartWorker::Device { device, network, control }), Some(description))
            }
        };
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
            device,
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

    /// Repeats a step that already counts: its gradient, and the update with the scalars that were decided then.
    ///
    /// # Errors
    /// When it is cancelled or cannot be computed; then nothing has changed.
    pub fn repeat(&mut self, config: &RunConfig, step: &Decided<f32>) -> Result<(), ThreadsError> {
        let mut step = Step::again(step);
        let needs = step.plan().needs;
        let order = Order::new(self.training.len(), config.seed);
        let ready = self.begin_batch(step.batch(), &needs);
        self.sweep(step.batch_mut(), |start| BatchOrder::Shuffled { order, start }, ready)?;
        let (samples, network) = (self.training.len(), self.network.view());
        let [mean_gradient, parameters] =
            [&mut self.mean_gradient, &mut self.parameters].map(|values| &mut Arc::make_mut(values)[..]);
        Ok(step.repeat(config, samples, network, mean_gradient, parameters, &mut self.memory)?)
    }

    /// Answers of a sample of its network: [`Trainer::with_positions`].
    #[must_use]
    pub fn positions(&self) -> usize {
        self.network.view().positions()
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

    /// What sweeps instead of threads, in words.
    #[must_use]
    pub fn device(&self) -> Option<&str> {
        self.device.as_deref()
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
        let (needs, order) = (plan.needs, trainer.order());
        let mut step = Step::of_plan(plan);
        let mut ready = self.begin_batch(step.batch(), &needs);
        let (telemetry, seconds) = loop {
            self.sweep(step.batch_mut(), |start| BatchOrder::Shuffled { order, start }, ready)?;
            let seconds = if needs.step_time { self.common_seconds(begun)? } else { None };
            let inner = step.batch().inner()?;
            let sums = of_batch(&mut self.peers, &mut self.sums);
            let evidence = evidence(sums, trainer, &needs, inner, &self.memory)?;
            let Self { network, mean_gradient, parameters, memory, .. } = self;
            let network = network.view();
            let [mean_gradient, parameters] =
                [mean_gradient, parameters].map(|values| &mut Arc::make_mut(values)[..]);
            let made = step.conclude(trainer, &evidence, network, mean_gradient, parameters, memory)?;
            if let Some(telemetry) = made {
                break (telemetry, seconds);
            }
            ready = Ok(());
        };
        if needs.step_time {
            let seconds = seconds.unwrap_or_else(|| begun.elapsed().as_secs_f64());
            trainer.measured(telemetry.samples, seconds);
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
        let mut batch = Batch::new(0, cut, needs.inner);
        let ready = self.begin_batch(&batch, needs);
        self.sweep(&mut batch, |_| visits, ready)?;
        Ok(of_batch(&mut self.peers, &mut self.sums).evidence(needs, batch.inner()?)?)
    }

    /// Loss and accuracy on a data set. Cannot be cancelled.
    ///
    /// # Errors
    /// When the samples do not fit the network.
    pub fn evaluate(&mut self, dataset: &SharedDataset) -> Result<Evaluated, ThreadsError> {
        let samples = dataset.len();
        let cut = Cut::new(samples, 0);
        let parts = own_parts(self.peers.as_ref(), cut);
        let over = Over {
            round: Round::new(Task::Evaluate, 0, cut),
            first: parts.start,
            visits: BatchOrder::InFileOrder { start: 0 },
            dataset,
            parameters: &self.parameters,
        };
        let network = self.network.view();
        let (mut scores, mut confusion) = (Vec::new(), Confusion::of(network));
        let classes = confusion.classes();
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
        Ok(Evaluated { evaluation: Evaluation::new(total, samples, network.positions()), confusion })
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

    /// Replaces the parameters and, if one is given, the optimizer memory, in the order of files.
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

    /// Ready for the first part of a batch.
    fn begin_batch(&mut self, batch: &Batch<f64>, needs: &Needs) -> Result<(), ThreadsError> {
        self.control.begin();
        self.begin_caching(batch.round().cut(), needs);
        self.begin_sums(needs)
    }

    /// The sweeps of a batch: leaves the total and ḡ. `ready`: whether this rank is, which all ranks come to know with its
    /// sums.
    fn sweep(
        &mut self,
        batch: &mut Batch<f64>,
        visits: impl Fn(u64) -> BatchOrder,
        mut ready: Result<(), ThreadsError>,
    ) -> Result<(), ThreadsError> {
        loop {
            match batch.next() {
                Next::Sweep(round) if round.task() == Task::Project => {
                    self.project(batch, round, visits(round.start()))?;
                }
                Next::Sweep(round) => {
                    let ready = core::mem::replace(&mut ready, Ok(()));
                    let swept = ready.and_then(|()| self.accumulate(batch, round, visits(round.start())));
                    self.add_up(batch, swept)?;
                }
                Next::MeanGradient => {
                    if self.peers.is_none() {
                        let mean_gradient: &mut Vec<f32> = Arc::make_mut(&mut self.mean_gradient);
                        self.sums.batch.mean_gradient(mean_gradient)?;
                    }
                    batch.close()?;
                }
                Next::Weigh | Next::Repeat => return Ok(()),
            }
        }
    }

    /// The second sweep.
    fn project(
        &mut self,
        batch: &mut Batch<f64>,
        round: Round,
        visits: BatchOrder,
    ) -> Result<(), ThreadsError> {
        let parts = own_parts(self.peers.as_ref(), round.cut());
        let Self { training, parameters, mean_gradient, caches, .. } = self;
        let over = Over { round, first: parts.start, visits, dataset: training, parameters };
        let mut projecting = Projecting { over, mean_gradient, caches, taken: 0, inner: Vec::new() };
        let projected = self.pool.run(own_len(&parts), &mut projecting).map(|()| projecting.inner);
        let projected = match &mut self.peers {
            Some(peers) => {
                let own = projected.map(|parts| parts.into_iter().map(|(_, inner)| inner).collect());
                let inner = peers.gather_by_part(round.cut().parts(), own)?;
                (0..).map(|index| round.part(index)).zip(inner).collect()
            }
            None => projected?,
        };
        for (part, inner) in projected {
            batch.take_inner(&part, &inner)?;
        }
        Ok(())
    }

    /// Sums with the memory that `needs` takes.
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

    /// In a cluster, adds what all ranks have swept to the sums of the batch, and leaves ḡ. One that has failed must not leave
    /// the others waiting.
    fn add_up(
        &mut self,
        batch: &mut Batch<f64>,
        swept: Result<(), ThreadsError>,
    ) -> Result<(), ThreadsError> {
        let Some(peers) = &mut self.peers else { return swept };
        let mean_gradient: &mut Vec<f32> = Arc::make_mut(&mut self.mean_gradient);
        let combined = peers.combine(batch, swept.map(|()| &self.kept[..]), mean_gradient);
        self.sums.free.append(&mut self.kept);
        combined
    }

    /// Sweeps the parts that are this engine's: to the sums, or where others add them, to `kept`.
    fn accumulate(
        &mut self,
        batch: &mut Batch<f64>,
        round: Round,
        visits: BatchOrder,
    ) -> Result<(), ThreadsError> {
        let parts = own_parts(self.peers.as_ref(), round.cut());
        let (first, dataset, parameters) = (parts.start, &self.training, &self.parameters);
        let over = Over { round, first, visits, dataset, parameters };
        let is_fast = self.peers.as_ref().is_some_and(Peers::is_fast);
        let compares_ranks = self.peers.as_ref().is_some_and(Peers::compares_ranks);
        let (needs, caches) = (self.sums.needs, &mut self.caches);
        let to = match &self.peers {
            None => To::Batch(batch),
            Some(_) if is_fast => To::Rank,
            Some(_) => To::Others(&mut self.kept),
        };
        if is_fast {
            // What extends a batch is a sum of its own.
            self.sums.begin(self.parameters.len(), needs)?;
        }
        let sums = &mut self.sums;
        self.pool.run(own_len(&parts), &mut Accumulating { over, sums, to, caches, taken: 0 })?;
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
        let parts = if needs.inner && self.device.is_none() { own } else { 0 };
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
