//! One evaluation: the micro-batches' dispatches in order, and one read-back.

mod part_sums;

use std::collections::HashMap;
use std::ops::Range;

use adadagrad_core::network::Placed;
use adadagrad_core::noise_scale::{MeasuredNoise, Noise, Sensor};
use adadagrad_core::optimizer::{AnyOptimizer, DecayOn, Shared, StepScalars};
use adadagrad_core::owned::{Control, OwnedNetwork};
use adadagrad_core::statistics::{Evidence, Inner, Needs, Parts, Reason, Statistics, Totals};
use adadagrad_core::training::Cut;

use super::buffers::{Buffers, Demand, Sizes, fitting_micro_batch, word};
use super::coordinates;
use super::device::{Commands, Gpu, GpuError, ReadBack, Submission};
use super::graph::steps;
use super::images::{DeviceImages, DeviceOrder, Drawing};
use super::kernel::{Dispatch, Grid, Shader};
use super::loss_scale::{DeviceSum, LossScale};
use super::program::{Builder, Pass, Program, ROWS};
use super::uniforms::{Batch, Epoch, Step};
use super::update::{self, close_up, exempt_bits, slot_len, spread, step, update_bindings};
use super::variants::{self, Sum};
pub use part_sums::PartSums;

/// Numbers that each micro-batch leaves: loss, right answers, Σ sᵢ, Σ pᵢ², Σ sᵢpᵢ, Σ sᵢ².
pub(super) const FOLDED: usize = 6;
/// Shares that a square norm is returned in.
pub(super) const SHARES: usize = 64;

/// Sizes of micro-batches whose dispatches are kept: a batch has two or three, until it grows. A program of a deep network
/// is hundreds of dispatches, and every remainder of a growing batch would leave one.
const MOST_PROGRAMS: usize = 16;

/// Outputs and losses of a data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// \[samples\]\[outputs\].
    pub outputs: Vec<f32>,
    /// Sum of the losses in nats.
    pub loss: f64,
    /// Right answers, of sequences at each position.
    pub correct: u32,
}

/// The results of a batch on the device.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Left {
    /// Σ gᵢ.
    pub gradient_sum: Vec<f32>,
    /// Σ gᵢ², where it is asked for.
    pub second_moment: Vec<f32>,
    /// Of the last micro-batch's samples: losses, right answers, sᵢ, and ⟨gᵢ, Σ g⟩.
    pub per_sample: Vec<Vec<f32>>,
}

/// What an engine is built for.
#[derive(Clone, Copy, Debug)]
pub struct Work<'a> {
    /// The optimizer.
    pub optimizer: AnyOptimizer,
    /// Which parameters its weight decay applies to.
    pub decay_on: DecayOn,
    /// The network.
    pub network: &'a OwnedNetwork,
    /// The statistics of batches.
    pub needs: Needs,
    /// Values of training memory per parameter, [`RunConfig::slots`](adadagrad_core::config::RunConfig::slots): the
    /// optimizer's, and one for an epoch's sum.
    pub slots: usize,
    /// The largest batch.
    pub most_samples: u32,
    /// Whether the host sweeps the parts one by one, with [`DeviceEngine::part_sums`] and [`DeviceEngine::part_inner`]. Then a
    /// batch is swept once, and the sums over coordinates are not reduced here.
    pub by_parts: bool,
}

impl Work<'_> {
    fn demand(&self) -> Demand<'_> {
        let &Self { network, ref needs, slots, most_samples, .. } = self;
        Demand { network: network.view(), slots, needs, most_samples }
    }

    /// The largest micro-batch of at most `most` samples that the device can bind and `budget` bytes hold.
    ///
    /// # Errors
    /// When there is none.
    pub fn micro_batch(&self, gpu: &Gpu, most: u32, budget: u64) -> Result<u32, GpuError> {
        fitting_micro_batch(&self.demand(), most, gpu.largest_binding(), budget)
    }
}

/// A network on a device.
#[derive(Debug)]
pub struct DeviceEngine {
    gpu: Gpu,
    nodes: Vec<Placed>,
    needs: Needs,
    by_parts: bool,
    optimizer: AnyOptimizer,
    slots: usize,
    parameters: usize,
    outputs: usize,
    capacity: u32,
    bytes: u64,
    buffers: Buffers,
    /// Of the gradient on the device.
    scale: LossScale,
    programs: HashMap<u32, Program>,
    /// By data set and number of samples.
    draws: HashMap<(u64, u32), Drawing>,
    fold: Dispatch,
    /// For a second sweep over the same micro-batch, submitted together with the first.
    fold_again: Dispatch,
    square_norm: Dispatch,
    add_part: Dispatch,
    update: Dispatch,
    /// Of the sensors that look at coordinates, in their order.
    noise: Vec<(Sensor, Dispatch)>,
    /// Where the training memory has an epoch's sum.
    epoch: Option<EpochSum>,
}

/// ‖Σ gᵢ‖² over the epoch, and the step's share in it.
#[derive(Debug)]
struct EpochSum {
    norm: Dispatch,
    add: Dispatch,
}

/// Samples to be evaluated.
#[derive(Clone, Copy, Debug)]
pub struct Samples<'a> {
    /// Where they come from.
    pub images: &'a DeviceImages,
    /// Which they are.
    pub order: DeviceOrder,
    /// Samples visited before them.
    pub start: u64,
    /// How many, and in which parts.
    pub cut: Cut,
    /// What the optimizer shares over all parameters before the step, if this is a step's batch. Without it, nothing
    /// that depends on the training memory is computed: the noise scale by coordinates, and the norm of the epoch's
    /// sum.
    pub before_step: Option<Shared<f64>>,
}

/// A batch that was submitted; its sums are on their way back.
#[derive(Debug)]
pub struct Flight {
    cut: Cut,
    /// Of the samples that are extended by these.
    before: Totals<f64>,
    scale: LossScale,
    is_step: bool,
    sums: ReadBack,
    /// Σ gᵢ and Σ gᵢ², where coordinates were asked for.
    moments: Option<[ReadBack; 2]>,
}

/// What a batch has left on the host.
struct Swept<'s> {
    cut: Cut,
    before: Totals<f64>,
    scale: LossScale,
    is_step: bool,
    sums: &'s [f32],
}

/// The evidence of a batch, as far as its sums are in range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    evidence: Evidence<f64>,
    /// As the device left them.
    totals: Totals<f64>,
    /// What they were swept with.
    scale: LossScale,
    /// The scale to sweep it with again where they are not.
    better: Option<LossScale>,
}

impl Found {
    /// The evidence.
    #[must_use]
    pub const fn evidence(&self) -> &Evidence<f64> {
        &self.evidence
    }

    /// Whether [`DeviceEngine::in_range`] would sweep the batch again.
    #[must_use]
    pub const fn is_out_of_range(&self) -> bool {
        self.better.is_some()
    }
}

impl DeviceEngine {
    /// An engine for micro-batches of up to `capacity` samples.
    ///
    /// # Errors
    /// When the device does not have the memory or refuses a command, or cannot run the network.
    pub fn new(gpu: Gpu, work: &Work<'_>, capacity: u32) -> Result<Self, GpuError> {
        let network = work.network.view();
        if steps(network.nodes()).is_empty() || network.parameters() == 0 {
            return Err(GpuError::Unsupported("a network without anything to train".into()));
        }
        if network.nodes().iter().any(|place| place.by_inputs) {
            return Err(GpuError::Unsupported("weights that lie by inputs".into()));
        }
        let optimizer = work.optimizer;
        let sizes = Sizes::new(&work.demand(), capacity);
        let buffers = Buffers::new(&gpu, &sizes);
        let scale = LossScale::default();
        gpu.write(&buffers.loss_scale, &[scale.factor()]);
        let parameters = network.parameters();
        let kernels = gpu.kernels();
        let count = Batch { count: word(parameters), ..Batch::default() };
        let statistics = |entry, batch: Batch, bindings: &[(u32, &wgpu::Buffer)], grid| {
            kernels.dispatch(&gpu, Shader::Statistics, entry, &batch, bindings, grid)
        };
        let one = Grid::Groups([1, 1]);
        let (sum, sums, refused) = (&buffers.gradient_sum, &buffers.sums, &buffers.refused);
        let of_samples = [(3, &buffers.per_sample), (4, sums), (6, refused)];
        let [fold, fold_again] =
            [(); 2].map(|()| statistics("fold_samples", Batch::default(), &of_samples, one));
        let flat = Grid::Flat(word(parameters));
        let add_part = statistics("add_part", count, &[(1, sum), (4, &buffers.total)], flat);
        let launch = variants::sums(gpu.variants().sums, Sum::SquareNorm, word(SHARES));
        let square_norm = kernels.launch(&gpu, &launch, &count, &[(1, sum), (4, sums), (6, refused)]);
        let bits = exempt_bits(network, work.decay_on);
        let exempt = bits.as_ref().map_or_else(
            || buffers.refused.clone(),
            |bits| {
                let exempt = gpu.storage("exempt", bits.len());
                gpu.write_bytes(
                    &exempt,
                    &bits.iter().flat_map(|bits| bits.to_le_bytes()).collect::<Vec<_>>(),
                );
                exempt
            },
        );
        let launch = update::launch(&optimizer, bits.is_some(), parameters);
        let bindings = update_bindings(&optimizer, &buffers, &exempt);
        let update = kernels.launch(&gpu, &launch, &Step::default(), &bindings);
        let noise = work.needs.sensors.iter().filter_map(|sensor| {
            let (launch, bindings) = (coordinates::launch(sensor)?, coordinates::bindings(sensor, &buffers));
            let block = super::uniforms::Noise::default();
            Some((sensor, kernels.launch(&gpu, &launch, &block, &bindings)))
        });
        let noise = noise.collect();
        let own_slots = optimizer.as_optimizer::<f32>().slots();
        let epoch = (work.slots > own_slots).then(|| {
            let (memory, shares) = (&buffers.memory, Grid::Groups([word(SHARES), 1]));
            let dispatch = |entry, last, grid| {
                let bindings = [(1, sum), (2, memory), last];
                kernels.dispatch(&gpu, Shader::Epoch, entry, &Epoch::default(), &bindings, grid)
            };
            EpochSum {
                norm: dispatch("epoch_norm", (3, sums), shares),
                add: dispatch("add_to_epoch", (4, refused), flat),
            }
        });
        gpu.check()?;
        Ok(Self {
            nodes: network.nodes().to_vec(),
            outputs: network.outputs(),
            programs: HashMap::new(),
            draws: HashMap::new(),
            gpu,
            needs: work.needs,
            by_parts: work.by_parts,
            optimizer,
            slots: work.slots,
            parameters,
            capacity,
            bytes: sizes.bytes() + bits.map_or(0, |bits| 4 * bits.len() as u64),
            buffers,
            scale,
            fold,
            fold_again,
            square_norm,
            add_part,
            update,
            noise,
            epoch,
        })
    }

    /// The device.
    #[must_use]
    pub const fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// Samples in a micro-batch.
    #[must_use]
    pub const fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Bytes of device memory in use, images left out.
    #[must_use]
    pub const fn memory_bytes(&self) -> u64 {
        self.bytes
    }

    /// Writes parameters and training memory.
    pub fn write(&self, parameters: &[f32], memory: &[f32]) {
        self.gpu.write(&self.buffers.parameters, parameters);
        self.gpu.write(&self.buffers.memory, &spread(memory, self.parameters));
    }

    /// Reads parameters and training memory back.
    ///
    /// # Errors
    /// When the device is lost.
    pub async fn read(&self) -> Result<(Vec<f32>, Vec<f32>), GpuError> {
        let parameters = self.gpu.read(&self.buffers.parameters, self.parameters).await?;
        let memory = match self.slots {
            0 => Vec::new(),
            slots => {
                let words = slots * slot_len(self.parameters);
                close_up(&self.gpu.read(&self.buffers.memory, words).await?, self.parameters)
            }
        };
        Ok((parameters, memory))
    }

    /// Submits a batch: loss, gradient and the statistics that were requested at construction. Leaves Σ gᵢ on the
    /// device for [`Self::update`]. A batch of one micro-batch is one submission and nothing is waited for.
    ///
    /// `is_judged`: the caller has seen the evidence of all batches before. Otherwise an update is not made when
    /// a sum of any batch since was not finite.
    ///
    /// # Errors
    /// When it is cancelled between two micro-batches, the device is lost, or it refused something.
    pub async fn submit(
        &mut self,
        batch: &Samples<'_>,
        is_judged: bool,
        control: &Control,
    ) -> Result<Flight, GpuError> {
        self.sweep(batch, Totals::default(), LossScale::default(), is_judged, control).await
    }

    /// Submits samples that extend a batch: their sums are added to those that it has left, which must be the last ones.
    /// The evidence is that of both.
    ///
    /// # Errors
    /// Those of [`Self::submit`].
    pub async fn extend(
        &mut self,
        found: &Found,
        extension: &Samples<'_>,
        control: &Control,
    ) -> Result<Flight, GpuError> {
        self.sweep(extension, found.totals, found.scale, true, control).await
    }

    /// Submits samples with gradients times a power of two, into the sums of those before them.
    async fn sweep(
        &mut self,
        batch: &Samples<'_>,
        before: Totals<f64>,
        scale: LossScale,
        is_judged: bool,
        control: &Control,
    ) -> Result<Flight, GpuError> {
        self.set_scale(scale);
        let cut = batch.cut;
        let gpu = self.gpu.clone();
        let mut pace = Pace { gpu: &gpu, control, before: None };
        let mut commands = gpu.commands();
        if before.samples == 0 {
            self.clear(&mut commands, is_judged);
        } else if self.needs.compares_parts() {
            // It holds a copy of the total.
            commands.clear(&self.buffers.gradient_sum);
        }
        let (mut place, mut is_first) = (0, true);
        for part in self.parts(cut) {
            for positions in micro_batches(part, self.capacity) {
                if !std::mem::take(&mut is_first) {
                    commands = pace.next(commands).await?;
                }
                control.add(positions.len() as u64);
                self.micro_batch(&mut commands, batch, positions, Some(Pass::Accumulate), &mut place);
            }
            if self.needs.compares_parts() {
                self.close_part(&mut commands, &mut place);
            }
        }
        if self.needs.compares_parts() {
            commands.copy(&self.buffers.total, &self.buffers.gradient_sum, 0, self.parameters);
            commands = pace.next(commands).await?;
        }
        if self.projects() && self.is_kept(cut) {
            control.add(cut.samples().into());
            self.project_from_cache(&mut commands, cut.samples(), &mut place);
        } else if self.projects() {
            for positions in micro_batches(0..cut.samples(), self.capacity) {
                commands = pace.next(commands).await?;
                control.add(positions.len() as u64);
                self.micro_batch(&mut commands, batch, positions, Some(Pass::Project), &mut place);
            }
        }
        self.norm(&mut commands, &mut place);
        if let Some(shared) = &batch.before_step {
            let samples = before.samples + cut.samples();
            self.sums_with_memory(&mut commands, shared, samples, &mut place);
        }
        let is_step = batch.before_step.is_some();
        Ok(self.send(commands, place, |scale, sums, moments| Flight {
            cut,
            before,
            scale,
            is_step,
            sums,
            moments,
        }))
    }

    /// The evidence of a batch, once it is back.
    ///
    /// # Errors
    /// When the device is lost or refused something.
    pub async fn evidence(&self, flight: Flight) -> Result<Found, GpuError> {
        let Flight { cut, before, scale, is_step, sums, moments } = flight;
        let sums = sums.values(&self.gpu).await?;
        let moments = match moments {
            None => None,
            Some([sum, square]) => Some([sum.values(&self.gpu).await?, square.values(&self.gpu).await?]),
        };
        self.evidence_from(&Swept { cut, before, scale, is_step, sums: &sums }, moments)
    }

    /// Sweeps a batch again as `found` asks for, with the extensions that it has had, and leaves its gradient on the
    /// device for [`Self::update`] instead of the previous one. The parameters must be those that it was swept with
    /// before.
    ///
    /// # Errors
    /// When it is cancelled between two micro-batches, the device is lost, or it refused something.
    pub async fn in_range(
        &mut self,
        mut found: Found,
        batch: &Samples<'_>,
        extensions: &[Cut],
        control: &Control,
    ) -> Result<Found, GpuError> {
        while let Some(scale) = found.better {
            control.begin();
            let flight = self.sweep(batch, Totals::default(), scale, true, control).await?;
            found = self.evidence(flight).await?;
            let mut extension = *batch;
            for &cut in extensions {
                extension.start += u64::from(extension.cut.samples());
                extension.cut = cut;
                let flight = self.extend(&found, &extension, control).await?;
                found = self.evidence(flight).await?;
            }
        }
        Ok(found)
    }

    /// Outputs and loss for every sample of a data set.
    ///
    /// # Errors
    /// When it is cancelled, the device is lost, or it refused something.
    pub async fn score(&mut self, images: &DeviceImages, control: &Control) -> Result<Scores, GpuError> {
        let cut = Cut::new(images.len(), 0);
        let all = Samples { images, order: DeviceOrder::File, start: 0, cut, before_step: None };
        self.score_samples(&all, control).await
    }

    /// Outputs and loss for some samples of a data set.
    ///
    /// # Errors
    /// When it is cancelled, the device is lost, or it refused something.
    pub async fn score_samples(
        &mut self,
        samples: &Samples<'_>,
        control: &Control,
    ) -> Result<Scores, GpuError> {
        let (of_sample, len) = (self.outputs, samples.cut.samples());
        let gpu = self.gpu.clone();
        let outputs = gpu.storage("all outputs", len as usize * of_sample);
        let mut pace = Pace { gpu: &gpu, control, before: None };
        let mut commands = gpu.commands();
        let mut place = 0;
        for positions in micro_batches(0..len, self.capacity) {
            if positions.start > 0 {
                commands = pace.next(commands).await?;
            }
            let (first, count) = (positions.start as usize * of_sample, positions.len() * of_sample);
            control.add(positions.len() as u64);
            self.micro_batch(&mut commands, samples, positions, None, &mut place);
            commands.copy(self.buffers.outputs(), &outputs, first, count);
        }
        let staging = commands.copy_back(&self.buffers.sums, place);
        let submission = commands.submit();
        let sums = gpu.map(staging, &submission).values(&gpu).await?;
        let folded = sums.chunks_exact(FOLDED);
        Ok(Scores {
            outputs: gpu.read(&outputs, len as usize * of_sample).await?,
            loss: folded.clone().map(|sums| f64::from(sums[0])).sum(),
            correct: folded.map(|sums| sums[1] as u32).sum(),
        })
    }

    /// What the last batch left on the device: for tests.
    ///
    /// # Errors
    /// When the device is lost.
    #[doc(hidden)]
    pub async fn left(&self) -> Result<Left, GpuError> {
        let Self { gpu, buffers, parameters, capacity, .. } = self;
        let moments = if self.needs.moments() { *parameters } else { 0 };
        let rows = gpu.read(&buffers.per_sample, ROWS * *capacity as usize).await?;
        Ok(Left {
            gradient_sum: gpu.read(&buffers.gradient_sum, *parameters).await?,
            second_moment: gpu.read(&buffers.second_moment, moments).await?,
            per_sample: rows.chunks_exact(*capacity as usize).map(<[f32]>::to_vec).collect(),
        })
    }

    /// Makes a step with the gradient that [`Self::submit`] left. `ends_epoch`: an epoch ends with it.
    pub fn update(&self, scalars: &StepScalars<f32>, samples: u32, ends_epoch: bool) {
        let step = step(&self.optimizer, scalars, self.parameters, samples);
        self.update.set(&self.gpu, &Step { samples: step.samples * self.scale.factor(), ..step });
        let mut commands = self.gpu.commands();
        commands.run([&self.update]);
        if let Some(EpochSum { add, .. }) = &self.epoch {
            add.set(&self.gpu, &Epoch { ends: ends_epoch.into(), ..self.epoch_block(0) });
            commands.run([add]);
        }
        commands.submit();
    }

    /// What kernels are told of an epoch's sum.
    fn epoch_block(&self, place: usize) -> Epoch {
        let slot = self.optimizer.as_optimizer::<f32>().slots() * slot_len(self.parameters);
        Epoch {
            count: word(self.parameters),
            slot: word(slot),
            place: word(place),
            scale: self.scale.factor(),
            ends: 0,
        }
    }

    /// Gradients times a power of two from here on.
    fn set_scale(&mut self, scale: LossScale) {
        if scale != self.scale {
            self.gpu.write(&self.buffers.loss_scale, &[scale.factor()]);
            self.scale = scale;
        }
    }

    /// Whether a batch is swept a second time as soon as its gradient is known.
    const fn projects(&self) -> bool {
        self.needs.inner && !self.by_parts
    }

    /// Whether all values of a batch are still on the device when its gradient is known.
    const fn is_kept(&self, cut: Cut) -> bool {
        cut.samples() <= self.capacity && !self.needs.compares_parts()
    }

    /// The parts whose means are asked for, or the whole batch as one.
    fn parts(&self, cut: Cut) -> Vec<Range<u32>> {
        if self.needs.compares_parts() {
            (0..cut.parts()).map(|index| cut.part(index)).collect()
        } else {
            std::iter::once(0..cut.samples()).collect()
        }
    }

    fn clear(&self, commands: &mut Commands<'_>, is_judged: bool) {
        let Buffers { gradient_sum, total, second_moment, refused, .. } = &self.buffers;
        for buffer in [gradient_sum, total, second_moment] {
            commands.clear(buffer);
        }
        if is_judged {
            commands.clear(refused);
        }
    }

    /// Makes sure that there are dispatches for micro-batches of so many samples.
    fn prepare(&mut self, images: &DeviceImages, samples: u32) {
        let Self { gpu, nodes, needs, buffers, capacity, programs, draws, .. } = self;
        if programs.len() >= MOST_PROGRAMS && !programs.contains_key(&samples) {
            programs.retain(|&size, _| size == *capacity);
        }
        if draws.len() >= MOST_PROGRAMS && !draws.contains_key(&(images.id(), samples)) {
            draws.clear();
        }
        programs.entry(samples).or_insert_with(|| {
            let (capacity, dispatches) = (*capacity, Vec::new());
            let builder = Builder { gpu, buffers, samples, capacity, needs, dispatches };
            builder.program(&steps(nodes))
        });
        draws
            .entry((images.id(), samples))
            .or_insert_with(|| images.drawing(gpu, samples, &buffers.input, &buffers.labels));
    }

    /// One micro-batch: forward and loss, a backward pass where one is asked for, and its sums.
    fn micro_batch(
        &mut self,
        commands: &mut Commands<'_>,
        batch: &Samples<'_>,
        positions: Range<u32>,
        pass: Option<Pass>,
        place: &mut usize,
    ) {
        let samples = word(positions.len());
        self.prepare(batch.images, samples);
        let program = &self.programs[&samples];
        let backward: &[Dispatch] = match pass {
            None => &[],
            Some(Pass::Accumulate) => &program.accumulate,
            Some(Pass::Project) => &program.project,
            Some(Pass::ProjectFromCache) => &program.project_from_cache,
        };
        let drawing = &self.draws[&(batch.images.id(), samples)];
        let position = batch.start + u64::from(positions.start);
        drawing.set(&self.gpu, batch.images, batch.order, position);
        commands.run(drawing.dispatches.iter().chain(&program.forward).chain(backward));
        self.fold(&self.fold, commands, samples, place);
    }

    /// The second sweep over the micro-batch of the first, whose values are all still there.
    fn project_from_cache(&self, commands: &mut Commands<'_>, samples: u32, place: &mut usize) {
        commands.run(&self.programs[&samples].project_from_cache);
        self.fold(&self.fold_again, commands, samples, place);
    }

    /// Leaves the micro-batch's sums at `place`.
    fn fold(&self, fold: &Dispatch, commands: &mut Commands<'_>, samples: u32, place: &mut usize) {
        let batch = Batch { samples, capacity: self.capacity, place: word(*place), ..Batch::default() };
        fold.set(&self.gpu, &batch);
        commands.run([fold]);
        *place += FOLDED;
    }

    /// Leaves ‖Σ gᵢ‖² at `place`, in shares.
    fn norm(&self, commands: &mut Commands<'_>, place: &mut usize) {
        let batch = Batch { count: word(self.parameters), place: word(*place), ..Batch::default() };
        self.square_norm.set(&self.gpu, &batch);
        commands.run([&self.square_norm]);
        *place += SHARES;
    }

    /// Leaves what depends on the training memory as it stands before the step: the two sums of a noise scale, and the
    /// norm of the epoch's sum with this batch.
    fn sums_with_memory(
        &self,
        commands: &mut Commands<'_>,
        shared: &Shared<f64>,
        samples: u32,
        place: &mut usize,
    ) {
        for (_, noise) in &self.noise {
            let (optimizer, parameters) = (&self.optimizer, self.parameters);
            noise.set(&self.gpu, &coordinates::uniform(optimizer, shared, parameters, samples, *place));
            commands.run([noise]);
            *place += 2 * SHARES;
        }
        if let Some(EpochSum { norm, .. }) = self.epoch.as_ref().filter(|_| self.needs.epoch) {
            norm.set(&self.gpu, &self.epoch_block(*place));
            commands.run([norm]);
            *place += SHARES;
        }
    }

    /// The part's square norm, and its sum into the whole's.
    fn close_part(&self, commands: &mut Commands<'_>, place: &mut usize) {
        self.norm(commands, place);
        commands.run([&self.add_part]);
        commands.clear(&self.buffers.gradient_sum);
    }

    /// Submits the last commands of a batch, with the copies that bring its sums back.
    fn send(
        &self,
        mut commands: Commands<'_>,
        place: usize,
        flight: impl FnOnce(LossScale, ReadBack, Option<[ReadBack; 2]>) -> Flight,
    ) -> Flight {
        let Buffers { sums, gradient_sum, second_moment, .. } = &self.buffers;
        let sums = commands.copy_back(sums, place);
        let moments =
            self.needs.coordinate_quantile.filter(|_| !self.by_parts).map(|_| {
                [gradient_sum, second_moment].map(|buffer| commands.copy_back(buffer, self.parameters))
            });
        let submission = commands.submit();
        let map = |staging| self.gpu.map(staging, &submission);
        flight(self.scale, map(sums), moments.map(|moments| moments.map(map)))
    }

    /// Adds up what the micro-batches left, in the wider type, in the order of [`Self::submit`].
    fn evidence_from(
        &self,
        &Swept { cut, before, scale, is_step, sums }: &Swept<'_>,
        moments: Option<[Vec<f32>; 2]>,
    ) -> Result<Found, GpuError> {
        let mut reader = Reader { sums };
        let mut totals = Totals::<f64> { samples: before.samples + cut.samples(), ..before };
        let b = f64::from(totals.samples);
        for part in self.parts(cut) {
            let samples = part.len();
            for _ in micro_batches(part, self.capacity) {
                let [loss, correct, norms, ..] = reader.folded();
                totals.loss += loss;
                totals.correct += correct as u32;
                totals.sum_squared_norms += norms;
            }
            if self.needs.compares_parts() {
                totals.parts.push(word(samples), reader.norm());
            }
        }
        let [mut inner, mut scaled_inner] = [Inner::default(); 2];
        for _ in micro_batches(0..if self.projects() { cut.samples() } else { 0 }, self.capacity) {
            let [_, _, _, squares, mixed, norms] = reader.folded();
            // The device projects on Σ gᵢ = b ḡ.
            scaled_inner.merge(&Inner {
                sum_squared_inner_products: squares,
                sum_norm_inner_products: mixed,
                sum_squared_square_norms: norms,
            });
            inner.merge(&Inner {
                sum_squared_inner_products: squares / (b * b),
                sum_norm_inner_products: mixed / b,
                sum_squared_square_norms: norms,
            });
        }
        let norm = reader.norm();
        let better = self.better_scale(scale, &totals, self.projects().then_some(&scaled_inner), norm);
        let (squares, fourth_powers) = (scale.unscale_squares(), scale.unscale_fourth_powers());
        let Parts { count, sum_squared_means, first: (of_first, first) } = totals.parts;
        let parts = Parts {
            count,
            sum_squared_means: sum_squared_means * squares,
            first: (of_first, first * squares),
        };
        let unscaled = Totals { sum_squared_norms: totals.sum_squared_norms * squares, parts, ..totals };
        let inner = self.projects().then_some(Inner {
            sum_squared_inner_products: inner.sum_squared_inner_products * fourth_powers,
            sum_norm_inner_products: inner.sum_norm_inner_products * fourth_powers,
            sum_squared_square_norms: inner.sum_squared_square_norms * fourth_powers,
        });
        // The same for gradients of any scale.
        let coordinate_ratio = self.coordinate_ratio(totals, moments)?;
        let evidence = unscaled.evidence(&self.needs, norm * squares, inner, coordinate_ratio);
        let evidence = if is_step {
            let measured_noise = self.measured_noise(totals.samples, &mut reader, scale);
            let epoch_norm_sq = self.needs.epoch.then(|| reader.norm() * squares);
            Evidence { measured_noise, epoch_norm_sq, ..evidence }
        } else {
            evidence
        };
        Ok(Found { evidence, totals, scale, better })
    }

    /// Noise and signal by the sensors that were asked for.
    fn measured_noise(&self, samples: u32, reader: &mut Reader<'_>, scale: LossScale) -> MeasuredNoise<f64> {
        let sensors = self.noise.iter().map(|&(sensor, _)| sensor);
        sensors.fold(MeasuredNoise::default(), |measured, sensor| {
            measured.with(sensor, Self::noise(sensor, samples, reader, scale))
        })
    }

    /// From a sensor's two sums.
    fn noise(
        sensor: Sensor,
        samples: u32,
        reader: &mut Reader<'_>,
        scale: LossScale,
    ) -> Result<Noise<f64>, Reason> {
        let unscale = if sensor == Sensor::Sign { scale.unscale() } else { scale.unscale_squares() };
        sensor.noise(samples, [reader.norm(), reader.norm()].map(|sum| sum * unscale))
    }

    /// Another scale, where a sum that is asked for has left the range of `f32` with this one. The sums are as the device
    /// left them.
    fn better_scale(
        &self,
        scale: LossScale,
        totals: &Totals<f64>,
        inner: Option<&Inner<f64>>,
        norm: f64,
    ) -> Option<LossScale> {
        if !totals.loss.is_finite() || totals.samples == 0 {
            // That has other reasons.
            return None;
        }
        let Needs { norms, inner: has_norms, .. } = self.needs;
        let b = f64::from(totals.samples);
        let parameters = f64::from(word(self.parameters));
        let sum = |value, products| DeviceSum { value, products };
        let sums = [
            Some(sum(norm, parameters)),
            norms.then_some(sum(totals.sum_squared_norms, b * parameters)),
            self.needs
                .compares_parts()
                .then_some(sum(totals.parts.sum_squared_means, f64::from(totals.parts.count) * parameters)),
            inner.map(|inner| sum(inner.sum_squared_inner_products, b)),
            // Of either sign.
            inner.map(|inner| sum(inner.sum_norm_inner_products.abs(), 0.0)),
            inner.map(|inner| sum(inner.sum_squared_square_norms, b)),
        ];
        let mean_square = if norms || has_norms { totals.sum_squared_norms / b } else { norm / (b * b) };
        scale.better(mean_square, sums.into_iter().flatten())
    }

    /// The coordinates' quantile, by the core, from moments read back.
    fn coordinate_ratio(
        &self,
        totals: Totals<f64>,
        moments: Option<[Vec<f32>; 2]>,
    ) -> Result<Option<f64>, GpuError> {
        let (Some(quantile), Some([mut gradient_sum, mut second_moment])) =
            (self.needs.coordinate_quantile, moments)
        else {
            return Ok(None);
        };
        Statistics::resume(totals, &mut gradient_sum, &mut second_moment)
            .map(|mut statistics| statistics.coordinate_ratio(quantile))
            .map_err(|error| GpuError::Validation(error.to_string()))
    }
}

/// Keeps the device one micro-batch ahead: progress is real, a request to end or to wait is heard in time, and
/// the device never runs dry.
struct Pace<'a> {
    gpu: &'a Gpu,
    control: &'a Control,
    before: Option<Submission>,
}

impl<'a> Pace<'a> {
    /// Submits a micro-batch's commands and begins the next one's.
    async fn next(&mut self, commands: Commands<'a>) -> Result<Commands<'a>, GpuError> {
        if let Some(before) = self.before.replace(commands.submit()) {
            self.gpu.finished(before).await?;
        }
        self.control.wait_while_paused().await;
        if self.control.is_cancelled() { Err(GpuError::Cancelled) } else { Ok(self.gpu.commands()) }
    }
}

/// Takes the sums that an evaluation left, one after the other.
struct Reader<'s> {
    sums: &'s [f32],
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> [f64; N] {
        // The device was asked for exactly as many as are taken; a missing one would show as a NaN.
        let (taken, rest) = self.sums.split_at(N.min(self.sums.len()));
        self.sums = rest;
        std::array::from_fn(|k| taken.get(k).map_or(f64::NAN, |&sum| sum.into()))
    }

    fn folded(&mut self) -> [f64; FOLDED] {
        self.take()
    }

    fn norm(&mut self) -> f64 {
        self.take::<SHARES>().iter().sum()
    }
}

fn micro_batches(positions: Range<u32>, capacity: u32) -> impl Iterator<Item = Range<u32>> {
    let end = positions.end;
    positions.step_by(capacity as usize).map(move |first| first..end.min(first + capacity))
}
