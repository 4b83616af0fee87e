// A vector for each position of a sequence: y[sample][c][t] = x[sample][c][t] + W[t][c]. A sample's own gradient of W is e
// transposed, and zero beyond the sequence's end; it is left in memory, as the layer is small.
//
// Operations and values of four bytes: position_embedding_forward 1 and 3 a value, position_embedding_gradients 0 and 2 a
// value of W and sample.

struct PositionEmbedding {
    samples: u32,
    channels: u32,
    // Of the sequence, and of W.
    positions: u32,
    rows: u32,
    // Where W begins.
    parameter_offset: u32,
}

@group(0) @binding(0) var<uniform> embedding: PositionEmbedding;
// Inputs, or the outputs' gradient.
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> parameters: array<f32>;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;

@compute @workgroup_size(64)
fn position_embedding_forward(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let index = id.x + id.y * groups.x * 64u;
    if index >= embedding.samples * embedding.channels * embedding.positions {
        return;
    }
    let position = index % embedding.positions;
    let channel = index / embedding.positions % embedding.channels;
    result[index] = x[index] + parameters[embedding.parameter_offset + position * embedding.channels + channel];
}

// [sample][row of W][channel].
@compute @workgroup_size(64)
fn position_embedding_gradients(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let index = id.x + id.y * groups.x * 64u;
    if index >= embedding.samples * embedding.rows * embedding.channels {
        return;
    }
    let channel = index % embedding.channels;
    let position = index / embedding.channels % embedding.rows;
    let sample = index / embedding.channels / embedding.rows;
    var gradient = 0.0;
    if position < embedding.positions {
        gradient = x[(sample * embedding.channels + channel) * embedding.positions + position];
    }
    result[index] = gradient;
}
