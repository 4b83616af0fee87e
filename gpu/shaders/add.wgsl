// The sum of two inputs, value by value, and the gradient of either, which is the output's.
//
// One operation a value (two with ReLU; none where a gradient is copied). Bytes: 12 a value forward, 8 backward, and 4 more
// where the gradient is added.

struct Values {
    count: u32,
}

@group(0) @binding(0) var<uniform> values: Values;
// The first input, or the output gradient.
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;

// Whether what is below 0 becomes 0.
override RELU: bool = false;
// Whether a gradient is added to what other readers of the input have left.
override ADD: bool = false;

@compute @workgroup_size(64)
fn add_forward(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let index = id.x + id.y * groups.x * 64u;
    if index < values.count {
        let sum = a[index] + b[index];
        result[index] = select(sum, 0.0, RELU && sum < 0.0);
    }
}

@compute @workgroup_size(64)
fn add_backward(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let index = id.x + id.y * groups.x * 64u;
    if index < values.count {
        if ADD {
            result[index] += a[index];
        } else {
            result[index] = a[index];
        }
    }
}
