//! The dispatches of one micro-batch, in order.

use adadagrad_core::layer::{self, Operation};
use adadagrad_core::network::Placed;
use adadagrad_core::statistics::Needs;

use super::buffers::{Buffers, word};
use super::cost::Costed;
use super::device::Gpu;
use super::kernel::{Dispatch, Grid, Kernels, Launch, Shader};
use super::product::FusedProduct;
use super::uniforms::{Batch, Conv2d, MaxPool2d, Product, Values};
use super::variants::{self, Sum, Variants};

/// Samples that one slice of a convolution's weight gradient sums over: slices run side by side.
pub(super) const SLICE: u32 = 16;
/// Rows of the per-sample values.
const NORMS: u32 = 2;
const INNER_PRODUCTS: u32 = 3;
/// Flags of `conv2d.wgsl`.
const MOMENT: u32 = 1;
const PROJECT: u32 = 2;

/// The dispatches for micro-batches of one size.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) forward: Vec<Dispatch>,
    pub(super) accumulate: Vec<Dispatch>,
    pub(super) project: Vec<Dispatch>,
    /// The projections alone, where activations and their gradients are still those of the batch.
    pub(super) project_kept: Vec<Dispatch>,
}

/// What a backward pass is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    Accumulate,
    Project,
    /// Where the backward pass was just made.
    ProjectKept,
}

/// A node that moves values, with the ReLU that may be fused into it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layer {
    placed: Placed,
    /// The buffers' index it reads from; `None`: the network's input.
    from: Option<usize>,
    /// Where it writes.
    pub(super) to: usize,
    relu: bool,
}

/// Chains the nodes: a flatten moves nothing, and a ReLU behind a layer with weights is that layer's.
pub(super) fn layers(nodes: &[Placed]) -> Vec<Layer> {
    let mut layers: Vec<Layer> = Vec::new();
    for (index, placed) in nodes.iter().enumerate() {
        let from = layers.last().map(|layer| layer.to);
        match (placed.operation, layers.last_mut()) {
            (Operation::Flatten(_), _) => {}
            (Operation::Relu(_), Some(before)) if before.placed.weights > 0 && !before.relu => {
                before.relu = true
            }
            _ => layers.push(Layer { placed: *placed, from, to: index, relu: false }),
        }
    }
    layers
}

/// Builds the dispatches of one micro-batch size.
pub(super) struct Builder<'e> {
    pub(super) gpu: &'e Gpu,
    pub(super) kernels: &'e mut Kernels,
    pub(super) buffers: &'e Buffers,
    pub(super) samples: u32,
    pub(super) capacity: u32,
    pub(super) needs: &'e Needs,
}

impl<'e> Builder<'e> {
    /// Everything that is submitted for a micro-batch, but for drawing it and folding its sums.
    pub(super) fn program(mut self, layers: &[Layer], classes: u32) -> Program {
        let mut forward = Vec::new();
        for layer in layers {
            self.forward(layer, &mut forward);
        }
        if let Some(last) = layers.last() {
            self.loss(last, classes, &mut forward);
        }
        let [mut accumulate, mut project, mut project_kept] = [const { Vec::new() }; 3];
        for layer in layers.iter().rev() {
            self.backward(layer, Pass::Accumulate, &mut accumulate);
            if self.needs.inner {
                self.backward(layer, Pass::Project, &mut project);
                self.statistics_of(layer, Pass::ProjectKept, &mut project_kept);
            }
        }
        Program { forward, accumulate, project, project_kept }
    }

    fn dispatch(
        &mut self,
        shader: Shader,
        entry: &'static str,
        uniform: impl Costed,
        buffers: &[(u32, &wgpu::Buffer)],
        grid: Grid,
    ) -> Dispatch {
        self.kernels.dispatch(self.gpu, shader, entry, &uniform, buffers, grid)
    }

    fn statistics(
        &mut self,
        entry: &'static str,
        batch: Batch,
        buffers: &[(u32, &wgpu::Buffer)],
        grid: Grid,
    ) -> Dispatch {
        let batch = Batch { samples: self.samples, capacity: self.capacity, ..batch };
        self.dispatch(Shader::Statistics, entry, batch, buffers, grid)
    }

    fn sums(&mut self, sum: Sum, count: u32, batch: Batch, buffers: &[(u32, &wgpu::Buffer)]) -> Dispatch {
        let batch = Batch { samples: self.samples, capacity: self.capacity, ..batch };
        self.launch(&variants::sums(self.variants().sums, sum, count), batch, buffers)
    }

    fn input(&self, layer: &Layer) -> &'e wgpu::Buffer {
        layer.from.map_or(&self.buffers.input, |index| &self.buffers.nodes[index].output)
    }

    fn output(&self, layer: &Layer) -> &'e wgpu::Buffer {
        &self.buffers.nodes[layer.to].output
    }

    fn gradient(&self, layer: &Layer) -> &'e wgpu::Buffer {
        &self.buffers.nodes[layer.to].gradient
    }

    fn product(
        &mut self,
        product: FusedProduct,
        a: &wgpu::Buffer,
        b: &wgpu::Buffer,
        c: &wgpu::Buffer,
    ) -> Dispatch {
        let launch = variants::product(self.variants().product, &product);
        self.launch(&launch, product, &[(1, a), (2, b), (3, c)])
    }

    fn launch(
        &mut self,
        launch: &Launch,
        uniform: impl Costed,
        buffers: &[(u32, &wgpu::Buffer)],
    ) -> Dispatch {
        self.kernels.launch(self.gpu, launch, &uniform, buffers)
    }

    const fn variants(&self) -> Variants {
        self.gpu.variants()
    }

    fn forward(&mut self, layer: &Layer, list: &mut Vec<Dispatch>) {
        let (x, y) = (self.input(layer), self.output(layer));
        let buffers = self.buffers;
        let placed = &layer.placed;
        list.push(match placed.operation {
            Operation::Dense(_) => {
                let product = FusedProduct { relu: layer.relu, ..self.dense_forward(placed) };
                self.product(product, x, &buffers.parameters, y)
            }
            Operation::Conv2d(_) => {
                let conv = Conv2d { relu: u32::from(layer.relu), ..self.conv2d(placed) };
                let launch = variants::conv2d_forward(self.variants().conv2d_forward, &conv);
                self.launch(&launch, conv, &[(1, x), (2, &buffers.parameters), (3, y)])
            }
            Operation::MaxPool2d(_) => {
                let pool = self.max_pool2d(placed);
                let grid = Grid::Flat(self.samples * word(placed.output.len()));
                self.dispatch(Shader::MaxPool2d, "max_pool2d_forward", pool, &[(1, x), (3, y)], grid)
            }
            Operation::Relu(_) | Operation::Tanh(_) | Operation::Flatten(_) => {
                let is_tanh = matches!(placed.operation, Operation::Tanh(_));
                let entry = if is_tanh { "tanh_forward" } else { "relu_forward" };
                self.values(entry, placed, &[(1, x), (2, y)])
            }
        });
    }

    /// Y = X Wᵀ + b, or the projection X Ḡᵀ + ḡ_b.
    fn dense_forward(&self, placed: &Placed) -> FusedProduct {
        let [inputs, outputs] = [placed.input.len(), placed.output.len()].map(word);
        let offset = word(placed.parameter_offset);
        let block = Product {
            rows: self.samples,
            columns: outputs,
            inner: inputs,
            a_row: inputs,
            a_inner: 1,
            b_offset: offset,
            b_inner: 1,
            b_column: inputs,
            c_row: outputs,
            bias_offset: offset + word(placed.weights),
            ..Product::default()
        };
        FusedProduct { block, has_bias: true, ..FusedProduct::default() }
    }

    fn conv2d(&self, placed: &Placed) -> Conv2d {
        convolution(placed, self.samples)
    }

    fn max_pool2d(&self, placed: &Placed) -> MaxPool2d {
        let Operation::MaxPool2d(layer::MaxPool2d { kernel, stride }) = placed.operation else {
            return MaxPool2d::default();
        };
        MaxPool2d {
            planes: self.samples * placed.input.channels,
            height: placed.input.height,
            width: placed.input.width,
            out_height: placed.output.height,
            out_width: placed.output.width,
            kernel,
            stride,
        }
    }

    fn values(&mut self, entry: &'static str, placed: &Placed, buffers: &[(u32, &wgpu::Buffer)]) -> Dispatch {
        let count = self.samples * word(placed.output.len());
        self.dispatch(Shader::Activation, entry, Values { count }, buffers, Grid::Flat(count))
    }

    fn loss(&mut self, last: &Layer, classes: u32, list: &mut Vec<Dispatch>) {
        let batch = Batch { outputs: classes, ..Batch::default() };
        let buffers = [
            (1, self.output(last)),
            (3, &self.buffers.per_sample),
            (4, self.gradient(last)),
            (5, &self.buffers.labels),
            (7, &self.buffers.loss_scale),
        ];
        let grid = Grid::Flat(self.samples);
        list.push(self.statistics("softmax_cross_entropy", batch, &buffers, grid));
    }

    fn backward(&mut self, layer: &Layer, pass: Pass, list: &mut Vec<Dispatch>) {
        let placed = &layer.placed;
        let (x, y, e) = (self.input(layer), self.output(layer), self.gradient(layer));
        if layer.relu {
            list.push(self.values("relu_mask", placed, &[(1, y), (2, e)]));
        }
        self.statistics_of(layer, pass, list);
        let Some(from) = layer.from else { return };
        let dx = &self.buffers.nodes[from].gradient;
        let parameters = &self.buffers.parameters;
        list.push(match placed.operation {
            Operation::Dense(_) => {
                let [inputs, outputs] = [placed.input.len(), placed.output.len()].map(word);
                let block = Product {
                    rows: self.samples,
                    columns: inputs,
                    inner: outputs,
                    a_row: outputs,
                    a_inner: 1,
                    b_offset: word(placed.parameter_offset),
                    b_inner: inputs,
                    b_column: 1,
                    c_row: inputs,
                    ..Product::default()
                };
                self.product(FusedProduct { block, ..FusedProduct::default() }, e, parameters, dx)
            }
            Operation::Conv2d(_) => {
                let conv = self.conv2d(placed);
                let variant = self.variants().conv2d_input_gradient;
                let launch = variants::conv2d_input_gradient(variant, &conv);
                self.launch(&launch, conv, &[(1, e), (2, parameters), (3, dx)])
            }
            Operation::MaxPool2d(_) => {
                let pool = self.max_pool2d(placed);
                let launch = variants::max_pool2d_backward(&pool);
                self.launch(&launch, pool, &[(1, x), (2, e), (3, dx)])
            }
            Operation::Relu(_) | Operation::Tanh(_) | Operation::Flatten(_) => {
                let is_tanh = matches!(placed.operation, Operation::Tanh(_));
                let entry = if is_tanh { "tanh_backward" } else { "relu_backward" };
                self.values(entry, placed, &[(1, y), (2, dx), (3, e)])
            }
        });
    }

    /// What a layer with weights adds to the batch's sums.
    fn statistics_of(&mut self, layer: &Layer, pass: Pass, list: &mut Vec<Dispatch>) {
        let (x, e) = (self.input(layer), self.gradient(layer));
        match layer.placed.operation {
            Operation::Dense(_) => self.dense_statistics(&layer.placed, x, e, pass, list),
            Operation::Conv2d(_) => self.conv2d_statistics(&layer.placed, x, e, pass, list),
            _ => {}
        }
    }

    /// Whether a pass leaves the layer's share of every sᵢ.
    const fn wants_norms(&self, pass: Pass) -> bool {
        match pass {
            Pass::Accumulate => self.needs.norms || self.needs.inner,
            // Those of the first sweep were overwritten by other micro-batches'.
            Pass::Project => true,
            Pass::ProjectKept => false,
        }
    }

    fn dense_statistics(
        &mut self,
        placed: &Placed,
        x: &wgpu::Buffer,
        e: &wgpu::Buffer,
        pass: Pass,
        list: &mut Vec<Dispatch>,
    ) {
        let buffers = self.buffers;
        let [inputs, outputs] = [placed.input.len(), placed.output.len()].map(word);
        let batch = Batch { inputs, outputs, ..Batch::default() };
        if self.wants_norms(pass) {
            let bindings = [(1, x), (2, e), (3, &buffers.per_sample)];
            list.push(self.sums(Sum::DenseNorms, self.samples, batch, &bindings));
        }
        if pass != Pass::Accumulate {
            let product = self.dense_forward(placed);
            list.push(self.product(product, x, &buffers.gradient_sum, &buffers.projected));
            let bindings = [(1, &buffers.projected), (2, e), (3, &buffers.per_sample)];
            list.push(self.statistics("dense_inner_products", batch, &bindings, Grid::Flat(self.samples)));
            return;
        }
        let moment = self.needs.coordinate_quantile.map(|_| (true, &buffers.second_moment));
        for (is_squared, sums) in [Some((false, &buffers.gradient_sum)), moment].into_iter().flatten() {
            let block = Product {
                rows: outputs,
                columns: inputs,
                inner: self.samples,
                a_row: 1,
                a_inner: outputs,
                b_inner: inputs,
                b_column: 1,
                c_offset: word(placed.parameter_offset),
                c_row: inputs,
                ..Product::default()
            };
            let product = FusedProduct { block, is_squared, adds: true, ..FusedProduct::default() };
            list.push(self.product(product, e, x, sums));
            let offset = word(placed.parameter_offset + placed.weights);
            let batch = Batch { offset, stride: if is_squared { 2 } else { 1 }, ..batch };
            let bindings = [(2, e), (4, sums)];
            list.push(self.sums(Sum::DenseBiasGradient, outputs, batch, &bindings));
        }
    }

    fn conv2d_statistics(
        &mut self,
        placed: &Placed,
        x: &wgpu::Buffer,
        e: &wgpu::Buffer,
        pass: Pass,
        list: &mut Vec<Dispatch>,
    ) {
        let buffers = self.buffers;
        let slices = self.samples.div_ceil(SLICE);
        let count = word(placed.weights + placed.biases);
        let moments = self.needs.coordinate_quantile.is_some();
        let (flags, parameters, sixth) = match pass {
            Pass::Project | Pass::ProjectKept => {
                (PROJECT, &buffers.gradient_sum, &buffers.tile_inner_products)
            }
            Pass::Accumulate => {
                (if moments { MOMENT } else { 0 }, &buffers.parameters, &buffers.moment_slices)
            }
        };
        let variant = self.variants().conv2d_weight_gradient;
        let conv = self.conv2d(placed);
        let tiles = variants::gradient_tiles(variant, &conv);
        let conv = Conv2d { flags, sink_stride: tiles, ..conv };
        let bindings =
            [(1, x), (2, parameters), (3, &buffers.slices), (4, e), (5, &buffers.tile_sums), (6, sixth)];
        let launch = variants::conv2d_weight_gradient(variant, &conv);
        list.push(self.launch(&launch, conv, &bindings));
        let sum_tiles = |builder: &mut Self, tile_sums, place| {
            let batch = Batch { tiles, stride: tiles, place, ..Batch::default() };
            let bindings = [(1, tile_sums), (3, &buffers.per_sample)];
            builder.sums(Sum::Tiles, builder.samples, batch, &bindings)
        };
        if self.wants_norms(pass) {
            list.push(sum_tiles(self, &buffers.tile_sums, NORMS));
        }
        if pass != Pass::Accumulate {
            list.push(sum_tiles(self, &buffers.tile_inner_products, INNER_PRODUCTS));
            return;
        }
        let sinks = [
            Some((&buffers.slices, &buffers.gradient_sum)),
            moments.then_some((&buffers.moment_slices, &buffers.second_moment)),
        ];
        for (slices_of, sums) in sinks.into_iter().flatten() {
            let offset = word(placed.parameter_offset);
            let batch = Batch { tiles: slices, offset, count, ..Batch::default() };
            let bindings = [(1, slices_of), (4, sums)];
            list.push(self.statistics("add_slices", batch, &bindings, Grid::Flat(count)));
        }
    }
}

/// A convolution as its shaders take it.
pub(super) fn convolution(placed: &Placed, samples: u32) -> Conv2d {
    let Operation::Conv2d(layer::Conv2d { outputs, kernel, stride, padding, .. }) = placed.operation else {
        return Conv2d::default();
    };
    Conv2d {
        samples,
        channels: placed.input.channels,
        height: placed.input.height,
        width: placed.input.width,
        outputs,
        out_height: placed.output.height,
        out_width: placed.output.width,
        kernel,
        stride,
        padding,
        parameter_offset: word(placed.parameter_offset),
        slice: SLICE,
        ..Conv2d::default()
    }
}
