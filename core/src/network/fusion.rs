//! Layers that are computed in one pass.

use super::Placed;
use super::buffers::Buffers;
use super::pass::Pass;
use crate::backend::{
    Backend, BackwardOf, ForwardOf, GroupNormKernels, GroupNormSizes, NormalisedBackwardOf, NormalisedOf,
    PooledBackwardOf, PooledConv2dKernels, PooledForwardOf,
};
use crate::layer::{Backward, Forward, MaxPool2d, Operation};
use crate::real::Real;
use crate::sink::Sink;
use crate::windows::Windows;

/// What is computed in one pass: a node, a convolution with the ReLU and the 2×2 max-pooling behind it, or a group
/// normalisation with the ReLU behind it.
pub(super) enum Stage<'n, F: Real> {
    Node(&'n Placed),
    /// What lies between is not kept: where the convolution's outputs would be are the places of the largest.
    Pooling {
        conv: &'n Placed,
        pool: &'n Placed,
        windows: Windows,
        kernels: PooledConv2dKernels<F>,
    },
    /// The normalised values are not kept.
    Rectified {
        norm: &'n Placed,
        relu: &'n Placed,
        sizes: GroupNormSizes,
        kernels: GroupNormKernels<F>,
    },
}

impl<'n, F: Real> Stage<'n, F> {
    /// The stage that begins at a node.
    pub(super) fn at(nodes: &'n [Placed], first: usize, backend: &dyn Backend<F>, scratch: usize) -> Self {
        let pooling = Self::pooling(nodes, first, backend, scratch);
        let rectified = || Self::rectified(nodes, first, backend, scratch);
        pooling.or_else(rectified).unwrap_or(Self::Node(&nodes[first]))
    }

    /// The stage that ends before a node.
    pub(super) fn before(nodes: &'n [Placed], end: usize, backend: &dyn Backend<F>, scratch: usize) -> Self {
        let pooling = end.checked_sub(3).and_then(|first| Self::pooling(nodes, first, backend, scratch));
        let rectified =
            || end.checked_sub(2).and_then(|first| Self::rectified(nodes, first, backend, scratch));
        pooling.or_else(rectified).unwrap_or(Self::Node(&nodes[end - 1]))
    }

    fn rectified(
        nodes: &'n [Placed],
        first: usize,
        backend: &dyn Backend<F>,
        scratch: usize,
    ) -> Option<Self> {
        let [norm, relu] = nodes.get(first..)?.first_chunk()?;
        let (Operation::GroupNorm(layer), Operation::Relu(_)) = (norm.operation, relu.operation) else {
            return None;
        };
        let sizes = GroupNormSizes::new(layer.groups, norm.input);
        let kernels = sizes.kernels(backend, scratch)?;
        let is_chain = relu.reads(norm) && nodes.iter().filter(|node| node.reads(norm)).count() == 1;
        is_chain.then_some(Self::Rectified { norm, relu, sizes, kernels })
    }

    fn pooling(nodes: &'n [Placed], first: usize, backend: &dyn Backend<F>, scratch: usize) -> Option<Self> {
        let [conv, relu, pool] = nodes.get(first..)?.first_chunk()?;
        let Operation::Conv2d(conv2d) = conv.operation else { return None };
        let is_pooling = matches!(relu.operation, Operation::Relu(_))
            && pool.operation == Operation::MaxPool2d(MaxPool2d { kernel: 2, stride: 2 });
        let windows = conv2d.windows(conv.place());
        let kernels = backend.kernels().filter(|_| is_pooling && conv2d.bias)?;
        let kernels = kernels.pooled_conv2d.fitting(windows, scratch)?;
        let reads = |before: &Placed| nodes.iter().filter(|node| node.reads(before)).count();
        let is_chain = relu.reads(conv) && pool.reads(relu) && reads(conv) == 1 && reads(relu) == 1;
        is_chain.then_some(Self::Pooling { conv, pool, windows, kernels })
    }

    /// Nodes that it consists of.
    pub(super) const fn len(&self) -> usize {
        match self {
            Self::Node(_) => 1,
            Self::Rectified { .. } => 2,
            Self::Pooling { .. } => 3,
        }
    }

    /// Whether it can write the gradient of its first input where nothing has been cleared.
    pub(super) fn can_overwrite(&self, backend: &dyn Backend<F>, scratch: usize) -> bool {
        match *self {
            Self::Node(node) => node.operation.layer().can_overwrite(backend, node.place(), scratch),
            Self::Pooling { .. } | Self::Rectified { .. } => false,
        }
    }

    pub(super) fn forward(
        &self,
        backend: &dyn Backend<F>,
        samples: usize,
        parameters: &[F],
        buffers: &mut Buffers<'_, F>,
    ) {
        match *self {
            Self::Node(node) if node.is_flatten() => {}
            Self::Node(node) => {
                let (before, y) = node.split(samples, 0, buffers.activations);
                let x = [0, 1].map(|k| node.input_of(k, samples, before));
                let parameters = &parameters[node.parameters()];
                let call = Forward { backend, place: node.place(), samples, parameters, x };
                node.operation.layer().forward(&call, y, buffers.scratch);
            }
            Self::Pooling { conv, pool, windows, kernels } => {
                let (x, places, y) = three(conv, pool, samples, 0, buffers.activations);
                let parameters = &parameters[conv.parameters()];
                let of = PooledForwardOf { parameters, x, places, y };
                (kernels.forward)(windows, of, buffers.scratch);
            }
            Self::Rectified { norm, relu, sizes, kernels } => {
                let (x, _, y) = three(norm, relu, samples, 0, buffers.activations);
                let layer = ForwardOf { parameters: &parameters[norm.parameters()], x, y };
                (kernels.forward)(sizes, NormalisedOf { layer, rectified: true }, buffers.scratch);
            }
        }
    }

    pub(super) fn backward(
        &self,
        backend: &dyn Backend<F>,
        samples: usize,
        (pass, overwrites): (Pass, bool),
        parameters: &[F],
        buffers: &mut Buffers<'_, F>,
        sink: &mut Sink<'_, F>,
    ) {
        let skipped = buffers.without_gradient;
        match *self {
            Self::Node(node) if node.is_flatten() => {}
            Self::Node(node) => {
                let (before, y) = node.split(samples, 0, buffers.activations);
                let (gradients, dy) = node.split(samples, skipped, buffers.gradients);
                let x = [0, 1].map(|k| node.input_of(k, samples, before));
                let parameters = &parameters[node.parameters()];
                let call =
                    Backward { backend, place: node.place(), samples, parameters, x, y, dy, overwrites };
                let layer = node.operation.layer();
                // Once for each input: they may be one and the same.
                let dx = pass.passes_on(node, 0).then(|| node.input_of_mut(0, samples, skipped, gradients));
                layer.backward(&call, dx, &mut sink.of_layer(node.parameters()), buffers.scratch);
                if pass.passes_on(node, 1) {
                    let dx = node.input_of_mut(1, samples, skipped, gradients);
                    layer.input_gradient(&call, dx, buffers.scratch);
                }
            }
            Self::Pooling { conv, pool, windows, kernels } => {
                let (x, places, y) = three(conv, pool, samples, 0, buffers.activations);
                let (dx, _, dy) = three(conv, pool, samples, skipped, buffers.gradients);
                let parameters = &parameters[conv.parameters()];
                let dx = pass.passes_on(conv, 0).then_some(dx);
                let sink = &mut sink.of_layer(conv.parameters());
                let layer = BackwardOf { parameters, x, dy, dx, overwrites: false, sink };
                (kernels.backward)(windows, PooledBackwardOf { places, y, layer }, buffers.scratch);
            }
            Self::Rectified { norm, relu, sizes, kernels } => {
                let (x, _, y) = three(norm, relu, samples, 0, buffers.activations);
                let (dx, _, dy) = three(norm, relu, samples, skipped, buffers.gradients);
                let parameters = &parameters[norm.parameters()];
                let dx = pass.passes_on(norm, 0).then_some(dx);
                let sink = &mut sink.of_layer(norm.parameters());
                let layer = BackwardOf { parameters, x, dy, dx, overwrites: false, sink };
                let of = NormalisedBackwardOf { layer, rectified: Some(y) };
                (kernels.backward)(sizes, of, buffers.scratch);
            }
        }
    }
}

/// A stage's input, the outputs of its first node, and those of its last, in a buffer that lacks the first `skipped`
/// values of each sample. What is not there is empty.
fn three<'w, F>(
    first: &Placed,
    last: &Placed,
    samples: usize,
    skipped: usize,
    buffer: &'w mut [F],
) -> (&'w mut [F], &'w mut [F], &'w mut [F]) {
    let (before, of_last) = last.split(samples, skipped, buffer);
    let (inputs, of_first) = first.split(samples, skipped, before);
    (first.input_of_mut(0, samples, skipped, inputs), of_first, of_last)
}

impl Placed {
    /// A buffer of activations or gradients without the first `skipped` values of each sample, cut before the node's
    /// output: all of its inputs lie there, as nodes only read earlier ones.
    fn split<'w, F>(
        &self,
        samples: usize,
        skipped: usize,
        buffer: &'w mut [F],
    ) -> (&'w mut [F], &'w mut [F]) {
        let (before, from_output) = buffer.split_at_mut((self.output_offset - skipped) * samples);
        (before, &mut from_output[..self.output.len() * samples])
    }

    /// One of its inputs within that.
    fn input_of<'w, F>(&self, input: usize, samples: usize, before: &'w [F]) -> &'w [F] {
        let values = self.values[input];
        &before[values.offset * samples..][..values.len * samples]
    }

    fn input_of_mut<'w, F>(
        &self,
        input: usize,
        samples: usize,
        skipped: usize,
        before: &'w mut [F],
    ) -> &'w mut [F] {
        let values = self.values[input];
        let Some(start) = values.offset.checked_sub(skipped) else { return &mut [] };
        &mut before[start * samples..][..values.len * samples]
    }
}
