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

/// Cuts memory, so that each piece begins a cache line.
pub(super) struct Pieces<'a>(&'a mut [f32]);

impl<'a> Pieces<'a> {
    /// From the first whole cache line of scratch memory on.
    pub(super) fn of(scratch: &'a mut [f32]) -> Self {
        Self(from_cache_line(scratch))
    }

    pub(super) fn take(&mut self, len: usize) -> &'a mut [f32] {
        let (piece, rest) = core::mem::take(&mut self.0).split_at_mut(len.next_multiple_of(CACHE_LINE));
        self.0 = rest;
        &mut piece[..len]
    }
}
