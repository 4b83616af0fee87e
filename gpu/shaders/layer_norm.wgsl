// Layer normalisation: y = γ x̂ + β, x̂ = (x − μ)/√(σ² + 10⁻⁵) over the channels of each position of one sample, which lie a
// plane apart. A sample's own gradient of γ and β is Σ e·x̂ and Σ e over a channel's positions; it is left in memory, as the
// layer is small.
//
// Neighbouring invocations have neighbouring positions, so that they read what lies side by side, but for the samples'
// gradients, which are summed along the positions.
//
// Operations a value: moments 4, forward 4, sample gradients 6, means 6, input gradient 7. Bytes: 4 a value of x, of the
// output gradients and of the result; gradients of parameters are 2 values a channel and sample, moments 4 a position.

struct LayerNorm {
    samples: u32,
    channels: u32,
    // Positions: values of a channel.
    plane: u32,
    // Where γ begins; β follows it.
    parameter_offset: u32,
}

@group(0) @binding(0) var<uniform> norm: LayerNorm;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> errors: array<f32>;
@group(0) @binding(3) var<storage, read> parameters: array<f32>;
// [sample][position]: μ, 1/√(σ² + 10⁻⁵), and with w = γ e the means of w and of w x̂.
@group(0) @binding(4) var<storage, read_write> moments: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> result: array<f32>;

// Whether the input gradient is added to what other readers of the input have left.
override ADD: bool = false;

const EPSILON = 1e-5;

fn values() -> u32 {
    return norm.samples * norm.channels * norm.plane;
}

// Where the first channel of a position lies.
fn first_of(position: u32) -> u32 {
    return position / norm.plane * norm.channels * norm.plane + position % norm.plane;
}

// The position of a value.
fn position_of(index: u32) -> u32 {
    return index / (norm.channels * norm.plane) * norm.plane + index % norm.plane;
}

// γ's place for a value.
fn weight_place(index: u32) -> u32 {
    return norm.parameter_offset + index / norm.plane % norm.channels;
}

fn normalised(value: f32, of_position: vec4<f32>) -> f32 {
    return (value - of_position.x) * of_position.y;
}

@compute @workgroup_size(64)
fn layer_norm_moments(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let position = id.x + id.y * groups.x * 64u;
    if position >= norm.samples * norm.plane {
        return;
    }
    let first = first_of(position);
    var sum = 0.0;
    for (var channel = 0u; channel < norm.channels; channel++) {
        sum += x[first + channel * norm.plane];
    }
    let mean = sum / f32(norm.channels);
    var squares = 0.0;
    for (var channel = 0u; channel < norm.channels; channel++) {
        let difference = x[first + channel * norm.plane] - mean;
        squares += difference * difference;
    }
    moments[position] = vec4(mean, inverseSqrt(squares / f32(norm.channels) + EPSILON), 0.0, 0.0);
}

@compute @workgroup_size(64)
fn layer_norm_forward(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let index = id.x + id.y * groups.x * 64u;
    if index < values() {
        let place = weight_place(index);
        let normal = normalised(x[index], moments[position_of(index)]);
        result[index] = parameters[place] * normal + parameters[place + norm.channels];
    }
}

// [sample]: γ's, then β's.
@compute @workgroup_size(64)
fn layer_norm_sample_gradients(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let row = id.x + id.y * groups.x * 64u;
    if row >= norm.samples * norm.channels {
        return;
    }
    let sample = row / norm.channels;
    let channel = row % norm.channels;
    var sums = vec2(0.0);
    for (var k = 0u; k < norm.plane; k++) {
        let place = row * norm.plane + k;
        sums += errors[place] * vec2(normalised(x[place], moments[sample * norm.plane + k]), 1.0);
    }
    let first = 2u * sample * norm.channels;
    result[first + channel] = sums.x;
    result[first + norm.channels + channel] = sums.y;
}

@compute @workgroup_size(64)
fn layer_norm_means(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let position = id.x + id.y * groups.x * 64u;
    if position >= norm.samples * norm.plane {
        return;
    }
    let first = first_of(position);
    let of_position = moments[position];
    var sums = vec2(0.0);
    for (var channel = 0u; channel < norm.channels; channel++) {
        let place = first + channel * norm.plane;
        let weighted = parameters[norm.parameter_offset + channel] * errors[place];
        sums += weighted * vec2(1.0, normalised(x[place], of_position));
    }
    moments[position] = vec4(of_position.xy, sums / f32(norm.channels));
}

// dx = (w − mean(w) − x̂ · mean(w x̂))/√(σ² + 10⁻⁵).
@compute @workgroup_size(64)
fn layer_norm_input_gradient(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let index = id.x + id.y * groups.x * 64u;
    if index >= values() {
        return;
    }
    let of_position = moments[position_of(index)];
    let weighted = parameters[weight_place(index)] * errors[index];
    let gradient =
        (weighted - of_position.z - normalised(x[index], of_position) * of_position.w) * of_position.y;
    if ADD {
        result[index] += gradient;
    } else {
        result[index] = gradient;
    }
}
