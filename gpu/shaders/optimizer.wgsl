// The line per element of every optimizer, with the names of the core's, for four parameters an invocation. Every
// slot of memory begins with a vector of its own.
//
// Operations per parameter: those of the core's Kernel. Bytes: 12, and 8 for each value of memory.

struct Step {
    count: u32,
    // b, for the gradient buffer holds Σ gᵢ; divided by the factor of a gradient that is clipped.
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
@group(0) @binding(1) var<storage, read_write> parameters: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> gradient_sum: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> memory: array<vec4<f32>>;
// Not 0 where a sum of the batch was not finite: the step is then not made.
@group(0) @binding(4) var<storage, read> refused: u32;

// One bit per parameter: 1 where it has no weight decay. Read only with MASKED.
@group(0) @binding(5) var<storage, read> exempt: array<u32>;

// Whether some parameters have no weight decay.
override MASKED: bool = false;

const NEXT = vec4(0u, 1u, 2u, 3u);

fn is_updated(index: u32) -> bool {
    return 4u * index < step.count && refused == 0u;
}

fn is_exempt(index: u32) -> vec4<bool> {
    let bits = exempt[index / 8u] >> (4u * (index % 8u));
    return ((vec4(bits) >> NEXT) & vec4(1u)) != vec4(0u);
}

// What is decayed, and what is not where that is exempt.
fn unless_exempt(index: u32, decayed: vec4<f32>, plain: vec4<f32>) -> vec4<f32> {
    if MASKED {
        return select(decayed, plain, is_exempt(index));
    }
    return decayed;
}

// The gradient with the decay of parameters p.
fn decayed(index: u32, p: vec4<f32>) -> vec4<f32> {
    let gradient = gradient_sum[index] / step.samples;
    return unless_exempt(index, gradient + step.weight_decay * p, gradient);
}

// Without subnormal numbers, as core/src/subnormal.rs: memory of a parameter without a gradient would end there. Devices
// may take them for 0 or not, and software adapters may be slow with them.
fn flushed(x: vec4<f32>) -> vec4<f32> {
    return select(x, vec4(0.0), abs(x) < vec4(0x1p-126f));
}

// A new vector, without what lies behind the last parameter.
fn fitting(index: u32, after: vec4<f32>, before: vec4<f32>) -> vec4<f32> {
    return select(before, flushed(after), 4u * index + NEXT < vec4(step.count));
}

// SGD and AdaGrad-Norm, whose step size holds 1/√V.
@compute @workgroup_size(64)
fn sgd(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let j = id.x + id.y * groups.x * 64u;
    if is_updated(j) {
        let p = parameters[j];
        parameters[j] = fitting(j, p - step.step_size * decayed(j, p), p);
    }
}

@compute @workgroup_size(64)
fn momentum(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let j = id.x + id.y * groups.x * 64u;
    if is_updated(j) {
        let p = parameters[j];
        let before = memory[j];
        let u = flushed(step.decay1 * before + decayed(j, p));
        memory[j] = fitting(j, u, before);
        parameters[j] = fitting(j, p - step.step_size * u, p);
    }
}

@compute @workgroup_size(64)
fn nesterov(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let j = id.x + id.y * groups.x * 64u;
    if is_updated(j) {
        let p = parameters[j];
        let before = memory[j];
        let g = decayed(j, p);
        let u = flushed(step.decay1 * before + g);
        memory[j] = fitting(j, u, before);
        parameters[j] = fitting(j, p - step.step_size * (g + step.decay1 * u), p);
    }
}

@compute @workgroup_size(64)
fn adagrad(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let j = id.x + id.y * groups.x * 64u;
    if is_updated(j) {
        let p = parameters[j];
        let before = memory[j];
        let g = decayed(j, p);
        let v = flushed(before + g * g);
        memory[j] = fitting(j, v, before);
        parameters[j] = fitting(j, p - step.step_size * g / (sqrt(v) + step.epsilon), p);
    }
}

@compute @workgroup_size(64)
fn rmsprop(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let j = id.x + id.y * groups.x * 64u;
    if is_updated(j) {
        let p = parameters[j];
        let before = memory[j];
        let g = decayed(j, p);
        let v = flushed(step.decay1 * before + step.new1 * (g * g));
        memory[j] = fitting(j, v, before);
        parameters[j] = fitting(j, p - step.step_size * g / (sqrt(v) + step.epsilon), p);
    }
}

// Adam and AdamW, whose decay comes first as `shrink`.
@compute @workgroup_size(64)
fn adam(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let j = id.x + id.y * groups.x * 64u;
    if is_updated(j) {
        let second = (step.count + 3u) / 4u + j;
        let before = parameters[j];
        let p = unless_exempt(j, step.shrink * before, before);
        let g = decayed(j, p);
        let m_before = memory[j];
        let v_before = memory[second];
        let m = flushed(step.decay1 * m_before + step.new1 * g);
        let v = flushed(step.decay2 * v_before + step.new2 * (g * g));
        memory[j] = fitting(j, m, m_before);
        memory[second] = fitting(j, v, v_before);
        parameters[j] = fitting(j, p - step.step_size * m / (sqrt(v) * step.root_scale + step.epsilon), before);
    }
}
