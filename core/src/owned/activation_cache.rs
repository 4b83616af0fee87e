//! What a step's first sweep leaves for its second.

use std::vec::Vec;

use super::sweep_memory::{SweepMemory, micro_batch};
use crate::network::Network;
use crate::real::Real;

/// Bytes that micro-batches may take that are kept from the first sweep to the second.
const BYTES: usize = if cfg!(target_arch = "wasm32") { 64 << 20 } else { 256 << 20 };

/// Separate working memory for each micro-batch, in order, so that a second sweep can reuse the first one's
/// activations and their gradients.
#[derive(Debug)]
pub struct ActivationCache<F: Real> {
    memories: Vec<SweepMemory<F>>,
    limit: usize,
}

impl<F: Real> Default for ActivationCache<F> {
    fn default() -> Self {
        Self { memories: Vec::new(), limit: 0 }
    }
}

impl<F: Real> ActivationCache<F> {
    /// Starts a batch of which at most `limit` micro-batches are kept: see [`Self::limit`].
    pub fn begin(&mut self, limit: usize) {
        self.limit = limit;
        self.memories.truncate(limit);
    }

    /// Micro-batches of a network that may be kept at a time: 256 MiB of them, in a browser 64.
    #[must_use]
    pub fn limit(network: Network<'_>) -> usize {
        let values = network.workspace(micro_batch(network)).values;
        BYTES / (values * size_of::<F>()).max(1)
    }

    /// Memory for micro-batch `index`, to be called in ascending order; `None` if it is not kept.
    pub fn fill(&mut self, network: Network<'_>, index: usize) -> Option<&mut SweepMemory<F>> {
        if index == self.memories.len() && index < self.limit {
            // Without memory for it, it is computed again.
            self.memories.push(SweepMemory::new(network).ok()?);
        }
        self.memories.get_mut(index)
    }

    /// What the first sweep left of micro-batch `index`.
    pub fn get(&mut self, index: usize) -> Option<&mut SweepMemory<F>> {
        self.memories.get_mut(index)
    }
}
