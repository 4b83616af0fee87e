// Max-pooling. Of equal values the first in row-major order wins, in both directions; a NaN wins over
// everything.
//
// No arithmetic but comparisons, kernel² a window; backward, where every pixel asks each window that holds it, once
// more for each of its pixels. Bytes: 4 a value, forward the inputs and outputs, backward the inputs twice.

struct MaxPool2d {
    // Samples times channels.
    planes: u32,
    height: u32,
    width: u32,
    out_height: u32,
    out_width: u32,
    kernel: u32,
    stride: u32,
}

@group(0) @binding(0) var<uniform> pool: MaxPool2d;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;

// Whether a gradient is added to what other readers of the input have left.
override ADD: bool = false;

fn leave(place: u32, gradient: f32) {
    if ADD {
        result[place] += gradient;
    } else {
        result[place] = gradient;
    }
}

// By its bits: a compiler may take for granted that no NaN is compared.
fn is_nan(value: f32) -> bool {
    return (bitcast<u32>(value) & 0x7fffffffu) > 0x7f800000u;
}

// Where the largest value of the window at (row, column) lies.
fn winner(plane: u32, row: u32, column: u32) -> u32 {
    let corner = (plane * pool.height + row * pool.stride) * pool.width + column * pool.stride;
    var best = corner;
    for (var u = 0u; u < pool.kernel; u++) {
        for (var v = 0u; v < pool.kernel; v++) {
            let place = corner + u * pool.width + v;
            let value = x[place];
            if value > x[best] || is_nan(value) {
                best = place;
            }
        }
    }
    return best;
}

@compute @workgroup_size(64)
fn max_pool2d_forward(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let index = id.x + id.y * groups.x * 64u;
    let window_count = pool.out_height * pool.out_width;
    if index >= pool.planes * window_count {
        return;
    }
    let window = index % window_count;
    result[index] = x[winner(index / window_count, window / pool.out_width, window % pool.out_width)];
}

// One invocation a pixel gathers from the windows that hold it, so that nothing is written twice.
@compute @workgroup_size(64)
fn max_pool2d_backward(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let index = id.x + id.y * groups.x * 64u;
    let pixels = pool.height * pool.width;
    if index >= pool.planes * pixels {
        return;
    }
    let plane = index / pixels;
    let row = index % pixels / pool.width;
    let column = index % pool.width;
    // Windows r with r·stride ≤ row < r·stride + kernel.
    let first_row = (max(row + 1u, pool.kernel) - pool.kernel + pool.stride - 1u) / pool.stride;
    let first_column = (max(column + 1u, pool.kernel) - pool.kernel + pool.stride - 1u) / pool.stride;
    var sum = 0.0;
    for (var r = first_row; r * pool.stride <= row && r < pool.out_height; r++) {
        for (var s = first_column; s * pool.stride <= column && s < pool.out_width; s++) {
            if winner(plane, r, s) == index {
                sum += dy[(plane * pool.out_height + r) * pool.out_width + s];
            }
        }
    }
    leave(index, sum);
}

// The same for windows side by side (stride = kernel): one invocation writes all pixels of a window, and looks
// for its winner only once. Windows that do not fit at the lower and right edges gather nothing.
@compute @workgroup_size(64)
fn max_pool2d_backward_apart(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let index = id.x + id.y * groups.x * 64u;
    let rows = (pool.height + pool.kernel - 1u) / pool.kernel;
    let columns = (pool.width + pool.kernel - 1u) / pool.kernel;
    if index >= pool.planes * rows * columns {
        return;
    }
    let plane = index / (rows * columns);
    let r = index / columns % rows;
    let s = index % columns;
    // No pixel has this place.
    var best = pool.planes * pool.height * pool.width;
    var e = 0.0;
    if r < pool.out_height && s < pool.out_width {
        best = winner(plane, r, s);
        e = dy[(plane * pool.out_height + r) * pool.out_width + s];
    }
    for (var row = r * pool.kernel; row < min((r + 1u) * pool.kernel, pool.height); row++) {
        for (var column = s * pool.kernel; column < min((s + 1u) * pool.kernel, pool.width); column++) {
            let place = (plane * pool.height + row) * pool.width + column;
            leave(place, select(0.0, e, place == best));
        }
    }
}
