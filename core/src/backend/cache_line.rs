//! Where memory for vectors begins.

/// Values of a cache line: the longest vector.
pub(super) const CACHE_LINE: usize = 16;
const BYTES: usize = CACHE_LINE * size_of::<f32>();

/// Memory that is only for vectors, from its first whole cache line on: a vector that lies in two lines is read
/// twice. It must be longer by up to [`CACHE_LINE`] values than what it is to hold.
pub(super) fn from_cache_line(scratch: &mut [f32]) -> &mut [f32] {
    let skipped = scratch.as_ptr().align_offset(BYTES).min(scratch.len());
    &mut scratch[skipped..]
}
