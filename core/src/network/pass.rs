//! What a backward pass computes.

use super::Placed;

/// What a backward pass computes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// The gradients of all activations, and what the sink asks for.
    Full,
    /// What the sink asks for: the gradients are there already.
    FromCache,
}

impl Pass {
    /// Whether one of a node's inputs is given its gradient. The gradient of the network's input is never needed.
    pub(super) fn passes_on(self, node: &Placed, input: usize) -> bool {
        let values = node.values[input];
        self == Self::Full && !values.is_network_input && values.len > 0
    }
}
