use adadagrad_core::layer;
use adadagrad_core::network::Placed;

use super::super::buffers::word;
use super::super::kernel::{Grid, Launch, Shader};
use super::super::program::{Builder, Pass};
use super::super::uniforms::{Batch, Embedding};
use super::super::variants::Sum;
use super::{Call, DeviceLayer, Reads, Scratch, Target};

/// As its shaders take it.
fn block(layer: layer::Embedding, place: &Placed, build: &Builder<'_>) -> Embedding {
    Embedding {
        samples: build.samples,
        positions: place.input.width,
        vocabulary: layer.vocabulary,
        width: layer.width,
        parameter_offset: word(place.parameter_offset),
        capacity: build.capacity,
    }
}

const fn values(block: &Embedding) -> u32 {
    block.samples * block.width * block.positions
}

impl DeviceLayer for layer::Embedding {
    fn reads(&self) -> Reads {
        Reads::INPUTS
    }

    /// The sums of each sample's rows.
    fn scratch(&self, place: &Placed, samples: usize) -> Scratch {
        Scratch { sample_gradients: samples * place.output.len(), ..Scratch::default() }
    }

    fn forward(&self, call: &Call<'_>, build: &mut Builder<'_>) {
        let block = block(*self, call.place, build);
        let launch = Launch::flat(Shader::Embedding, "embedding_forward", &[], values(&block));
        build.launch(&launch, block, &[(1, call.x[0]), (2, &build.buffers.parameters), (3, call.y)]);
    }

    /// Tokens have no gradient, and the gradient of the network's input is never computed.
    fn input_gradient(&self, _: &Call<'_>, _: Target<'_>, _: &mut Builder<'_>) {}

    fn statistics(&self, call: &Call<'_>, pass: Pass, build: &mut Builder<'_>) {
        let (buffers, tokens) = (build.buffers, call.x[0]);
        let rows = &buffers.sample_gradients;
        let block = block(*self, call.place, build);
        let launch = Launch::flat(Shader::Embedding, "embedding_rows", &[], values(&block));
        build.launch(&launch, block, &[(1, tokens), (2, call.dy), (3, rows)]);
        if build.wants_norms(pass) {
            let batch = Batch { outputs: block.width * block.positions, ..Batch::default() };
            let bindings = [(1, rows), (2, rows), (3, &buffers.per_sample)];
            build.sums(Sum::DenseNorms, build.samples, batch, &bindings);
        }
        if pass != Pass::Accumulate {
            let (entry, grid) = ("embedding_inner_products", Grid::Flat(build.samples));
            let launch = Launch { shader: Shader::Embedding, entry, constants: Vec::new(), grid };
            let bindings = [(1, tokens), (2, rows), (3, &buffers.per_sample), (4, &buffers.gradient_sum)];
            build.launch(&launch, block, &bindings);
            return;
        }
        for (is_squared, sums) in build.gradient_sums() {
            let constants = [("SQUARED", is_squared)];
            let count = self.vocabulary * self.width;
            let launch = Launch::flat(Shader::Embedding, "embedding_sums", &constants, count);
            build.launch(&launch, block, &[(1, tokens), (2, rows), (3, sums)]);
        }
    }
}
