//! Parameters without weight decay.

use core::ops::Range;

use super::{Network, Placed};
use crate::optimizer::DecayOn;

impl<'a> Network<'a> {
    /// Where the parameters lie that have no weight decay, in ascending order: with [`DecayOn::Matrices`] tensors of one
    /// dimension, which are biases, and γ and β of norms.
    pub fn exempt(&self, decay_on: DecayOn) -> impl Iterator<Item = Range<usize>> + use<'a> {
        let nodes = match decay_on {
            DecayOn::All => &[],
            DecayOn::Matrices => self.nodes(),
        };
        nodes.iter().map(vectors).filter(|range| !range.is_empty())
    }
}

/// The tensors of one dimension among a node's weights and biases, which lie side by side.
fn vectors(node: &Placed) -> Range<usize> {
    let Range { start, end } = node.parameters();
    let is_vector = node.tensors()[0].is_some_and(|weights| weights.dimensions().len() < 2);
    if is_vector { start..end } else { start + node.weights..end }
}
