//! Which parts and which parameters are a rank's.

use core::ops::Range;

use crate::owned::batch_sums::BLOCK;

/// The parts of a batch that a rank sweeps: contiguous, and as many as any other's or one fewer.
#[allow(clippy::cast_possible_truncation)]
pub(super) fn parts_of(parts: u32, rank: usize, size: usize) -> Range<u32> {
    let boundary = |rank: usize| (u64::from(parts) * rank as u64 / size as u64) as u32;
    boundary(rank)..boundary(rank + 1)
}

/// The parameters whose sums a rank adds: whole blocks of those in which ‖Σ gᵢ‖² is summed, but for the last.
pub(super) fn slice_of(parameters: usize, rank: usize, size: usize) -> Range<usize> {
    let blocks = parameters.div_ceil(BLOCK);
    let boundary = |rank: usize| (blocks * rank / size * BLOCK).min(parameters);
    boundary(rank)..boundary(rank + 1)
}

/// Number of blocks in a slice.
pub(super) fn blocks_in(slice: &Range<usize>) -> usize {
    slice.len().div_ceil(BLOCK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_and_every_parameter_is_one_rank_s() {
        for size in 1..9 {
            for parts in 0..40 {
                let all: std::vec::Vec<u32> =
                    (0..size).flat_map(|rank| parts_of(parts, rank, size)).collect();
                assert_eq!(all, (0..parts).collect::<std::vec::Vec<_>>(), "{parts} parts, {size} ranks");
            }
            for parameters in [0, 1, 1023, 1024, 1025, 7850, 100_000] {
                let mut end = 0;
                for rank in 0..size {
                    let slice = slice_of(parameters, rank, size);
                    assert_eq!(slice.start, end);
                    assert!(slice.is_empty() || slice.start % BLOCK == 0);
                    end = slice.end;
                }
                assert_eq!(end, parameters);
            }
        }
    }
}
