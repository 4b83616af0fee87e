use core::fmt;

use crate::layer::{Operation, ShapeError};
use crate::shape::Shape;

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
    /// A node has another number of inputs than its operation takes.
    Inputs {
        /// Which node, counted from 0.
        layer: usize,
        /// Its operation.
        operation: Operation,
    },
    /// The two inputs of a node have different shapes.
    Unequal {
        /// Which node, counted from 0.
        layer: usize,
        /// Its operation.
        operation: Operation,
        /// The inputs it was given.
        inputs: [Shape; 2],
    },
    /// All layers together are too large.
    TooLarge,
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
    /// A node takes tokens, but not the network's input.
    Tokens {
        /// Which node, counted from 0.
        layer: usize,
        /// Its operation.
        operation: Operation,
    },
    /// A node takes tokens, but the data's samples are none.
    NoTokens {
        /// Which node, counted from 0.
        layer: usize,
        /// Its operation.
        operation: Operation,
    },
    /// The data have more tokens than a node takes.
    Vocabulary {
        /// Which node, counted from 0.
        layer: usize,
        /// Its operation.
        operation: Operation,
        /// Tokens of the data.
        tokens: u32,
    },
    /// The data's samples are tokens, and no node takes any.
    NoEmbedding,
    /// The last node's output is neither a vector nor a sequence.
    Output(Shape),
    /// The network answers at another number of positions than a sample of the data has labels.
    Labels {
        /// Shape of the last node's output.
        output: Shape,
        /// Labels of a sample.
        labels: u32,
    },
    /// There is only one output, for which softmax is always 1.
    OneClass,
    /// The network gives another number of classes than the data have.
    Classes {
        /// Outputs of the last node.
        outputs: u32,
        /// Classes of the data.
        classes: u32,
    },
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a network needs at least one layer"),
            Self::Storage { nodes, places } => write!(f, "the network has {nodes} layers, but there is memory for \
                                                          {places}"),
            Self::Order { layer } => write!(f, "layer {layer} takes its input from itself or a later layer"),
            Self::Inputs { layer, operation } => {
                let inputs = if operation.takes_two() { "two inputs" } else { "one input" };
                write!(f, "layer {layer} ({operation}) takes {inputs}")
            }
            Self::Unequal { layer, operation, inputs: [first, second] } => {
                write!(
                    f,
                    "layer {layer} ({operation}) takes two inputs of the same shape, not {first} and {second}"
                )
            }
            Self::TooLarge => {
                f.write_str("all layers together are too large: a size does not fit in 32 bits")
            }
            Self::Shape { layer, operation, input, problem } => {
                write!(f, "layer {layer} ({operation}) cannot take an input of shape {input}: {problem}")
            }
            Self::OneClass => f.write_str(
                "the last layer has one output, but classes need at least two: for a single output the data's targets must be \
                 numbers",
            ),
            Self::Classes { outputs, classes } => {
                write!(f, "the last layer has {outputs} outputs, but the data have {classes} classes")
            }
            Self::Tokens { layer, operation } => {
                write!(f, "layer {layer} ({operation}) takes tokens, which only the network's input holds")
            }
            Self::NoTokens { layer, operation } => {
                write!(f, "layer {layer} ({operation}) takes tokens, but the data's samples are not tokens")
            }
            Self::Vocabulary { layer, operation, tokens } => {
                write!(f, "layer {layer} ({operation}) takes fewer tokens than the data have: {tokens}")
            }
            Self::NoEmbedding => {
                f.write_str("the data's samples are tokens, which only an embedding takes: begin the network with one")
            }
            Self::Output(shape) | Self::Labels { output: shape, labels: 1 } => {
                write!(f, "the last layer's output has shape {shape}, but must be a vector")
            }
            Self::Labels { output, labels } => {
                write!(
                    f,
                    "the last layer's output has shape {output}, but must have a position for each of the {labels} labels of \
                     a sample"
                )
            }
        }
    }
}

impl core::error::Error for NetworkError {}
