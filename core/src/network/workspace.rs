use super::{Network, Placed};
use crate::dataset::Visit;
use crate::real::Real;
use crate::statistics::Needs;

/// Working memory of a sweep, owned by the caller. [`Network::workspace`] or [`Network::workspace_for`] gives the lengths;
/// slices may be longer.
#[derive(Debug)]
pub struct Workspace<'a, F: Real> {
    /// Activations, their gradients, targets that are numbers, and scratch.
    pub values: &'a mut [F],
    /// sᵢ and pᵢ of the micro-batch.
    pub sums: &'a mut [F::Sum],
    /// The micro-batch's visits.
    pub visits: &'a mut [Visit],
    /// Its labels, one for each position of the outputs.
    pub labels: &'a mut [u32],
}

/// How long the slices of a [`Workspace`] must be, at least.
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
    /// How much working memory a micro-batch of `samples` samples needs for any statistics and the kernels of any
    /// backend. A length that does not fit into a `usize` is its largest value, which no slice has.
    #[must_use]
    pub fn workspace(&self, samples: usize) -> WorkspaceLen {
        let scratch =
            |node: &Placed| node.operation.scratch_len_with_kernels(node.place(), samples, &EVERYTHING);
        self.with_scratch(samples, &EVERYTHING, self.nodes().iter().map(scratch).max().unwrap_or(0))
    }

    /// The same for plain loops and for tests that need no more than `needs`, known at compile time. With a
    /// `FastBackend`, layers that have no room for their kernels run on its matrix products.
    #[must_use]
    pub const fn workspace_for(&self, samples: usize, needs: &Needs) -> WorkspaceLen {
        let (mut scratch, mut k) = (0, 0);
        while k < self.nodes().len() {
            let node = &self.nodes()[k];
            let of_node = node.operation.scratch_len(node.place(), samples, needs);
            if of_node > scratch {
                scratch = of_node;
            }
            k += 1;
        }
        self.with_scratch(samples, needs, scratch)
    }

    const fn with_scratch(&self, samples: usize, needs: &Needs, scratch: usize) -> WorkspaceLen {
        let per_sample =
            (self.activations().saturating_mul(2) - self.without_gradient()).saturating_add(self.targets());
        WorkspaceLen {
            values: per_sample.saturating_mul(samples).saturating_add(scratch),
            sums: samples.saturating_mul(if needs.inner { 2 } else { 1 }),
            visits: samples,
            labels: samples.saturating_mul(self.positions()),
        }
    }

    /// The largest micro-batch, at most 128 samples, whose values stay within `budget` values (one at least). A
    /// function of the network alone for a given budget, because the cut decides the order of sums: therefore it also
    /// counts a gradient of the input, although none is kept.
    #[must_use]
    pub fn micro_batch(&self, budget: usize) -> usize {
        let input = self.without_gradient();
        let values =
            |samples: usize| self.workspace(samples).values.saturating_add(samples.saturating_mul(input));
        (1..=128).rev().find(|&samples| values(samples) <= budget).unwrap_or(1)
    }
}

/// All that takes memory in a sweep.
const EVERYTHING: Needs = Needs { inner: true, coordinate_quantile: Some(1.0), ..Needs::NORMS };
