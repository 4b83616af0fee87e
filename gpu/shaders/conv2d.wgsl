// Convolutions as implicit matrix products: patches are addressed, never stored. K = C·kernel² taps,
// P output positions; one sample's gradient [outputs, K + 1] (the last tap is the bias) is formed in
// registers, used and forgotten.
//
// Each of the three kernels: 2·outputs·K·P operations a sample. Bytes a sample: forward 4(C·H·W + outputs·P),
// input gradient the same, weight gradient 4(C·H·W + outputs·P) a tile row and column.

struct Conv2d {
    samples: u32,
    channels: u32,
    height: u32,
    width: u32,
    outputs: u32,
    out_height: u32,
    out_width: u32,
    kernel: u32,
    stride: u32,
    padding: u32,
    parameter_offset: u32,
    // 1: ReLU on the output.
    relu: u32,
    // Samples that one slice of the weight gradient sums over.
    slice: u32,
    // Distance from one slice's (or sample's) results to the next's.
    sink_stride: u32,
    // 1: also the second moment; 2: inner products in place of sums.
    flags: u32,
}

@group(0) @binding(0) var<uniform> conv: Conv2d;
// Activations; for the input gradient the output gradients.
@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read> parameters: array<f32>;
@group(0) @binding(3) var<storage, read_write> target_values: array<f32>;
// For the weight gradient: the output gradients.
@group(0) @binding(4) var<storage, read> errors: array<f32>;
// For the weight gradient: [sample][tile] square norms; then second moments, or inner products.
@group(0) @binding(5) var<storage, read_write> tile_sums: array<f32>;
@group(0) @binding(6) var<storage, read_write> moments: array<f32>;

fn taps() -> u32 {
    return conv.channels * conv.kernel * conv.kernel;
}

fn positions() -> u32 {
    return conv.out_height * conv.out_width;
}

// Where x[c][y][x] lies for output position `position` and tap (u, v), or −1 in the padding.
fn input_place(position: u32, u: u32, v: u32) -> i32 {
    let y = i32((position / conv.out_width) * conv.stride + u) - i32(conv.padding);
    let x = i32((position % conv.out_width) * conv.stride + v) - i32(conv.padding);
    let inside = y >= 0 && x >= 0 && y < i32(conv.height) && x < i32(conv.width);
    return select(-1, y * i32(conv.width) + x, inside);
}

fn load(base: u32, place: i32) -> f32 {
    return select(0.0, source[base + u32(max(place, 0))], place >= 0);
}

// Four outputs at four positions: y = W · patch + b.
@compute @workgroup_size(64)
fn conv2d_forward(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let index = id.x + id.y * groups.x * 64u;
    let position_blocks = (positions() + 3u) / 4u;
    let output_blocks = (conv.outputs + 3u) / 4u;
    if index >= conv.samples * output_blocks * position_blocks {
        return;
    }
    let position = (index % position_blocks) * 4u;
    let output = (index / position_blocks % output_blocks) * 4u;
    let sample = index / (position_blocks * output_blocks);
    let at = min(vec4(position, position + 1u, position + 2u, position + 3u), vec4(positions() - 1u));
    let rows = min(vec4(output, output + 1u, output + 2u, output + 3u), vec4(conv.outputs - 1u));
    let weights = conv.parameter_offset + rows * taps();
    var sums = mat4x4<f32>();
    var tap = 0u;
    for (var channel = 0u; channel < conv.channels; channel++) {
        let base = (sample * conv.channels + channel) * conv.height * conv.width;
        for (var u = 0u; u < conv.kernel; u++) {
            for (var v = 0u; v < conv.kernel; v++) {
                let x = vec4(
                    load(base, input_place(at.x, u, v)),
                    load(base, input_place(at.y, u, v)),
                    load(base, input_place(at.z, u, v)),
                    load(base, input_place(at.w, u, v)),
                );
                sums[0] += parameters[weights.x + tap] * x;
                sums[1] += parameters[weights.y + tap] * x;
                sums[2] += parameters[weights.z + tap] * x;
                sums[3] += parameters[weights.w + tap] * x;
                tap++;
            }
        }
    }
    let biases = conv.parameter_offset + conv.outputs * taps();
    for (var i = 0u; i < 4u && output + i < conv.outputs; i++) {
        let row = (sample * conv.outputs + output + i) * positions();
        for (var j = 0u; j < 4u && position + j < positions(); j++) {
            let value = sums[i][j] + parameters[biases + output + i];
            target_values[row + position + j] = select(value, 0.0, conv.relu == 1u && value < 0.0);
        }
    }
}

// The output position that tap (u, v) took input pixel (y, x) to, or −1.
fn output_place(pixel: u32, u: u32, v: u32) -> i32 {
    let y = i32(pixel / conv.width + conv.padding) - i32(u);
    let x = i32(pixel % conv.width + conv.padding) - i32(v);
    let stride = i32(conv.stride);
    let inside = y >= 0 && x >= 0 && y % stride == 0 && x % stride == 0
        && y / stride < i32(conv.out_height) && x / stride < i32(conv.out_width);
    return select(-1, y / stride * i32(conv.out_width) + x / stride, inside);
}

// Four channels at four pixels: dx = adjoint of the forward pass, from the output gradients in `source`.
@compute @workgroup_size(64)
fn conv2d_input_gradient(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let index = id.x + id.y * groups.x * 64u;
    let plane = conv.height * conv.width;
    let pixel_blocks = (plane + 3u) / 4u;
    let channel_blocks = (conv.channels + 3u) / 4u;
    if index >= conv.samples * channel_blocks * pixel_blocks {
        return;
    }
    let pixel = (index % pixel_blocks) * 4u;
    let channel = (index / pixel_blocks % channel_blocks) * 4u;
    let sample = index / (pixel_blocks * channel_blocks);
    let at = min(vec4(pixel, pixel + 1u, pixel + 2u, pixel + 3u), vec4(plane - 1u));
    let planes = min(vec4(channel, channel + 1u, channel + 2u, channel + 3u), vec4(conv.channels - 1u));
    let window = conv.kernel * conv.kernel;
    var sums = mat4x4<f32>();
    for (var u = 0u; u < conv.kernel; u++) {
        for (var v = 0u; v < conv.kernel; v++) {
            let places = vec4(
                output_place(at.x, u, v),
                output_place(at.y, u, v),
                output_place(at.z, u, v),
                output_place(at.w, u, v),
            );
            for (var output = 0u; output < conv.outputs; output++) {
                let base = (sample * conv.outputs + output) * positions();
                let e = vec4(load(base, places.x), load(base, places.y), load(base, places.z), load(base, places.w));
                let weights = conv.parameter_offset + output * taps() + planes * window + u * conv.kernel + v;
                sums[0] += parameters[weights.x] * e;
                sums[1] += parameters[weights.y] * e;
                sums[2] += parameters[weights.z] * e;
                sums[3] += parameters[weights.w] * e;
            }
        }
    }
    for (var i = 0u; i < 4u && channel + i < conv.channels; i++) {
        let row = (sample * conv.channels + channel + i) * plane;
        for (var j = 0u; j < 4u && pixel + j < plane; j++) {
            target_values[row + pixel + j] = sums[i][j];
        }
    }
}

const MOMENT = 1u;
const PROJECT = 2u;

// Place of (output, tap) among the layer's parameters: weights row by row, then the biases.
fn parameter_place(output: u32, tap: u32) -> u32 {
    return select(output * taps() + tap, conv.outputs * taps() + output, tap == taps());
}

// Four outputs × four taps of the weight gradient, over one slice of samples, one sample at a time:
// tile_sums[sample][tile] = ‖gᵢ‖² of the tile, target_values[slice][layer parameter] = Σ gᵢ and, where asked
// for, moments[slice][layer parameter] = Σ gᵢ². To project, `parameters` holds the summed gradient, and only
// moments[sample][tile] = ⟨gᵢ, Σg⟩ is left beside the norms.
@compute @workgroup_size(64)
fn conv2d_weight_gradient(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let index = id.x + id.y * groups.x * 64u;
    let tap_blocks = (taps() + 4u) / 4u;
    let output_blocks = (conv.outputs + 3u) / 4u;
    let tiles = tap_blocks * output_blocks;
    let slices = (conv.samples + conv.slice - 1u) / conv.slice;
    if index >= slices * tiles {
        return;
    }
    let tile = index % tiles;
    let slice = index / tiles;
    let tap = (tile % tap_blocks) * 4u;
    let output = (tile / tap_blocks) * 4u;
    let window = conv.kernel * conv.kernel;
    // The bias's tap sees a constant 1, and taps beyond it nothing.
    let all_taps = vec4(tap, tap + 1u, tap + 2u, tap + 3u);
    let real_taps = min(all_taps, vec4(taps() - 1u));
    let constants = select(vec4(0.0), vec4(1.0), all_taps == vec4(taps()));
    let weights = select(vec4(0.0), vec4(1.0), all_taps < vec4(taps()));
    let channels = real_taps / window;
    let us = real_taps % window / conv.kernel;
    let vs = real_taps % conv.kernel;
    let rows = min(vec4(output, output + 1u, output + 2u, output + 3u), vec4(conv.outputs - 1u));
    let live = select(vec4(0.0), vec4(1.0), vec4(output, output + 1u, output + 2u, output + 3u) < vec4(conv.outputs));
    let plane = conv.height * conv.width;
    var totals = mat4x4<f32>();
    var second = mat4x4<f32>();
    let last = min((slice + 1u) * conv.slice, conv.samples);
    for (var sample = slice * conv.slice; sample < last; sample++) {
        let bases = (sample * conv.channels + channels) * plane;
        let error_bases = (sample * conv.outputs + rows) * positions();
        var g = mat4x4<f32>();
        for (var position = 0u; position < positions(); position++) {
            let inputs = vec4(
                load(bases.x, input_place(position, us.x, vs.x)),
                load(bases.y, input_place(position, us.y, vs.y)),
                load(bases.z, input_place(position, us.z, vs.z)),
                load(bases.w, input_place(position, us.w, vs.w)),
            ) * weights + constants;
            g[0] += errors[error_bases.x + position] * inputs;
            g[1] += errors[error_bases.y + position] * inputs;
            g[2] += errors[error_bases.z + position] * inputs;
            g[3] += errors[error_bases.w + position] * inputs;
        }
        var norm = 0.0;
        var inner_product = 0.0;
        for (var i = 0u; i < 4u; i++) {
            g[i] *= live[i];
            norm += dot(g[i], g[i]);
            totals[i] += g[i];
            second[i] += g[i] * g[i];
            if (conv.flags & PROJECT) != 0u {
                for (var j = 0u; j < 4u; j++) {
                    if output + i < conv.outputs && tap + j <= taps() {
                        inner_product += g[i][j] * parameters[conv.parameter_offset + parameter_place(output + i, tap + j)];
                    }
                }
            }
        }
        let place = sample * conv.sink_stride + tile;
        tile_sums[place] = norm;
        if (conv.flags & PROJECT) != 0u {
            moments[place] = inner_product;
        }
    }
    if (conv.flags & PROJECT) != 0u {
        return;
    }
    let layer = conv.outputs * (taps() + 1u);
    for (var i = 0u; i < 4u && output + i < conv.outputs; i++) {
        for (var j = 0u; j < 4u && tap + j <= taps(); j++) {
            let place = slice * layer + parameter_place(output + i, tap + j);
            target_values[place] = totals[i][j];
            if (conv.flags & MOMENT) != 0u {
                moments[place] = second[i][j];
            }
        }
    }
}
