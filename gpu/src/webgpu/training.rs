//! Training on a device that may be lost, run out of memory, or fall behind.
//!
//! Every few seconds parameters and optimizer memory are copied back. When the device is lost, it is opened again,
//! given the last copy, and the steps since then are repeated with the scalars that the trainer decided: the trainer is
//! not affected. When it runs out of memory, the micro-batch is halved.
//!
//! So that the device does not wait for the host, the next steps are submitted before this one's evidence is back:
//! two once the batch size cannot change any more, and one where it probably will not, because it did not last time.
//! If it does, that one's sums are left unread, and nothing else has happened. A step whose sums are not finite is
//! refused by the device itself, and so are those behind it. Behind a batch that may be extended no step is submitted
//! ahead. Once a batch had to be swept again because its squares had
//! left the range of `f32` (`loss_scale.rs`), no step is submitted ahead any more.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use adadagrad_core::config::RunConfig;
use adadagrad_core::dataset::Targets;
use adadagrad_core::network::{Grain, Placed, Score, SweepError, initialise};
use adadagrad_core::optimizer::{Shared, StepScalars};
use adadagrad_core::owned::{
    Confusion, Control, Evaluated, Evaluation, OwnedNetwork, RunError, SharedDataset,
};
use adadagrad_core::statistics::{Evidence, Needs, check_some_samples};
use adadagrad_core::subnormal::flush_all;
use adadagrad_core::training::{
    BatchOrder, Cut, Decided, Pending, Plan, Step, StepError, Telemetry, Trainer,
};
use web_time::Instant;

use super::device::{Gpu, GpuError, is_software};
use super::engine::{DeviceEngine, Flight, Found, Samples, Scores, Work};
use super::images::{DeviceImages, DeviceOrder};
use crate::engine::{EngineError, Snapshot, check_lengths};

/// How old a copy may become. A lost device costs at most the steps since.
const COPY_EVERY: Duration = Duration::from_secs(3);
/// How often a step is tried again after the device was lost or ran out of memory.
const TRIES: u32 = 4;
/// Steps submitted beyond the one whose evidence is awaited.
const MOST_AHEAD: usize = 2;
/// Samples in a micro-batch, before memory asks for fewer: enough to fill a large GPU.
const MOST_SAMPLES: u32 = 1024;
/// Operations of a micro-batch on a software adapter, which makes one or two thousand million a second: enough to
/// keep every core busy, and so few that a request to pause is heard in time.
const SOFTWARE_OPERATIONS: u64 = 1 << 30;
/// Operations of the largest dispatch on any other: a slow GPU makes 10¹¹ a second, and far beyond 100 ms a system resets
/// its device.
const DISPATCH_OPERATIONS: u64 = 1 << 33;
/// Bytes of device memory that are used unless the caller says otherwise.
pub(crate) const MEMORY_BUDGET: u64 = 1 << 30;

/// Samples in a micro-batch, before memory asks for fewer: a power of two, of which workgroups are full.
pub(crate) fn most_samples(network: &OwnedNetwork, gpu: &Gpu) -> u32 {
    most_samples_on(network, is_software(gpu.info()))
}

fn most_samples_on(network: &OwnedNetwork, is_software: bool) -> u32 {
    let network = network.view();
    let of_node = |node: &Placed| node.operation.flops(node.input, node.output);
    let samples = if is_software {
        SOFTWARE_OPERATIONS / network.flops().max(1)
    } else {
        DISPATCH_OPERATIONS / network.nodes().iter().map(of_node).max().unwrap_or(0).max(1)
    };
    1 << u64::from(MOST_SAMPLES).min(samples.max(1)).ilog2()
}

/// What an engine is built for.
fn work<'a>(config: &RunConfig, network: &'a OwnedNetwork, needs: Needs, samples: u32) -> Work<'a> {
    // Room for the parts that the settings allow, where parts are compared.
    let parts = if needs.parts > 0 { needs.parts.max(config.parts) } else { 0 };
    let needs = Needs { parts, ..needs };
    let RunConfig { optimizer, decay_on, .. } = *config;
    Work {
        optimizer,
        decay_on,
        network,
        needs,
        slots: config.slots(),
        most_samples: samples,
        by_parts: false,
    }
}

/// `len` zeros, or how many bytes could not be allocated.
fn zeros(len: usize) -> Result<Vec<f32>, RunError> {
    let mut values = Vec::new();
    let bytes = len.saturating_mul(size_of::<f32>());
    values.try_reserve_exact(len).map_err(|_| RunError::OutOfMemory { bytes })?;
    values.resize(len, 0.0);
    Ok(values)
}

/// A device being opened.
pub type Opening = Pin<Box<dyn Future<Output = Result<Gpu, GpuError>>>>;

/// What a caller may decide about a device.
pub struct Options {
    /// Opens it, also after it was lost.
    pub open: Box<dyn Fn() -> Opening>,
    /// Bytes of its memory that may be used in addition to the data sets; `None`: 1 GiB.
    pub memory_budget: Option<u64>,
    /// Is called with a sentence for the user about each recovery.
    pub notice: Box<dyn Fn(&str)>,
}

impl Options {
    /// The adapter whose name contains `adapter`, or the fastest.
    #[must_use]
    pub fn of_adapter(adapter: Option<&str>, notice: impl Fn(&str) + 'static) -> Self {
        let adapter = adapter.map(str::to_owned);
        let open = move || -> Opening {
            let adapter = adapter.clone();
            Box::pin(async move { Gpu::open(adapter.as_deref()).await })
        };
        Self { open: Box::new(open), memory_budget: None, notice: Box::new(notice) }
    }
}

/// All that another engine needs to continue.
#[derive(Clone, Debug, PartialEq)]
pub struct RunSnapshot {
    /// Parameters as they were copied back last, D values.
    pub parameters: Vec<f32>,
    /// Training memory then, slots · D values.
    pub memory: Vec<f32>,
    /// The steps made since.
    pub since: Vec<Decided<f32>>,
}

/// Training on a device, with recovery when it is lost or runs out of memory, and with steps that are submitted before
/// the evidence of the last one is back.
pub struct Training {
    options: Options,
    config: RunConfig,
    network: OwnedNetwork,
    images: SharedDataset,
    on_device: OnDevice,
    micro_batch: u32,
    /// The last copy, and what was made since.
    snapshot: RunSnapshot,
    /// Of those steps whose batch was extended, by their number: the pieces that it was swept in.
    pieces: BTreeMap<u64, Vec<Cut>>,
    copied: Instant,
    /// Steps on their way beyond the trainer's, each behind the update of the one before it.
    ahead: VecDeque<Ahead>,
    /// Samples of the step made last.
    last_batch: u32,
    /// Whether the device's parameters may not be the trainer's.
    is_astray: bool,
    /// No step is submitted before the one before it is weighed.
    is_held: bool,
    /// The same, because gradients were seen whose squares leave the range of `f32`. It only costs time.
    is_cautious: bool,
    control: Arc<Control>,
}

impl fmt::Debug for Training {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Training {{ {} }}", self.description())
    }
}

/// What lives and dies with the device.
struct OnDevice {
    engine: DeviceEngine,
    images: DeviceImages,
    needs: Needs,
    /// The data set that was scored last.
    scored: Option<(SharedDataset, DeviceImages)>,
}

struct Ahead {
    plan: Plan<f64>,
    flight: Flight,
}

/// A batch of training samples to be swept.
#[derive(Clone, Copy, Debug)]
struct Batch {
    order: DeviceOrder,
    start: u64,
    cut: Cut,
    before_step: Option<Shared<f64>>,
}

impl Batch {
    /// That of a planned step.
    fn of_step(trainer: &Trainer<f32>, plan: &Plan<f64>) -> Self {
        let order = DeviceOrder::Shuffled(trainer.config().seed);
        let before_step = Some(trainer.progress().shared);
        Self { order, start: plan.start, cut: plan.cut, before_step }
    }

    const fn of<'a>(&self, images: &'a DeviceImages) -> Samples<'a> {
        let &Self { order, start, cut, before_step } = self;
        Samples { images, order, start, cut, before_step }
    }

    /// The samples behind these and their extensions so far.
    fn next(&self, extensions: &[Cut], cut: Cut) -> Self {
        let swept: u64 = extensions.iter().chain([&self.cut]).map(|cut| u64::from(cut.samples())).sum();
        Self { start: self.start + swept, cut, ..*self }
    }
}

/// A step whose batch was swept.
struct Weighed {
    /// The step with all the samples of its batch.
    plan: Plan<f64>,
    /// The pieces that the batch was swept in.
    pieces: Vec<Cut>,
    /// What was decided, or why the step is refused.
    decided: Result<Pending<f32>, StepError>,
}

impl Training {
    /// Opens a device for the settings' model and optimizer, with parameters drawn from the settings' seed.
    ///
    /// # Errors
    /// When the model does not fit the data, there is no device, not enough memory, or the data set is not one of bytes.
    pub async fn open(
        config: &RunConfig,
        images: SharedDataset,
        options: Options,
    ) -> Result<Self, EngineError> {
        let network = OwnedNetwork::of_model(config.model, images.shape())?;
        Self::of_network(config, network, images, options).await
    }

    /// The same for any network.
    ///
    /// # Errors
    /// Those of [`Self::open`].
    pub async fn of_network(
        config: &RunConfig,
        network: OwnedNetwork,
        images: SharedDataset,
        options: Options,
    ) -> Result<Self, EngineError> {
        let needs = on_device(config.needs());
        let len = network.view().parameters();
        let gpu = (options.open)().await?;
        let work = work(config, &network, needs, images.len());
        let most = most_samples(&network, &gpu);
        let budget = options.memory_budget.unwrap_or(MEMORY_BUDGET);
        let micro_batch = work.micro_batch(&gpu, most.min(images.len()), budget)?;
        // Only now: what the device refuses must not take memory first.
        let mut parameters = zeros(len)?;
        let mut memory = zeros(config.slots().saturating_mul(len))?;
        initialise(network.view(), config.seed, &mut parameters)?;
        config.start(len, &mut memory);
        let on_device = OnDevice {
            images: DeviceImages::of_dataset(&gpu, &*images)?,
            engine: DeviceEngine::new(gpu, &work, micro_batch)?,
            needs,
            scored: None,
        };
        on_device.engine.write(&parameters, &memory);
        Ok(Self {
            options,
            config: *config,
            network,
            images,
            on_device,
            micro_batch,
            snapshot: RunSnapshot { parameters, memory, since: Vec::new() },
            pieces: BTreeMap::new(),
            copied: Instant::now(),
            ahead: VecDeque::new(),
            last_batch: 0,
            is_astray: false,
            is_held: false,
            is_cautious: false,
            control: Arc::default(),
        })
    }

    /// The device.
    #[must_use]
    pub const fn gpu(&self) -> &Gpu {
        self.on_device.engine.gpu()
    }

    /// Answers of a sample of its network: [`Trainer::with_positions`].
    #[must_use]
    pub fn positions(&self) -> usize {
        self.network.view().positions()
    }

    /// How finely the batches of a run of its network are cut: [`Trainer::with_grain`].
    #[must_use]
    pub const fn grain(&self) -> Grain {
        self.network.grain()
    }

    /// Whether the adapter computes on the CPU.
    #[must_use]
    pub fn is_software(&self) -> bool {
        is_software(self.gpu().info())
    }

    /// Samples in a micro-batch.
    #[must_use]
    pub const fn micro_batch(&self) -> u32 {
        self.micro_batch
    }

    /// Bytes of device memory in use, data sets left out.
    #[must_use]
    pub const fn memory_bytes(&self) -> u64 {
        self.on_device.engine.memory_bytes()
    }

    /// How far a step is, and the way to pause or cancel it.
    #[must_use]
    pub const fn control(&self) -> &Arc<Control> {
        &self.control
    }

    /// Number of submitted steps beyond the trainer's.
    #[must_use]
    pub fn steps_ahead(&self) -> usize {
        self.ahead.len()
    }

    /// Whether to hold back the steps behind the next one. Once those that are on their way are made, settings can
    /// change and a snapshot can be taken at no cost.
    pub const fn hold(&mut self, hold: bool) {
        self.is_held = hold;
    }

    /// What another engine needs to continue from this state.
    #[must_use]
    pub const fn run_snapshot(&self) -> &RunSnapshot {
        &self.snapshot
    }

    /// What computes, in a few words for the user.
    #[must_use]
    pub fn description(&self) -> String {
        let info = self.gpu().info();
        format!("{} ({}), micro-batches of {}", info.name, info.backend, self.micro_batch)
    }

    /// Makes the planned step: sweeps, update, commit.
    ///
    /// # Errors
    /// When the step is refused, cancelled or cannot be computed; then parameters, optimizer memory and the
    /// trainer are as they were before it.
    pub async fn step(
        &mut self,
        trainer: &mut Trainer<f32>,
        plan: &Plan<f64>,
    ) -> Result<Telemetry, EngineError> {
        self.control.begin();
        if self.is_copy_due() && self.ahead.is_empty() {
            self.recovering(async |training| training.copy_back().await).await?;
        }
        let standing = *trainer;
        let Weighed { plan, pieces, decided } =
            self.recovering(async |training| training.weigh(&standing, plan).await).await?;
        if decided.is_err() {
            // The device refuses updates behind sums that are not finite. What it has made of a step that was refused for
            // another reason is taken back.
            self.is_astray |= !self.ahead.is_empty();
            self.ahead.clear();
        }
        let pending = decided?;
        if self.ahead.is_empty() {
            self.update(&plan, &pending.scalars);
        }
        // From here on the step counts: should the device be lost now, it is among those made again.
        self.snapshot.since.push(Decided { plan, scalars: pending.scalars });
        if pieces.len() > 1 {
            self.pieces.insert(plan.step, pieces);
        }
        self.last_batch = plan.cut.samples();
        Ok(trainer.commit(pending))
    }

    /// What a batch of training samples says about its gradient; nothing that depends on the training memory. Changes
    /// nothing.
    ///
    /// # Errors
    /// When it is empty, is cancelled or cannot be computed.
    pub async fn evidence(
        &mut self,
        cut: Cut,
        visits: BatchOrder,
        needs: &Needs,
    ) -> Result<Evidence<f64>, EngineError> {
        check_some_samples(cut.samples())?;
        let (order, start) = DeviceOrder::of(visits);
        self.control.begin();
        self.recovering(async |training| {
            training.settle().await?;
            training.ask_for(needs).await?;
            let batch = Batch { order, start, cut, before_step: None };
            Ok(*training.sweep(&batch).await?.evidence())
        })
        .await
    }

    /// Loss and accuracy on a data set.
    ///
    /// # Errors
    /// When it is cancelled, the samples do not fit the network, or the device cannot continue.
    pub async fn evaluate(&mut self, dataset: &SharedDataset) -> Result<Evaluated, EngineError> {
        self.control.begin();
        let scores = self
            .recovering(async |training| {
                training.settle().await?;
                training.score(dataset).await
            })
            .await?;
        let network = self.network.view();
        let (outputs, positions) = (network.outputs(), network.positions());
        let mut confusion = Confusion::of(network);
        let (mut image, mut labels) = (vec![0.0; dataset.shape().input.len()], vec![0; positions]);
        for (sample, outputs) in (0..).zip(scores.outputs.chunks_exact(outputs)) {
            dataset
                .read(sample.into(), &mut image, &mut Targets::labels(&mut labels))
                .map_err(|error| RunError::Sweep(SweepError::Read { sample, error }))?;
            confusion.add_all(&labels, outputs);
        }
        let Scores { loss, correct, .. } = scores;
        let score = Score { loss, correct };
        Ok(Evaluated { evaluation: Evaluation::new(score, dataset.len(), positions), confusion })
    }

    /// Parameters and optimizer memory as they stand between two steps.
    ///
    /// # Errors
    /// When they cannot be read from the device.
    pub async fn snapshot(&mut self) -> Result<Snapshot<'_>, EngineError> {
        self.recovering(async |training| {
            training.settle().await?;
            training.copy_back().await
        })
        .await?;
        let RunSnapshot { parameters, memory, .. } = &self.snapshot;
        Ok(Snapshot { parameters, memory })
    }

    /// Replaces the parameters and, if one is given, the optimizer memory.
    ///
    /// # Errors
    /// When the lengths do not fit; then nothing has changed.
    pub async fn restore(&mut self, parameters: &[f32], memory: Option<&[f32]>) -> Result<(), EngineError> {
        check_lengths(&self.snapshot.parameters, parameters, &self.snapshot.memory, memory)?;
        self.snapshot().await?;
        self.snapshot.parameters.copy_from_slice(parameters);
        if let Some(memory) = memory {
            self.snapshot.memory.copy_from_slice(memory);
        }
        let RunSnapshot { parameters, memory, .. } = &mut self.snapshot;
        flush_all(parameters);
        flush_all(memory);
        self.on_device.engine.write(parameters, memory);
        Ok(())
    }

    /// Weighs a planned step, submitted now or before, with the samples by which its rule extends it. Leaves the next steps
    /// on their way where they are known.
    async fn weigh(&mut self, trainer: &Trainer<f32>, plan: &Plan<f64>) -> Result<Weighed, GpuError> {
        if self.control.is_cancelled() {
            return Err(GpuError::Cancelled);
        }
        if self.is_astray || self.ahead.front().is_some_and(|ahead| ahead.plan != *plan) {
            self.settle().await?;
        }
        self.ask_for(&plan.needs).await?;
        let flight = match self.ahead.pop_front() {
            Some(ahead) => {
                self.control.add(plan.cut.samples().into());
                ahead.flight
            }
            None => self.submit_planned(trainer, plan, true).await?,
        };
        self.is_astray = true;
        self.run_ahead(trainer, plan).await?;
        let found = self.on_device.engine.evidence(flight).await?;
        if found.is_out_of_range() {
            self.is_cautious = true;
            if !self.ahead.is_empty() {
                // Updates were made with a gradient that is not the last word.
                self.rewind().await?;
                self.is_astray = true;
            }
        }
        let batch = Batch::of_step(trainer, plan);
        let mut found = self.in_range(found, &batch, &[]).await?;
        let (mut step, mut extensions) = (Step::of_plan(plan), Vec::new());
        let decided = loop {
            match take(&mut step, trainer, found.evidence()) {
                Ok(Some(pending)) => break Ok(pending),
                Ok(None) => {
                    let cut = step.batch().round().cut();
                    found = self.extend(&found, &batch, &mut extensions, cut).await?;
                }
                Err(error) => break Err(error),
            }
        };
        self.is_astray = false;
        let pieces = std::iter::once(plan.cut).chain(extensions).collect();
        Ok(Weighed { plan: *step.plan(), pieces, decided })
    }

    /// Submits the steps behind `plan` that no evidence can change, or one that probably none will.
    async fn run_ahead(&mut self, trainer: &Trainer<f32>, plan: &Plan<f64>) -> Result<(), GpuError> {
        let (mut trainer, mut plan) = (*trainer, *plan);
        for place in 0..MOST_AHEAD {
            // A batch of several micro-batches keeps the device busy by itself.
            let fits = plan.cut.samples() <= self.micro_batch && !on_device(plan.needs).compares_parts();
            // One that may be extended is not known to be over.
            let fits = fits && !plan.needs.extends;
            let waits = self.is_held || self.is_cautious;
            if !fits || trainer.measures_after(&plan) || self.is_copy_due() || waits {
                break;
            }
            let is_likely = place == 0 && plan.cut.samples() == self.last_batch;
            let speculated = || if is_likely { trainer.speculate(&plan) } else { None };
            let Some((scalars, next)) = trainer.next_if_settled(&plan).or_else(speculated) else { break };
            let Some(next_plan) = next.plan() else { break };
            if place == self.ahead.len() {
                self.update(&plan, &scalars);
                let flight = self.submit_planned(&next, &next_plan, false).await?;
                self.ahead.push_back(Ahead { plan: next_plan, flight });
            }
            (trainer, plan) = (next, next_plan);
        }
        Ok(())
    }

    async fn submit_planned(
        &mut self,
        trainer: &Trainer<f32>,
        plan: &Plan<f64>,
        is_judged: bool,
    ) -> Result<Flight, GpuError> {
        self.submit(&Batch::of_step(trainer, plan), is_judged).await
    }

    async fn submit(&mut self, batch: &Batch, is_judged: bool) -> Result<Flight, GpuError> {
        let OnDevice { engine, images, .. } = &mut self.on_device;
        // Visits of a step ahead are counted once it is the step under way.
        let unseen = Control::default();
        let control = if is_judged { &self.control } else { &unseen };
        engine.submit(&batch.of(images), is_judged, control).await
    }

    /// What a batch says, swept again where its sums are not in range. Leaves its gradient on the device.
    async fn sweep(&mut self, batch: &Batch) -> Result<Found, GpuError> {
        let flight = self.submit(batch, true).await?;
        let found = self.on_device.engine.evidence(flight).await?;
        self.in_range(found, batch, &[]).await
    }

    /// The same with more samples, after those of the extensions so far.
    async fn extend(
        &mut self,
        found: &Found,
        batch: &Batch,
        extensions: &mut Vec<Cut>,
        cut: Cut,
    ) -> Result<Found, GpuError> {
        let OnDevice { engine, images, .. } = &mut self.on_device;
        let extension = batch.next(extensions, cut);
        let flight = engine.extend(found, &extension.of(images), &self.control).await?;
        let found = engine.evidence(flight).await?;
        extensions.push(cut);
        self.in_range(found, batch, extensions).await
    }

    async fn in_range(&mut self, found: Found, batch: &Batch, extensions: &[Cut]) -> Result<Found, GpuError> {
        let OnDevice { engine, images, .. } = &mut self.on_device;
        engine.in_range(found, &batch.of(images), extensions, &self.control).await
    }

    /// Makes a step with the gradient that was left last.
    fn update(&self, plan: &Plan<f64>, scalars: &StepScalars<f32>) {
        let ends_epoch = plan.ends_epoch(self.images.len());
        self.on_device.engine.update(scalars, plan.cut.samples(), ends_epoch);
    }

    async fn score(&mut self, dataset: &SharedDataset) -> Result<Scores, GpuError> {
        let OnDevice { engine, scored, .. } = &mut self.on_device;
        let known = scored.take().filter(|(known, _)| Arc::ptr_eq(known, dataset));
        let images = match known {
            Some((_, images)) => images,
            None => DeviceImages::of_dataset(engine.gpu(), &**dataset)?,
        };
        let scores = engine.score(&images, &self.control).await;
        *scored = Some((Arc::clone(dataset), images));
        scores
    }

    fn is_copy_due(&self) -> bool {
        self.copied.elapsed() >= COPY_EVERY
    }

    /// Copies parameters and optimizer memory back.
    async fn copy_back(&mut self) -> Result<(), GpuError> {
        let (parameters, memory) = self.on_device.engine.read().await?;
        self.snapshot = RunSnapshot { parameters, memory, since: Vec::new() };
        self.pieces.clear();
        self.copied = Instant::now();
        Ok(())
    }

    /// Makes the device stand where the trainer does.
    async fn settle(&mut self) -> Result<(), GpuError> {
        // One step ahead has changed nothing: it stands behind the update of the trainer's last step.
        let is_there = !self.is_astray && self.ahead.len() <= 1;
        if !is_there {
            return self.rewind().await;
        }
        self.ahead.clear();
        Ok(())
    }

    /// Gives the device the last copy, and makes the steps since then again.
    async fn rewind(&mut self) -> Result<(), GpuError> {
        self.ahead.clear();
        // Should it end on the way, it stands anywhere.
        self.is_astray = true;
        let RunSnapshot { parameters, memory, since } = self.snapshot.clone();
        self.on_device.engine.write(&parameters, &memory);
        for Decided { plan, scalars } in since {
            // As it was swept before, so that the same bits come of it.
            let pieces = self.pieces.get(&plan.step).cloned().unwrap_or_else(|| vec![plan.cut]);
            let (&cut, more) = pieces.split_first().unwrap_or((&plan.cut, &[]));
            let order = DeviceOrder::Shuffled(self.config.seed);
            let batch = Batch { order, start: plan.start, cut, before_step: None };
            let (mut found, mut extensions) = (self.sweep(&batch).await?, Vec::new());
            for &cut in more {
                found = self.extend(&found, &batch, &mut extensions, cut).await?;
            }
            self.update(&plan, &scalars);
        }
        self.is_astray = false;
        Ok(())
    }

    /// Makes the engine ready for other evidence, with parameters and memory as they are.
    async fn ask_for(&mut self, needs: &Needs) -> Result<(), GpuError> {
        let needs = &on_device(*needs);
        if self.on_device.needs == *needs {
            return Ok(());
        }
        self.settle().await?;
        self.copy_back().await?;
        self.on_device.needs = *needs;
        self.rebuild(self.gpu().clone())
    }

    /// A new engine for what is asked now, on this device.
    fn rebuild(&mut self, gpu: Gpu) -> Result<(), GpuError> {
        let Self { config, network, images, on_device, micro_batch, options, .. } = self;
        let work = work(config, network, on_device.needs, images.len());
        let budget = options.memory_budget.unwrap_or(MEMORY_BUDGET);
        *micro_batch = work.micro_batch(&gpu, *micro_batch, budget)?;
        on_device.engine = DeviceEngine::new(gpu, &work, *micro_batch)?;
        on_device.engine.write(&self.snapshot.parameters, &self.snapshot.memory);
        Ok(())
    }

    /// Tries something until it works or cannot: a lost device is opened again, and one without memory is
    /// given smaller micro-batches.
    async fn recovering<T>(
        &mut self,
        mut act: impl AsyncFnMut(&mut Self) -> Result<T, GpuError>,
    ) -> Result<T, EngineError> {
        let mut tries = 0;
        loop {
            let error = match act(self).await {
                Ok(value) => return Ok(value),
                Err(GpuError::Cancelled) => return Err(EngineError::Cancelled),
                Err(error) => error,
            };
            self.is_astray = true;
            tries += 1;
            if tries > TRIES || !self.can_recover(&error) {
                return Err(error.into());
            }
            if let Err(error) = self.reopen().await {
                // A driver that hangs, or fails at what it did before, would do so again.
                let is_final = matches!(error, GpuError::Silent { .. } | GpuError::Validation(_));
                if tries == TRIES || is_final {
                    return Err(error.into());
                }
                (self.options.notice)(&format!("{error}; trying again"));
            }
        }
    }

    /// Says what will be done about an error, if something can be.
    fn can_recover(&mut self, error: &GpuError) -> bool {
        let notice = &self.options.notice;
        match error {
            GpuError::Lost(_) => {
                let steps = self.snapshot.since.len();
                notice(&format!("{error}; opening it again and repeating {steps} steps"));
                true
            }
            GpuError::OutOfMemory if self.micro_batch > 1 => {
                self.micro_batch /= 2;
                let micro_batch = self.micro_batch;
                notice(&format!("{error}; continuing with micro-batches of {micro_batch} samples"));
                true
            }
            _ => false,
        }
    }

    /// Opens the device anew and brings it to where the trainer stands.
    async fn reopen(&mut self) -> Result<(), GpuError> {
        let gpu = (self.options.open)().await?;
        self.on_device.images = DeviceImages::of_dataset(&gpu, &*self.images)?;
        self.on_device.scored = None;
        self.rebuild(gpu)?;
        self.rewind().await
    }
}

/// Takes what the device has swept of a batch at once, both sweeps of it, and weighs it. `None` where it was extended.
fn take(
    step: &mut Step<f32>,
    trainer: &Trainer<f32>,
    evidence: &Evidence<f64>,
) -> Result<Option<Pending<f32>>, StepError> {
    let before = step.batch().samples() - step.batch().round().cut().samples();
    step.batch_mut().take_whole(evidence.samples.saturating_sub(before))?;
    step.weigh(trainer, evidence)
}

/// What the device is asked for. Here a batch has parts only where their means decide: parts that are observed alone would
/// change the order of the sums.
fn on_device(needs: Needs) -> Needs {
    Needs { parts: if needs.parts > 1 { needs.parts } else { 0 }, apart: false, ..needs }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use adadagrad_core::dataset::SampleShape;
    use adadagrad_core::model::Model;
    use adadagrad_tests::deep::COLOUR;

    use super::*;

    #[test]
    fn no_dispatch_comes_near_the_watchdogs() {
        let cnn = OwnedNetwork::of_model(Model::Cnn, SampleShape::MNIST).unwrap();
        assert_eq!(most_samples_on(&cnn, false), MOST_SAMPLES);
        let resnet = |width| OwnedNetwork::of_model(Model::ResNet { depth: 20, width }, COLOUR).unwrap();
        assert_eq!(most_samples_on(&resnet(16), false), MOST_SAMPLES);
        // A convolution of 64 to 64 channels makes 75 million operations a sample.
        assert_eq!(most_samples_on(&resnet(64), false), 64);
        assert_eq!([16, 256].map(|width| most_samples_on(&resnet(width), true)), [4, 1]);
    }
}
