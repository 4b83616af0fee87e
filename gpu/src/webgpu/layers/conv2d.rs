use adadagrad_core::layer;
use adadagrad_core::network::Placed;

use super::super::buffers::word;
use super::super::convolution::FusedConv2d;
use super::super::kernel::Grid;
use super::super::program::{Builder, INNER_PRODUCTS, NORMS, Pass};
use super::super::uniforms::{Batch, Conv2d};
use super::super::variants::{self, Sum};
use super::{Call, DeviceLayer, Reads, Scratch, Target};

/// Samples that one slice of a convolution's weight gradient sums over: slices run side by side.
pub(in super::super) const SLICE: u32 = 16;
/// Flags of `conv2d.wgsl`.
const MOMENT: u32 = 1;
const PROJECT: u32 = 2;

/// As its shaders take it.
fn fused(layer: layer::Conv2d, place: &Placed, samples: u32) -> FusedConv2d {
    let block = Conv2d {
        samples,
        channels: place.input.channels,
        height: place.input.height,
        width: place.input.width,
        outputs: layer.outputs,
        out_height: place.output.height,
        out_width: place.output.width,
        kernel: layer.kernel,
        stride: layer.stride,
        padding: layer.padding,
        parameter_offset: word(place.parameter_offset),
        slice: SLICE,
        ..Conv2d::default()
    };
    FusedConv2d { block, has_bias: layer.bias, adds: false }
}

impl DeviceLayer for layer::Conv2d {
    fn reads(&self) -> Reads {
        Reads::INPUTS
    }

    fn fuses_relu(&self) -> bool {
        true
    }

    fn scratch(&self, place: &Placed, samples: usize) -> Scratch {
        let conv = fused(*self, place, 1);
        let slices = samples.div_ceil(SLICE as usize);
        Scratch {
            tiles: samples * variants::most_gradient_tiles(&conv) as usize,
            slices: slices * (place.weights + place.biases),
            ..Scratch::default()
        }
    }

    fn forward(&self, call: &Call<'_>, build: &mut Builder<'_>) {
        let mut conv = fused(*self, call.place, build.samples);
        conv.block.relu = call.relu.into();
        let launch = variants::conv2d_forward(build.variants().conv2d_forward, &conv);
        build.launch(&launch, conv, &[(1, call.x[0]), (2, &build.buffers.parameters), (3, call.y)]);
    }

    fn input_gradient(&self, call: &Call<'_>, dx: Target<'_>, build: &mut Builder<'_>) {
        let conv = FusedConv2d { adds: dx.adds, ..fused(*self, call.place, build.samples) };
        let launch = variants::conv2d_input_gradient(build.variants().conv2d_input_gradient, &conv);
        build.launch(&launch, conv, &[(1, call.dy), (2, &build.buffers.parameters), (3, dx.buffer)]);
    }

    /// Every sample's gradient is formed tile by tile in registers.
    fn statistics(&self, call: &Call<'_>, pass: Pass, build: &mut Builder<'_>) {
        let buffers = build.buffers;
        let (place, samples) = (call.place, build.samples);
        let moments = build.needs.moments();
        let (flags, parameters, sixth) = match pass {
            Pass::Project | Pass::ProjectFromCache => {
                (PROJECT, &buffers.gradient_sum, &buffers.tile_inner_products)
            }
            Pass::Accumulate => {
                (if moments { MOMENT } else { 0 }, &buffers.parameters, &buffers.moment_slices)
            }
        };
        let variant = build.variants().conv2d_weight_gradient;
        let mut conv = fused(*self, place, samples);
        let tiles = variants::gradient_tiles(variant, &conv);
        (conv.block.flags, conv.block.sink_stride) = (flags, tiles);
        let bindings = [
            (1, call.x[0]),
            (2, parameters),
            (3, &buffers.slices),
            (4, call.dy),
            (5, &buffers.tile_sums),
            (6, sixth),
        ];
        build.launch(&variants::conv2d_weight_gradient(variant, &conv), conv, &bindings);
        let of_tiles = |place| Batch { tiles, stride: tiles, place, ..Batch::default() };
        if build.wants_norms(pass) {
            let bindings = [(1, &buffers.tile_sums), (3, &buffers.per_sample)];
            build.sums(Sum::Tiles, samples, of_tiles(NORMS), &bindings);
        }
        if pass != Pass::Accumulate {
            let bindings = [(1, &buffers.tile_inner_products), (3, &buffers.per_sample)];
            build.sums(Sum::Tiles, samples, of_tiles(INNER_PRODUCTS), &bindings);
            return;
        }
        let (offset, count) = (word(place.parameter_offset), word(place.weights + place.biases));
        let batch = Batch { tiles: samples.div_ceil(SLICE), offset, count, ..Batch::default() };
        for (is_squared, sums) in build.gradient_sums() {
            let slices = if is_squared { &buffers.moment_slices } else { &buffers.slices };
            build.statistics("add_slices", batch, &[(1, slices), (4, sums)], Grid::Flat(count));
        }
    }
}
