use adadagrad_core::layer::{Conv2d, Dense};
use adadagrad_core::network::Placed;

use super::super::buffers::word;
use super::super::kernel::Grid;
use super::super::product::FusedProduct;
use super::super::program::{Builder, Pass};
use super::super::uniforms::{Batch, Product};
use super::super::variants::Sum;
use super::{Call, DeviceLayer, Reads, Scratch, Target};

/// What it is on a sequence: the same at every position.
fn on_positions(layer: Dense, place: &Placed) -> Option<Conv2d> {
    let conv = Conv2d { outputs: layer.outputs, kernel: 1, stride: 1, padding: 0, bias: true };
    (!place.input.is_vector()).then_some(conv)
}

impl DeviceLayer for Dense {
    fn reads(&self) -> Reads {
        Reads::INPUTS
    }

    fn fuses_relu(&self) -> bool {
        true
    }

    fn scratch(&self, place: &Placed, samples: usize) -> Scratch {
        if let Some(conv) = on_positions(*self, place) {
            return conv.scratch(place, samples);
        }
        Scratch { projected: samples * place.output.len(), ..Scratch::default() }
    }

    fn forward(&self, call: &Call<'_>, build: &mut Builder<'_>) {
        if let Some(conv) = on_positions(*self, call.place) {
            return conv.forward(call, build);
        }
        let product = FusedProduct { relu: call.relu, ..affine(call.place, build.samples) };
        build.product(product, [call.x[0], &build.buffers.parameters, call.y]);
    }

    /// E W.
    fn input_gradient(&self, call: &Call<'_>, dx: Target<'_>, build: &mut Builder<'_>) {
        if let Some(conv) = on_positions(*self, call.place) {
            return conv.input_gradient(call, dx, build);
        }
        let [inputs, outputs] = sizes(call.place);
        let block = Product {
            rows: build.samples,
            columns: inputs,
            inner: outputs,
            a_row: outputs,
            a_inner: 1,
            b_offset: word(call.place.parameter_offset),
            b_inner: inputs,
            b_column: 1,
            c_row: inputs,
            ..Product::default()
        };
        let product = FusedProduct { block, adds: dx.adds, ..FusedProduct::default() };
        build.product(product, [call.dy, &build.buffers.parameters, dx.buffer]);
    }

    /// No sample's gradient is formed: the square norm of an outer product is that of its factors.
    fn statistics(&self, call: &Call<'_>, pass: Pass, build: &mut Builder<'_>) {
        if let Some(conv) = on_positions(*self, call.place) {
            return conv.statistics(call, pass, build);
        }
        let (place, buffers) = (call.place, build.buffers);
        let (x, e) = (call.x[0], call.dy);
        let [inputs, outputs] = sizes(place);
        let batch = Batch { inputs, outputs, ..Batch::default() };
        if build.wants_norms(pass) {
            let bindings = [(1, x), (2, e), (3, &buffers.per_sample)];
            build.sums(Sum::DenseNorms, build.samples, batch, &bindings);
        }
        if pass != Pass::Accumulate {
            let projected = &buffers.projected;
            build.product(affine(place, build.samples), [x, &buffers.gradient_sum, projected]);
            let batch = Batch { stride: outputs, ..batch };
            let bindings = [(1, projected), (2, e), (3, &buffers.per_sample)];
            build.statistics("inner_products", batch, &bindings, Grid::Flat(build.samples));
            return;
        }
        for (is_squared, sums) in build.gradient_sums() {
            let block = Product {
                rows: outputs,
                columns: inputs,
                inner: build.samples,
                a_row: 1,
                a_inner: outputs,
                b_inner: inputs,
                b_column: 1,
                c_offset: word(place.parameter_offset),
                c_row: inputs,
                ..Product::default()
            };
            let product = FusedProduct { block, is_squared, adds: true, ..FusedProduct::default() };
            build.product(product, [e, x, sums]);
            let offset = word(place.parameter_offset + place.weights);
            build.sum_samples(Batch { offset, ..batch }, e, is_squared, sums);
        }
    }
}

fn sizes(place: &Placed) -> [u32; 2] {
    [place.input.len(), place.output.len()].map(word)
}

/// Y = X Wᵀ + b, or the projection X Ḡᵀ + ḡ_b.
fn affine(place: &Placed, samples: u32) -> FusedProduct {
    let [inputs, outputs] = sizes(place);
    let offset = word(place.parameter_offset);
    let block = Product {
        rows: samples,
        columns: outputs,
        inner: inputs,
        a_row: inputs,
        a_inner: 1,
        b_offset: offset,
        b_inner: 1,
        b_column: inputs,
        c_row: outputs,
        bias_offset: offset + word(place.weights),
        ..Product::default()
    };
    FusedProduct { block, has_bias: true, ..FusedProduct::default() }
}
