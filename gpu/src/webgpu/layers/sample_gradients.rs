//! Statistics of a small layer, each sample's gradient of which lies in the scratch memory `sample_gradients`, weights then
//! biases. To the kernels they are what output gradients are to a dense layer's biases: gradients already.

use adadagrad_core::network::Placed;

use super::super::buffers::word;
use super::super::kernel::Grid;
use super::super::program::{Builder, Pass};
use super::super::uniforms::Batch;
use super::super::variants::Sum;
use super::Scratch;

/// The memory for them.
pub(super) fn scratch(place: &Placed, samples: usize) -> Scratch {
    Scratch { sample_gradients: samples * (place.weights + place.biases), ..Scratch::default() }
}

/// What they add to the batch's sums.
pub(super) fn statistics(place: &Placed, pass: Pass, build: &mut Builder<'_>) {
    let buffers = build.buffers;
    let gradients = &buffers.sample_gradients;
    let count = word(place.weights + place.biases);
    let batch = Batch { outputs: count, offset: word(place.parameter_offset), ..Batch::default() };
    if build.wants_norms(pass) {
        let bindings = [(1, gradients), (2, gradients), (3, &buffers.per_sample)];
        build.sums(Sum::DenseNorms, build.samples, batch, &bindings);
    }
    if pass != Pass::Accumulate {
        let bindings = [(1, &buffers.gradient_sum), (2, gradients), (3, &buffers.per_sample)];
        build.statistics("inner_products", batch, &bindings, Grid::Flat(build.samples));
        return;
    }
    for (is_squared, sums) in build.gradient_sums() {
        build.sum_samples(batch, gradients, is_squared, sums);
    }
}
