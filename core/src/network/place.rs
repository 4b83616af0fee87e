use core::ops::Range;

use super::{Name, Network, NetworkError, Node, Source};
use crate::layer::{Flatten, Initial, Operation, Place, Tensor};
use crate::shape::Shape;

/// A node with everything that follows from its place in the network. Offsets are in values, those of
/// activations per sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placed {
    /// What it computes.
    pub operation: Operation,
    /// Where its inputs come from.
    pub inputs: [Source; 2],
    /// Its name in files.
    pub name: Name,
    /// Standard deviation of its initial weights, if it has one of its own: see [`Node::deviation`].
    pub deviation: Option<f32>,
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
        deviation: None,
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

    /// What the layer knows of it.
    pub(super) const fn place(&self) -> Place {
        let &Self { input, output, weights, biases, by_inputs, .. } = self;
        Place { input, output, weights, biases, by_inputs }
    }

    /// Multiplications and additions of one sample's forward pass.
    #[must_use]
    pub fn flops(&self) -> u64 {
        self.operation.flops(self.input, self.output)
    }

    /// Its parameter tensors: weights, then biases, with the law that it gives them.
    #[must_use]
    pub fn tensors(&self) -> [Option<Tensor>; 2] {
        let [weights, biases] = self.operation.tensors(self.input);
        let Some(deviation) = self.deviation else { return [weights, biases] };
        let of = |tensor: Option<Tensor>, initial| {
            tensor.map(|tensor| if tensor.initial.is_random() { tensor.with(initial) } else { tensor })
        };
        [of(weights, Initial::Normal { deviation }), of(biases, Initial::Zero)]
    }

    /// Whether it reads only the network's input, flattened or not, whose gradient is not needed.
    #[must_use]
    pub const fn is_first(&self) -> bool {
        let [first, second] = &self.values;
        (first.is_network_input || first.len == 0) && (second.is_network_input || second.len == 0)
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
    pub const fn place(
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
        let activations = if input.checked_len().is_some() { input.len() } else { 0 };
        let mut ends = Ends { activations, parameters: 0 };
        let mut layer = 0;
        while layer < nodes.len() {
            places[layer] = match ends.place(layer, &nodes[layer], input, places) {
                Ok(place) => place,
                Err(error) => return Err(error),
            };
            layer += 1;
        }
        let network = Self::from_placed(places);
        let output = network.output();
        if output.is_sequence() { Ok(network) } else { Err(NetworkError::Output(output)) }
    }
}

impl Network<'_> {
    /// The nodes in their places, for [`Self::from_placed`]: a network known at compile time, with all its sizes.
    ///
    /// ```
    /// use adadagrad_core::layer::{Dense, Operation, Relu};
    /// use adadagrad_core::network::{Network, Node, Placed, Shape, WorkspaceLen};
    /// use adadagrad_core::statistics::Needs;
    ///
    /// const PLACED: [Placed; 3] = {
    ///     let first = Operation::Dense(Dense { outputs: 32 });
    ///     let last = Operation::Dense(Dense { outputs: 10 });
    ///     match Network::placed(Shape::vector(64), &Node::chain([first, Operation::Relu(Relu), last])) {
    ///         Ok(placed) => placed,
    ///         Err(_) => panic!("layers that do not fit"),
    ///     }
    /// };
    /// const NETWORK: Network<'_> = Network::from_placed(&PLACED);
    /// // What the norm test takes with micro-batches of four samples.
    /// const LEN: WorkspaceLen = NETWORK.workspace_for(4, &Needs::NORMS);
    ///
    /// static PARAMETERS: [f32; NETWORK.parameters()] = [0.0; NETWORK.parameters()];
    /// static VALUES: [f32; LEN.values] = [0.0; LEN.values];
    /// assert_eq!((PARAMETERS.len(), VALUES.len()), (2410, 4 * (64 + 2 * (32 + 32 + 10))));
    /// ```
    ///
    /// # Errors
    /// As [`Self::place`].
    pub const fn placed<const N: usize>(
        input: Shape,
        nodes: &[Node; N],
    ) -> Result<[Placed; N], NetworkError> {
        let mut places = [Placed::EMPTY; N];
        match Network::place(input, nodes, &mut places) {
            Ok(_) => Ok(places),
            Err(error) => Err(error),
        }
    }
}

/// Where the next layer's values and parameters begin.
struct Ends {
    activations: usize,
    parameters: usize,
}

/// An input of a node.
#[derive(Clone, Copy)]
struct Input {
    shape: Shape,
    values: Values,
}

impl Input {
    const NONE: Self =
        Self { shape: Shape::EMPTY, values: Values { offset: 0, len: 0, is_network_input: false } };

    const fn new(shape: Shape, offset: usize, is_network_input: bool) -> Self {
        Self { shape, values: Values { offset, len: shape.len(), is_network_input } }
    }
}

impl Ends {
    /// Places one node behind those before it.
    const fn place(
        &mut self,
        layer: usize,
        node: &Node,
        network_input: Shape,
        places: &[Placed],
    ) -> Result<Placed, NetworkError> {
        let operation = node.operation;
        let mut inputs = [Input::NONE; 2];
        let mut given = [false; 2];
        let mut k = 0;
        while k < inputs.len() {
            match node.inputs[k] {
                Source::None => {}
                Source::Input => {
                    given[k] = true;
                    inputs[k] = Input::new(network_input, 0, true);
                }
                Source::Node(index) => {
                    let index = index as usize;
                    if index >= layer {
                        return Err(NetworkError::Order { layer });
                    }
                    let from = &places[index];
                    given[k] = true;
                    inputs[k] =
                        Input::new(from.output, from.output_offset, from.is_flatten() && from.is_first());
                }
            }
            k += 1;
        }
        let [first, second] = [inputs[0].shape, inputs[1].shape];
        match (given, operation.takes_two()) {
            ([true, false], false) => {}
            ([true, true], true) => {
                if !first.equals(second) {
                    return Err(NetworkError::Unequal { layer, operation, inputs: [first, second] });
                }
            }
            _ => return Err(NetworkError::Inputs { layer, operation }),
        }
        if matches!(operation, Operation::Embedding(_)) && !inputs[0].values.is_network_input {
            return Err(NetworkError::Tokens { layer, operation });
        }
        let sizes = match operation.checked_sizes(first) {
            Ok(sizes) => sizes,
            Err(problem) => return Err(NetworkError::Shape { layer, operation, input: first, problem }),
        };
        let (weights, biases) = (len_of(&sizes.tensors[0]), len_of(&sizes.tensors[1]));
        let values = [inputs[0].values, inputs[1].values];
        // A flattened tensor is the tensor itself.
        let moves = !matches!(operation, Operation::Flatten(_));
        let placed = Placed {
            operation,
            inputs: node.inputs,
            name: node.name,
            deviation: node.deviation,
            input: first,
            output: sizes.output,
            parameter_offset: self.parameters,
            weights,
            biases,
            by_inputs: false,
            values,
            output_offset: if moves { self.activations } else { values[0].offset },
        };
        let grown = if moves { sizes.output.len() } else { 0 };
        match (grown_by(self.parameters, weights + biases), grown_by(self.activations, grown)) {
            (Some(parameters), Some(activations)) => {
                *self = Self { activations, parameters };
                Ok(placed)
            }
            _ => Err(NetworkError::TooLarge),
        }
    }
}

const fn len_of(tensor: &Option<Tensor>) -> usize {
    match tensor {
        Some(tensor) => tensor.len(),
        None => 0,
    }
}

/// An offset after it has grown, as far as 32 bits can tell.
const fn grown_by(end: usize, by: usize) -> Option<usize> {
    match end.checked_add(by) {
        Some(end) if end as u64 <= u32::MAX as u64 => Some(end),
        _ => None,
    }
}
