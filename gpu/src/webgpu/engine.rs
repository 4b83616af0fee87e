//! One evaluation: the micro-batches' dispatches in order, and one read-back.

use std::collections::HashMap;
use std::ops::Range;

use adadagrad_core::config::RunConfig;
use adadagrad_core::cut::Cut;
use adadagrad_core::network::{Network, Node};
use adadagrad_core::optimizer::{AnyOptimizer, StepScalars};
use adadagrad_core::statistics::{Evidence, Inner, Needs, Statistics, Totals};

use super::buffers::{Buffers, word};
use super::device::{Gpu, GpuError};
use super::images::{DeviceImages, DeviceOrder, draw};
use super::kernel::{Dispatch, Grid, Kernels, Shader};
use super::program::{Builder, Layer, Pass, Program, layers};
use super::uniforms::{Batch, Draw, Step};
use super::update::{entry_of, step, update_bindings};

/// Numbers that each micro-batch leaves: loss, right answers, Σ sᵢ, Σ pᵢ², Σ sᵢpᵢ, Σ sᵢ².
pub(super) const FOLDED: usize = 6;
/// Shares that a square norm is returned in.
pub(super) const SHARES: usize = 64;

/// Outputs and losses of a data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// \[samples\]\[classes\].
    pub outputs: Vec<f32>,
    /// Sum of the losses in nats.
    pub loss: f64,
    /// Right answers.
    pub correct: u32,
}

/// A network on a device.
#[derive(Debug)]
pub struct DeviceEngine {
    gpu: Gpu,
    kernels: Kernels,
    layers: Vec<Layer>,
    needs: Needs,
    optimizer: AnyOptimizer,
    parameters: usize,
    classes: u32,
    capacity: u32,
    buffers: Buffers,
    programs: HashMap<u32, Program>,
    /// By data set and number of samples.
    draws: HashMap<(u64, u32), Dispatch>,
    fold: Dispatch,
    square_norm: Dispatch,
    add_part: Dispatch,
    update: Dispatch,
    in_flight: Option<wgpu::SubmissionIndex>,
}

impl DeviceEngine {
    /// The network that `tape` places as `network` (a chain), for micro-batches of up to `capacity` samples
    /// and batches of up to `most_samples`.
    ///
    /// # Errors
    /// When the device has not the memory or refuses something, or the network is none that it can run.
    pub fn new(
        gpu: Gpu,
        tape: &[Node],
        network: Network<'_>,
        config: &RunConfig,
        needs: Needs,
        capacity: u32,
        most_samples: u32,
    ) -> Result<Self, GpuError> {
        if tape.iter().enumerate().any(|(k, node)| usize::from(node.input) != k) {
            return Err(GpuError::Unsupported("a network that is not a chain".into()));
        }
        let optimizer = config.optimizer;
        let slots = optimizer.as_optimizer::<f32>().slots();
        let buffers = Buffers::new(&gpu, network, slots, &needs, capacity, most_samples);
        let parameters = network.parameters();
        let mut kernels = Kernels::default();
        let count = Batch { count: word(parameters), ..Batch::default() };
        let mut statistics = |entry, batch: Batch, bindings: &[(u32, &wgpu::Buffer)], grid| {
            kernels.dispatch(&gpu, Shader::Statistics, entry, &batch, bindings, grid)
        };
        let one = Grid::Groups([1, 1]);
        let (sum, sums) = (&buffers.gradient_sum, &buffers.sums);
        let fold = statistics("fold_samples", Batch::default(), &[(3, &buffers.per_sample), (4, sums)], one);
        let square_norm = statistics("square_norm", count, &[(1, sum), (4, sums)], one);
        let flat = Grid::Flat(word(parameters));
        let add_part = statistics("add_part", count, &[(1, sum), (4, &buffers.total)], flat);
        let bindings = update_bindings(&optimizer, &buffers);
        let entry = entry_of(&optimizer);
        let update = kernels.dispatch(&gpu, Shader::Optimizer, entry, &Step::default(), &bindings, flat);
        gpu.check()?;
        Ok(Self {
            layers: layers(network.nodes()),
            classes: word(network.classes()),
            programs: HashMap::new(),
            draws: HashMap::new(),
            gpu,
            kernels,
            needs,
            optimizer,
            parameters,
            capacity,
            buffers,
            fold,
            square_norm,
            add_part,
            update,
            in_flight: None,
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
    pub fn memory_bytes(&self) -> u64 {
        self.buffers.bytes()
    }

    /// Writes parameters and optimizer memory.
    pub fn write(&self, parameters: &[f32], memory: &[f32]) {
        self.gpu.write(&self.buffers.parameters, parameters);
        self.gpu.write(&self.buffers.memory, memory);
    }

    /// Reads parameters and optimizer memory back.
    ///
    /// # Errors
    /// When the device is lost.
    pub async fn read(&self) -> Result<(Vec<f32>, Vec<f32>), GpuError> {
        let slots = self.optimizer.as_optimizer::<f32>().slots();
        let parameters = self.gpu.read(&self.buffers.parameters, self.parameters).await?;
        let memory = match slots {
            0 => Vec::new(),
            _ => self.gpu.read(&self.buffers.memory, slots * self.parameters).await?,
        };
        Ok((parameters, memory))
    }

    /// Loss, gradient and whatever was asked for at construction, over `cut.samples()` samples from position
    /// `start` on. Leaves Σ gᵢ on the device for [`Self::update`]. `watch` is told of every micro-batch and
    /// says whether to go on.
    ///
    /// # Errors
    /// When it is cancelled, the device is lost, or it refused something.
    pub async fn evaluate(
        &mut self,
        images: &DeviceImages,
        order: DeviceOrder,
        start: u64,
        cut: Cut,
        mut watch: impl FnMut(u32) -> bool,
    ) -> Result<Evidence<f64>, GpuError> {
        self.clear();
        let by_part = self.needs.parts > 0;
        let mut place = 0;
        for part in self.parts(cut) {
            for positions in micro_batches(part, self.capacity) {
                let samples = word(positions.len());
                self.submit(
                    images,
                    order,
                    start + u64::from(positions.start),
                    samples,
                    Some(Pass::Accumulate),
                );
                let submission = self.fold(samples, &mut place);
                self.pace(submission, samples, &mut watch)?;
            }
            if by_part {
                self.close_part(&mut place);
            }
        }
        if by_part {
            self.gpu.copy(&self.buffers.total, &self.buffers.gradient_sum, self.parameters);
        }
        if self.needs.inner {
            for positions in micro_batches(0..cut.samples(), self.capacity) {
                let samples = word(positions.len());
                self.submit(images, order, start + u64::from(positions.start), samples, Some(Pass::Project));
                let submission = self.fold(samples, &mut place);
                self.pace(submission, samples, &mut watch)?;
            }
        }
        self.norm(&mut place);
        let sums = self.gpu.read(&self.buffers.sums, place).await?;
        self.evidence(&sums, cut).await
    }

    /// Outputs and loss for every sample of a data set.
    ///
    /// # Errors
    /// When the device is lost or refused something.
    pub async fn score(&mut self, images: &DeviceImages) -> Result<Scores, GpuError> {
        let classes = self.classes as usize;
        let outputs = self.gpu.storage("all outputs", images.len() as usize * classes);
        let mut place = 0;
        for positions in micro_batches(0..images.len(), self.capacity) {
            let samples = word(positions.len());
            self.submit(images, DeviceOrder::File, positions.start.into(), samples, None);
            let submission = self.fold(samples, &mut place);
            let first = positions.start as usize * classes;
            // A last ReLU is fused into the layer before it, whose buffer then holds the outputs.
            let last =
                self.layers.last().map_or(&self.buffers.input, |layer| &self.buffers.nodes[layer.to].output);
            self.gpu.copy_to(last, &outputs, first, positions.len() * classes);
            self.pace(submission, samples, &mut |_| true)?;
        }
        let sums = self.gpu.read(&self.buffers.sums, place).await?;
        let folded = sums.chunks_exact(FOLDED);
        Ok(Scores {
            outputs: self.gpu.read(&outputs, images.len() as usize * classes).await?,
            loss: folded.clone().map(|sums| f64::from(sums[0])).sum(),
            correct: folded.map(|sums| sums[1] as u32).sum(),
        })
    }

    /// Makes a step with the gradient that [`Self::evaluate`] left.
    pub fn update(&self, scalars: &StepScalars<f32>, samples: u32) {
        self.update.set(&self.gpu, &step(&self.optimizer, scalars, self.parameters, samples));
        self.gpu.run([&self.update]);
    }

    /// The parts whose means are asked for, or the whole batch as one.
    fn parts(&self, cut: Cut) -> Vec<Range<u32>> {
        match self.needs.parts {
            0 => std::iter::once(0..cut.samples()).collect(),
            _ => (0..cut.parts()).map(|index| cut.part(index)).collect(),
        }
    }

    fn clear(&self) {
        for buffer in [&self.buffers.gradient_sum, &self.buffers.total, &self.buffers.second_moment] {
            self.gpu.clear(buffer);
        }
    }

    /// Submits one micro-batch: forward and loss, and a backward pass where one is asked for.
    fn submit(
        &mut self,
        images: &DeviceImages,
        order: DeviceOrder,
        position: u64,
        samples: u32,
        pass: Option<Pass>,
    ) {
        let Self { gpu, kernels, layers, needs, buffers, classes, capacity, programs, draws, .. } = self;
        let program = programs.entry(samples).or_insert_with(|| {
            let builder = Builder { gpu, kernels, buffers, samples, capacity: *capacity, needs };
            builder.program(layers, *classes)
        });
        let drawing = draws.entry((images.id(), samples)).or_insert_with(|| {
            let grid = Grid::Flat(samples * images.words());
            let bindings = images.bindings(&buffers.input, &buffers.labels);
            kernels.dispatch(gpu, Shader::Draw, "draw_samples", &Draw::default(), &bindings, grid)
        });
        drawing.set(gpu, &draw(images, order, position, samples));
        let backward: &[Dispatch] = match pass {
            None => &[],
            Some(Pass::Accumulate) => &program.accumulate,
            Some(Pass::Project) => &program.project,
        };
        gpu.run([&*drawing].into_iter().chain(&program.forward).chain(backward));
    }

    /// Leaves the micro-batch's sums at `place`.
    fn fold(&self, samples: u32, place: &mut usize) -> wgpu::SubmissionIndex {
        let batch = Batch { samples, capacity: self.capacity, place: word(*place), ..Batch::default() };
        self.fold.set(&self.gpu, &batch);
        *place += FOLDED;
        self.gpu.run([&self.fold])
    }

    /// Leaves ‖Σ gᵢ‖² at `place`, in shares.
    fn norm(&self, place: &mut usize) {
        let batch = Batch { count: word(self.parameters), place: word(*place), ..Batch::default() };
        self.square_norm.set(&self.gpu, &batch);
        self.gpu.run([&self.square_norm]);
        *place += SHARES;
    }

    /// The part's square norm, and its sum into the whole's.
    fn close_part(&self, place: &mut usize) {
        self.norm(place);
        self.gpu.run([&self.add_part]);
        self.gpu.clear(&self.buffers.gradient_sum);
    }

    /// Lets the device catch up to the micro-batch before this one, so that progress is real and a request to
    /// end is heard in time, while the device never runs dry.
    fn pace(
        &mut self,
        submission: wgpu::SubmissionIndex,
        samples: u32,
        watch: &mut impl FnMut(u32) -> bool,
    ) -> Result<(), GpuError> {
        if let Some(before) = self.in_flight.replace(submission) {
            self.gpu.wait(Some(before))?;
        }
        if watch(samples) { Ok(()) } else { Err(GpuError::Cancelled) }
    }

    /// Adds up what the micro-batches left, in the wider type, in the order of [`Self::evaluate`].
    async fn evidence(&self, sums: &[f32], cut: Cut) -> Result<Evidence<f64>, GpuError> {
        let b = f64::from(cut.samples());
        let mut reader = Reader { sums };
        let mut totals = Totals::<f64> { samples: cut.samples(), ..Totals::default() };
        for part in self.parts(cut) {
            let samples = part.len();
            for _ in micro_batches(part, self.capacity) {
                let [loss, correct, norms, ..] = reader.folded();
                totals.loss += loss;
                totals.correct += correct as u32;
                totals.sum_squared_norms += norms;
            }
            if self.needs.parts > 0 {
                totals.parts.count += 1;
                totals.parts.sum_squared_means += reader.norm() / f64::from(word(samples));
            }
        }
        let mut inner = Inner::default();
        for _ in micro_batches(0..if self.needs.inner { cut.samples() } else { 0 }, self.capacity) {
            let [_, _, _, squares, mixed, norms] = reader.folded();
            // The device projects on Σ gᵢ = b ḡ.
            inner.merge(&Inner {
                sum_squared_inner_products: squares / (b * b),
                sum_norm_inner_products: mixed / b,
                sum_squared_square_norms: norms,
            });
        }
        Ok(Evidence {
            samples: cut.samples(),
            correct: totals.correct,
            loss: totals.loss / b,
            mean_norm_sq: reader.norm() / (b * b),
            sum_squared_norms: self.needs.norms.then_some(totals.sum_squared_norms),
            inner: self.needs.inner.then_some(inner),
            coordinate_ratio: self.coordinate_ratio(totals).await?,
            parts: (self.needs.parts > 0).then_some(totals.parts),
        })
    }

    /// The coordinates' quantile, by the core, from moments read back.
    async fn coordinate_ratio(&self, totals: Totals<f64>) -> Result<Option<f64>, GpuError> {
        let Some(quantile) = self.needs.coordinate_quantile else { return Ok(None) };
        let mut gradient_sum = self.gpu.read(&self.buffers.gradient_sum, self.parameters).await?;
        let mut second_moment = self.gpu.read(&self.buffers.second_moment, self.parameters).await?;
        Statistics::resume(totals, &mut gradient_sum, &mut second_moment)
            .map(|mut statistics| statistics.coordinate_ratio(quantile))
            .map_err(|error| GpuError::Validation(error.to_string()))
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
