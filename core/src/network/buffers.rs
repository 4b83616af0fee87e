//! A sweep's values, cut for a micro-batch.

use super::{Network, Placed};

/// The workspace's values, cut for a micro-batch.
pub(super) struct Buffers<'w, F> {
    pub(super) activations: &'w mut [F],
    /// Of all but the first activations.
    pub(super) gradients: &'w mut [F],
    /// How many those are, per sample.
    pub(super) without_gradient: usize,
    pub(super) scratch: &'w mut [F],
}

impl<'w, F> Buffers<'w, F> {
    /// The outputs of a node, and their gradients.
    pub(super) fn of_node(self, node: &Placed, samples: usize) -> (&'w mut [F], &'w mut [F]) {
        let (start, len) = (node.output_offset * samples, node.output.len() * samples);
        let first = start - self.without_gradient * samples;
        (&mut self.activations[start..][..len], &mut self.gradients[first..][..len])
    }
}

/// The workspace's `values` for a micro-batch of `samples` samples.
pub(super) fn cut<'w, F>(network: Network<'_>, samples: usize, values: &'w mut [F]) -> Buffers<'w, F> {
    let (activations, rest) = values.split_at_mut(samples * network.activations());
    let without_gradient = network.without_gradient();
    let (gradients, scratch) = rest.split_at_mut(samples * (network.activations() - without_gradient));
    Buffers { activations, gradients, without_gradient, scratch }
}
