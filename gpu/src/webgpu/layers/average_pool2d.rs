use adadagrad_core::layer;
use adadagrad_core::network::Placed;

use super::super::kernel::{Launch, Shader};
use super::super::program::Builder;
use super::super::uniforms::AveragePool2d;
use super::{Call, DeviceLayer, Reads, Target};

/// Means of windows of `height` × `width`, as their shader takes them.
pub(super) const fn block(
    [height, width]: [u32; 2],
    stride: u32,
    place: &Placed,
    samples: u32,
) -> AveragePool2d {
    AveragePool2d {
        planes: samples * place.input.channels,
        height: place.input.height,
        width: place.input.width,
        out_height: place.output.height,
        out_width: place.output.width,
        kernel_height: height,
        kernel_width: width,
        stride,
    }
}

pub(super) fn forward(pool: AveragePool2d, call: &Call<'_>, build: &mut Builder<'_>) {
    let windows = pool.planes * pool.out_height * pool.out_width;
    let launch = Launch::flat(Shader::AveragePool2d, "average_pool2d_forward", &[], windows);
    build.launch(&launch, pool, &[(1, call.x[0]), (2, call.y)]);
}

pub(super) fn input_gradient(pool: AveragePool2d, call: &Call<'_>, dx: Target<'_>, build: &mut Builder<'_>) {
    let pixels = pool.planes * pool.height * pool.width;
    let launch = Launch::flat(Shader::AveragePool2d, "average_pool2d_backward", &[("ADD", dx.adds)], pixels);
    build.launch(&launch, pool, &[(1, call.dy), (2, dx.buffer)]);
}

impl DeviceLayer for layer::AveragePool2d {
    fn reads(&self) -> Reads {
        Reads::NONE
    }

    fn forward(&self, call: &Call<'_>, build: &mut Builder<'_>) {
        let pool = block([self.kernel; 2], self.stride, call.place, build.samples);
        forward(pool, call, build);
    }

    fn input_gradient(&self, call: &Call<'_>, dx: Target<'_>, build: &mut Builder<'_>) {
        let pool = block([self.kernel; 2], self.stride, call.place, build.samples);
        input_gradient(pool, call, dx, build);
    }
}
