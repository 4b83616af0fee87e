// Draws a micro-batch: which samples, by the keyed shuffle, and their values as floats.
//
// One operation a pixel. Bytes: 5 a pixel, one in and four out (8 where they are floats already), and 8 a sample for
// labels. A sample's index is worked out, in integers, once for every EACH of its words.

struct Draw {
    samples: u32,
    // Where in the pass the micro-batch begins.
    start: u32,
    // N.
    length: u32,
    // Words of four pixels in one image, or of one float.
    words: u32,
    // Keys of this pass and of the next, for a micro-batch that crosses the end of the pass.
    this_key_0: u32,
    this_key_1: u32,
    next_key_0: u32,
    next_key_1: u32,
    low_bits: u32,
    high_bits: u32,
    // 1: shuffled; 0: in order.
    shuffled: u32,
}

@group(0) @binding(0) var<uniform> draw: Draw;
@group(0) @binding(1) var<storage, read> images: array<u32>;
@group(0) @binding(2) var<storage, read> all_labels: array<u32>;
@group(0) @binding(3) var<storage, read_write> activations: array<vec4<f32>>;
// The same as words, for images that are floats already.
@group(0) @binding(3) var<storage, read_write> activation_words: array<u32>;
@group(0) @binding(4) var<storage, read_write> labels: array<u32>;

fn mix(word_in: u32) -> u32 {
    var word = word_in;
    word ^= word >> 16u;
    word *= 0x85ebca6bu;
    word ^= word >> 13u;
    word *= 0xc2b2ae35u;
    return word ^ (word >> 16u);
}

fn bits(key: vec2<u32>, index: u32) -> u32 {
    return mix(mix(index ^ key.x) + key.y);
}

fn ones(count: u32) -> u32 {
    return (1u << count) - 1u;
}

fn permute(key: vec2<u32>, index: u32) -> u32 {
    var low_bits = draw.low_bits;
    var high_bits = draw.high_bits;
    var low = index & ones(low_bits);
    var high = index >> low_bits;
    for (var round = 0u; round < 6u; round++) {
        let word = bits(key, low ^ (round * 0x9e3779b9u)) & ones(high_bits);
        let new_low = high ^ word;
        high = low;
        low = new_low;
        let swapped = low_bits;
        low_bits = high_bits;
        high_bits = swapped;
    }
    return (high << low_bits) | low;
}

fn sample_at(offset: u32) -> u32 {
    var position = draw.start + offset;
    var key = vec2(draw.this_key_0, draw.this_key_1);
    if position >= draw.length {
        position -= draw.length;
        key = vec2(draw.next_key_0, draw.next_key_1);
    }
    if draw.shuffled == 0u || draw.length < 2u {
        return position;
    }
    var index = permute(key, position);
    while index >= draw.length {
        index = permute(key, index);
    }
    return index;
}

// Words that an invocation draws.
override EACH: u32 = 8u;

@compute @workgroup_size(64)
fn draw_samples(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let index = id.x + id.y * groups.x * 64u;
    // Neighbours draw words that lie side by side.
    let stride = (draw.words + EACH - 1u) / EACH;
    if index >= draw.samples * stride {
        return;
    }
    let offset = index / stride;
    let first = index % stride;
    let sample = sample_at(offset);
    for (var word = first; word < draw.words; word += stride) {
        let pixels = images[sample * draw.words + word];
        let bytes = (vec4(pixels) >> vec4(0u, 8u, 16u, 24u)) & vec4(0xffu);
        activations[offset * draw.words + word] = vec4<f32>(bytes) / 255.0;
    }
    if first == 0u {
        labels[offset] = all_labels[sample];
    }
}

// The same for values that are floats: their bits are moved as they are.
@compute @workgroup_size(64)
fn draw_floats(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let index = id.x + id.y * groups.x * 64u;
    let stride = (draw.words + EACH - 1u) / EACH;
    if index >= draw.samples * stride {
        return;
    }
    let offset = index / stride;
    let first = index % stride;
    let sample = sample_at(offset);
    for (var word = first; word < draw.words; word += stride) {
        activation_words[offset * draw.words + word] = images[sample * draw.words + word];
    }
    if first == 0u {
        labels[offset] = all_labels[sample];
    }
}
