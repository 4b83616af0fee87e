//! The parts of a batch, and the order in which they are taken.

use core::fmt;
use core::ops::Range;

use super::cut::{Cut, Walk};

/// What is done with the parts of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// The first sweep of a step: Σ gᵢ, the loss, and the other requested statistics.
    Accumulate,
    /// The second sweep: inner products with ḡ.
    Project,
    /// An evaluation: loss and accuracy.
    Evaluate,
}

/// A part to be swept: plain numbers that can be sent anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// What is to be done with its samples.
    pub task: Task,
    /// Samples visited before the first one of the cut: a position in the order of a run's samples.
    pub start: u64,
    /// How the samples after `start` are cut into parts.
    pub cut: Cut,
    /// Which of them this is, from 0.
    pub index: u32,
}

impl Part {
    /// Number of its samples: 0 where the batch has no such part.
    #[must_use]
    pub fn samples(&self) -> u32 {
        self.cut.part(self.index).len().try_into().unwrap_or(u32::MAX)
    }

    /// Its micro-batches, in order.
    #[must_use]
    pub fn walk(&self, micro_batch: u32) -> Walk {
        self.cut.walk_part(self.index, micro_batch)
    }
}

/// One sweep over a batch: its parts may be swept anywhere and in any order, and are taken one after the other, each of
/// them once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Round {
    task: Task,
    start: u64,
    cut: Cut,
    /// The part that is taken next.
    next: u32,
}

impl Round {
    /// A sweep of which no part is taken yet, over the samples after `start`.
    #[must_use]
    pub const fn new(task: Task, start: u64, cut: Cut) -> Self {
        Self { task, start, cut, next: 0 }
    }

    /// What is done with the parts.
    #[must_use]
    pub const fn task(&self) -> Task {
        self.task
    }

    /// Samples visited before the first one of the cut.
    #[must_use]
    pub const fn start(&self) -> u64 {
        self.start
    }

    /// How the samples are cut into parts.
    #[must_use]
    pub const fn cut(&self) -> Cut {
        self.cut
    }

    /// The parts that are still to be taken.
    #[must_use]
    pub const fn parts(&self) -> Range<u32> {
        self.next..self.cut.parts()
    }

    /// One of the parts.
    #[must_use]
    pub const fn part(&self, index: u32) -> Part {
        Part { task: self.task, start: self.start, cut: self.cut, index }
    }

    /// The part that is taken next; `None` after the last one.
    #[must_use]
    pub fn next(&self) -> Option<Part> {
        (!self.is_complete()).then(|| self.part(self.next))
    }

    /// Samples of the parts that are taken.
    #[must_use]
    pub fn position(&self) -> u32 {
        self.cut.part(self.next).start
    }

    /// Whether all parts are taken.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.parts().is_empty()
    }

    /// Takes the next part, of which `samples` samples were swept.
    ///
    /// # Errors
    /// When it is not the next one of this sweep, or not all of its samples were swept; then it is not taken.
    pub fn take(&mut self, part: &Part, samples: u32) -> Result<(), PartError> {
        if *part != self.part(part.index) {
            return Err(PartError::OtherSweep);
        }
        self.take_several(part.index..part.index.saturating_add(1), samples)
    }

    /// Takes the next parts, whose sums were added where they were swept. Nothing is taken with an empty range.
    ///
    /// # Errors
    /// Those of [`Self::take`].
    pub fn take_several(&mut self, parts: Range<u32>, samples: u32) -> Result<(), PartError> {
        let (first, end) = (parts.start, parts.end.max(parts.start));
        if first < self.next {
            return Err(PartError::Twice { part: first });
        }
        if end > self.cut.parts() {
            return Err(PartError::NoSuchPart { part: end - 1, parts: self.cut.parts() });
        }
        if first > self.next {
            return Err(PartError::OutOfOrder { expected: self.next, found: first });
        }
        let expected = self.cut.part(end).start - self.cut.part(first).start;
        if samples != expected {
            return Err(PartError::Samples { part: first, expected, found: samples });
        }
        self.next = end;
        Ok(())
    }

    /// `Ok` once all parts are taken.
    ///
    /// # Errors
    /// The first part that is missing.
    pub fn check_complete(&self) -> Result<(), PartError> {
        let parts = self.cut.parts();
        if self.is_complete() { Ok(()) } else { Err(PartError::Missing { part: self.next, parts }) }
    }
}

/// Why a part is not taken, or a sweep is not over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartError {
    /// It was taken already.
    Twice {
        /// Which.
        part: u32,
    },
    /// One before it was not taken yet.
    OutOfOrder {
        /// The part that is taken next.
        expected: u32,
        /// The part that was given.
        found: u32,
    },
    /// The batch has fewer parts.
    NoSuchPart {
        /// Which.
        part: u32,
        /// Number of parts.
        parts: u32,
    },
    /// It does not belong to the current sweep.
    OtherSweep,
    /// It covers another number of samples than the part has.
    Samples {
        /// Which.
        part: u32,
        /// Samples of the part.
        expected: u32,
        /// Samples that were swept.
        found: u32,
    },
    /// The sweep is not over.
    Missing {
        /// The first part that was not taken.
        part: u32,
        /// Number of parts.
        parts: u32,
    },
}

impl fmt::Display for PartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Twice { part } => {
                write!(f, "part {part} of the batch was given twice: take the result of each part once")
            }
            Self::OutOfOrder { expected, found } => write!(
                f,
                "part {found} of the batch was given before part {expected}: take the results in the order of the parts"
            ),
            Self::NoSuchPart { part, parts } => {
                write!(f, "the batch has no part {part}: it has {parts} parts, counted from 0")
            }
            Self::OtherSweep => f.write_str(
                "the part does not belong to the current sweep: discard results of earlier sweeps",
            ),
            Self::Samples { part, expected, found } => write!(
                f,
                "part {part} of the batch has {expected} samples, but its result covers {found}: sweep each sample \
                 exactly once"
            ),
            Self::Missing { part, parts } => {
                write!(
                    f,
                    "part {part} of the batch is missing: a sweep is complete only with all {parts} parts"
                )
            }
        }
    }
}

impl core::error::Error for PartError {}
