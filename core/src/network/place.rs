use core::ops::Range;

use super::{Name, Network, NetworkError, Node, Source};
use crate::layer::{Flatten, Operation};
use crate::shape::Shape;

/// A node with everything that follows from its place in the network. Offsets are in values, those of
/// activations per sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// What it computes.
    pub operation: Operation,
    /// Where its inputs come from.
    pub inputs: [Source; 2],
    /// What files call it.
    pub name: Name,
    /// Shape of its input, or of both.
    pub input: Shape,
    /// Shape of its output.
    pub output: Shape,
    /// Where its weights begin; the biases follow them.
    pub parameter_offset: usize,
    /// Number of weights.
    pub weights: usize,
    /// Number of biases.
    pub biases: usize,
    /// Whether it is a dense layer whose weights lie by inputs, W \[inputs, outputs\]: see
    /// [`Network::keep_by_inputs`].
    pub by_inputs: bool,
    pub(super) values: [Values; 2],
    pub(super) output_offset: usize,
}

/// Where the values of an input lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Values {
    pub(super) offset: usize,
    /// Per sample; 0 where there is no such input.
    pub(super) len: usize,
    /// Whether they are the network's input, whose gradient nobody asks for.
    pub(super) is_network_input: bool,
}

impl Placed {
    const EMPTY: Self = Self {
        operation: Operation::Flatten(Flatten),
        inputs: [Source::None; 2],
        name: Name::NONE,
        input: Shape::vector(0),
        output: Shape::vector(0),
        parameter_offset: 0,
        weights: 0,
        biases: 0,
        by_inputs: false,
        values: [Values { offset: 0, len: 0, is_network_input: true }; 2],
        output_offset: 0,
    };

    /// Memory for [`Network::place`] to fill, one for each node.
    #[must_use]
    pub const fn empty() -> Self {
        Self::EMPTY
    }

    /// Where its parameters lie among all D.
    #[must_use]
    pub const fn parameters(&self) -> Range<usize> {
        self.parameter_offset..self.parameter_offset + self.weights + self.biases
    }

    /// Multiplications and additions of one sample's forward pass.
    #[must_use]
    pub fn flops(&self) -> u64 {
        self.operation.flops(self.input, self.output)
    }

    /// Whether it reads nothing but the network's input, flattened or not, whose gradient nobody asks for.
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.values.iter().all(|values| values.is_network_input || values.len == 0)
    }

    /// Whether it takes what another node gives (or what flattens that).
    pub(super) fn reads(&self, other: &Self) -> bool {
        self.reads_values_at(other.output_offset)
    }

    /// The same for values that begin there.
    pub(super) fn reads_values_at(&self, offset: usize) -> bool {
        let reads = |values: &Values| values.len > 0 && values.offset == offset;
        !self.is_flatten() && self.values.iter().any(reads)
    }

    pub(super) const fn is_flatten(&self) -> bool {
        matches!(self.operation, Operation::Flatten(_))
    }
}

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
        let mut ends = Ends { activations: input.checked_len().map_or(0, |_| input.len()), parameters: 0 };
        for (layer, node) in nodes.iter().enumerate() {
            let (before, rest) = places.split_at_mut(layer);
            if let Some(place) = rest.first_mut() {
                *place = ends.place(layer, node, input, before)?;
            }
        }
        let network = Self::from_placed(places);
        let output = network.output();
        if output.is_vector() && output.channels >= 2 {
            Ok(network)
        } else {
            Err(NetworkError::Output(output))
        }
    }
}

/// Where the next layer's values and parameters begin.
struct Ends {
    activations: usize,
    parameters: usize,
}

impl Ends {
    /// Places one node behind those before it.
    fn place(
        &mut self,
        layer: usize,
        node: &Node,
        network_input: Shape,
        before: &[Placed],
    ) -> Result<Placed, NetworkError> {
        let operation = node.operation;
        let mut inputs = [None; 2];
        for (input, &source) in inputs.iter_mut().zip(&node.inputs) {
            *input = match source {
                Source::None => None,
                Source::Input => Some((network_input, 0, true)),
                Source::Node(index) => {
                    let from = before.get(usize::from(index)).ok_or(NetworkError::Order { layer })?;
                    let is_network_input = from.is_flatten() && from.is_first();
                    Some((from.output, from.output_offset, is_network_input))
                }
            };
        }
        let (shape, _, _) = match (inputs, operation.takes_two()) {
            ([Some(first), None], false) => first,
            ([Some(first), Some(second)], true) if first.0 == second.0 => first,
            ([Some(first), Some(second)], true) => {
                return Err(NetworkError::Unequal { layer, operation, inputs: [first.0, second.0] });
            }
            _ => return Err(NetworkError::Inputs { layer, operation }),
        };
        let output = operation.output(shape).map_err(|problem| NetworkError::Shape {
            layer,
            operation,
            input: shape,
            problem,
        })?;
        let [weights, biases] =
            operation.tensors(shape).map(|tensor| tensor.map_or(0, |tensor| tensor.len()));
        let values = inputs.map(|input| {
            input.map_or(Values::default(), |(shape, offset, is_network_input)| Values {
                offset,
                len: shape.len(),
                is_network_input,
            })
        });
        // A flattened tensor is the tensor itself.
        let moves = !matches!(operation, Operation::Flatten(_));
        let placed = Placed {
            operation,
            inputs: node.inputs,
            name: node.name,
            input: shape,
            output,
            parameter_offset: self.parameters,
            weights,
            biases,
            by_inputs: false,
            values,
            output_offset: if moves { self.activations } else { values[0].offset },
        };
        grow(&mut self.parameters, weights + biases)?;
        grow(&mut self.activations, if moves { output.len() } else { 0 })?;
        Ok(placed)
    }
}

/// Lets an offset grow as far as 32 bits can tell.
fn grow(end: &mut usize, by: usize) -> Result<(), NetworkError> {
    let grown = end.checked_add(by).filter(|&end| u32::try_from(end).is_ok());
    *end = grown.ok_or(NetworkError::TooLarge)?;
    Ok(())
}
