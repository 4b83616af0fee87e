//! The layers' twins on the device: one file each, with the dispatches of its passes over a micro-batch.
//!
//! To add one: its file, its name in [`twin`], its shader, and its row in `parity`.

mod add;
mod average_pool2d;
mod causal_attention;
mod conv2d;
mod dense;
mod embedding;
mod gelu;
mod global_average_pool;
mod group_norm;
mod layer_norm;
mod max_pool2d;
mod position_embedding;
mod relu;
mod sample_gradients;
mod scratch;
mod tanh;
mod value_by_value;

pub(super) use conv2d::SLICE;
pub(super) use relu::mask;
pub(super) use scratch::Scratch;

use adadagrad_core::layer::Operation;
use adadagrad_core::network::Placed;

use super::program::{Builder, Pass};

/// What a layer's dispatches read and write.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'e> {
    pub(super) place: &'e Placed,
    /// Whether the ReLU behind it is fused into it.
    pub(super) relu: bool,
    /// The inputs. Where there is one only, it is both.
    pub(super) x: [&'e wgpu::Buffer; 2],
    pub(super) y: &'e wgpu::Buffer,
    /// The outputs' gradient.
    pub(super) dy: &'e wgpu::Buffer,
    /// What the forward pass leaves for the backward pass: see [`DeviceLayer::kept`].
    pub(super) kept: &'e wgpu::Buffer,
}

/// Where an input's gradient goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target<'e> {
    pub(super) buffer: &'e wgpu::Buffer,
    /// Whether another reader of the input has left its share there.
    pub(super) adds: bool,
}

/// Which of a layer's values are read after its forward pass, by its backward pass or its statistics. All others may be
/// overwritten by then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reads {
    pub(super) inputs: bool,
    pub(super) outputs: bool,
}

impl Reads {
    pub(super) const NONE: Self = Self { inputs: false, outputs: false };
    pub(super) const INPUTS: Self = Self { inputs: true, outputs: false };
    pub(super) const OUTPUTS: Self = Self { inputs: false, outputs: true };
}

/// A layer on the device.
pub(super) trait DeviceLayer {
    /// What must survive its forward pass, beside what it keeps and the mask of a ReLU that is fused into it.
    fn reads(&self) -> Reads;

    /// Whether its forward pass can do the ReLU behind it, too.
    fn fuses_relu(&self) -> bool {
        false
    }

    /// Values of one sample that its forward pass leaves for its backward pass, beside the outputs.
    fn kept(&self, place: &Placed) -> usize {
        let _ = place;
        0
    }

    /// Memory that its statistics, or its input's gradient, take while they are computed, for up to `samples` samples.
    fn scratch(&self, place: &Placed, samples: usize) -> Scratch {
        let _ = (place, samples);
        Scratch::default()
    }

    /// y from x.
    fn forward(&self, call: &Call<'_>, build: &mut Builder<'_>);

    /// The adjoint of the forward pass, once for each input. Its statistics were dispatched just before, and what they
    /// left in scratch memory is still there.
    fn input_gradient(&self, call: &Call<'_>, dx: Target<'_>, build: &mut Builder<'_>);

    /// What its parameters add to the batch's sums. Layers without parameters add nothing.
    fn statistics(&self, call: &Call<'_>, pass: Pass, build: &mut Builder<'_>) {
        let _ = (call, pass, build);
    }
}

/// An operation's twin; `None` for one that moves no values: its output is its input.
pub(super) fn twin(operation: &Operation) -> Option<&dyn DeviceLayer> {
    let layer: &dyn DeviceLayer = match operation {
        Operation::Dense(layer) => layer,
        Operation::Conv2d(layer) => layer,
        Operation::Relu(layer) => layer,
        Operation::Tanh(layer) => layer,
        Operation::Gelu(layer) => layer,
        Operation::MaxPool2d(layer) => layer,
        Operation::AveragePool2d(layer) => layer,
        Operation::GlobalAveragePool(layer) => layer,
        Operation::GroupNorm(layer) => layer,
        Operation::Add(layer) => layer,
        Operation::Embedding(layer) => layer,
        Operation::PositionEmbedding(layer) => layer,
        Operation::LayerNorm(layer) => layer,
        Operation::CausalAttention(layer) => layer,
        Operation::Flatten(_) => return None,
    };
    Some(layer)
}
