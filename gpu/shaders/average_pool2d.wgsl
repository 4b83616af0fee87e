// Average pooling: the mean of each window, or of a whole channel, which is a window of its size.
//
// Operations: a window's values once, and once a window for the mean, in both directions. Bytes: 4 a value of the inputs and
// of the outputs, and 4 more a value of the inputs where the gradient is added.

struct AveragePool2d {
    // Samples times channels.
    planes: u32,
    height: u32,
    width: u32,
    out_height: u32,
    out_width: u32,
    kernel_height: u32,
    kernel_width: u32,
    stride: u32,
}

@group(0) @binding(0) var<uniform> pool: AveragePool2d;
// The inputs, or the output gradients.
@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;

// Whether a gradient is added to what other readers of the input have left.
override ADD: bool = false;

fn share() -> f32 {
    return 1.0 / f32(pool.kernel_height * pool.kernel_width);
}

@compute @workgroup_size(64)
fn average_pool2d_forward(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let index = id.x + id.y * groups.x * 64u;
    let window_count = pool.out_height * pool.out_width;
    if index >= pool.planes * window_count {
        return;
    }
    let window = index % window_count;
    let row = window / pool.out_width * pool.stride;
    let column = window % pool.out_width * pool.stride;
    let corner = (index / window_count * pool.height + row) * pool.width + column;
    var sum = 0.0;
    for (var u = 0u; u < pool.kernel_height; u++) {
        for (var v = 0u; v < pool.kernel_width; v++) {
            sum += source[corner + u * pool.width + v];
        }
    }
    result[index] = sum * share();
}

// The first window, of those along one side, that holds a pixel: r·stride ≤ pixel < r·stride + kernel.
fn first_window(pixel: u32, kernel: u32) -> u32 {
    return (max(pixel + 1u, kernel) - kernel + pool.stride - 1u) / pool.stride;
}

// One invocation a pixel gathers from the windows that hold it, so that nothing is written twice.
@compute @workgroup_size(64)
fn average_pool2d_backward(
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
    let first_row = first_window(row, pool.kernel_height);
    let first_column = first_window(column, pool.kernel_width);
    var sum = 0.0;
    for (var r = first_row; r * pool.stride <= row && r < pool.out_height; r++) {
        for (var s = first_column; s * pool.stride <= column && s < pool.out_width; s++) {
            sum += source[(plane * pool.out_height + r) * pool.out_width + s];
        }
    }
    let gradient = sum * share();
    if ADD {
        result[index] += gradient;
    } else {
        result[index] = gradient;
    }
}
