//! From an image's bytes to the values that a network sees.

use crate::augmentation::Placement;
use crate::dataset::Encoding;
use crate::real::Real;
use crate::shape::Shape;
use crate::vectors::on_vectors;

/// Writes an image's values: placed, then normalised. `bytes`: its planes, row by row, in the length of the shape, as
/// `input` is.
pub(crate) fn decode<F: Real>(
    bytes: &[u8],
    shape: Shape,
    encoding: Encoding,
    placement: Placement,
    input: &mut [F],
) {
    on_vectors(|| {
        if placement == Placement::IDENTITY {
            scale(bytes, input);
        } else {
            place(bytes, shape, placement, input);
        }
        if encoding != Encoding::BYTES {
            normalise(shape, encoding, input);
        }
    });
}

/// byte/255, correctly rounded but without a division: 1/255 = 257/2¹⁶ + 1/(255·2¹⁶), and a byte times the first is
/// exact.
#[inline(always)]
fn scale<F: Real>(bytes: &[u8], input: &mut [F]) {
    let [high, low] = [257.0 / 65_536.0, 1.0 / (255.0 * 65_536.0)].map(F::of);
    for (value, &byte) in input.iter_mut().zip(bytes) {
        let byte = F::from(byte).unwrap_or_default();
        *value = byte * high + byte * low;
    }
}

/// byte/255 of the bytes that the placement shows; 0 beyond the image's edges, as of byte 0.
#[inline(always)]
fn place<F: Real>(bytes: &[u8], shape: Shape, placement: Placement, input: &mut [F]) {
    let (height, width) = (shape.height as usize, shape.width as usize);
    if width == 0 {
        return;
    }
    let columns = Overlap::new(width, placement.left);
    let rows = Overlap::new(height, placement.top);
    let planes = bytes.chunks_exact(shape.plane()).zip(input.chunks_exact_mut(shape.plane()));
    for (plane, values) in planes {
        values.fill(F::zero());
        let shown = values.chunks_exact_mut(width).skip(rows.shown).take(rows.len);
        for (row, values) in plane.chunks_exact(width).skip(rows.source).zip(shown) {
            scale(&row[columns.source..][..columns.len], &mut values[columns.shown..][..columns.len]);
            if placement.flipped {
                values.reverse();
            }
        }
    }
}

/// Where a window of `size` places that is moved by an offset overlaps the places themselves.
struct Overlap {
    /// The first place in the window.
    shown: usize,
    /// The same in the source.
    source: usize,
    /// How many.
    len: usize,
}

impl Overlap {
    fn new(size: usize, offset: i32) -> Self {
        let moved = (offset.unsigned_abs() as usize).min(size);
        let [shown, source] = if offset < 0 { [moved, 0] } else { [0, moved] };
        Self { shown, source, len: size - moved }
    }
}

#[inline(always)]
fn normalise<F: Real>(shape: Shape, encoding: Encoding, input: &mut [F]) {
    let Encoding::Bytes { mean, deviation } = encoding else { return };
    if shape.is_empty() {
        return;
    }
    for ((values, mean), deviation) in input.chunks_exact_mut(shape.plane()).zip(mean).zip(deviation) {
        let [mean, deviation] = [mean, deviation].map(|number| F::of(number.into()));
        for value in values {
            *value = (*value - mean) / deviation;
        }
    }
}
