use adadagrad_core::layer;
use adadagrad_core::network::Placed;

use super::super::buffers::word;
use super::super::kernel::{Launch, Shader};
use super::super::program::{Builder, Pass};
use super::super::uniforms::LayerNorm;
use super::{Call, DeviceLayer, Reads, Scratch, Target, sample_gradients};

/// As its shaders take it.
fn block(place: &Placed, samples: u32) -> LayerNorm {
    LayerNorm {
        samples,
        channels: place.input.channels,
        plane: word(place.input.plane()),
        parameter_offset: word(place.parameter_offset),
    }
}

fn launch(entry: &'static str, constants: &[(&'static str, bool)], invocations: u32) -> Launch {
    Launch::flat(Shader::LayerNorm, entry, constants, invocations)
}

impl DeviceLayer for layer::LayerNorm {
    fn reads(&self) -> Reads {
        Reads::INPUTS
    }

    /// The moments of each position.
    fn kept(&self, place: &Placed) -> usize {
        4 * place.input.plane()
    }

    fn scratch(&self, place: &Placed, samples: usize) -> Scratch {
        sample_gradients::scratch(place, samples)
    }

    fn forward(&self, call: &Call<'_>, build: &mut Builder<'_>) {
        let (x, parameters) = (call.x[0], &build.buffers.parameters);
        let norm = block(call.place, build.samples);
        let moments = launch("layer_norm_moments", &[], norm.samples * norm.plane);
        build.launch(&moments, norm, &[(1, x), (4, call.kept)]);
        let forward = launch("layer_norm_forward", &[], norm.samples * norm.channels * norm.plane);
        build.launch(&forward, norm, &[(1, x), (3, parameters), (4, call.kept), (5, call.y)]);
    }

    fn input_gradient(&self, call: &Call<'_>, dx: Target<'_>, build: &mut Builder<'_>) {
        let norm = block(call.place, build.samples);
        let bindings =
            [(1, call.x[0]), (2, call.dy), (3, &build.buffers.parameters), (4, call.kept), (5, dx.buffer)];
        build.launch(&launch("layer_norm_means", &[], norm.samples * norm.plane), norm, &bindings[..4]);
        let constants = [("ADD", dx.adds)];
        let count = norm.samples * norm.channels * norm.plane;
        build.launch(&launch("layer_norm_input_gradient", &constants, count), norm, &bindings);
    }

    fn statistics(&self, call: &Call<'_>, pass: Pass, build: &mut Builder<'_>) {
        let norm = block(call.place, build.samples);
        let gradients = launch("layer_norm_sample_gradients", &[], norm.samples * norm.channels);
        let result = &build.buffers.sample_gradients;
        build.launch(&gradients, norm, &[(1, call.x[0]), (2, call.dy), (4, call.kept), (5, result)]);
        sample_gradients::statistics(call.place, pass, build);
    }
}
