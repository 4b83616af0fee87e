// Tokens as vectors, y[sample][c][t] = W[token at t][c]. Tokens are whole numbers as floats.
//
// A sample's own gradient of W is never formed: it is zero but for the rows of its tokens. What is formed is as long as the
// outputs' gradient: at a token's first position the sum of e over all positions of that token, and zero at the others. So a
// token that occurs twice gets both before anything is squared, and squares of these sums are squares of the gradient.
//
// Operations and values of four bytes: embedding_forward 0 and 2 a value; embedding_rows positions/2 and 2 a value, and the
// tokens; embedding_inner_products 2 and 2 a value; embedding_sums 1 a value, and the tokens once for each parameter.

struct Embedding {
    samples: u32,
    positions: u32,
    vocabulary: u32,
    width: u32,
    // Where W begins.
    parameter_offset: u32,
    // Samples of a row of `result`, where it holds per-sample values.
    capacity: u32,
}

@group(0) @binding(0) var<uniform> embedding: Embedding;
// [sample][position].
@group(0) @binding(1) var<storage, read> tokens: array<f32>;
// Parameters, the outputs' gradient, or the samples' row sums, [sample][channel][position].
@group(0) @binding(2) var<storage, read> values: array<f32>;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;
// Σ gᵢ.
@group(0) @binding(4) var<storage, read> gradient_sum: array<f32>;

// Whether squares are summed.
override SQUARED: bool = false;

// A token within the vocabulary, whatever the value is: the host has checked them.
fn token_at(place: u32) -> u32 {
    return min(u32(max(tokens[place], 0.0)), embedding.vocabulary - 1u);
}

fn outputs() -> u32 {
    return embedding.samples * embedding.width * embedding.positions;
}

// A value of an output [sample][channel][position].
struct Place {
    sample: u32,
    channel: u32,
    position: u32,
}

fn place_of(index: u32) -> Place {
    let row = index / embedding.positions;
    return Place(row / embedding.width, row % embedding.width, index % embedding.positions);
}

// The parameter that a value is.
fn parameter_of(place: Place) -> u32 {
    let token = token_at(place.sample * embedding.positions + place.position);
    return embedding.parameter_offset + token * embedding.width + place.channel;
}

@compute @workgroup_size(64)
fn embedding_forward(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let index = id.x + id.y * groups.x * 64u;
    if index < outputs() {
        result[index] = values[parameter_of(place_of(index))];
    }
}

@compute @workgroup_size(64)
fn embedding_rows(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let index = id.x + id.y * groups.x * 64u;
    if index >= outputs() {
        return;
    }
    let place = place_of(index);
    let first_token = place.sample * embedding.positions;
    let token = token_at(first_token + place.position);
    var is_first = true;
    for (var position = 0u; position < place.position; position++) {
        is_first = is_first && token_at(first_token + position) != token;
    }
    var sum = 0.0;
    if is_first {
        for (var position = place.position; position < embedding.positions; position++) {
            if token_at(first_token + position) == token {
                sum += values[index - place.position + position];
            }
        }
    }
    result[index] = sum;
}

// Row 3 of the per-sample values += ⟨gᵢ, Σ g⟩, from the samples' row sums.
@compute @workgroup_size(64)
fn embedding_inner_products(@builtin(global_invocation_id) id: vec3<u32>) {
    let sample = id.x;
    if sample >= embedding.samples {
        return;
    }
    let len = embedding.width * embedding.positions;
    var sum = 0.0;
    for (var k = sample * len; k < (sample + 1u) * len; k++) {
        sum += values[k] * gradient_sum[parameter_of(place_of(k))];
    }
    result[3u * embedding.capacity + sample] += sum;
}

// W's sum over samples, from their row sums.
@compute @workgroup_size(64)
fn embedding_sums(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let index = id.x + id.y * groups.x * 64u;
    if index >= embedding.vocabulary * embedding.width {
        return;
    }
    let token = index / embedding.width;
    let channel = index % embedding.width;
    var sum = 0.0;
    for (var sample = 0u; sample < embedding.samples; sample++) {
        let row = (sample * embedding.width + channel) * embedding.positions;
        for (var position = 0u; position < embedding.positions; position++) {
            if token_at(sample * embedding.positions + position) == token {
                let value = values[row + position];
                sum += select(value, value * value, SQUARED);
            }
        }
    }
    result[embedding.parameter_offset + index] += sum;
}
