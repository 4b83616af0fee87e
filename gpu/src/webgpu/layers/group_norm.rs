use adadagrad_core::layer;
use adadagrad_core::network::Placed;

use super::super::buffers::word;
use super::super::kernel::{Launch, Shader};
use super::super::program::{Builder, Pass};
use super::super::uniforms::GroupNorm;
use super::super::variants;
use super::{Call, DeviceLayer, Reads, Scratch, Target, sample_gradients};

/// As its shaders take it.
fn block(layer: layer::GroupNorm, place: &Placed, samples: u32) -> GroupNorm {
    GroupNorm {
        samples,
        channels: place.input.channels,
        groups: layer.groups,
        plane: word(place.input.plane()),
        parameter_offset: word(place.parameter_offset),
    }
}

const fn values(norm: &GroupNorm) -> u32 {
    norm.samples * norm.channels * norm.plane
}

impl DeviceLayer for layer::GroupNorm {
    fn reads(&self) -> Reads {
        Reads::INPUTS
    }

    fn fuses_relu(&self) -> bool {
        true
    }

    /// The moments of each group.
    fn kept(&self, _: &Placed) -> usize {
        4 * self.groups as usize
    }

    fn scratch(&self, place: &Placed, samples: usize) -> Scratch {
        sample_gradients::scratch(place, samples)
    }

    fn forward(&self, call: &Call<'_>, build: &mut Builder<'_>) {
        let (x, parameters) = (call.x[0], &build.buffers.parameters);
        let norm = block(*self, call.place, build.samples);
        let moments = variants::group_norm_sums(build.variants().sums, false, &norm);
        build.launch(&moments, norm, &[(1, x), (4, call.kept)]);
        let relu = [("RELU", call.relu)];
        let launch = Launch::flat(Shader::GroupNorm, "group_norm_forward", &relu, values(&norm));
        build.launch(&launch, norm, &[(1, x), (3, parameters), (4, call.kept), (5, call.y)]);
    }

    fn input_gradient(&self, call: &Call<'_>, dx: Target<'_>, build: &mut Builder<'_>) {
        let parameters = &build.buffers.parameters;
        let norm = block(*self, call.place, build.samples);
        let adds = [("ADD", dx.adds)];
        let launch = Launch::flat(Shader::GroupNorm, "group_norm_input_gradient", &adds, values(&norm));
        let bindings = [(1, call.x[0]), (2, call.dy), (3, parameters), (4, call.kept), (5, dx.buffer)];
        build.launch(&launch, norm, &bindings);
    }

    /// Leaves the means that the input's gradient takes as well.
    fn statistics(&self, call: &Call<'_>, pass: Pass, build: &mut Builder<'_>) {
        let buffers = build.buffers;
        let norm = block(*self, call.place, build.samples);
        let launch = variants::group_norm_sums(build.variants().sums, true, &norm);
        let bindings = [
            (1, call.x[0]),
            (2, call.dy),
            (3, &buffers.parameters),
            (4, call.kept),
            (5, &buffers.sample_gradients),
        ];
        build.launch(&launch, norm, &bindings);
        sample_gradients::statistics(call.place, pass, build);
    }
}
