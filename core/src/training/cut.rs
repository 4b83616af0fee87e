//! How a batch is cut into parts: this depends on the batch and the settings alone, never on the number of threads
//! or the available memory, so the same run gives the same bits everywhere.

use core::ops::Range;

use crate::config::RunConfig;
use crate::network::Grain;

/// A batch cut into parts of nearly equal size. Parts may be computed anywhere; their sums are merged in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    samples: u32,
    parts: u32,
}

impl Cut {
    /// Cuts `samples` samples into at least `least_parts` parts, but never into empty ones.
    #[must_use]
    pub fn new(samples: u32, least_parts: u32) -> Self {
        Self::by_grain(Grain::default(), samples, least_parts)
    }

    /// Cuts `samples` samples into two halves, the first the smaller one of an odd number. A single sample is one part.
    #[must_use]
    pub const fn halves(samples: u32) -> Self {
        Self { samples, parts: if samples < 2 { 1 } else { 2 } }
    }

    /// Cuts `samples` samples into this many parts, but never into empty ones: for a [`Cut`] that was sent as numbers.
    #[must_use]
    pub fn into_parts(samples: u32, parts: u32) -> Self {
        Self { samples, parts: parts.min(samples).max(1) }
    }

    /// The same with another grain, such as that of a model ([`Model::grain`](crate::model::Model::grain)).
    #[must_use]
    pub fn by_grain(grain: Grain, samples: u32, least_parts: u32) -> Self {
        let parts = samples.div_ceil(grain.samples.max(1)).min(grain.parts);
        let parts = parts.max(least_parts).min(samples).max(1);
        Self { samples, parts }
    }

    /// How a run cuts a batch of `samples` samples, with a network of this grain: into two halves for a rule that compares
    /// them, else into
    ///
    /// min(⌈samples / grain.samples⌉, P) parts, and at least as many as the run compares,
    ///
    /// where P is [`RunConfig::parts`], or `grain.parts` where that is 0. It depends on the settings, the network and the
    /// batch alone.
    #[must_use]
    pub fn of_run(config: &RunConfig, grain: Grain, samples: u32) -> Self {
        let needs = config.needs();
        if needs.halves {
            return Self::halves(samples);
        }
        let parts = if config.parts == 0 { grain.parts } else { config.parts };
        Self::by_grain(Grain { parts, ..grain }, samples, needs.parts)
    }

    /// All samples of a batch and of what extends it. For the sweeps that go over all of them: the first one went over each
    /// by itself.
    pub(super) fn with(self, extension: Self) -> Self {
        Self::new(self.samples.saturating_add(extension.samples), 0)
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

    /// Positions within the batch that belong to part `index`: none where the batch has no such part.
    #[must_use]
    pub fn part(self, index: u32) -> Range<u32> {
        self.boundary(index)..self.boundary(index.saturating_add(1))
    }

    /// Where a part begins; those beyond the last one at the batch's end.
    #[allow(clippy::cast_possible_truncation)]
    fn boundary(self, index: u32) -> u32 {
        let index = index.min(self.parts);
        (u64::from(self.samples) * u64::from(index) / u64::from(self.parts)) as u32
    }
}

impl Cut {
    /// Iterates over some of the parts, in micro-batches of at most `micro_batch` samples. Parts that the batch does not
    /// have are left out.
    #[must_use]
    pub fn walk(self, parts: Range<u32>, micro_batch: u32) -> Walk {
        let parts = parts.start.min(self.parts)..parts.end.min(self.parts);
        let position = self.boundary(parts.start);
        Walk { cut: self, parts, position, micro_batch: micro_batch.max(1) }
    }

    /// Walks over one part.
    #[must_use]
    pub fn walk_part(self, part: u32, micro_batch: u32) -> Walk {
        self.walk(part..part.saturating_add(1), micro_batch)
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

impl MicroBatch {
    /// Of a part without samples.
    #[cfg(feature = "std")]
    pub(crate) const NONE: Self = Self { positions: 0..0, ends_part: true };
}

impl Walk {
    /// Number of samples passed so far.
    #[must_use]
    pub const fn position(&self) -> u32 {
        self.position
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
