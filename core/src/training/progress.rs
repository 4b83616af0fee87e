//! Where a run stands between two steps.

use super::plan::Plan;
use crate::optimizer::Shared;

/// The state of a run between two steps: together with parameters and optimizer memory, all that a checkpoint contains.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Progress<S> {
    /// Steps made.
    pub steps: u64,
    /// Samples seen.
    pub samples_seen: u64,
    /// Size of the next batch.
    pub next_batch: u32,
    /// What the optimizer shares over all parameters.
    pub shared: Shared<S>,
}

#[cfg(feature = "serde")]
crate::fields::required_settings!(Progress<f64> { steps, samples_seen, next_batch, shared });

impl<S> Progress<S> {
    /// Where a run stands once a planned step is made.
    pub(super) fn after(plan: &Plan<S>, next_batch: u32, shared: Shared<S>) -> Self {
        Self { steps: plan.step, samples_seen: plan.seen_after(), next_batch, shared }
    }
}
