use super::Name;
use crate::layer::{Flatten, Operation};

/// Where a node's input comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nowhere: the operation has no second input.
    None,
    /// The network's input.
    Input,
    /// The output of the k-th node, counted from 0. Only earlier nodes.
    Node(u16),
}

/// One line of the tape: an operation and where its inputs come from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Node {
    /// What it computes.
    pub operation: Operation,
    /// Its inputs.
    pub inputs: [Source; 2],
    /// Its name in files.
    pub name: Name,
    /// Standard deviation of its initial weights, which are then normal with mean 0, and its biases 0. `None` for the law of
    /// the operation. Norms always begin with γ = 1 and β = 0.
    pub deviation: Option<f32>,
}

impl Node {
    /// A node with one input.
    #[must_use]
    pub const fn new(operation: Operation, input: Source) -> Self {
        Self::with_inputs(operation, [input, Source::None])
    }

    /// A node with any inputs.
    #[must_use]
    pub const fn with_inputs(operation: Operation, inputs: [Source; 2]) -> Self {
        Self { operation, inputs, name: Name::NONE, deviation: None }
    }

    /// Memory for [`Model::write`](crate::model::Model::write) to fill.
    #[must_use]
    pub const fn empty() -> Self {
        Self::new(Operation::Flatten(Flatten), Source::Input)
    }

    /// The same node with a name.
    #[must_use]
    pub const fn named(self, name: Name) -> Self {
        Self { name, ..self }
    }

    /// The same node with normal initial weights of this standard deviation, and biases 0.
    #[must_use]
    pub const fn with_deviation(self, deviation: f32) -> Self {
        Self { deviation: Some(deviation), ..self }
    }

    /// A chain: each operation takes the output of the one before it.
    #[must_use]
    pub const fn chain<const N: usize>(operations: [Operation; N]) -> [Self; N] {
        const { assert!(N <= 1 << 16, "a node's input is a number of 16 bits") };
        let mut nodes = [const { Self::empty() }; N];
        let mut k = 0;
        while k < N {
            #[allow(clippy::cast_possible_truncation)]
            let input = if k == 0 { Source::Input } else { Source::Node(k as u16 - 1) };
            nodes[k] = Self::new(operations[k], input);
            k += 1;
        }
        nodes
    }
}
