// ReLU and tanh, value by value. ReLU's forward pass is fused into the layer before it; its backward pass
// masks the gradient in place.
//
// One operation a value (tanh: three, the function counted as one). Bytes: 8 a value forward, 12 backward.

struct Values {
    count: u32,
}

@group(0) @binding(0) var<uniform> values: Values;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;

@compute @workgroup_size(64)
fn relu_forward(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let index = id.x + id.y * groups.x * 64u;
    if index < values.count {
        y[index] = select(x[index], 0.0, x[index] < 0.0);
    }
}

// y = the gradient, x = the outputs: zero where the output is not positive.
@compute @workgroup_size(64)
fn relu_mask(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let index = id.x + id.y * groups.x * 64u;
    if index < values.count {
        y[index] = select(0.0, y[index], x[index] > 0.0);
    }
}

// y = dx, x = the outputs.
@compute @workgroup_size(64)
fn relu_backward(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let index = id.x + id.y * groups.x * 64u;
    if index < values.count {
        y[index] = select(0.0, dy[index], x[index] > 0.0);
    }
}

@compute @workgroup_size(64)
fn tanh_forward(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let index = id.x + id.y * groups.x * 64u;
    if index < values.count {
        // Clamped: some drivers overflow to NaN for large arguments.
        y[index] = tanh(clamp(x[index], -20.0, 20.0));
    }
}

// y = dx, x = the outputs.
@compute @workgroup_size(64)
fn tanh_backward(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let index = id.x + id.y * groups.x * 64u;
    if index < values.count {
        y[index] = dy[index] * (1.0 - x[index] * x[index]);
    }
}
