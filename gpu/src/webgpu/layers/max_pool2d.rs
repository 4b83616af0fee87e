use adadagrad_core::layer;
use adadagrad_core::network::Placed;

use super::super::kernel::{Launch, Shader};
use super::super::program::Builder;
use super::super::uniforms::MaxPool2d;
use super::super::variants;
use super::{Call, DeviceLayer, Reads, Target};

/// As its shader takes it.
const fn block(layer: layer::MaxPool2d, place: &Placed, samples: u32) -> MaxPool2d {
    MaxPool2d {
        planes: samples * place.input.channels,
        height: place.input.height,
        width: place.input.width,
        out_height: place.output.height,
        out_width: place.output.width,
        kernel: layer.kernel,
        stride: layer.stride,
    }
}

impl DeviceLayer for layer::MaxPool2d {
    fn reads(&self) -> Reads {
        Reads::INPUTS
    }

    fn forward(&self, call: &Call<'_>, build: &mut Builder<'_>) {
        let pool = block(*self, call.place, build.samples);
        let windows = pool.planes * pool.out_height * pool.out_width;
        let launch = Launch::flat(Shader::MaxPool2d, "max_pool2d_forward", &[], windows);
        build.launch(&launch, pool, &[(1, call.x[0]), (3, call.y)]);
    }

    fn input_gradient(&self, call: &Call<'_>, dx: Target<'_>, build: &mut Builder<'_>) {
        let pool = block(*self, call.place, build.samples);
        let launch = variants::max_pool2d_backward(&pool, dx.adds);
        build.launch(&launch, pool, &[(1, call.x[0]), (2, call.dy), (3, dx.buffer)]);
    }
}
