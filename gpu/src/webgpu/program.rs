//! The dispatches of one micro-batch, in order.

use adadagrad_core::statistics::Needs;

use super::buffers::{Buffers, word};
use super::cost::Costed;
use super::device::Gpu;
use super::graph::{Step, Values};
use super::kernel::{Dispatch, Grid, Launch, Shader};
use super::layers::{Call, Target, mask};
use super::product::FusedProduct;
use super::uniforms::Batch;
use super::variants::{self, Sum, Variants};

/// Rows of the per-sample values: losses, right answers, and these.
pub(super) const ROWS: usize = 4;
pub(super) const NORMS: u32 = 2;
pub(super) const INNER_PRODUCTS: u32 = 3;

/// The dispatches for micro-batches of one size.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) forward: Vec<Dispatch>,
    pub(super) accumulate: Vec<Dispatch>,
    pub(super) project: Vec<Dispatch>,
    /// The projections alone, where activations and their gradients are still those of the batch.
    pub(super) project_from_cache: Vec<Dispatch>,
}

/// What a backward pass is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    Accumulate,
    Project,
    /// Where the backward pass was just made.
    ProjectFromCache,
}

/// Builds the dispatches of one micro-batch size.
pub(super) struct Builder<'e> {
    pub(super) gpu: &'e Gpu,
    pub(super) buffers: &'e Buffers,
    pub(super) samples: u32,
    pub(super) capacity: u32,
    pub(super) needs: &'e Needs,
    /// What was built so far.
    pub(super) dispatches: Vec<Dispatch>,
}

impl<'e> Builder<'e> {
    /// Everything that is submitted for a micro-batch, but for drawing it and folding its sums.
    pub(super) fn program(mut self, steps: &[Step<'e>]) -> Program {
        Program {
            forward: self.built(|builder| builder.forward(steps)),
            accumulate: self.built(|builder| builder.backward(steps, Pass::Accumulate)),
            project: self.built(|builder| builder.project(steps, Pass::Project)),
            project_from_cache: self.built(|builder| builder.project(steps, Pass::ProjectFromCache)),
        }
    }

    fn built(&mut self, build: impl FnOnce(&mut Self)) -> Vec<Dispatch> {
        build(self);
        std::mem::take(&mut self.dispatches)
    }

    fn forward(&mut self, steps: &[Step<'e>]) {
        for (index, step) in steps.iter().enumerate() {
            step.layer.forward(&self.call(steps, index), self);
        }
        if let Some(last) = steps.len().checked_sub(1) {
            self.loss(&self.call(steps, last));
        }
    }

    fn loss(&mut self, last: &Call<'_>) {
        let (outputs, positions) = (last.place.output.channels, word(last.place.output.plane()));
        let batch = Batch { outputs, count: positions, ..Batch::default() };
        let buffers = [
            (1, last.y),
            (3, &self.buffers.per_sample),
            (4, last.dy),
            (5, &self.buffers.labels),
            (7, &self.buffers.loss_scale),
        ];
        let (entry, grid) = match positions {
            1 => ("softmax_cross_entropy", Grid::Flat(self.samples)),
            _ => ("sequence_cross_entropy", Grid::Folded(self.samples)),
        };
        self.statistics(entry, batch, &buffers, grid);
    }

    fn project(&mut self, steps: &[Step<'e>], pass: Pass) {
        if self.needs.inner {
            self.backward(steps, pass);
        }
    }

    fn backward(&mut self, steps: &[Step<'e>], pass: Pass) {
        let passes_on = pass != Pass::ProjectFromCache;
        // The first reader of a value to pass a gradient on overwrites what another micro-batch left, others add to it.
        // The loss is the last one's only reader.
        let mut is_begun = vec![false; steps.len()];
        for (index, step) in steps.iter().enumerate().rev() {
            let call = self.call(steps, index);
            if step.relu && passes_on {
                mask(&call, self);
            }
            step.layer.statistics(&call, pass, self);
            // Once for each input: both may be the same.
            for input in step.inputs.into_iter().flatten().filter(|_| passes_on) {
                let Values::Step(from) = input else { continue };
                let adds = std::mem::replace(&mut is_begun[from], true);
                let buffer = &self.buffers.steps[from].gradient;
                step.layer.input_gradient(&call, Target { buffer, adds }, self);
            }
        }
    }

    fn call(&self, steps: &[Step<'e>], index: usize) -> Call<'e> {
        let (step, own) = (&steps[index], &self.buffers.steps[index]);
        let [first, second] = step.inputs.map(|input| match input {
            Some(Values::Step(from)) => Some(&self.buffers.steps[from].output),
            Some(Values::Input) => Some(&self.buffers.input),
            None => None,
        });
        let first = first.unwrap_or(&self.buffers.input);
        let x = [first, second.unwrap_or(first)];
        Call { place: step.place, relu: step.relu, x, y: &own.output, dy: &own.gradient, kept: &own.kept }
    }

    /// Adds a dispatch.
    pub(super) fn launch(&mut self, launch: &Launch, uniform: impl Costed, buffers: &[(u32, &wgpu::Buffer)]) {
        self.dispatches.push(self.gpu.kernels().launch(self.gpu, launch, &uniform, buffers));
    }

    /// C = A B.
    pub(super) fn product(&mut self, product: FusedProduct, [a, b, c]: [&wgpu::Buffer; 3]) {
        let launch = variants::product(self.variants().product, &product);
        self.launch(&launch, product, &[(1, a), (2, b), (3, c)]);
    }

    /// An entry point of `statistics.wgsl`.
    pub(super) fn statistics(
        &mut self,
        entry: &'static str,
        batch: Batch,
        buffers: &[(u32, &wgpu::Buffer)],
        grid: Grid,
    ) {
        let launch = Launch { shader: Shader::Statistics, entry, constants: Vec::new(), grid };
        self.launch(&launch, self.of_micro_batch(batch), buffers);
    }

    /// `count` long sums.
    pub(super) fn sums(&mut self, sum: Sum, count: u32, batch: Batch, buffers: &[(u32, &wgpu::Buffer)]) {
        let launch = variants::sums(self.variants().sums, sum, count);
        self.launch(&launch, self.of_micro_batch(batch), buffers);
    }

    /// Samples' gradients of `batch.outputs` parameters from `batch.offset` on, or their squares, into the batch's.
    pub(super) fn sum_samples(
        &mut self,
        batch: Batch,
        gradients: &wgpu::Buffer,
        is_squared: bool,
        sums: &wgpu::Buffer,
    ) {
        let batch = Batch { stride: if is_squared { 2 } else { 1 }, ..batch };
        self.sums(Sum::Samples, batch.outputs, batch, &[(2, gradients), (4, sums)]);
    }

    const fn of_micro_batch(&self, batch: Batch) -> Batch {
        Batch { samples: self.samples, capacity: self.capacity, ..batch }
    }

    /// Where Σ gᵢ goes, and where Σ gᵢ² where it is asked for: whether they are squares, and their buffer.
    pub(super) fn gradient_sums(&self) -> impl Iterator<Item = (bool, &'e wgpu::Buffer)> + use<'e> {
        let Buffers { gradient_sum, second_moment, .. } = self.buffers;
        let squares = self.needs.moments().then_some((true, second_moment));
        std::iter::once((false, gradient_sum)).chain(squares)
    }

    pub(super) const fn variants(&self) -> Variants {
        self.gpu.variants()
    }

    /// Whether a pass leaves a layer's share of every sᵢ.
    pub(super) const fn wants_norms(&self, pass: Pass) -> bool {
        match pass {
            Pass::Accumulate => self.needs.norms || self.needs.inner,
            // Those of the first sweep were overwritten by other micro-batches'.
            Pass::Project => true,
            Pass::ProjectFromCache => false,
        }
    }
}
