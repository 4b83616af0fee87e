use adadagrad_core::layer;
use adadagrad_core::network::Placed;

use super::super::buffers::word;
use super::super::kernel::{Launch, Shader};
use super::super::program::{Builder, Pass};
use super::super::uniforms::{PositionEmbedding, Values};
use super::{Call, DeviceLayer, Reads, Scratch, Target, sample_gradients};

/// As its shaders take it.
fn block(layer: layer::PositionEmbedding, place: &Placed, samples: u32) -> PositionEmbedding {
    PositionEmbedding {
        samples,
        channels: place.input.channels,
        positions: place.input.width,
        rows: layer.positions,
        parameter_offset: word(place.parameter_offset),
    }
}

impl DeviceLayer for layer::PositionEmbedding {
    fn reads(&self) -> Reads {
        Reads::NONE
    }

    fn scratch(&self, place: &Placed, samples: usize) -> Scratch {
        sample_gradients::scratch(place, samples)
    }

    fn forward(&self, call: &Call<'_>, build: &mut Builder<'_>) {
        let block = block(*self, call.place, build.samples);
        let count = build.samples * word(call.place.output.len());
        let launch = Launch::flat(Shader::PositionEmbedding, "position_embedding_forward", &[], count);
        build.launch(&launch, block, &[(1, call.x[0]), (2, &build.buffers.parameters), (3, call.y)]);
    }

    fn input_gradient(&self, call: &Call<'_>, dx: Target<'_>, build: &mut Builder<'_>) {
        let count = build.samples * word(call.place.output.len());
        let launch = Launch::flat(Shader::Add, "add_backward", &[("ADD", dx.adds)], count);
        build.launch(&launch, Values { count }, &[(1, call.dy), (3, dx.buffer)]);
    }

    fn statistics(&self, call: &Call<'_>, pass: Pass, build: &mut Builder<'_>) {
        let block = block(*self, call.place, build.samples);
        let count = block.samples * block.rows * block.channels;
        let launch = Launch::flat(Shader::PositionEmbedding, "position_embedding_gradients", &[], count);
        build.launch(&launch, block, &[(1, call.dy), (3, &build.buffers.sample_gradients)]);
        sample_gradients::statistics(call.place, pass, build);
    }
}
