// Causal self-attention: of query, key and value [sample][3 · width][T], for each head of d = width/heads channels
//
//     a[t][u] = softmax over u ≤ t of ⟨q_t, k_u⟩/√d        y_t = Σ_{u≤t} a[t][u] v_u
//
// and back with da[t][u] = ⟨e_t, v_u⟩ and ds[t][u] = a[t][u] (da[t][u] − Σ_w a[t][w] da[t][w])/√d:
//
//     dq_t = Σ_{u≤t} ds[t][u] k_u        dk_u = Σ_{t≥u} ds[t][u] q_t        dv_u = Σ_{t≥u} a[t][u] e_t
//
// a and ds are kept as [sample][head][t][u]; what lies beyond the diagonal is neither written nor read. An invocation has a
// row of them, or a value of y or dx.
//
// Operations, with P = samples · heads · T(T + 1)/2 pairs: attention_weights (2 d + 6) P, attention_forward 2 d P,
// attention_score_gradients (2 d + 5) P, attention_input_gradient 6 d P. Bytes: 4 a value of x, y, e, dx, and of a and ds.

struct Attention {
    samples: u32,
    width: u32,
    heads: u32,
    // T.
    positions: u32,
}

@group(0) @binding(0) var<uniform> attention: Attention;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> errors: array<f32>;
// ds.
@group(0) @binding(3) var<storage, read_write> scores: array<f32>;
// a.
@group(0) @binding(4) var<storage, read_write> weights: array<f32>;
@group(0) @binding(5) var<storage, read_write> result: array<f32>;

// Whether the input gradient is added to what other readers of the input have left.
override ADD: bool = false;

fn channels_of_head() -> u32 {
    return attention.width / attention.heads;
}

fn scale() -> f32 {
    return inverseSqrt(f32(channels_of_head()));
}

// Where a head's query (which = 0), key (1) or value (2) begins in x.
fn third(sample: u32, which: u32, head: u32) -> u32 {
    return ((sample * 3u + which) * attention.width + head * channels_of_head()) * attention.positions;
}

// Where a head's outputs begin in y and e.
fn head_of_outputs(sample: u32, head: u32) -> u32 {
    return (sample * attention.width + head * channels_of_head()) * attention.positions;
}

// A row of a: of a sample's head from one position.
struct Row {
    sample: u32,
    head: u32,
    t: u32,
    // Where it lies.
    first: u32,
}

fn row_of(index: u32) -> Row {
    let of_heads = index / attention.positions;
    return Row(
        of_heads / attention.heads,
        of_heads % attention.heads,
        index % attention.positions,
        index * attention.positions,
    );
}

@compute @workgroup_size(64)
fn attention_weights(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let index = id.x + id.y * groups.x * 64u;
    if index >= attention.samples * attention.heads * attention.positions {
        return;
    }
    let row = row_of(index);
    let query = third(row.sample, 0u, row.head) + row.t;
    let key = third(row.sample, 1u, row.head);
    var largest = 0.0;
    for (var u = 0u; u <= row.t; u++) {
        var sum = 0.0;
        for (var c = 0u; c < channels_of_head(); c++) {
            sum += x[query + c * attention.positions] * x[key + c * attention.positions + u];
        }
        let score = sum * scale();
        weights[row.first + u] = score;
        largest = select(max(largest, score), score, u == 0u);
    }
    var sum = 0.0;
    for (var u = 0u; u <= row.t; u++) {
        let power = exp(weights[row.first + u] - largest);
        weights[row.first + u] = power;
        sum += power;
    }
    for (var u = 0u; u <= row.t; u++) {
        weights[row.first + u] /= sum;
    }
}

@compute @workgroup_size(64)
fn attention_forward(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let index = id.x + id.y * groups.x * 64u;
    if index >= attention.samples * attention.width * attention.positions {
        return;
    }
    let t = index % attention.positions;
    let channel = index / attention.positions % attention.width;
    let sample = index / attention.positions / attention.width;
    let row = (sample * attention.heads + channel / channels_of_head()) * attention.positions + t;
    let value = ((sample * 3u + 2u) * attention.width + channel) * attention.positions;
    var sum = 0.0;
    for (var u = 0u; u <= t; u++) {
        sum += weights[row * attention.positions + u] * x[value + u];
    }
    result[index] = sum;
}

@compute @workgroup_size(64)
fn attention_score_gradients(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let index = id.x + id.y * groups.x * 64u;
    if index >= attention.samples * attention.heads * attention.positions {
        return;
    }
    let row = row_of(index);
    let error = head_of_outputs(row.sample, row.head) + row.t;
    let value = third(row.sample, 2u, row.head);
    var mean = 0.0;
    for (var u = 0u; u <= row.t; u++) {
        var sum = 0.0;
        for (var c = 0u; c < channels_of_head(); c++) {
            sum += errors[error + c * attention.positions] * x[value + c * attention.positions + u];
        }
        scores[row.first + u] = sum;
        mean += weights[row.first + u] * sum;
    }
    for (var u = 0u; u <= row.t; u++) {
        scores[row.first + u] = weights[row.first + u] * (scores[row.first + u] - mean) * scale();
    }
}

@compute @workgroup_size(64)
fn attention_input_gradient(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let index = id.x + id.y * groups.x * 64u;
    let len = attention.width * attention.positions;
    if index >= attention.samples * 3u * len {
        return;
    }
    let position = index % attention.positions;
    let which = index / len % 3u;
    let sample = index / len / 3u;
    let within = index % len;
    let channel = within / attention.positions;
    let first_of_channel = within - position;
    let head = channel / channels_of_head();
    let square = (sample * attention.heads + head) * attention.positions * attention.positions;
    let thirds = sample * 3u * len + first_of_channel;
    var sum = 0.0;
    if which == 0u {
        for (var u = 0u; u <= position; u++) {
            sum += scores[square + position * attention.positions + u] * x[thirds + len + u];
        }
    } else {
        for (var t = position; t < attention.positions; t++) {
            let place = square + t * attention.positions + position;
            if which == 1u {
                sum += scores[place] * x[thirds + t];
            } else {
                sum += weights[place] * errors[sample * len + first_of_channel + t];
            }
        }
    }
    if ADD {
        result[index] += sum;
    } else {
        result[index] = sum;
    }
}
