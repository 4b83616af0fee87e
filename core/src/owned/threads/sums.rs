//! The sums of a batch, and memory for those of its parts.

use std::vec::Vec;

use crate::owned::{BatchSums, OwnedStatistics, RunError};
use crate::statistics::Needs;

/// The batch's sums, and those of parts to be used again.
#[derive(Debug)]
pub(super) struct Sums {
    pub(super) needs: Needs,
    parameters: usize,
    /// Whether the parts are added here.
    adds: bool,
    pub(super) batch: BatchSums<f32>,
    pub(super) free: Vec<OwnedStatistics<f32>>,
}

impl Sums {
    pub(super) fn new(parameters: usize, needs: Needs, adds: bool) -> Result<Self, RunError> {
        let batch = BatchSums::new(if adds { parameters } else { 0 }, &needs)?;
        Ok(Self { needs, parameters, adds, batch, free: Vec::new() })
    }

    /// Ready for the first part, with the memory that `needs` takes.
    pub(super) fn begin(&mut self, parameters: usize, needs: Needs) -> Result<(), RunError> {
        if needs == self.needs && parameters == self.parameters {
            let mut part = self.part()?;
            self.batch.begin(&mut part);
            self.free.push(part);
        } else {
            // The old ones are let go first: both at a time would be the most that the engine ever takes.
            *self = Self::new(0, needs, self.adds)?;
            *self = Self::new(parameters, needs, self.adds)?;
        }
        Ok(())
    }

    /// Memory for a part's sums.
    pub(super) fn part(&mut self) -> Result<OwnedStatistics<f32>, RunError> {
        self.free.pop().map_or_else(|| OwnedStatistics::new(self.parameters, &self.needs), Ok)
    }
}
