// Two sums over the coordinates of a batch's gradients, for noise scales that look at coordinates (noise_scale of the
// core): of the preconditioned one Σ Varⱼ/dⱼ² and Σ ḡⱼ²/dⱼ², of signs Σ √Varⱼ and Σ |ḡⱼ|. Each of 64 workgroups leaves a
// share of both: the caller adds them up in a wider type, and makes noise and signal of them.
//
// Operations and values of four bytes, a parameter: preconditioned_noise 15 and 3, sign_noise 10 and 2; 128 at the end.

struct Noise {
    // Parameters.
    count: u32,
    // b: the buffers hold Σ gᵢ and Σ gᵢ².
    samples: f32,
    // Where the sums go: 64 shares of the first, then 64 of the second.
    place: u32,
    // Where the optimizer's squares of gradients begin in its memory; d = √(v/correction) + ε.
    squares: u32,
    correction: f32,
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> noise: Noise;
@group(0) @binding(1) var<storage, read> gradient_sum: array<f32>;
@group(0) @binding(2) var<storage, read> second_moment: array<f32>;
@group(0) @binding(3) var<storage, read> memory: array<f32>;
@group(0) @binding(4) var<storage, read_write> sums: array<f32>;

var<workgroup> shares: array<vec2<f32>, 64>;

// Varⱼ = (Σ gᵢ² − (Σ gᵢ)²/b)/(b − 1), which rounding must not make negative.
fn variance(j: u32) -> f32 {
    let sum = gradient_sum[j];
    return max(second_moment[j] - sum * sum / noise.samples, 0.0) / (noise.samples - 1.0);
}

fn leave_share(group: u32, local: u32, share: vec2<f32>) {
    shares[local] = share;
    workgroupBarrier();
    if local == 0u {
        var sum = vec2(0.0);
        for (var k = 0u; k < 64u; k++) {
            sum += shares[k];
        }
        sums[noise.place + group] = sum.x;
        sums[noise.place + 64u + group] = sum.y;
    }
}

@compute @workgroup_size(64)
fn preconditioned_noise(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    var share = vec2(0.0);
    for (var j = group.x * 64u + local; j < noise.count; j += 4096u) {
        let divisor = sqrt(memory[noise.squares + j] / noise.correction) + noise.epsilon;
        // One division after the other: the square of a small divisor may underflow.
        let mean = gradient_sum[j] / noise.samples / divisor;
        share += vec2(variance(j) / divisor / divisor, mean * mean);
    }
    leave_share(group.x, local, share);
}

@compute @workgroup_size(64)
fn sign_noise(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    var share = vec2(0.0);
    for (var j = group.x * 64u + local; j < noise.count; j += 4096u) {
        share += vec2(sqrt(variance(j)), abs(gradient_sum[j] / noise.samples));
    }
    leave_share(group.x, local, share);
}
