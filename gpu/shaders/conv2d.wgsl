// Convolutions as implicit matrix products: patches are addressed, never stored. K = C·kernel² taps,
// P output positions; one sample's gradient [outputs, K + 1] (the last tap is the bias, where there is one) is formed
// in registers, used and forgotten.
//
// Three variants of each kernel, of which a trial on the adapter picks one:
// - plain: 4×4 of the result an invocation, for every stride and kernel.
// - `…_rows`: for stride 1 and kernels up to 5×5. The inputs of neighbouring taps are the same ones, moved by a
//   column: a window slides over a row, and one load serves many products. Forward and input gradient: 4×16 of
//   the result an invocation; weight gradient: 8 outputs × one row of the kernel.
// - `…_tiles`: 4×4 an invocation, from tiles in workgroup memory that each invocation helps to load.
//
// Operations of each kernel: 2·outputs·K·P a sample; the weight gradient also 2·outputs·P for biases, and
// 3 for every parameter (square, sum of squares, total), 2 more each with second moments or inner products.
// Bytes: 4 a value, activations C·H·W and outputs·P a sample, the weights once; the weight gradient writes its
// parameters once a slice, and one square norm a tile and sample. That is what must move if every value stays in
// a cache for as long as it is needed; without one, activations move once for each block of outputs (or
// channels, or taps) of the variant.

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


// Invocations of a workgroup of the kernels without workgroup memory.
override GROUP: u32 = 64u;
// The workgroup's shape and how deep its tiles are, of those with it: GROUP_Y a multiple of 4 and the number of
// invocations one of DEPTH, so that each invocation loads the same columns or positions all the time.
override GROUP_X: u32 = 16u;
override GROUP_Y: u32 = 4u;
override DEPTH: u32 = 16u;
// The same numbers as `conv.kernel` and `conv.stride`, for the variants by rows and with tiles: what is known when a
// pipeline is made is unrolled, and divided by at the price of a multiplication.
override KERNEL: u32 = 5u;
override STRIDE: u32 = 1u;
// Whether there are biases.
override BIAS: bool = true;
// Whether the input gradient is added to what other readers of the input have left.
override ADD: bool = false;

const NEXT = vec4(0u, 1u, 2u, 3u);

fn taps() -> u32 {
    return conv.channels * conv.kernel * conv.kernel;
}

// Biases of one output.
fn biases() -> u32 {
    return select(0u, 1u, BIAS);
}

// Parameters of one output.
fn gradient_taps() -> u32 {
    return taps() + biases();
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

fn store_output(sample: u32, output: u32, position: u32, sum: f32) {
    var value = sum;
    if BIAS {
        value += parameters[conv.parameter_offset + conv.outputs * taps() + output];
    }
    let place = (sample * conv.outputs + output) * positions() + position;
    target_values[place] = select(value, 0.0, conv.relu == 1u && value < 0.0);
}

// Four outputs at four positions: y = W · patch + b.
@compute @workgroup_size(GROUP)
fn conv2d_forward(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let index = id.x + id.y * groups.x * GROUP;
    let position_blocks = (positions() + 3u) / 4u;
    let output_blocks = (conv.outputs + 3u) / 4u;
    if index >= conv.samples * output_blocks * position_blocks {
        return;
    }
    let position = (index % position_blocks) * 4u;
    let output = (index / position_blocks % output_blocks) * 4u;
    let sample = index / (position_blocks * output_blocks);
    let at = min(position + NEXT, vec4(positions() - 1u));
    var weights = conv.parameter_offset + min(output + NEXT, vec4(conv.outputs - 1u)) * taps();
    var sums = mat4x4<f32>();
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
                sums[0] += parameters[weights.x] * x;
                sums[1] += parameters[weights.y] * x;
                sums[2] += parameters[weights.z] * x;
                sums[3] += parameters[weights.w] * x;
                weights += 1u;
            }
        }
    }
    for (var i = 0u; i < 4u && output + i < conv.outputs; i++) {
        for (var j = 0u; j < 4u && position + j < positions(); j++) {
            store_output(sample, output + i, position + j, sums[i][j]);
        }
    }
}

// A row of a plane that a window slides over; outside of it everything is 0.
struct Row {
    base: u32,
    width: u32,
    inside: bool,
}

fn at(row: Row, x: i32) -> f32 {
    let place = row.base + u32(clamp(x, 0, i32(row.width) - 1));
    return select(0.0, source[place], row.inside && u32(x) < row.width);
}

fn four(row: Row, x: i32) -> vec4<f32> {
    return vec4(at(row, x), at(row, x + 1), at(row, x + 2), at(row, x + 3));
}

fn sixteen(row: Row, x: i32) -> mat4x4<f32> {
    return mat4x4(four(row, x), four(row, x + 4), four(row, x + 8), four(row, x + 12));
}

// The window one column to the right, or to the left.
fn right(window: mat4x4<f32>, next: f32) -> mat4x4<f32> {
    return mat4x4(
        vec4(window[0].yzw, window[1].x),
        vec4(window[1].yzw, window[2].x),
        vec4(window[2].yzw, window[3].x),
        vec4(window[3].yzw, next),
    );
}

fn left(window: mat4x4<f32>, next: f32) -> mat4x4<f32> {
    return mat4x4(
        vec4(next, window[0].xyz),
        vec4(window[0].w, window[1].xyz),
        vec4(window[1].w, window[2].xyz),
        vec4(window[2].w, window[3].xyz),
    );
}

// Four sums of sixteen values.
struct Sums {
    x: mat4x4<f32>,
    y: mat4x4<f32>,
    z: mat4x4<f32>,
    w: mat4x4<f32>,
}

// One tap: `weights` are the places of the four outputs' (or channels') weights.
fn add(sums: ptr<function, Sums>, weights: vec4<u32>, window: mat4x4<f32>) {
    (*sums).x += parameters[weights.x] * window;
    (*sums).y += parameters[weights.y] * window;
    (*sums).z += parameters[weights.z] * window;
    (*sums).w += parameters[weights.w] * window;
}

@compute @workgroup_size(GROUP)
fn conv2d_forward_rows(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let index = id.x + id.y * groups.x * GROUP;
    let segments = (conv.out_width + 15u) / 16u;
    let pieces = segments * conv.out_height;
    let output_blocks = (conv.outputs + 3u) / 4u;
    if index >= conv.samples * output_blocks * pieces {
        return;
    }
    let column = index % segments * 16u;
    let line = index / segments % conv.out_height;
    let output = index / pieces % output_blocks * 4u;
    let sample = index / (pieces * output_blocks);
    let x = i32(column) - i32(conv.padding);
    var weights = conv.parameter_offset + min(output + NEXT, vec4(conv.outputs - 1u)) * taps();
    var sums = Sums();
    for (var channel = 0u; channel < conv.channels; channel++) {
        for (var u = 0u; u < KERNEL; u++) {
            let y = i32(line + u) - i32(conv.padding);
            let plane = (sample * conv.channels + channel) * conv.height;
            let base = (plane + u32(clamp(y, 0, i32(conv.height) - 1))) * conv.width;
            let row = Row(base, conv.width, u32(y) < conv.height);
            var window = sixteen(row, x);
            add(&sums, weights, window);
            if KERNEL > 1u {
                window = right(window, at(row, x + 16));
                add(&sums, weights + 1u, window);
            }
            if KERNEL > 2u {
                window = right(window, at(row, x + 17));
                add(&sums, weights + 2u, window);
            }
            if KERNEL > 3u {
                window = right(window, at(row, x + 18));
                add(&sums, weights + 3u, window);
            }
            if KERNEL > 4u {
                window = right(window, at(row, x + 19));
                add(&sums, weights + 4u, window);
            }
            weights += KERNEL;
        }
    }
    for (var j = 0u; j < 16u && column + j < conv.out_width; j++) {
        let position = line * conv.out_width + column + j;
        let four_sums = vec4(sums.x[j / 4u][j % 4u], sums.y[j / 4u][j % 4u], sums.z[j / 4u][j % 4u], sums.w[j / 4u][j % 4u]);
        for (var i = 0u; i < 4u && output + i < conv.outputs; i++) {
            store_output(sample, output + i, position, four_sums[i]);
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

fn store_input(sample: u32, channel: u32, pixel: u32, sum: f32) {
    let place = (sample * conv.channels + channel) * conv.height * conv.width + pixel;
    if ADD {
        target_values[place] += sum;
    } else {
        target_values[place] = sum;
    }
}

// Four channels at four pixels: dx = adjoint of the forward pass, from the output gradients in `source`.
@compute @workgroup_size(GROUP)
fn conv2d_input_gradient(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let index = id.x + id.y * groups.x * GROUP;
    let plane = conv.height * conv.width;
    let pixel_blocks = (plane + 3u) / 4u;
    let channel_blocks = (conv.channels + 3u) / 4u;
    if index >= conv.samples * channel_blocks * pixel_blocks {
        return;
    }
    let pixel = (index % pixel_blocks) * 4u;
    let channel = (index / pixel_blocks % channel_blocks) * 4u;
    let sample = index / (pixel_blocks * channel_blocks);
    let at = min(pixel + NEXT, vec4(plane - 1u));
    let window = conv.kernel * conv.kernel;
    let planes = min(channel + NEXT, vec4(conv.channels - 1u)) * window;
    var sums = mat4x4<f32>();
    for (var u = 0u; u < conv.kernel; u++) {
        for (var v = 0u; v < conv.kernel; v++) {
            let places = vec4(
                output_place(at.x, u, v),
                output_place(at.y, u, v),
                output_place(at.z, u, v),
                output_place(at.w, u, v),
            );
            var weights = conv.parameter_offset + planes + u * conv.kernel + v;
            var base = sample * conv.outputs * positions();
            for (var output = 0u; output < conv.outputs; output++) {
                let e = vec4(load(base, places.x), load(base, places.y), load(base, places.z), load(base, places.w));
                sums[0] += parameters[weights.x] * e;
                sums[1] += parameters[weights.y] * e;
                sums[2] += parameters[weights.z] * e;
                sums[3] += parameters[weights.w] * e;
                weights += taps();
                base += positions();
            }
        }
    }
    for (var i = 0u; i < 4u && channel + i < conv.channels; i++) {
        for (var j = 0u; j < 4u && pixel + j < plane; j++) {
            store_input(sample, channel + i, pixel + j, sums[i][j]);
        }
    }
}

@compute @workgroup_size(GROUP)
fn conv2d_input_gradient_rows(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let index = id.x + id.y * groups.x * GROUP;
    let segments = (conv.width + 15u) / 16u;
    let pieces = segments * conv.height;
    let channel_blocks = (conv.channels + 3u) / 4u;
    if index >= conv.samples * channel_blocks * pieces {
        return;
    }
    let column = index % segments * 16u;
    let line = index / segments % conv.height;
    let channel = index / pieces % channel_blocks * 4u;
    let sample = index / (pieces * channel_blocks);
    let x = i32(column + conv.padding);
    let planes = min(channel + NEXT, vec4(conv.channels - 1u)) * (KERNEL * KERNEL);
    var weights = conv.parameter_offset + planes;
    var sums = Sums();
    for (var output = 0u; output < conv.outputs; output++) {
        for (var u = 0u; u < KERNEL; u++) {
            let y = i32(line + conv.padding) - i32(u);
            let plane = (sample * conv.outputs + output) * conv.out_height;
            let base = (plane + u32(clamp(y, 0, i32(conv.out_height) - 1))) * conv.out_width;
            let row = Row(base, conv.out_width, u32(y) < conv.out_height);
            let places = weights + u * KERNEL;
            var window = sixteen(row, x);
            add(&sums, places, window);
            if KERNEL > 1u {
                window = left(window, at(row, x - 1));
                add(&sums, places + 1u, window);
            }
            if KERNEL > 2u {
                window = left(window, at(row, x - 2));
                add(&sums, places + 2u, window);
            }
            if KERNEL > 3u {
                window = left(window, at(row, x - 3));
                add(&sums, places + 3u, window);
            }
            if KERNEL > 4u {
                window = left(window, at(row, x - 4));
                add(&sums, places + 4u, window);
            }
        }
        weights += taps();
    }
    for (var j = 0u; j < 16u && column + j < conv.width; j++) {
        let pixel = line * conv.width + column + j;
        let four_sums = vec4(sums.x[j / 4u][j % 4u], sums.y[j / 4u][j % 4u], sums.z[j / 4u][j % 4u], sums.w[j / 4u][j % 4u]);
        for (var i = 0u; i < 4u && channel + i < conv.channels; i++) {
            store_input(sample, channel + i, pixel, four_sums[i]);
        }
    }
}

// [k][row] and [k][column] of the tiled variants. Four values of padding spread the columns that are written over
// the banks.
var<workgroup> tile_a: array<f32, DEPTH * (4u * GROUP_Y + 4u)>;
var<workgroup> tile_b: array<f32, DEPTH * (4u * GROUP_X + 4u)>;

// Where a tap lies: channel, row and column.
fn place_of_tap(tap: u32) -> vec3<u32> {
    return vec3(tap / (KERNEL * KERNEL), tap % (KERNEL * KERNEL) / KERNEL, tap % KERNEL);
}

// Row and column of the upper left pixel that an output position sees.
fn corner(position: u32) -> vec2<i32> {
    let at = vec2(position / conv.out_width, position % conv.out_width) * STRIDE;
    return vec2<i32>(at) - i32(conv.padding);
}

// One pixel of a plane of `source`, 0 outside of it. Not loaded where `is_wanted` is false.
fn pixel(plane: u32, height: u32, width: u32, at: vec2<i32>, is_wanted: bool) -> f32 {
    if !is_wanted || at.x < 0 || at.y < 0 || at.x >= i32(height) || at.y >= i32(width) {
        return 0.0;
    }
    return source[(plane * height + u32(at.x)) * width + u32(at.y)];
}

// Adds what the tiles hold to an invocation's 4×4.
fn multiply_tiles(sums: mat4x4<f32>, local: vec3<u32>) -> mat4x4<f32> {
    var result = sums;
    for (var k = 0u; k < DEPTH; k++) {
        let at_a = k * (4u * GROUP_Y + 4u) + 4u * local.y;
        let at_b = k * (4u * GROUP_X + 4u) + 4u * local.x;
        let row = vec4(tile_b[at_b], tile_b[at_b + 1u], tile_b[at_b + 2u], tile_b[at_b + 3u]);
        result[0] += tile_a[at_a] * row;
        result[1] += tile_a[at_a + 1u] * row;
        result[2] += tile_a[at_a + 2u] * row;
        result[3] += tile_a[at_a + 3u] * row;
    }
    return result;
}

// One workgroup a tile of outputs × positions, of one sample.
@compute @workgroup_size(GROUP_X, GROUP_Y)
fn conv2d_forward_tiles(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let rows = 4u * GROUP_Y;
    let columns = 4u * GROUP_X;
    let position_tiles = (positions() + columns - 1u) / columns;
    let output_tiles = (conv.outputs + rows - 1u) / rows;
    let tile = group.x + group.y * groups.x;
    let first_position = tile % position_tiles * columns;
    let first_output = tile / position_tiles % output_tiles * rows;
    // Beyond the last sample nothing is stored; the barriers are for everyone.
    let sample = tile / (position_tiles * output_tiles);
    // Each invocation loads one column of the tile of inputs, or of every so many rows a part of it.
    let column = index % columns;
    let upper_left = corner(first_position + column);
    let is_column = first_position + column < positions() && sample < conv.samples;
    var sums = mat4x4<f32>();
    for (var first = 0u; first < taps(); first += DEPTH) {
        for (var i = index; i < DEPTH * rows; i += GROUP_X * GROUP_Y) {
            let tap = first + i % DEPTH;
            let output = first_output + i / DEPTH;
            let inside = tap < taps() && output < conv.outputs;
            let weight = conv.parameter_offset + select(0u, output * taps() + tap, inside);
            tile_a[i % DEPTH * (rows + 4u) + i / DEPTH] = select(0.0, parameters[weight], inside);
        }
        for (var k = index / columns; k < DEPTH; k += GROUP_Y / 4u) {
            let tap = place_of_tap(first + k);
            let at = upper_left + vec2<i32>(tap.yz);
            let is_wanted = is_column && tap.x < conv.channels;
            tile_b[k * (columns + 4u) + column] =
                pixel(sample * conv.channels + tap.x, conv.height, conv.width, at, is_wanted);
        }
        workgroupBarrier();
        sums = multiply_tiles(sums, local);
        workgroupBarrier();
    }
    for (var i = 0u; i < 4u; i++) {
        for (var j = 0u; j < 4u; j++) {
            let output = first_output + 4u * local.y + i;
            let position = first_position + 4u * local.x + j;
            if sample < conv.samples && output < conv.outputs && position < positions() {
                store_output(sample, output, position, sums[i][j]);
            }
        }
    }
}

// One workgroup a tile of channels × pixels, of one sample; k runs over outputs and window.
@compute @workgroup_size(GROUP_X, GROUP_Y)
fn conv2d_input_gradient_tiles(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let rows = 4u * GROUP_Y;
    let columns = 4u * GROUP_X;
    let plane = conv.height * conv.width;
    let pixel_tiles = (plane + columns - 1u) / columns;
    let channel_tiles = (conv.channels + rows - 1u) / rows;
    let tile = group.x + group.y * groups.x;
    let first_pixel = tile % pixel_tiles * columns;
    let first_channel = tile / pixel_tiles % channel_tiles * rows;
    let sample = tile / (pixel_tiles * channel_tiles);
    let window = KERNEL * KERNEL;
    let inner = conv.outputs * window;
    let column = index % columns;
    let seen = first_pixel + column;
    let lower_right = vec2<i32>(vec2(seen / conv.width, seen % conv.width) + conv.padding);
    let is_column = seen < plane && sample < conv.samples;
    var sums = mat4x4<f32>();
    for (var first = 0u; first < inner; first += DEPTH) {
        for (var i = index; i < DEPTH * rows; i += GROUP_X * GROUP_Y) {
            let k = first + i % DEPTH;
            let channel = first_channel + i / DEPTH;
            let inside = k < inner && channel < conv.channels;
            let weight = select(0u, k / window * taps() + channel * window + k % window, inside);
            tile_a[i % DEPTH * (rows + 4u) + i / DEPTH] = select(0.0, parameters[conv.parameter_offset + weight], inside);
        }
        for (var k = index / columns; k < DEPTH; k += GROUP_Y / 4u) {
            // The tap's channel is here the output.
            let tap = place_of_tap(first + k);
            let at = lower_right - vec2<i32>(tap.yz);
            // Negative places have no output: a remainder of them is not 0 or they stay negative.
            let is_wanted = is_column && tap.x < conv.outputs && all(at % i32(STRIDE) == vec2(0));
            tile_b[k * (columns + 4u) + column] = pixel(
                sample * conv.outputs + tap.x, conv.out_height, conv.out_width, at / i32(STRIDE), is_wanted
            );
        }
        workgroupBarrier();
        sums = multiply_tiles(sums, local);
        workgroupBarrier();
    }
    for (var i = 0u; i < 4u; i++) {
        for (var j = 0u; j < 4u; j++) {
            let channel = first_channel + 4u * local.y + i;
            let place = first_pixel + 4u * local.x + j;
            if sample < conv.samples && channel < conv.channels && place < plane {
                store_input(sample, channel, place, sums[i][j]);
            }
        }
    }
}

const MOMENT = 1u;
const PROJECT = 2u;

// Place of (output, tap) among the layer's parameters: weights row by row, then the biases.
fn parameter_place(output: u32, tap: u32) -> u32 {
    return select(output * taps() + tap, conv.outputs * taps() + output, tap == taps());
}

// What is left of one sample's gradient of some parameters: with g at (output, tap), its square norm and, where
// asked for, its product with `parameters`, which then hold the summed gradient.
fn inner_product(output: u32, tap: u32, g: f32) -> f32 {
    if (conv.flags & PROJECT) == 0u || output >= conv.outputs || tap >= gradient_taps() {
        return 0.0;
    }
    return g * parameters[conv.parameter_offset + parameter_place(output, tap)];
}

fn leave(sample: u32, tile: u32, norm: f32, inner: f32) {
    let place = sample * conv.sink_stride + tile;
    tile_sums[place] = norm;
    if (conv.flags & PROJECT) != 0u {
        moments[place] = inner;
    }
}

fn leave_sums(slice: u32, output: u32, tap: u32, total: f32, second: f32) {
    if (conv.flags & PROJECT) != 0u || output >= conv.outputs || tap >= gradient_taps() {
        return;
    }
    let place = slice * conv.outputs * gradient_taps() + parameter_place(output, tap);
    target_values[place] = total;
    if (conv.flags & MOMENT) != 0u {
        moments[place] = second;
    }
}

// Four outputs × four taps of the weight gradient, over one slice of samples, one sample at a time:
// tile_sums[sample][tile] = ‖gᵢ‖² of the tile, target_values[slice][layer parameter] = Σ gᵢ and, where asked
// for, moments[slice][layer parameter] = Σ gᵢ². To project, `parameters` holds the summed gradient, and only
// moments[sample][tile] = ⟨gᵢ, Σg⟩ is left beside the norms.
@compute @workgroup_size(GROUP)
fn conv2d_weight_gradient(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let index = id.x + id.y * groups.x * GROUP;
    let tap_blocks = (gradient_taps() + 3u) / 4u;
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
    let all_taps = tap + NEXT;
    let real_taps = min(all_taps, vec4(taps() - 1u));
    let constants = select(vec4(0.0), vec4(1.0), all_taps == vec4(taps())) * f32(biases());
    let weights = select(vec4(0.0), vec4(1.0), all_taps < vec4(taps()));
    let channels = real_taps / window;
    let us = real_taps % window / conv.kernel;
    let vs = real_taps % conv.kernel;
    let rows = min(output + NEXT, vec4(conv.outputs - 1u));
    let live = select(vec4(0.0), vec4(1.0), output + NEXT < vec4(conv.outputs));
    let plane = conv.height * conv.width;
    var totals = mat4x4<f32>();
    var second = mat4x4<f32>();
    let last = min((slice + 1u) * conv.slice, conv.samples);
    for (var sample = slice * conv.slice; sample < last; sample++) {
        let bases = (sample * conv.channels + channels) * plane;
        var at_errors = (sample * conv.outputs + rows) * positions();
        var g = mat4x4<f32>();
        for (var position = 0u; position < positions(); position++) {
            let inputs = vec4(
                load(bases.x, input_place(position, us.x, vs.x)),
                load(bases.y, input_place(position, us.y, vs.y)),
                load(bases.z, input_place(position, us.z, vs.z)),
                load(bases.w, input_place(position, us.w, vs.w)),
            ) * weights + constants;
            g[0] += errors[at_errors.x] * inputs;
            g[1] += errors[at_errors.y] * inputs;
            g[2] += errors[at_errors.z] * inputs;
            g[3] += errors[at_errors.w] * inputs;
            at_errors += 1u;
        }
        var norm = 0.0;
        var inner = 0.0;
        for (var i = 0u; i < 4u; i++) {
            g[i] *= live[i];
            norm += dot(g[i], g[i]);
            totals[i] += g[i];
            second[i] += g[i] * g[i];
            for (var j = 0u; j < 4u; j++) {
                inner += inner_product(output + i, tap + j, g[i][j]);
            }
        }
        leave(sample, tile, norm, inner);
    }
    for (var i = 0u; i < 4u; i++) {
        for (var j = 0u; j < 4u; j++) {
            leave_sums(slice, output + i, tap + j, totals[i][j], second[i][j]);
        }
    }
}

// The same for eight outputs × one row of the kernel, or × the bias, which is one row more where there is one: a tile
// each.
@compute @workgroup_size(GROUP)
fn conv2d_weight_gradient_rows(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let index = id.x + id.y * groups.x * GROUP;
    let kernel_rows = conv.channels * KERNEL;
    let output_blocks = (conv.outputs + 7u) / 8u;
    let tile_rows = kernel_rows + biases();
    let tiles = output_blocks * tile_rows;
    let slices = (conv.samples + conv.slice - 1u) / conv.slice;
    if index >= slices * tiles {
        return;
    }
    let tile = index % tiles;
    let slice = index / tiles;
    let kernel_row = tile % tile_rows;
    let output = tile / tile_rows * 8u;
    let is_bias = kernel_row == kernel_rows;
    let channel = select(kernel_row / KERNEL, 0u, is_bias);
    let u = kernel_row % KERNEL;
    let tap = kernel_row * KERNEL;
    let width = select(KERNEL, 1u, is_bias);
    let live = select(vec4(0.0), vec4(1.0), NEXT < vec4(width));
    let last_live = select(0.0, 1.0, width > 4u);
    let low_rows = min(output + NEXT, vec4(conv.outputs - 1u));
    let high_rows = min(output + 4u + NEXT, vec4(conv.outputs - 1u));
    let low_live = select(vec4(0.0), vec4(1.0), output + NEXT < vec4(conv.outputs));
    let high_live = select(vec4(0.0), vec4(1.0), output + 4u + NEXT < vec4(conv.outputs));
    var low_totals = mat4x4<f32>();
    var low_second = mat4x4<f32>();
    var low_last_totals = vec4<f32>();
    var low_last_second = vec4<f32>();
    var high_totals = mat4x4<f32>();
    var high_second = mat4x4<f32>();
    var high_last_totals = vec4<f32>();
    var high_last_second = vec4<f32>();
    let last = min((slice + 1u) * conv.slice, conv.samples);
    for (var sample = slice * conv.slice; sample < last; sample++) {
        var at_low = (sample * conv.outputs + low_rows) * positions();
        var at_high = (sample * conv.outputs + high_rows) * positions();
        var low = mat4x4<f32>();
        var low_last = vec4<f32>();
        var high = mat4x4<f32>();
        var high_last = vec4<f32>();
        for (var line = 0u; line < conv.out_height; line++) {
            let y = i32(line + u) - i32(conv.padding);
            let plane = (sample * conv.channels + channel) * conv.height;
            let base = (plane + u32(clamp(y, 0, i32(conv.height) - 1))) * conv.width;
            let row = Row(base, conv.width, u32(y) < conv.height && !is_bias);
            let first = -i32(conv.padding);
            var window = four(row, first);
            for (var x = 0u; x < conv.out_width; x++) {
                let next = at(row, first + i32(x) + 4);
                let inputs = vec4(select(window.x, 1.0, is_bias), window.yzw);
                let e = vec4(errors[at_low.x], errors[at_low.y], errors[at_low.z], errors[at_low.w]);
                let f = vec4(errors[at_high.x], errors[at_high.y], errors[at_high.z], errors[at_high.w]);
                low[0] += e.x * inputs;
                low[1] += e.y * inputs;
                low[2] += e.z * inputs;
                low[3] += e.w * inputs;
                high[0] += f.x * inputs;
                high[1] += f.y * inputs;
                high[2] += f.z * inputs;
                high[3] += f.w * inputs;
                if KERNEL > 4u {
                    low_last += e * next;
                    high_last += f * next;
                }
                at_low += 1u;
                at_high += 1u;
                window = vec4(window.yzw, next);
            }
        }
        low_last *= low_live * last_live;
        high_last *= high_live * last_live;
        var norm = dot(low_last, low_last) + dot(high_last, high_last);
        var inner = 0.0;
        for (var i = 0u; i < 4u; i++) {
            low[i] *= low_live[i] * live;
            high[i] *= high_live[i] * live;
            norm += dot(low[i], low[i]) + dot(high[i], high[i]);
            for (var v = 0u; v < 4u && v < width; v++) {
                inner += inner_product(output + i, tap + v, low[i][v]);
                inner += inner_product(output + 4u + i, tap + v, high[i][v]);
            }
            if width > 4u {
                inner += inner_product(output + i, tap + 4u, low_last[i]);
                inner += inner_product(output + 4u + i, tap + 4u, high_last[i]);
            }
            low_second[i] += low[i] * low[i];
            high_second[i] += high[i] * high[i];
        }
        low_totals += low;
        high_totals += high;
        low_last_totals += low_last;
        high_last_totals += high_last;
        low_last_second += low_last * low_last;
        high_last_second += high_last * high_last;
        leave(sample, tile, norm, inner);
    }
    for (var i = 0u; i < 4u; i++) {
        for (var v = 0u; v < 4u && v < width; v++) {
            leave_sums(slice, output + i, tap + v, low_totals[i][v], low_second[i][v]);
            leave_sums(slice, output + 4u + i, tap + v, high_totals[i][v], high_second[i][v]);
        }
        if width > 4u {
            leave_sums(slice, output + i, tap + 4u, low_last_totals[i], low_last_second[i]);
            leave_sums(slice, output + 4u + i, tap + 4u, high_last_totals[i], high_last_second[i]);
        }
    }
}

// One workgroup a tile of outputs × taps and a slice. The square norms are of the invocations' 4×4, the same
// tiles as the plain variant's.
@compute @workgroup_size(GROUP_X, GROUP_Y)
fn conv2d_weight_gradient_tiles(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let rows = 4u * GROUP_Y;
    let columns = 4u * GROUP_X;
    let tap_tiles = (gradient_taps() + columns - 1u) / columns;
    let output_tiles = (conv.outputs + rows - 1u) / rows;
    let tile = group.x + group.y * groups.x;
    let first_tap = tile % tap_tiles * columns;
    let first_output = tile / tap_tiles % output_tiles * rows;
    let slice = tile / (tap_tiles * output_tiles);
    let output = first_output + 4u * local.y;
    let tap = first_tap + 4u * local.x;
    let live = output < conv.outputs && tap < gradient_taps();
    let tap_blocks = (gradient_taps() + 3u) / 4u;
    var totals = mat4x4<f32>();
    var second = mat4x4<f32>();
    let last = min((slice + 1u) * conv.slice, conv.samples);
    for (var sample = slice * conv.slice; sample < last; sample++) {
        var g = mat4x4<f32>();
        for (var first = 0u; first < positions(); first += DEPTH) {
            for (var i = index; i < DEPTH * rows; i += GROUP_X * GROUP_Y) {
                let position = first + i % DEPTH;
                let row = first_output + i / DEPTH;
                let inside = position < positions() && row < conv.outputs;
                let place = select(0u, (sample * conv.outputs + row) * positions() + position, inside);
                tile_a[i % DEPTH * (rows + 4u) + i / DEPTH] = select(0.0, errors[place], inside);
            }
            // An invocation loads inputs for one position.
            let position = first + index % DEPTH;
            let upper_left = corner(position);
            for (var column = index / DEPTH; column < columns; column += GROUP_X * GROUP_Y / DEPTH) {
                let tap = place_of_tap(first_tap + column);
                let at = upper_left + vec2<i32>(tap.yz);
                let is_wanted = position < positions() && tap.x < conv.channels;
                let value = pixel(sample * conv.channels + tap.x, conv.height, conv.width, at, is_wanted);
                let is_bias = BIAS && position < positions() && first_tap + column == taps();
                tile_b[index % DEPTH * (columns + 4u) + column] = select(value, 1.0, is_bias);
            }
            workgroupBarrier();
            g = multiply_tiles(g, local);
            workgroupBarrier();
        }
        // Beyond the layer's outputs and taps the tiles hold zeros, and so does g.
        var norm = 0.0;
        var inner = 0.0;
        for (var i = 0u; i < 4u; i++) {
            norm += dot(g[i], g[i]);
            totals[i] += g[i];
            second[i] += g[i] * g[i];
            for (var j = 0u; j < 4u; j++) {
                inner += inner_product(output + i, tap + j, g[i][j]);
            }
        }
        if live {
            leave(sample, output / 4u * tap_blocks + tap / 4u, norm, inner);
        }
    }
    if slice * conv.slice < conv.samples {
        for (var i = 0u; i < 4u; i++) {
            for (var j = 0u; j < 4u; j++) {
                leave_sums(slice, output + i, tap + j, totals[i][j], second[i][j]);
            }
        }
    }
}
