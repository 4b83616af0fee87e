use super::{Network, Placed};
use crate::dataset::Visit;
use crate::real::Real;

/// Working memory of a sweep, owned by the caller. [`Network::workspace`] gives the lengths.
#[derive(Debug)]
pub struct Workspace<'a, F: Real> {
    /// Activations, their gradients, and scratch.
    pub values: &'a mut [F],
    /// sᵢ and pᵢ of the micro-batch.
    pub sums: &'a mut [F::Sum],
    /// The micro-batch's visits.
    pub visits: &'a mut [Visit],
    /// Its labels.
    pub labels: &'a mut [u32],
}

/// How long the slices of a [`Workspace`] must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkspaceLen {
    /// Floats.
    pub values: usize,
    /// Sums.
    pub sums: usize,
    /// Visits.
    pub visits: usize,
    /// Labels.
    pub labels: usize,
}

impl Network<'_> {
    /// How much working memory a micro-batch of `samples` samples needs. What does not fit in a `usize` is its largest
    /// value, which no slice has.
    #[must_use]
    pub fn workspace(&self, samples: usize) -> WorkspaceLen {
        let scratch_len = |node: &Placed| node.operation.scratch_len(node, samples);
        let scratch = self.nodes().iter().map(scratch_len).max().unwrap_or(0);
        WorkspaceLen {
            values: self.activations().saturating_mul(2).saturating_mul(samples).saturating_add(scratch),
            sums: samples.saturating_mul(2),
            visits: samples,
            labels: samples,
        }
    }

    /// The largest micro-batch, at most 128 samples, whose values stay within `budget` values (one at least).
    /// A function of the network alone for a given budget, because the cut decides the order of sums.
    #[must_use]
    pub fn micro_batch(&self, budget: usize) -> usize {
        (1..=128).rev().find(|&samples| self.workspace(samples).values <= budget).unwrap_or(1)
    }
}
