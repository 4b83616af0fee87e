//! A sweep's values, cut for a micro-batch.

use super::{Network, Placed};

/// The workspace's values, cut for a micro-batch.
pub(super) struct Buffers<'w, F> {
    pub(super) activations: &'w mut [F],
    /// Of all but the first activations.
    pub(super) gradients: &'w mut [F],
    /// How many those are, per sample.
    pub(super) without_gradient: usize,
    /// The samples' targets that are numbers.
    pub(super) targets: &'w mut [F],
    pub(super) scratch: &'w mut [F],
}

/// What belongs to one node's outputs.
pub(super) struct OfNode<'w, F> {
    pub(super) outputs: &'w mut [F],
    pub(super) gradients: &'w mut [F],
    /// Of the samples, whatever the node.
    pub(super) targets: &'w [F],
}

impl<'w, F> Buffers<'w, F> {
    /// The outputs of a node, and their gradients.
    pub(super) fn of_node(self, node: &Placed, samples: usize) -> OfNode<'w, F> {
        let (start, len) = (node.output_offset * samples, node.output.len() * samples);
        let first = start - self.without_gradient * samples;
        OfNode {
            outputs: &mut self.activations[start..][..len],
            gradients: &mut self.gradients[first..][..len],
            targets: self.targets,
        }
    }
}

/// The workspace's `values` for a micro-batch of `samples` samples.
pub(super) fn cut<'w, F>(network: Network<'_>, samples: usize, values: &'w mut [F]) -> Buffers<'w, F> {
    let (activations, rest) = values.split_at_mut(samples * network.activations());
    let without_gradient = network.without_gradient();
    let (gradients, rest) = rest.split_at_mut(samples * (network.activations() - without_gradient));
    let (targets, scratch) = rest.split_at_mut(samples * network.targets());
    Buffers { activations, gradients, without_gradient, targets, scratch }
}
