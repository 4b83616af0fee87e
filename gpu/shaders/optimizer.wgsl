// The line per element of every optimizer, with the names of the core's.
//
// Operations a parameter: sgd 5, momentum 7, nesterov and adagrad 9, rmsprop 11, adam 16. Bytes: 12, and 8 for each
// value of memory.

struct Step {
    count: u32,
    // b: the gradient buffer holds Σ gᵢ.
    samples: f32,
    step_size: f32,
    root_scale: f32,
    shrink: f32,
    weight_decay: f32,
    epsilon: f32,
    // Momentum, ρ or β₁; and 1 − ρ or 1 − β₁.
    decay1: f32,
    new1: f32,
    // β₂, and 1 − β₂.
    decay2: f32,
    new2: f32,
}

@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read_write> parameters: array<f32>;
@group(0) @binding(2) var<storage, read> gradient_sum: array<f32>;
@group(0) @binding(3) var<storage, read_write> memory: array<f32>;
// Not 0 where a sum of the batch was not finite: the step is then not made.
@group(0) @binding(4) var<storage, read> refused: u32;

fn is_updated(index: u32) -> bool {
    return index < step.count && refused == 0u;
}

fn decayed(index: u32) -> f32 {
    return gradient_sum[index] / step.samples + step.weight_decay * parameters[index];
}

// SGD and AdaGrad-Norm, whose step size holds 1/√V.
@compute @workgroup_size(64)
fn sgd(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let j = id.x + id.y * groups.x * 64u;
    if is_updated(j) {
        parameters[j] -= step.step_size * decayed(j);
    }
}

@compute @workgroup_size(64)
fn momentum(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let j = id.x + id.y * groups.x * 64u;
    if is_updated(j) {
        let u = step.decay1 * memory[j] + decayed(j);
        memory[j] = u;
        parameters[j] -= step.step_size * u;
    }
}

@compute @workgroup_size(64)
fn nesterov(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let j = id.x + id.y * groups.x * 64u;
    if is_updated(j) {
        let g = decayed(j);
        let u = step.decay1 * memory[j] + g;
        memory[j] = u;
        parameters[j] -= step.step_size * (g + step.decay1 * u);
    }
}

@compute @workgroup_size(64)
fn adagrad(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let j = id.x + id.y * groups.x * 64u;
    if is_updated(j) {
        let g = decayed(j);
        let v = memory[j] + g * g;
        memory[j] = v;
        parameters[j] -= step.step_size * g / (sqrt(v) + step.epsilon);
    }
}

@compute @workgroup_size(64)
fn rmsprop(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let j = id.x + id.y * groups.x * 64u;
    if is_updated(j) {
        let g = decayed(j);
        let v = step.decay1 * memory[j] + step.new1 * (g * g);
        memory[j] = v;
        parameters[j] -= step.step_size * g / (sqrt(v) + step.epsilon);
    }
}

// Adam and AdamW, whose decay comes first as `shrink`.
@compute @workgroup_size(64)
fn adam(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let j = id.x + id.y * groups.x * 64u;
    if is_updated(j) {
        parameters[j] *= step.shrink;
        let g = decayed(j);
        let m = step.decay1 * memory[j] + step.new1 * g;
        let v = step.decay2 * memory[step.count + j] + step.new2 * (g * g);
        memory[j] = m;
        memory[step.count + j] = v;
        parameters[j] -= step.step_size * m / (sqrt(v) * step.root_scale + step.epsilon);
    }
}
