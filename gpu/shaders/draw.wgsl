// Draws a micro-batch: which samples, by the keyed shuffle, and their values as floats.
//
// Bytes become floats by a table that the host computes, 256 values a channel: a division may differ in its last bit from
// one GPU to the next, and from the CPU's. Values are moved as words, so that their bits are the table's on any GPU.
// Crops and flips are numbers of the pass and the sample, so they are worked out here, and nothing is uploaded for them.
// A data set that is larger than a binding may be lies in several buffers of whole samples; there is a dispatch for each
// of them, which draws those of the micro-batch's samples that its buffer holds.
//
// One operation a value. Bytes: 5 a value, one in and four out (8 where they are floats already), and 8 a sample for
// each of its labels. A sample's index is worked out, in integers, once for every EACH of its blocks of four values (or EACH of its
// floats).

struct Draw {
    samples: u32,
    // Where in the pass the micro-batch begins.
    start: u32,
    // N.
    length: u32,
    // The samples that `images` holds: the first, and how many.
    first: u32,
    held: u32,
    // Values of one sample, of one of its channels, and of a row of that.
    values: u32,
    plane: u32,
    width: u32,
    // Keys of this pass and of the next, for a micro-batch that crosses the end of the pass.
    this_key_0: u32,
    this_key_1: u32,
    next_key_0: u32,
    next_key_1: u32,
    low_bits: u32,
    high_bits: u32,
    // 1: shuffled; 0: in order.
    shuffled: u32,
    // Keys of the placements, likewise.
    this_place_0: u32,
    this_place_1: u32,
    next_place_0: u32,
    next_place_1: u32,
    // Pixels around an image that a crop may take in.
    padding: u32,
    // 1: images may be mirrored.
    flip: u32,
    // Labels of a sample.
    labels: u32,
}

@group(0) @binding(0) var<uniform> draw: Draw;
@group(0) @binding(1) var<storage, read> images: array<u32>;
@group(0) @binding(2) var<storage, read> all_labels: array<u32>;
// Floats, as words.
@group(0) @binding(3) var<storage, read_write> activations: array<u32>;
@group(0) @binding(4) var<storage, read_write> labels: array<u32>;
// [channel][byte]: floats, as words.
@group(0) @binding(5) var<storage, read> table: array<u32>;

// Blocks of four values, or floats, that an invocation draws.
override EACH: u32 = 8u;
// Whether channels have rows of the table of their own.
override PER_CHANNEL: bool = false;
// Whether images are cropped or mirrored.
override PLACED: bool = false;

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

// A sample of the micro-batch.
struct Drawn {
    sample: u32,
    // The 32 random bits of its placement.
    bits: u32,
}

fn drawn(offset: u32) -> Drawn {
    var position = draw.start + offset;
    var key = vec2(draw.this_key_0, draw.this_key_1);
    var place = vec2(draw.this_place_0, draw.this_place_1);
    if position >= draw.length {
        position -= draw.length;
        key = vec2(draw.next_key_0, draw.next_key_1);
        place = vec2(draw.next_place_0, draw.next_place_1);
    }
    var index = position;
    if draw.shuffled != 0u && draw.length >= 2u {
        index = permute(key, position);
        while index >= draw.length {
            index = permute(key, index);
        }
    }
    return Drawn(index, bits(place, index));
}

fn draw_labels(offset: u32, sample: u32) {
    for (var k = 0u; k < draw.labels; k++) {
        labels[offset * draw.labels + k] = all_labels[sample * draw.labels + k];
    }
}

fn is_held(sample: u32) -> bool {
    return sample >= draw.first && sample - draw.first < draw.held;
}

// What is seen of an image: its pixel (row + top, column' + left), where column' is counted from the right if it is
// flipped.
struct Placement {
    top: i32,
    left: i32,
    flipped: bool,
}

fn offset_of(bits: u32) -> i32 {
    return i32(((bits & 0x7fffu) * (2u * draw.padding + 1u)) >> 15u) - i32(draw.padding);
}

fn placement(bits: u32) -> Placement {
    return Placement(offset_of(bits), offset_of(bits >> 15u), draw.flip == 1u && bits >> 31u == 1u);
}

// The byte at a place among the images' bytes.
fn byte_at(place: u32) -> u32 {
    return (images[place / 4u] >> (8u * (place % 4u))) & 0xffu;
}

// The byte that value `index` of an image is made of, 0 beyond its edges. The image's bytes begin at `base`.
fn placed_byte(base: u32, index: u32, seen: Placement) -> u32 {
    let width = i32(draw.width);
    let within = index % draw.plane;
    let shown = i32(within % draw.width);
    let row = i32(within / draw.width) + seen.top;
    let column = select(shown, width - 1 - shown, seen.flipped) + seen.left;
    if row < 0 || row >= i32(draw.plane / draw.width) || column < 0 || column >= width {
        return 0u;
    }
    return byte_at(base + (index - within) + u32(row * width + column));
}

@compute @workgroup_size(64)
fn draw_bytes(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let index = id.x + id.y * groups.x * 64u;
    // Neighbours draw values that lie side by side.
    let blocks = (draw.values + 3u) / 4u;
    let stride = (blocks + EACH - 1u) / EACH;
    if index >= draw.samples * stride {
        return;
    }
    let offset = index / stride;
    let first = index % stride;
    let visit = drawn(offset);
    if !is_held(visit.sample) {
        return;
    }
    let base = (visit.sample - draw.first) * draw.values;
    let seen = placement(visit.bits);
    for (var block = first; block < blocks; block += stride) {
        for (var value = 4u * block; value < min(4u * block + 4u, draw.values); value++) {
            var byte = 0u;
            if PLACED {
                byte = placed_byte(base, value, seen);
            } else {
                byte = byte_at(base + value);
            }
            var row = 0u;
            if PER_CHANNEL {
                row = 256u * (value / draw.plane);
            }
            activations[offset * draw.values + value] = table[row + byte];
        }
    }
    if first == 0u {
        draw_labels(offset, visit.sample);
    }
}

// The same for values that are floats: their bits are moved as they are.
@compute @workgroup_size(64)
fn draw_floats(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let index = id.x + id.y * groups.x * 64u;
    let stride = (draw.values + EACH - 1u) / EACH;
    if index >= draw.samples * stride {
        return;
    }
    let offset = index / stride;
    let first = index % stride;
    let sample = drawn(offset).sample;
    if !is_held(sample) {
        return;
    }
    let base = (sample - draw.first) * draw.values;
    for (var value = first; value < draw.values; value += stride) {
        activations[offset * draw.values + value] = images[base + value];
    }
    if first == 0u {
        draw_labels(offset, sample);
    }
}
