use adadagrad_core::layer::Add;

use super::super::buffers::word;
use super::super::kernel::{Launch, Shader};
use super::super::program::Builder;
use super::super::uniforms::Values;
use super::{Call, DeviceLayer, Reads, Target};

impl DeviceLayer for Add {
    fn reads(&self) -> Reads {
        Reads::NONE
    }

    fn fuses_relu(&self) -> bool {
        true
    }

    fn forward(&self, call: &Call<'_>, build: &mut Builder<'_>) {
        let [first, second] = call.x;
        let count = build.samples * word(call.place.output.len());
        let launch = Launch::flat(Shader::Add, "add_forward", &[("RELU", call.relu)], count);
        build.launch(&launch, Values { count }, &[(1, first), (2, second), (3, call.y)]);
    }

    fn input_gradient(&self, call: &Call<'_>, dx: Target<'_>, build: &mut Builder<'_>) {
        let count = build.samples * word(call.place.output.len());
        let launch = Launch::flat(Shader::Add, "add_backward", &[("ADD", dx.adds)], count);
        build.launch(&launch, Values { count }, &[(1, call.dy), (3, dx.buffer)]);
    }
}
