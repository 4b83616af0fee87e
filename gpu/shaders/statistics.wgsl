// Loss, per-sample statistics and their sums. `per_sample` holds four rows of `capacity` values: loss, right
// answers, sᵢ, and ⟨gᵢ, Σ g⟩.
//
// Operations and values of four bytes, a sample unless said otherwise: softmax_cross_entropy 7·classes + 4 and
// 2·classes + 5, sequence_cross_entropy about the same for each position; dense_norms 2·(inputs + outputs) + 3 and inputs + outputs + 2; inner_products
// 2·outputs + 1 and 2·outputs + 2; sum_tiles tiles + 1 and tiles + 2; fold_samples 9 and 4, and 6 at the end.
// A parameter: add_slices slices + 1 and slices + 2; square_norm 2 and 1, and 64 at the end; add_part 1 and 3. An
// output: sum_samples samples + 1 and samples + 2.

struct Batch {
    samples: u32,
    capacity: u32,
    // Inputs and outputs of the layer; classes are its outputs.
    inputs: u32,
    outputs: u32,
    // Tiles a sample (or slices) to sum over, and the distance from one to the next.
    tiles: u32,
    stride: u32,
    // Where sums go: a place in `sums`, or the row of `per_sample`.
    place: u32,
    // Where the layer's parameters begin, and how many there are.
    offset: u32,
    count: u32,
}

@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> e: array<f32>;
@group(0) @binding(3) var<storage, read_write> per_sample: array<f32>;
@group(0) @binding(4) var<storage, read_write> sums: array<f32>;
@group(0) @binding(5) var<storage, read> labels: array<u32>;
// Not 0 once a sum was not finite: optimizer.wgsl then makes no update.
@group(0) @binding(6) var<storage, read_write> refused: atomic<u32>;
// 2ᵏ, which all gradients are multiplied by: 1, but where their squares would leave the range of f32.
@group(0) @binding(7) var<storage, read> loss_scale: f32;

// By its bits: a compiler may take for granted that no NaN is compared.
fn is_finite(value: f32) -> bool {
    return (bitcast<u32>(value) & 0x7f800000u) != 0x7f800000u;
}

// Softmax cross-entropy of one vector of outputs, values of x that lie `stride` apart; leaves its gradient times `scale` in
// sums. Returns the loss, and 1 where the answer is right.
fn cross_entropy(first: u32, stride: u32, label: u32, scale: f32) -> vec2<f32> {
    var largest = 0u;
    for (var class_index = 1u; class_index < batch.outputs; class_index++) {
        if x[first + class_index * stride] > x[first + largest * stride] {
            largest = class_index;
        }
    }
    let top = x[first + largest * stride];
    var sum = 0.0;
    for (var class_index = 0u; class_index < batch.outputs; class_index++) {
        let value = exp(x[first + class_index * stride] - top);
        sums[first + class_index * stride] = value;
        sum += value;
    }
    for (var class_index = 0u; class_index < batch.outputs; class_index++) {
        let place = first + class_index * stride;
        let share = sums[place] / sum;
        sums[place] = scale * (share - select(0.0, 1.0, class_index == label));
    }
    return vec2(log(sum) + (top - x[first + label * stride]), select(0.0, 1.0, largest == label));
}

fn leave_loss(sample: u32, loss: vec2<f32>) {
    per_sample[sample] = loss.x;
    per_sample[batch.capacity + sample] = loss.y;
    per_sample[2u * batch.capacity + sample] = 0.0;
    per_sample[3u * batch.capacity + sample] = 0.0;
}

// Softmax cross-entropy of one sample an invocation: x = outputs, sums = their gradient.
@compute @workgroup_size(64)
fn softmax_cross_entropy(@builtin(global_invocation_id) id: vec3<u32>) {
    let sample = id.x;
    if sample < batch.samples {
        leave_loss(sample, cross_entropy(sample * batch.outputs, 1u, labels[sample], loss_scale));
    }
}

// The mean over the `count` positions of a sequence, outputs [class][position], a workgroup each. Right answers are counted.
@compute @workgroup_size(64)
fn sequence_cross_entropy(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let sample = group.x + group.y * groups.x;
    if sample >= batch.samples {
        return;
    }
    var share = vec2(0.0);
    for (var position = local; position < batch.count; position += 64u) {
        let first = sample * batch.outputs * batch.count + position;
        let label = labels[sample * batch.count + position];
        share += cross_entropy(first, batch.count, label, loss_scale / f32(batch.count));
    }
    let sum = sum_of_shares(local, share);
    if local == 0u {
        leave_loss(sample, sum / vec2(f32(batch.count), 1.0));
    }
}

// sᵢ += ‖e‖² (‖a‖² + 1): a dense layer's part, no gradient formed. Without inputs it is ‖e‖², where e is a small layer's
// gradient of one sample.
@compute @workgroup_size(64)
fn dense_norms(@builtin(global_invocation_id) id: vec3<u32>) {
    let sample = id.x;
    if sample >= batch.samples {
        return;
    }
    var a_squares = 0.0;
    for (var k = 0u; k < batch.inputs; k++) {
        let a = x[sample * batch.inputs + k];
        a_squares += a * a;
    }
    var e_squares = 0.0;
    for (var k = 0u; k < batch.outputs; k++) {
        let value = e[sample * batch.outputs + k];
        e_squares += value * value;
    }
    per_sample[2u * batch.capacity + sample] += e_squares * (a_squares + 1.0);
}

// Row 3 += ⟨e, x⟩: a layer's part of the inner product. For a dense layer x = A Ḡᵀ, `stride` = outputs; for a small one e is
// the sample's gradient and x the sum of all, the same for every sample, so that `stride` = 0.
@compute @workgroup_size(64)
fn inner_products(@builtin(global_invocation_id) id: vec3<u32>) {
    let sample = id.x;
    if sample >= batch.samples {
        return;
    }
    var sum = 0.0;
    for (var k = 0u; k < batch.outputs; k++) {
        sum += e[sample * batch.outputs + k] * x[batch.offset + sample * batch.stride + k];
    }
    per_sample[3u * batch.capacity + sample] += sum;
}

// Row `place` += Σ over a convolution's tiles.
@compute @workgroup_size(64)
fn sum_tiles(@builtin(global_invocation_id) id: vec3<u32>) {
    let sample = id.x;
    if sample >= batch.samples {
        return;
    }
    var sum = 0.0;
    for (var tile = 0u; tile < batch.tiles; tile++) {
        sum += x[sample * batch.stride + tile];
    }
    per_sample[batch.place * batch.capacity + sample] += sum;
}

// Samples' gradients, one by one in e, of a dense layer's biases or of a small layer: sums[offset + k] += Σᵢ eᵢₖ (squares of
// them where `stride` is 2).
@compute @workgroup_size(64)
fn sum_samples(@builtin(global_invocation_id) id: vec3<u32>) {
    let output = id.x;
    if output >= batch.outputs {
        return;
    }
    var sum = 0.0;
    for (var sample = 0u; sample < batch.samples; sample++) {
        let value = e[sample * batch.outputs + output];
        sum += select(value, value * value, batch.stride == 2u);
    }
    sums[batch.offset + output] += sum;
}

// A convolution's gradient: sums[offset + j] += Σ over slices.
@compute @workgroup_size(64)
fn add_slices(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let parameter = id.x + id.y * groups.x * 64u;
    if parameter >= batch.count {
        return;
    }
    var sum = 0.0;
    for (var slice = 0u; slice < batch.tiles; slice++) {
        sum += x[slice * batch.count + parameter];
    }
    sums[batch.offset + parameter] += sum;
}

var<workgroup> partial: array<array<f32, 6>, 64>;

// The micro-batch's loss, right answers, Σ sᵢ, Σ pᵢ², Σ sᵢ pᵢ and Σ sᵢ² → sums[place .. place + 6], each
// invocation a strided share, then a tree.
@compute @workgroup_size(64)
fn fold_samples(@builtin(local_invocation_index) local: u32) {
    var share = array<f32, 6>();
    for (var sample = local; sample < batch.samples; sample += 64u) {
        let norm = per_sample[2u * batch.capacity + sample];
        let inner = per_sample[3u * batch.capacity + sample];
        share[0] += per_sample[sample];
        share[1] += per_sample[batch.capacity + sample];
        share[2] += norm;
        share[3] += inner * inner;
        share[4] += norm * inner;
        share[5] += norm * norm;
    }
    partial[local] = share;
    workgroupBarrier();
    for (var half = 32u; half > 0u; half /= 2u) {
        if local < half {
            for (var k = 0u; k < 6u; k++) {
                partial[local][k] += partial[local + half][k];
            }
        }
        workgroupBarrier();
    }
    if local == 0u {
        for (var k = 0u; k < 6u; k++) {
            sums[batch.place + k] = partial[0][k];
        }
        if !is_finite(partial[0][0]) || !is_finite(partial[0][2]) {
            atomicStore(&refused, 1u);
        }
    }
}

// Σ of x over 64 strided shares → sums[place .. place + 64]: the caller adds them up in a wider type.
@compute @workgroup_size(64)
fn square_norm(@builtin(local_invocation_index) local: u32) {
    var sum = 0.0;
    for (var k = local; k < batch.count; k += 64u) {
        sum += x[k] * x[k];
    }
    sums[batch.place + local] = sum;
    if !is_finite(sum) {
        atomicStore(&refused, 1u);
    }
}

// sums += x, value by value: a part's gradient into the whole's.
@compute @workgroup_size(64)
fn add_part(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let index = id.x + id.y * groups.x * 64u;
    if index < batch.count {
        sums[index] += x[index];
    }
}

// The long sums once more, a workgroup each in place of an invocation: neighbours read what lies side by side, and
// no sum is longer than a 64th. For hardware, where one invocation alone waits for memory again and again; on software
// adapters the barrier costs more than it saves.
var<workgroup> shares: array<vec2<f32>, 64>;

// The sum over the workgroup, in the first invocation.
fn sum_of_shares(local: u32, share: vec2<f32>) -> vec2<f32> {
    shares[local] = share;
    workgroupBarrier();
    var sum = vec2(0.0);
    if local == 0u {
        for (var k = 0u; k < 64u; k++) {
            sum += shares[k];
        }
    }
    return sum;
}

@compute @workgroup_size(64)
fn dense_norms_by_group(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let sample = group.x + group.y * groups.x;
    if sample >= batch.samples {
        return;
    }
    var squares = vec2(0.0);
    for (var k = local; k < batch.inputs; k += 64u) {
        let a = x[sample * batch.inputs + k];
        squares.x += a * a;
    }
    for (var k = local; k < batch.outputs; k += 64u) {
        let value = e[sample * batch.outputs + k];
        squares.y += value * value;
    }
    let sum = sum_of_shares(local, squares);
    if local == 0u {
        per_sample[2u * batch.capacity + sample] += sum.y * (sum.x + 1.0);
    }
}

@compute @workgroup_size(64)
fn sum_tiles_by_group(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let sample = group.x + group.y * groups.x;
    if sample >= batch.samples {
        return;
    }
    var share = 0.0;
    for (var tile = local; tile < batch.tiles; tile += 64u) {
        share += x[sample * batch.stride + tile];
    }
    let sum = sum_of_shares(local, vec2(share, 0.0));
    if local == 0u {
        per_sample[batch.place * batch.capacity + sample] += sum.x;
    }
}

@compute @workgroup_size(64)
fn sum_samples_by_group(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let output = group.x + group.y * groups.x;
    if output >= batch.outputs {
        return;
    }
    var share = 0.0;
    for (var sample = local; sample < batch.samples; sample += 64u) {
        let value = e[sample * batch.outputs + output];
        share += select(value, value * value, batch.stride == 2u);
    }
    let sum = sum_of_shares(local, vec2(share, 0.0));
    if local == 0u {
        sums[batch.offset + output] += sum.x;
    }
}

// 64 workgroups, a share each.
@compute @workgroup_size(64)
fn square_norm_by_group(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    var share = 0.0;
    for (var k = group.x * 64u + local; k < batch.count; k += 4096u) {
        share += x[k] * x[k];
    }
    let sum = sum_of_shares(local, vec2(share, 0.0));
    if local == 0u {
        sums[batch.place + group.x] = sum.x;
        if !is_finite(sum.x) {
            atomicStore(&refused, 1u);
        }
    }
}
