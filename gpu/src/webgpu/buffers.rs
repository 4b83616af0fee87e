//! The device memory of an engine: O(parameters + micro-batch), never batch × parameters.

use adadagrad_core::network::{Network, Operation, Placed};
use adadagrad_core::statistics::Needs;

use super::device::Gpu;
use super::engine::{FOLDED, SHARES};
use super::program::SLICE;

/// Buffers of the network's values: one pair a node, so that a dispatch may read one and write another.
#[derive(Debug)]
pub(super) struct NodeBuffers {
    pub(super) output: wgpu::Buffer,
    pub(super) gradient: wgpu::Buffer,
}

#[derive(Debug)]
pub(super) struct Buffers {
    pub(super) input: wgpu::Buffer,
    pub(super) labels: wgpu::Buffer,
    pub(super) nodes: Vec<NodeBuffers>,
    pub(super) parameters: wgpu::Buffer,
    pub(super) memory: wgpu::Buffer,
    /// Σ gᵢ of the batch, or of the part at hand while parts are summed one by one.
    pub(super) gradient_sum: wgpu::Buffer,
    /// Σ gᵢ of the parts so far, where parts are asked for.
    pub(super) total: wgpu::Buffer,
    pub(super) second_moment: wgpu::Buffer,
    pub(super) per_sample: wgpu::Buffer,
    pub(super) tile_sums: wgpu::Buffer,
    pub(super) tile_inner_products: wgpu::Buffer,
    pub(super) slices: wgpu::Buffer,
    pub(super) moment_slices: wgpu::Buffer,
    pub(super) projected: wgpu::Buffer,
    pub(super) sums: wgpu::Buffer,
}

impl Buffers {
    pub(super) fn new(
        gpu: &Gpu,
        network: Network<'_>,
        slots: usize,
        needs: &Needs,
        capacity: u32,
        most_samples: u32,
    ) -> Self {
        let m = capacity as usize;
        let parameters = network.parameters();
        let nodes = network.nodes();
        let widest = nodes.iter().map(|placed| placed.output.len()).max().unwrap_or(0);
        let convolution = |placed: &Placed| matches!(placed.operation, Operation::Conv2d { .. });
        let convolutions = || nodes.iter().filter(|placed| convolution(placed));
        let tile_count = convolutions().map(tiles).max().unwrap_or(0) as usize;
        let layer = convolutions().map(|placed| placed.weights + placed.biases).max().unwrap_or(0);
        let slices = m.div_ceil(SLICE as usize) * layer;
        let moments = needs.coordinate_quantile.is_some();
        let micro_batches = (most_samples.div_ceil(capacity) + 1024) as usize;
        let norms = SHARES * (1 + if needs.parts > 0 { needs.parts.max(64) as usize } else { 0 });
        Self {
            input: gpu.storage("input", m * network.input().len()),
            labels: gpu.storage("labels", m),
            nodes: nodes
                .iter()
                .map(|placed| NodeBuffers {
                    output: gpu.storage("outputs", m * placed.output.len()),
                    gradient: gpu.storage("output gradients", m * placed.output.len()),
                })
                .collect(),
            parameters: gpu.storage("parameters", parameters),
            memory: gpu.storage("optimizer memory", slots * parameters),
            gradient_sum: gpu.storage("gradient sum", parameters),
            total: gpu.storage("total gradient", if needs.parts > 0 { parameters } else { 0 }),
            second_moment: gpu.storage("second moment", if moments { parameters } else { 0 }),
            per_sample: gpu.storage("per-sample values", 4 * m),
            tile_sums: gpu.storage("tile sums", m * tile_count),
            tile_inner_products: gpu
                .storage("tile inner products", if needs.inner { m * tile_count } else { 0 }),
            slices: gpu.storage("gradient slices", slices),
            moment_slices: gpu.storage("moment slices", if moments { slices } else { 0 }),
            projected: gpu.storage("projections", m * widest),
            sums: gpu.storage("sums", 2 * FOLDED * micro_batches + norms),
        }
    }
}

impl Buffers {
    /// Bytes of all of them.
    pub(super) fn bytes(&self) -> u64 {
        let of_nodes = self.nodes.iter().flat_map(|node| [&node.output, &node.gradient]);
        let others = [
            &self.input,
            &self.labels,
            &self.parameters,
            &self.memory,
            &self.gradient_sum,
            &self.total,
            &self.second_moment,
            &self.per_sample,
            &self.tile_sums,
            &self.tile_inner_products,
            &self.slices,
            &self.moment_slices,
            &self.projected,
            &self.sums,
        ];
        others.into_iter().chain(of_nodes).map(wgpu::Buffer::size).sum()
    }
}

/// Tiles of four outputs by four taps (the bias is one more tap) of a convolution's gradient.
pub(super) fn tiles(placed: &Placed) -> u32 {
    let taps = word(placed.operation.fan_in(placed.input)) + 1;
    placed.output.channels.div_ceil(4) * taps.div_ceil(4)
}

/// A size as a shader takes it. Sizes here are bounded by device memory, far below 2³².
pub(super) fn word(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
