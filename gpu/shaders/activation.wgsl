// ReLU, tanh and GELU, value by value. ReLU's forward pass is fused into the layer before it where it is that layer's
// only reader; its backward pass then masks the gradient in place.
//
// One operation a value (tanh three, GELU 9 forward and 14 backward, a function counted as one). Bytes: 8 a value forward,
// 12 backward, and 4 more where the gradient is added.

struct Values {
    count: u32,
}

@group(0) @binding(0) var<uniform> values: Values;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;

// Whether a gradient is added to what other readers of the input have left.
override ADD: bool = false;

fn leave(index: u32, gradient: f32) {
    if ADD {
        y[index] += gradient;
    } else {
        y[index] = gradient;
    }
}

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
        leave(index, select(0.0, dy[index], x[index] > 0.0));
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
        leave(index, dy[index] * (1.0 - x[index] * x[index]));
    }
}

// √(2/π), and the factor of x³.
const SCALE = 0.7978845608028654;
const CUBIC = 0.044715;
// Beyond it GELU is x or 0 to the last bit, and e^(2u) close to the end of the range of f32.
const SATURATED = 10.0;

// GELU in its tanh form, ½ x (1 + tanh u) with u = √(2/π) (x + 0.044715 x³), is x σ(2u): without a tanh, of which drivers
// may get the fifth digit wrong, nothing cancels. For this x: e^(−2u), σ(2u) and du/dx.
fn gate(x: f32) -> vec3<f32> {
    let near = clamp(x, -SATURATED, SATURATED);
    let square = near * near;
    let power = exp(-2.0 * SCALE * near * (1.0 + CUBIC * square));
    return vec3(power, 1.0 / (1.0 + power), SCALE * (1.0 + 3.0 * CUBIC * square));
}

@compute @workgroup_size(64)
fn gelu_forward(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let index = id.x + id.y * groups.x * 64u;
    if index < values.count {
        y[index] = x[index] * gate(x[index]).y;
    }
}

// y = dx, x = the inputs: dx = dy (σ + 2 x σ (1 − σ) du/dx), where 1 − σ(2u) = e^(−2u) σ(2u).
@compute @workgroup_size(64)
fn gelu_backward(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let index = id.x + id.y * groups.x * 64u;
    if index < values.count {
        let at = gate(x[index]);
        let near = clamp(x[index], -SATURATED, SATURATED);
        leave(index, dy[index] * (at.y + 2.0 * near * (at.x * at.y) * at.y * at.z));
    }
}
