//! What a step does, and what was decided about it.

use super::cut::Cut;
use crate::controller::epochs;
use crate::optimizer::StepScalars;
use crate::real::Real;
use crate::statistics::Needs;

/// What the next step does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan<S> {
    /// Counts from 1.
    pub step: u64,
    /// How the batch is cut; its size too.
    pub cut: Cut,
    /// Samples seen before this batch: where it begins in the order of samples.
    pub start: u64,
    /// The learning rate.
    pub learning_rate: S,
    /// The statistics that the test and the rule need.
    pub needs: Needs,
}

impl<S> Plan<S> {
    /// Sample visits that the step takes: inner products need a second sweep.
    #[must_use]
    pub fn visits(&self) -> u64 {
        (1 + u64::from(self.needs.inner)) * u64::from(self.cut.samples())
    }

    /// Whether an epoch over `samples` training samples ends with the step.
    #[must_use]
    pub fn ends_epoch(&self, samples: u32) -> bool {
        let [before, after] = epochs([self.start, self.seen_after()], samples);
        before < after
    }

    /// Samples seen once the step is made.
    #[must_use]
    pub fn seen_after(&self) -> u64 {
        self.start.saturating_add(u64::from(self.cut.samples()))
    }
}

/// A step that was decided: enough to repeat it from the parameters before it, for example after a lost device.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decided<F: Real> {
    /// Which samples.
    pub plan: Plan<F::Sum>,
    /// The update's scalars.
    pub scalars: StepScalars<F>,
}
