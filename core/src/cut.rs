//! How a batch is cut into parts: by the batch and the settings alone, never by the number of threads or the
//! memory at hand, so that the same run gives the same bits everywhere.

use core::ops::Range;

/// Samples that a part has at least, where nothing is known of the model.
const PART: u32 = 64;
/// Parts that a batch is cut into at most, unless more are asked for: each costs a pass over the parameters.
const MOST_PARTS: u32 = 32;

/// A batch cut into parts of as equal a size as can be. Parts may be computed anywhere; their sums are merged
/// in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    samples: u32,
    parts: u32,
}

impl Cut {
    /// Cuts `samples` into at least `least_parts`, but never into parts without a sample.
    #[must_use]
    pub fn new(samples: u32, least_parts: u32) -> Self {
        Self::into_parts_of(PART, samples, least_parts)
    }

    /// The same into parts of at least `part` samples, unless more parts are asked for. That is
    /// [`Model::part`](crate::network::Model::part) in a run.
    #[must_use]
    pub fn into_parts_of(part: u32, samples: u32, least_parts: u32) -> Self {
        let parts = samples.div_ceil(part.max(1)).min(MOST_PARTS).max(least_parts).min(samples).max(1);
        Self { samples, parts }
    }

    /// Samples in the batch.
    #[must_use]
    pub const fn samples(self) -> u32 {
        self.samples
    }

    /// Number of parts.
    #[must_use]
    pub const fn parts(self) -> u32 {
        self.parts
    }

    /// Positions within the batch that belong to part `index`.
    #[must_use]
    pub fn part(self, index: u32) -> Range<u32> {
        self.boundary(index)..self.boundary(index + 1)
    }

    #[allow(clippy::cast_possible_truncation)]
    fn boundary(self, index: u32) -> u32 {
        (u64::from(self.samples) * u64::from(index) / u64::from(self.parts)) as u32
    }
}

impl Cut {
    /// Walks over some of the parts, a micro-batch of at most `micro_batch` samples at a time.
    #[must_use]
    pub fn walk(self, parts: Range<u32>, micro_batch: u32) -> Walk {
        let position = self.boundary(parts.start);
        Walk { cut: self, parts, position, micro_batch: micro_batch.max(1) }
    }
}

/// The micro-batches of some parts, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk {
    cut: Cut,
    parts: Range<u32>,
    position: u32,
    micro_batch: u32,
}

/// One micro-batch: positions within the batch, and whether its part ends with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MicroBatch {
    /// Positions within the batch.
    pub positions: Range<u32>,
    /// Whether the part's sums are complete with this one.
    pub ends_part: bool,
}

impl Walk {
    /// Samples that were walked over, counted from the batch's first.
    #[must_use]
    pub const fn position(&self) -> u32 {
        self.position
    }

    /// Whether every part was walked over.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The parts that are left; `None` inside a part, and behind the last one.
    #[must_use]
    pub fn whole_parts(&self) -> Option<Range<u32>> {
        let begins = self.position == self.cut.boundary(self.parts.start);
        (begins && !self.is_empty()).then(|| self.parts.clone())
    }

    /// Walks over the present part, whoever sweeps it.
    pub fn skip_part(&mut self) {
        if !self.is_empty() {
            self.parts.start += 1;
            self.position = self.cut.boundary(self.parts.start);
        }
    }
}

impl Iterator for Walk {
    type Item = MicroBatch;

    fn next(&mut self) -> Option<MicroBatch> {
        let part = self.parts.start;
        if part >= self.parts.end {
            return None;
        }
        let part_end = self.cut.boundary(part + 1);
        let end = part_end.min(self.position.saturating_add(self.micro_batch));
        let positions = self.position..end;
        self.position = end;
        let ends_part = end == part_end;
        self.parts.start += u32::from(ends_part);
        Some(MicroBatch { positions, ends_part })
    }
}
