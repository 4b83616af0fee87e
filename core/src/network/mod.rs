//! The network as data: a tape of nodes with shapes, read by every engine.
//!
//! Letters: m samples of a micro-batch, D parameters, C×H×W one sample's values. Values of a micro-batch lie
//! sample by sample, \[m\]\[C\]\[H\]\[W\].

mod backward;
mod buffers;
mod decode;
mod error;
mod exempt;
mod fusion;
mod grain;
mod initialise;
mod name;
mod order;
mod pass;
mod place;
mod score;
mod sweep;
mod sweep_error;
mod tape;
mod workspace;

use crate::layer::{Embedding, Operation};
pub use crate::shape::Shape;
pub use decode::DecodeError;
pub use error::NetworkError;
pub use grain::Grain;
pub use initialise::initialise;
pub use name::Name;
pub use place::Placed;
pub use score::Score;
pub use sweep::Sweep;
pub use sweep_error::SweepError;
pub use tape::{Node, Source};
pub use workspace::{Workspace, WorkspaceLen};

/// A network: a view of placed nodes. The last node's outputs are compared with the data set's targets by its
/// [`Loss`](crate::loss::Loss).
///
/// ```
/// use adadagrad_core::layer::{Dense, Relu};
/// use adadagrad_core::network::{Network, Node, Placed, Shape};
///
/// let nodes = Node::chain([Dense { outputs: 128 }.into(), Relu.into(), Dense { outputs: 10 }.into()]);
/// let mut placed = [Placed::empty(); 3];
/// let network = Network::place(Shape::vector(784), &nodes, &mut placed)?;
/// assert_eq!(network.parameters(), 784 * 128 + 128 + 128 * 10 + 10);
/// # Ok::<(), adadagrad_core::network::NetworkError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Network<'a> {
    nodes: &'a [Placed],
    targets: usize,
}

impl<'a> Network<'a> {
    /// The network over nodes that [`Self::place`] has filled, for samples with labels.
    #[must_use]
    pub const fn from_placed(nodes: &'a [Placed]) -> Self {
        Self { nodes, targets: 0 }
    }

    /// The same for samples with `targets` numbers as targets: [`SampleShape::values`](crate::dataset::SampleShape::values).
    /// They lie in the workspace.
    #[must_use]
    pub const fn with_targets(self, targets: usize) -> Self {
        Self { targets, ..self }
    }

    /// Number of numeric targets per sample.
    #[must_use]
    pub const fn targets(&self) -> usize {
        self.targets
    }

    /// The nodes in order.
    #[must_use]
    pub const fn nodes(&self) -> &'a [Placed] {
        self.nodes
    }

    /// D.
    #[must_use]
    pub const fn parameters(&self) -> usize {
        match self.nodes {
            [.., last] => last.parameters().end,
            [] => 0,
        }
    }

    /// Shape of the input.
    #[must_use]
    pub const fn input(&self) -> Shape {
        match self.nodes {
            [first, ..] => first.input,
            [] => Shape::EMPTY,
        }
    }

    /// Shape of the output.
    #[must_use]
    pub const fn output(&self) -> Shape {
        match self.nodes {
            [.., last] => last.output,
            [] => Shape::EMPTY,
        }
    }

    /// Number of outputs: with softmax cross-entropy the number of classes, for each position of a sequence.
    #[must_use]
    pub const fn outputs(&self) -> usize {
        self.output().len()
    }

    /// Positions of the output: 1 unless it is a sequence. A sample has as many labels, and as many answers.
    #[must_use]
    pub const fn positions(&self) -> usize {
        self.output().plane()
    }

    /// The embedding with the fewest tokens, where there is one: what tokens are checked by.
    fn embedding(&self) -> Option<Embedding> {
        let embeddings = self.nodes.iter().filter_map(|node| match node.operation {
            Operation::Embedding(embedding) => Some(embedding),
            _ => None,
        });
        embeddings.min_by_key(|embedding| embedding.vocabulary)
    }

    /// Multiplications and additions of one sample's forward and backward pass, or the largest `u64`.
    #[must_use]
    pub fn flops(&self) -> u64 {
        let of_node = |node: &Placed| {
            let passes = if node.is_first() { 2 } else { 3 };
            node.flops().saturating_mul(passes)
        };
        self.nodes.iter().map(of_node).fold(0, u64::saturating_add)
    }

    /// Multiplications and additions of one sample's forward pass alone, or the largest `u64`.
    #[must_use]
    pub fn forward_flops(&self) -> u64 {
        self.nodes.iter().map(Placed::flops).fold(0, u64::saturating_add)
    }

    /// Number of values of one sample's outputs of all nodes, including the input.
    const fn activations(&self) -> usize {
        let (mut most, mut k) = (0, 0);
        while k < self.nodes.len() {
            let end = self.nodes[k].output_offset + self.nodes[k].output.len();
            if end > most {
                most = end;
            }
            k += 1;
        }
        most
    }

    /// How many of these have no gradient: those of the network's input, which no layer needs.
    const fn without_gradient(&self) -> usize {
        match self.nodes {
            // Unless they are the output as well.
            [.., last] if last.output_offset > 0 => self.input().len(),
            _ => 0,
        }
    }
}
