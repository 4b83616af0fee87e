use adadagrad_core::layer::GlobalAveragePool;

use super::super::program::Builder;
use super::super::uniforms::AveragePool2d;
use super::{Call, DeviceLayer, Reads, Target, average_pool2d};

/// One window of a channel's size.
const fn block(call: &Call<'_>, samples: u32) -> AveragePool2d {
    let input = call.place.input;
    average_pool2d::block([input.height, input.width], 1, call.place, samples)
}

impl DeviceLayer for GlobalAveragePool {
    fn reads(&self) -> Reads {
        Reads::NONE
    }

    fn forward(&self, call: &Call<'_>, build: &mut Builder<'_>) {
        average_pool2d::forward(block(call, build.samples), call, build);
    }

    fn input_gradient(&self, call: &Call<'_>, dx: Target<'_>, build: &mut Builder<'_>) {
        average_pool2d::input_gradient(block(call, build.samples), call, dx, build);
    }
}
