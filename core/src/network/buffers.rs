//! A sweep's values, cut for a micro-batch.

use super::Network;

/// The workspace's values, cut for a micro-batch.
pub(super) struct Buffers<'w, F> {
    pub(super) activations: &'w mut [F],
    pub(super) gradients: &'w mut [F],
    pub(super) scratch: &'w mut [F],
}

/// The workspace's `values` for a micro-batch of `samples` samples.
pub(super) fn cut<'w, F>(network: Network<'_>, samples: usize, values: &'w mut [F]) -> Buffers<'w, F> {
    let (activations, rest) = values.split_at_mut(samples * network.activations());
    let (gradients, scratch) = rest.split_at_mut(samples * network.activations());
    Buffers { activations, gradients, scratch }
}
