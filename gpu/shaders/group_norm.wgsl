// Group normalisation: y = γ x̂ + β, x̂ = (x − μ)/√(σ² + 10⁻⁵), over each group of neighbouring channels of one sample, whose
// values lie side by side. A sample's own gradient of γ and β is Σ e·x̂ and Σ e over a channel's positions; it is left in
// memory, as the layer is small, and its statistics are those of any small layer.
//
// Sums run over a group: an invocation each, or (`…_by_group`) a workgroup each, which pays on hardware.
//
// Operations a value: moments 4, forward 4, sample gradients 6, input gradient 7. Bytes: 4 a value of x, of the output
// gradients and of the result; gradients of parameters are 2 values a channel and sample, moments 4 a group and sample.

struct GroupNorm {
    samples: u32,
    channels: u32,
    groups: u32,
    // Values of a channel.
    plane: u32,
    // Where γ begins; β follows it.
    parameter_offset: u32,
}

@group(0) @binding(0) var<uniform> norm: GroupNorm;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> errors: array<f32>;
@group(0) @binding(3) var<storage, read> parameters: array<f32>;
// [sample][group]: μ, 1/√(σ² + 10⁻⁵), and with w = γ e the means of w and of w x̂.
@group(0) @binding(4) var<storage, read_write> moments: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> result: array<f32>;

// Whether what is below 0 becomes 0.
override RELU: bool = false;
// Whether the input gradient is added to what other readers of the input have left.
override ADD: bool = false;

const EPSILON = 1e-5;

fn channels_of_group() -> u32 {
    return norm.channels / norm.groups;
}

// Values of a group.
fn group_len() -> u32 {
    return channels_of_group() * norm.plane;
}

// γ's place for a value of x.
fn weight_place(index: u32) -> u32 {
    return norm.parameter_offset + index / norm.plane % norm.channels;
}

fn normalised(value: f32, of_group: vec4<f32>) -> f32 {
    return (value - of_group.x) * of_group.y;
}

fn leave_moments(group: u32, mean: f32, squares: f32) {
    moments[group] = vec4(mean, inverseSqrt(squares / f32(group_len()) + EPSILON), 0.0, 0.0);
}

// Of one sample's channel of a group, from Σ e and Σ e·x̂: β's gradient and γ's. Returns both times γ, for the means of w.
fn leave_gradient(group: u32, channel_of_group: u32, sums: vec2<f32>) -> vec2<f32> {
    let sample = group / norm.groups;
    let channel = group % norm.groups * channels_of_group() + channel_of_group;
    let first = 2u * sample * norm.channels;
    result[first + channel] = sums.y;
    result[first + norm.channels + channel] = sums.x;
    return parameters[norm.parameter_offset + channel] * sums;
}

fn leave_means(group: u32, sums: vec2<f32>) {
    moments[group] = vec4(moments[group].xy, sums / f32(group_len()));
}

@compute @workgroup_size(64)
fn group_norm_moments(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let group = id.x + id.y * groups.x * 64u;
    if group >= norm.samples * norm.groups {
        return;
    }
    let first = group * group_len();
    var sum = 0.0;
    for (var k = 0u; k < group_len(); k++) {
        sum += x[first + k];
    }
    let mean = sum / f32(group_len());
    var squares = 0.0;
    for (var k = 0u; k < group_len(); k++) {
        let difference = x[first + k] - mean;
        squares += difference * difference;
    }
    leave_moments(group, mean, squares);
}

@compute @workgroup_size(64)
fn group_norm_forward(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let index = id.x + id.y * groups.x * 64u;
    if index >= norm.samples * norm.channels * norm.plane {
        return;
    }
    let place = weight_place(index);
    let normal = normalised(x[index], moments[index / group_len()]);
    let value = parameters[place] * normal + parameters[place + norm.channels];
    result[index] = select(value, 0.0, RELU && value < 0.0);
}

@compute @workgroup_size(64)
fn group_norm_sample_gradients(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let group = id.x + id.y * groups.x * 64u;
    if group >= norm.samples * norm.groups {
        return;
    }
    let of_group = moments[group];
    var means = vec2(0.0);
    for (var channel = 0u; channel < channels_of_group(); channel++) {
        let first = group * group_len() + channel * norm.plane;
        var sums = vec2(0.0);
        for (var k = first; k < first + norm.plane; k++) {
            sums += errors[k] * vec2(1.0, normalised(x[k], of_group));
        }
        means += leave_gradient(group, channel, sums);
    }
    leave_means(group, means);
}

// dx = (w − mean(w) − x̂ · mean(w x̂))/√(σ² + 10⁻⁵).
@compute @workgroup_size(64)
fn group_norm_input_gradient(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let index = id.x + id.y * groups.x * 64u;
    if index >= norm.samples * norm.channels * norm.plane {
        return;
    }
    let of_group = moments[index / group_len()];
    let weighted = parameters[weight_place(index)] * errors[index];
    let gradient = (weighted - of_group.z - normalised(x[index], of_group) * of_group.w) * of_group.y;
    if ADD {
        result[index] += gradient;
    } else {
        result[index] = gradient;
    }
}

var<workgroup> shares: array<vec2<f32>, 64>;

// The sum over the workgroup, in every invocation.
fn sum_of_shares(local: u32, share: vec2<f32>) -> vec2<f32> {
    shares[local] = share;
    workgroupBarrier();
    var sum = vec2(0.0);
    for (var k = 0u; k < 64u; k++) {
        sum += shares[k];
    }
    // The next sum takes the same memory.
    workgroupBarrier();
    return sum;
}

@compute @workgroup_size(64)
fn group_norm_moments_by_group(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let group = id.x + id.y * groups.x;
    if group >= norm.samples * norm.groups {
        return;
    }
    let first = group * group_len();
    var share = 0.0;
    for (var k = local; k < group_len(); k += 64u) {
        share += x[first + k];
    }
    let mean = sum_of_shares(local, vec2(share, 0.0)).x / f32(group_len());
    var squares = 0.0;
    for (var k = local; k < group_len(); k += 64u) {
        let difference = x[first + k] - mean;
        squares += difference * difference;
    }
    let sum = sum_of_shares(local, vec2(squares, 0.0));
    if local == 0u {
        leave_moments(group, mean, sum.x);
    }
}

@compute @workgroup_size(64)
fn group_norm_sample_gradients_by_group(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let group = id.x + id.y * groups.x;
    if group >= norm.samples * norm.groups {
        return;
    }
    let of_group = moments[group];
    var means = vec2(0.0);
    for (var channel = 0u; channel < channels_of_group(); channel++) {
        let first = group * group_len() + channel * norm.plane;
        var share = vec2(0.0);
        for (var k = first + local; k < first + norm.plane; k += 64u) {
            share += errors[k] * vec2(1.0, normalised(x[k], of_group));
        }
        let sums = sum_of_shares(local, share);
        if local == 0u {
            means += leave_gradient(group, channel, sums);
        }
    }
    if local == 0u {
        leave_means(group, means);
    }
}
