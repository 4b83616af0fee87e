//! What a network is made of. Each layer is one file: its shapes and parameters (`sizes`), its forward and backward
//! pass and its per-sample statistics (`Layer`), all as plain loops or as calls of a [`Backend`].
//!
//! To add one: its file, and its name here, in `operation.rs` (the list of [`Operation`]s, and `scratch_len`) and in
//! `model/description.rs` (its words in network files). What is missing then does not compile, or fails by name: in the crate
//! `gpu` its twin (`webgpu/layers`), its shader, what its kernels cost (`webgpu/cost.rs`) and its parity cases
//! (`webgpu/parity`); in the tests its definition in `f64` (`reference.rs`) and its golden cases (`golden.rs`).

mod add;
mod average_pool2d;
mod call;
mod causal_attention;
mod conv2d;
mod dense;
mod embedding;
mod flatten;
mod gelu;
mod global_average_pool;
mod group_norm;
mod layer_norm;
mod max_pool2d;
mod operation;
mod place;
mod position_embedding;
mod relu;
mod sizes;
mod slide;
mod tanh;
mod tensor;

pub use add::Add;
pub use average_pool2d::AveragePool2d;
pub use causal_attention::CausalAttention;
pub use conv2d::Conv2d;
pub use dense::Dense;
pub use embedding::Embedding;
pub use flatten::Flatten;
pub use gelu::Gelu;
pub use global_average_pool::GlobalAveragePool;
pub use group_norm::GroupNorm;
pub use layer_norm::LayerNorm;
pub use max_pool2d::MaxPool2d;
pub use operation::{Operation, ShapeError};
pub use position_embedding::PositionEmbedding;
pub use relu::Relu;
pub use tanh::Tanh;
pub use tensor::{Initial, Tensor};

pub(crate) use call::{Backward, Forward};
pub(crate) use place::Place;
pub(crate) use sizes::Sizes;

use core::fmt;

use crate::backend::Backend;
use crate::real::Real;
use crate::shape::Shape;
use crate::sink::Sink;

/// What a layer takes, gives and holds, whatever the float type.
pub(crate) trait Signature: fmt::Display {
    /// Multiplications and additions of one sample's forward pass.
    fn flops(&self, input: Shape, output: Shape) -> u64 {
        let _ = (input, output);
        0
    }

    /// Values of scratch memory that its passes over a micro-batch take where there are kernels for it, beside or in
    /// place of those that plain loops take.
    fn with_kernels(&self, place: Place, samples: usize, scratch_len: usize) -> usize {
        let _ = (place, samples);
        scratch_len
    }
}

/// A layer's passes over a micro-batch. Lengths have been checked when it was placed.
pub(crate) trait Layer<F: Real>: Signature {
    /// y from x.
    fn forward(&self, call: &Forward<'_, F>, y: &mut [F], scratch: &mut [F]);

    /// dx += adjoint of the forward pass. It *adds*, so that a value may feed several layers.
    fn input_gradient(&self, call: &Backward<'_, F>, dx: &mut [F], scratch: &mut [F]);

    /// Whether the whole backward pass, with so much scratch memory, can write dx without reading it
    /// ([`Backward::overwrites`]), so that it need not be cleared.
    fn can_overwrite(&self, backend: &dyn Backend<F>, place: Place, scratch: usize) -> bool {
        let _ = (backend, place, scratch);
        false
    }

    /// gradient ← gᵢ of this layer's parameters + β · gradient, for one sample of the micro-batch. Layers without
    /// parameters have none.
    fn sample_gradient(
        &self,
        call: &Backward<'_, F>,
        sample: usize,
        beta: F,
        gradient: &mut [F],
        scratch: &mut [F],
    ) {
        let _ = (call, sample, beta, gradient, scratch);
    }

    /// Everything that the sink asks for. Each sample's gradient is formed in scratch memory, used, and forgotten,
    /// which costs no multiplication more than the sum over samples would.
    fn statistics(&self, call: &Backward<'_, F>, sink: &mut Sink<'_, F>, scratch: &mut [F]) {
        let len = call.place.weights + call.place.biases;
        let only_sum = sink.only_sum();
        let len = if only_sum && sink.gradient_sum.is_empty() { 0 } else { len };
        let (gradient, scratch) = scratch.split_at_mut(if only_sum { 0 } else { len });
        for sample in (0..call.samples).take_while(|_| len > 0) {
            if only_sum {
                self.sample_gradient(call, sample, F::one(), sink.gradient_sum, scratch);
            } else {
                self.sample_gradient(call, sample, F::zero(), gradient, scratch);
                sink.add(sample, gradient);
            }
        }
    }

    /// The whole backward pass: the statistics, and the input's gradient where it is asked for.
    fn backward(
        &self,
        call: &Backward<'_, F>,
        dx: Option<&mut [F]>,
        sink: &mut Sink<'_, F>,
        scratch: &mut [F],
    ) {
        self.statistics(call, sink, scratch);
        if let Some(dx) = dx {
            self.input_gradient(call, dx, scratch);
        }
    }
}
