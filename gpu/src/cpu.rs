//! The engine on the processor's threads.
//!
//! A batch is cut into parts by [`Cut`], which depends on the batch and the test alone. Threads take parts as
//! they come free, each with its own working memory; the caller's thread adds the parts' sums to the total in
//! the order of the parts. So the result has the same bits for any number of threads, and the same as
//! [`adadagrad_core::local::LocalRun`]. Memory: per thread a sweep's working memory and two sums over D
//! parameters, whatever the batch.

use std::num::NonZero;
use std::slice;
use std::sync::Arc;

use adadagrad_core::backend::FastBackend;
use adadagrad_core::config::RunConfig;
use adadagrad_core::cut::{Cut, MicroBatch};
use adadagrad_core::local::{
    BatchSums, Evaluation, Kept, OwnedNetwork, OwnedStatistics, RunError, SweepMemory,
};
use adadagrad_core::network::{Score, initialise};
use adadagrad_core::shuffle::Order;
use adadagrad_core::statistics::{Evidence, Inner, Needs};
use adadagrad_core::subnormal::flush_all;
use adadagrad_core::trainer::{Decided, Plan, Telemetry, Trainer};

use crate::dataset::SharedDataset;
use crate::engine::{
    BatchOrder, Confusion, Control, Engine, EngineError, Evaluated, Snapshot, check_lengths,
};
use crate::pool::{InOrder, Pool, Worker};

/// Training on persistent threads. See the [module](self).
pub struct ThreadsEngine {
    pool: Pool<PartWorker>,
    network: Arc<OwnedNetwork>,
    training: SharedDataset,
    /// In the network's own order, as the memory and ḡ.
    parameters: Arc<Vec<f32>>,
    memory: Vec<f32>,
    /// What [`Engine::snapshot`] shows: parameters and memory as files hold them.
    shown: [Vec<f32>; 2],
    /// ḡ; meaningful from the first sweep's end to the step's.
    mean_gradient: Arc<Vec<f32>>,
    sums: Sums,
    /// What each part's first sweep keeps for the second.
    kept: Vec<Kept<f32>>,
    control: Arc<Control>,
}

impl std::fmt::Debug for ThreadsEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (threads, parameters) = (self.threads(), self.parameters.len());
        write!(f, "ThreadsEngine {{ {threads} threads, {parameters} parameters }}")
    }
}

/// How many threads this machine can run at once; one when it does not say.
#[must_use]
pub fn available_threads() -> NonZero<usize> {
    std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN)
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
    ) -> Result<Self, EngineError> {
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
    ) -> Result<Self, EngineError> {
        let network = Arc::new(network.by_inputs());
        let optimizer = config.optimizer.as_optimizer::<f32>();
        let len = network.view().parameters();
        let mut parameters = zeros(len)?;
        let mut memory = zeros(optimizer.slots() * len)?;
        initialise(network.view(), config.seed, &mut parameters)?;
        optimizer.start(&mut memory);
        let pool = Pool::new(threads, || PartWorker::new(&network, &control))?;
        Ok(Self {
            pool,
            training,
            parameters: Arc::new(parameters),
            memory,
            shown: [Vec::new(), Vec::new()],
            mean_gradient: Arc::new(zeros(len)?),
            sums: Sums::new(len, Needs::default())?,
            kept: Vec::new(),
            network,
            control,
        })
    }

    /// The parameters, D values, as files hold them.
    #[must_use]
    pub fn parameters(&self) -> Vec<f32> {
        self.network.as_files_hold(&self.parameters)
    }

    /// The optimizer memory, slots · D values, as files hold them.
    #[must_use]
    pub fn memory(&self) -> Vec<f32> {
        self.network.as_files_hold(&self.memory)
    }

    /// Makes a step again that counts already: its gradient, and the update with the scalars decided then.
    ///
    /// # Errors
    /// When it is cancelled or cannot be computed; then nothing has changed.
    pub fn repeat(&mut self, config: &RunConfig, step: &Decided<f32>) -> Result<(), EngineError> {
        let order = Order::new(self.training.len(), config.seed);
        self.sweep(step.plan.cut, BatchOrder::Shuffled { order, start: step.plan.start }, &Needs::default())?;
        let optimizer = config.optimizer.as_optimizer::<f32>();
        let parameters = Arc::make_mut(&mut self.parameters);
        Ok(optimizer.update(&step.scalars, parameters, &self.mean_gradient, &mut self.memory)?)
    }

    /// How many threads compute.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.pool.threads()
    }

    /// The sweeps of a batch: leaves the total and ḡ, and returns what the second sweep found.
    fn sweep(
        &mut self,
        cut: Cut,
        visits: BatchOrder,
        needs: &Needs,
    ) -> Result<Option<Inner<f64>>, EngineError> {
        self.control.begin();
        self.sums.begin(self.parameters.len(), *needs)?;
        self.begin_keeping(cut, needs);
        let over = Over { cut, dataset: &self.training, parameters: &self.parameters };
        let (sums, kept) = (&mut self.sums, &mut self.kept);
        self.pool.run(cut.parts(), &mut Accumulating { over, visits, sums, kept, taken: 0 })?;
        let mean_gradient = Arc::make_mut(&mut self.mean_gradient);
        self.sums.batch.mean_gradient(mean_gradient)?;
        if !needs.inner {
            return Ok(None);
        }
        let (mean_gradient, kept) = (&self.mean_gradient, &mut self.kept);
        let mut projecting =
            Projecting { over, visits, mean_gradient, kept, taken: 0, total: Inner::default() };
        self.pool.run(cut.parts(), &mut projecting)?;
        Ok(Some(projecting.total))
    }

    /// As many micro-batches of each part as there is memory for, where there is a second sweep.
    fn begin_keeping(&mut self, cut: Cut, needs: &Needs) {
        let parts = if needs.inner { cut.parts() as usize } else { 0 };
        let most = Kept::<f32>::most(self.network.view()) / parts.max(1);
        self.kept.resize_with(parts, Kept::default);
        self.kept.iter_mut().for_each(|kept| kept.begin(most));
    }
}

impl Engine for ThreadsEngine {
    fn step(&mut self, trainer: &mut Trainer<f32>, plan: &Plan<f64>) -> Result<Telemetry, EngineError> {
        let visits = BatchOrder::Shuffled { order: trainer.order(), start: plan.start };
        let inner = self.sweep(plan.cut, visits, &plan.needs)?;
        let evidence = self.sums.batch.evidence(&plan.needs, inner)?;
        let parameters = Arc::make_mut(&mut self.parameters);
        Ok(trainer.conclude(plan, &evidence, &self.mean_gradient, parameters, &mut self.memory)?)
    }

    fn evidence(
        &mut self,
        cut: Cut,
        visits: BatchOrder,
        needs: &Needs,
    ) -> Result<Evidence<f64>, EngineError> {
        let inner = self.sweep(cut, visits, needs)?;
        Ok(self.sums.batch.evidence(needs, inner)?)
    }

    fn evaluate(&mut self, dataset: &SharedDataset) -> Result<Evaluated, EngineError> {
        let samples = dataset.len();
        let cut = Cut::new(samples, 0);
        let over = Over { cut, dataset, parameters: &self.parameters };
        let confusion = Confusion::new(self.network.view().classes());
        let mut evaluating = Evaluating { over, total: Score::default(), confusion };
        self.pool.run(cut.parts(), &mut evaluating)?;
        let Evaluating { total, confusion, .. } = evaluating;
        Ok(Evaluated { evaluation: Evaluation::new(total, samples), confusion })
    }

    fn snapshot(&mut self) -> Result<Snapshot<'_>, EngineError> {
        self.shown = [self.parameters(), self.memory()];
        let [parameters, memory] = &self.shown;
        Ok(Snapshot { parameters, memory })
    }

    fn restore(&mut self, parameters: &[f32], memory: Option<&[f32]>) -> Result<(), EngineError> {
        check_lengths(&self.parameters, parameters, &self.memory, memory)?;
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

    fn description(&self) -> String {
        match self.threads() {
            1 => "1 thread".to_owned(),
            threads => format!("{threads} threads"),
        }
    }

    fn control(&self) -> &Arc<Control> {
        &self.control
    }
}

fn zeros(len: usize) -> Result<Vec<f32>, RunError> {
    let mut values = Vec::new();
    let bytes = len.saturating_mul(size_of::<f32>());
    values.try_reserve_exact(len).map_err(|_| RunError::OutOfMemory { bytes })?;
    values.resize(len, 0.0);
    Ok(values)
}

/// The batch's sums, and those of parts to be used again.
#[derive(Debug)]
struct Sums {
    needs: Needs,
    parameters: usize,
    batch: BatchSums<f32>,
    free: Vec<OwnedStatistics<f32>>,
}

impl Sums {
    fn new(parameters: usize, needs: Needs) -> Result<Self, RunError> {
        Ok(Self { needs, parameters, batch: BatchSums::new(parameters, &needs)?, free: Vec::new() })
    }

    /// Ready for the first part, with the memory that `needs` takes.
    fn begin(&mut self, parameters: usize, needs: Needs) -> Result<(), RunError> {
        if needs == self.needs {
            let mut part = self.part()?;
            self.batch.begin(&mut part);
            self.free.push(part);
        } else {
            *self = Self::new(parameters, needs)?;
        }
        Ok(())
    }

    /// Memory for a part's sums.
    fn part(&mut self) -> Result<OwnedStatistics<f32>, RunError> {
        self.free.pop().map_or_else(|| OwnedStatistics::new(self.parameters, &self.needs), Ok)
    }
}

/// What all the jobs of a sweep share.
#[derive(Clone, Copy)]
struct Over<'a> {
    cut: Cut,
    dataset: &'a SharedDataset,
    parameters: &'a Arc<Vec<f32>>,
}

impl Over<'_> {
    fn job(&self, part: u32, task: Task) -> Job {
        let (dataset, parameters) = (Arc::clone(self.dataset), Arc::clone(self.parameters));
        Job { task, cut: self.cut, part, dataset, parameters }
    }
}

/// The first sweep.
struct Accumulating<'a> {
    over: Over<'a>,
    visits: BatchOrder,
    sums: &'a mut Sums,
    kept: &'a mut [Kept<f32>],
    /// Parts whose results were taken.
    taken: usize,
}

impl InOrder<PartWorker> for Accumulating<'_> {
    type Error = EngineError;

    fn job(&mut self, part: u32) -> Result<Job, EngineError> {
        let (needs, sums) = (self.sums.needs, self.sums.part()?);
        let kept = borrow(self.kept, part);
        Ok(self.over.job(part, Task::Accumulate { visits: self.visits, needs, sums, kept }))
    }

    fn take(&mut self, done: Result<Done, EngineError>) -> Result<(), EngineError> {
        if let Done::Sums(mut part, kept) = done? {
            give_back(self.kept, &mut self.taken, kept);
            self.sums.batch.take(&mut part, &self.sums.needs)?;
            self.sums.free.push(part);
        }
        Ok(())
    }
}

/// The second sweep.
struct Projecting<'a> {
    over: Over<'a>,
    visits: BatchOrder,
    mean_gradient: &'a Arc<Vec<f32>>,
    kept: &'a mut [Kept<f32>],
    /// Parts whose results were taken.
    taken: usize,
    total: Inner<f64>,
}

impl InOrder<PartWorker> for Projecting<'_> {
    type Error = EngineError;

    fn job(&mut self, part: u32) -> Result<Job, EngineError> {
        let mean_gradient = Arc::clone(self.mean_gradient);
        let kept = borrow(self.kept, part);
        Ok(self.over.job(part, Task::Project { visits: self.visits, mean_gradient, kept }))
    }

    fn take(&mut self, done: Result<Done, EngineError>) -> Result<(), EngineError> {
        if let Done::Inner(part, kept) = done? {
            give_back(self.kept, &mut self.taken, kept);
            self.total.merge(&part);
        }
        Ok(())
    }
}

/// A part's kept micro-batches, for a job. What an error swallows is made again in the next step.
fn borrow(kept: &mut [Kept<f32>], part: u32) -> Kept<f32> {
    kept.get_mut(part as usize).map(core::mem::take).unwrap_or_default()
}

/// Puts them back: results are taken in the order of parts.
fn give_back(kept: &mut [Kept<f32>], taken: &mut usize, of_part: Kept<f32>) {
    if let Some(place) = kept.get_mut(*taken) {
        *place = of_part;
    }
    *taken += 1;
}

/// An evaluation.
struct Evaluating<'a> {
    over: Over<'a>,
    total: Score<f64>,
    confusion: Confusion,
}

impl InOrder<PartWorker> for Evaluating<'_> {
    type Error = EngineError;

    fn job(&mut self, part: u32) -> Result<Job, EngineError> {
        Ok(self.over.job(part, Task::Evaluate))
    }

    fn take(&mut self, done: Result<Done, EngineError>) -> Result<(), EngineError> {
        if let Done::Score(score, confusion) = done? {
            self.total.merge(score);
            self.confusion.merge(&confusion);
        }
        Ok(())
    }
}

/// A part of a batch, and what to do with it. Whoever has done it holds nothing of it any more, so that the
/// caller finds its parameters unshared when it updates them.
struct Job {
    task: Task,
    cut: Cut,
    part: u32,
    dataset: SharedDataset,
    parameters: Arc<Vec<f32>>,
}

enum Task {
    Accumulate { visits: BatchOrder, needs: Needs, sums: OwnedStatistics<f32>, kept: Kept<f32> },
    Project { visits: BatchOrder, mean_gradient: Arc<Vec<f32>>, kept: Kept<f32> },
    Evaluate,
}

/// What came of a [`Job`].
enum Done {
    Sums(OwnedStatistics<f32>, Kept<f32>),
    Inner(Inner<f64>, Kept<f32>),
    Score(Score<f64>, Confusion),
}

/// One thread's engine.
struct PartWorker {
    network: Arc<OwnedNetwork>,
    memory: SweepMemory<f32>,
    control: Arc<Control>,
}

impl PartWorker {
    fn new(network: &Arc<OwnedNetwork>, control: &Arc<Control>) -> Result<Self, EngineError> {
        let memory = SweepMemory::new(network.view())?;
        Ok(Self { network: Arc::clone(network), memory, control: Arc::clone(control) })
    }

    fn sweep(&mut self, job: Job) -> Result<Done, EngineError> {
        let Job { task, cut, part, dataset, parameters } = job;
        let dataset = &dataset.as_ref();
        let walk = cut.walk_part(part, self.memory.micro_batch());
        let network = self.network.view();
        match task {
            Task::Accumulate { mut visits, needs, mut sums, mut kept } => {
                sums.clear();
                for (index, MicroBatch { positions, .. }) in walk.enumerate() {
                    let count = check(&self.control, &positions)?;
                    let samples = positions.map(|position| visits.visit(position));
                    let memory = kept.make(network, index).unwrap_or(&mut self.memory);
                    let mut sweep = memory.sweep(network, FastBackend)?;
                    sums.with(|sums| sweep.accumulate(&parameters, dataset, samples, &needs, sums))?;
                    self.control.add(count);
                }
                Ok(Done::Sums(sums, kept))
            }
            Task::Project { mut visits, mean_gradient, mut kept } => {
                let mut inner = Inner::default();
                for (index, MicroBatch { positions, .. }) in walk.enumerate() {
                    let count = check(&self.control, &positions)?;
                    if let Some(memory) = kept.get(index) {
                        let mut sweep = memory.sweep(network, FastBackend)?;
                        sweep.project_kept(&parameters, &mean_gradient, positions.len(), &mut inner)?;
                    } else {
                        let samples = positions.map(|position| visits.visit(position));
                        let mut sweep = self.memory.sweep(network, FastBackend)?;
                        sweep.project(&parameters, &mean_gradient, dataset, samples, &mut inner)?;
                    }
                    self.control.add(count);
                }
                Ok(Done::Inner(inner, kept))
            }
            Task::Evaluate => {
                let mut sweep = self.memory.sweep(network, FastBackend)?;
                let classes = network.classes();
                let (mut score, mut confusion) = (Score::default(), Confusion::new(classes));
                let mut input = zeros(dataset.shape().input.len())?;
                for MicroBatch { positions, .. } in walk {
                    score.merge(sweep.evaluate(&parameters, dataset, positions.clone())?);
                    let outputs = sweep.outputs(positions.len()).chunks_exact(classes);
                    for (sample, outputs) in positions.zip(outputs) {
                        let mut label = 0;
                        dataset.read(sample.into(), &mut input, slice::from_mut(&mut label));
                        confusion.add(label, outputs);
                    }
                }
                Ok(Done::Score(score, confusion))
            }
        }
    }
}

impl Worker for PartWorker {
    type Job = Job;
    type Output = Result<Done, EngineError>;

    fn work(&mut self, job: Job) -> Result<Done, EngineError> {
        self.sweep(job)
    }
}

/// How many samples a micro-batch has, unless the step is to end.
fn check(control: &Control, positions: &std::ops::Range<u32>) -> Result<u64, EngineError> {
    if control.is_cancelled() {
        Err(EngineError::Cancelled)
    } else {
        Ok(u64::from(positions.end - positions.start))
    }
}
