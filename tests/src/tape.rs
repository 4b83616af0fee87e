//! Tapes as tests write them down.

use adadagrad_core::layer::Operation;
use adadagrad_core::network::{Node, Source};

/// A node's input by its number: 0 is the network's input, k the output of the k-th node.
#[must_use]
pub const fn source(number: u16) -> Source {
    match number.checked_sub(1) {
        None => Source::Input,
        Some(node) => Source::Node(node),
    }
}

/// A chain: each operation takes what the one before it gives.
pub fn chain(operations: impl IntoIterator<Item = Operation>) -> Vec<Node> {
    (0..).zip(operations).map(|(input, operation)| Node::new(operation, source(input))).collect()
}
