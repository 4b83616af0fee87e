//! The network as data: a tape of nodes with shapes, read by every engine.
//!
//! Letters: m samples of a micro-batch, D parameters, C×H×W one sample's values. Values of a micro-batch lie
//! sample by sample, \[m\]\[C\]\[H\]\[W\].

mod activation;
#[cfg(feature = "std")]
mod cache_line;
mod conv2d;
mod dense;
#[cfg(feature = "std")]
mod direct;
mod initialise;
#[cfg_attr(not(feature = "std"), allow(dead_code, reason = "kernels come with `std`"))]
mod kernels;
mod loss;
mod matrix;
mod max_pool2d;
mod model;
mod operation;
mod order;
mod shape;
#[cfg(feature = "std")]
mod sparse;
mod sweep;

pub use initialise::initialise;
pub use kernels::{Conv2dKernels, DenseKernels};
#[cfg(feature = "std")]
pub use matrix::FastProduct;
pub use matrix::{Matrix, MatrixMut, MatrixProduct, PlainProduct};
pub use model::Model;
pub use operation::{Operation, ShapeError};
pub use shape::Shape;
pub use sweep::{Score, Sweep, SweepError, Workspace, WorkspaceLen};

use core::fmt;

/// One line of the tape: an operation and where its input comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// What it computes.
    pub operation: Operation,
    /// 0: the network's input; k: the output of the k-th node, counted from 1. Only earlier nodes.
    pub input: u16,
}

impl Node {
    /// A chain: each operation takes the output of the one before it.
    #[must_use]
    pub const fn chain<const N: usize>(operations: [Operation; N]) -> [Self; N] {
        const { assert!(N <= 1 << 16, "a node's input is a number of 16 bits") };
        let mut nodes = [Self { operation: Operation::Flatten, input: 0 }; N];
        let mut k = 0;
        while k < N {
            #[allow(clippy::cast_possible_truncation)]
            let input = k as u16;
            nodes[k] = Self { operation: operations[k], input };
            k += 1;
        }
        nodes
    }
}

/// A node with everything that follows from its place in the network. Offsets are in values, those of
/// activations and patches per sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// What it computes.
    pub operation: Operation,
    /// Shape of its input.
    pub input: Shape,
    /// Shape of its output.
    pub output: Shape,
    /// Where its weights begin; the biases follow them.
    pub parameter_offset: usize,
    /// Number of weights.
    pub weights: usize,
    /// Number of biases.
    pub biases: usize,
    /// Whether it reads the network's input, whose gradient is not needed.
    pub first: bool,
    /// Whether it is a dense layer whose weights lie by inputs, W \[inputs, outputs\]: see
    /// [`Network::keep_by_inputs`].
    pub by_inputs: bool,
    input_offset: usize,
    output_offset: usize,
}

impl Placed {
    const EMPTY: Self = Self {
        operation: Operation::Flatten,
        input: Shape::vector(0),
        output: Shape::vector(0),
        parameter_offset: 0,
        weights: 0,
        biases: 0,
        first: true,
        by_inputs: false,
        input_offset: 0,
        output_offset: 0,
    };

    /// Whether it takes what another node gives (or what flattens that).
    fn reads(&self, other: &Self) -> bool {
        self.operation != Operation::Flatten && self.input_offset == other.output_offset
    }

    /// Memory for [`Network::place`] to fill, one for each node.
    #[must_use]
    pub const fn empty() -> Self {
        Self::EMPTY
    }
}

/// A network: a view of placed nodes. It ends in softmax cross-entropy over the last node's outputs.
///
/// ```
/// use adadagrad_core::network::{Node, Network, Operation, Placed, Shape};
///
/// let nodes = Node::chain([Operation::Dense { outputs: 128 }, Operation::Relu, Operation::Dense { outputs: 10 }]);
/// let mut placed = [Placed::empty(); 3];
/// let network = Network::place(Shape::vector(784), &nodes, &mut placed)?;
/// assert_eq!(network.parameters(), 784 * 128 + 128 + 128 * 10 + 10);
/// # Ok::<(), adadagrad_core::network::NetworkError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Network<'a> {
    nodes: &'a [Placed],
}

/// Why nodes do not form a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkError {
    /// There are no nodes.
    Empty,
    /// The memory for the placed nodes has another length than the tape.
    Storage {
        /// Nodes on the tape.
        nodes: usize,
        /// Places in the memory.
        places: usize,
    },
    /// A node takes the output of itself or of a later one.
    Order {
        /// Which node, counted from 0.
        layer: usize,
    },
    /// An operation does not fit its input.
    Shape {
        /// Which node, counted from 0.
        layer: usize,
        /// Its operation.
        operation: Operation,
        /// The input it was given.
        input: Shape,
        /// What is wrong.
        problem: ShapeError,
    },
    /// The last node's output is not a vector of at least two classes.
    Output(Shape),
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a network needs at least one layer"),
            Self::Storage { nodes, places } => write!(f, "{nodes} layers, but memory for {places}"),
            Self::Order { layer } => write!(f, "layer {layer} takes its input from itself or a later layer"),
            Self::Shape { layer, operation, input, problem } => {
                write!(f, "layer {layer} ({operation}) cannot take an input of shape {input}: {problem}")
            }
            Self::Output(shape) => {
                write!(
                    f,
                    "the last layer's output has shape {shape}, but must be a vector of at least two classes"
                )
            }
        }
    }
}

impl core::error::Error for NetworkError {}

impl<'a> Network<'a> {
    /// Computes shapes and offsets, in the caller's memory: one place per node.
    ///
    /// # Errors
    /// The first layer that does not fit, with its number, its operation and the shape it was given.
    pub fn place(
        input: Shape,
        nodes: &[Node],
        places: &'a mut [Placed],
    ) -> Result<Network<'a>, NetworkError> {
        if nodes.is_empty() {
            return Err(NetworkError::Empty);
        }
        if nodes.len() != places.len() {
            return Err(NetworkError::Storage { nodes: nodes.len(), places: places.len() });
        }
        // The first layer refuses an input that does not fit.
        let mut activations = input.checked_len().map_or(0, |_| input.len());
        let mut parameters = 0;
        for (layer, node) in nodes.iter().enumerate() {
            let source = usize::from(node.input);
            if source > layer {
                return Err(NetworkError::Order { layer });
            }
            let before = source.checked_sub(1).map(|k| places[k]);
            let shape = before.map_or(input, |placed| placed.output);
            let operation = node.operation;
            let refused = |problem| NetworkError::Shape { layer, operation, input: shape, problem };
            let too_large = || refused(ShapeError::TooLarge);
            let output = operation.output(shape).map_err(refused)?;
            let (weights, biases) = operation.parameters(shape);
            let input_offset = before.map_or(0, |placed| placed.output_offset);
            // A flattened tensor is the tensor itself.
            let moves = operation != Operation::Flatten;
            places[layer] = Placed {
                operation,
                input: shape,
                output,
                parameter_offset: parameters,
                weights,
                biases,
                first: before.is_none_or(|placed| placed.first && placed.operation == Operation::Flatten),
                by_inputs: false,
                input_offset,
                output_offset: if moves { activations } else { input_offset },
            };
            // Of all layers together.
            parameters = weights
                .checked_add(biases)
                .and_then(|own| own.checked_add(parameters))
                .ok_or_else(too_large)?;
            activations =
                activations.checked_add(if moves { output.len() } else { 0 }).ok_or_else(too_large)?;
        }
        let network = Self::from_placed(places);
        let output = network.output();
        if output.is_vector() && output.channels >= 2 {
            Ok(network)
        } else {
            Err(NetworkError::Output(output))
        }
    }

    /// The network over nodes that [`Self::place`] has filled.
    #[must_use]
    pub const fn from_placed(nodes: &'a [Placed]) -> Self {
        Self { nodes }
    }

    /// The nodes in order.
    #[must_use]
    pub const fn nodes(&self) -> &'a [Placed] {
        self.nodes
    }

    /// D.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.nodes.last().map_or(0, |node| node.parameter_offset + node.weights + node.biases)
    }

    /// Shape of the input.
    #[must_use]
    pub fn input(&self) -> Shape {
        self.nodes.first().map_or(Shape::default(), |node| node.input)
    }

    /// Shape of the output: the classes.
    #[must_use]
    pub fn output(&self) -> Shape {
        self.nodes.last().map_or(Shape::default(), |node| node.output)
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.output().len()
    }

    /// Multiplications and additions of one sample's forward and backward pass, or the largest `u64`.
    #[must_use]
    pub fn flops(&self) -> u64 {
        let of_node = |node: &Placed| {
            node.operation.flops(node.input, node.output).saturating_mul(if node.first { 2 } else { 3 })
        };
        self.nodes.iter().map(of_node).fold(0, u64::saturating_add)
    }

    /// Number of values of one sample's outputs of all nodes, including the input.
    fn activations(&self) -> usize {
        self.nodes.iter().map(|node| node.output_offset + node.output.len()).max().unwrap_or(0)
    }
}
