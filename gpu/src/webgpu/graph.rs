//! A network's tape as steps on a device: what is computed, from where, to where.

use adadagrad_core::layer::Operation;
use adadagrad_core::network::{Placed, Source};

use super::layers::{DeviceLayer, twin};

/// Where values lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Values {
    /// The network's input.
    Input,
    /// The output of the k-th step.
    Step(usize),
}

/// A layer that is computed. Its outputs lie in buffers of its own.
#[derive(Clone, Copy)]
pub(super) struct Step<'n> {
    /// Its node on the tape.
    pub(super) node: usize,
    pub(super) place: &'n Placed,
    pub(super) layer: &'n dyn DeviceLayer,
    /// `None`: there is no such input.
    pub(super) inputs: [Option<Values>; 2],
    /// Whether the ReLU behind it is fused into it.
    pub(super) relu: bool,
}

/// The steps that the last node depends on, in the tape's order; so the last step gives the network's output.
///
/// A layer that moves no values is none, and neither is a ReLU that is the only reader of a layer which can fuse it.
pub(super) fn steps(nodes: &[Placed]) -> Vec<Step<'_>> {
    let tape = Tape::new(nodes);
    let mut steps: Vec<Step<'_>> = Vec::new();
    // Where each node's output lies.
    let mut values = Vec::with_capacity(nodes.len());
    for (index, place) in nodes.iter().enumerate() {
        let inputs = place.inputs.map(|source| match source {
            Source::None => None,
            Source::Input => Some(Values::Input),
            Source::Node(node) => Some(values[usize::from(node)]),
        });
        let [input, _] = inputs;
        let input = input.unwrap_or(Values::Input);
        let fusing = match input {
            Values::Step(step) if tape.is_only_relu(index) => Some(&mut steps[step]),
            _ => None,
        };
        let fusing = fusing.filter(|step| step.layer.fuses_relu() && !step.relu);
        values.push(match (twin(&place.operation), fusing) {
            (None, _) => input,
            // Nobody reads it.
            _ if !tape.is_wanted[index] => Values::Input,
            (_, Some(step)) => {
                step.relu = true;
                input
            }
            (Some(layer), None) => {
                steps.push(Step { node: index, place, layer, inputs, relu: false });
                Values::Step(steps.len() - 1)
            }
        });
    }
    steps
}

/// Who depends on whom.
struct Tape<'n> {
    nodes: &'n [Placed],
    /// Whether the last node depends on a node, or is it.
    is_wanted: Vec<bool>,
    /// Wanted nodes that read a node's values, themselves or flattened.
    readers: Vec<u32>,
}

impl<'n> Tape<'n> {
    fn new(nodes: &'n [Placed]) -> Self {
        let mut is_wanted = vec![false; nodes.len()];
        if let Some(last) = is_wanted.last_mut() {
            *last = true;
        }
        let mut tape = Self { nodes, is_wanted, readers: vec![0; nodes.len()] };
        // Inputs come before their readers.
        for index in (0..nodes.len()).rev() {
            if tape.is_wanted[index] {
                tape.want_inputs_of(&nodes[index]);
            }
        }
        tape
    }

    fn want_inputs_of(&mut self, node: &Placed) {
        for source in node.inputs {
            if let Source::Node(input) = source {
                self.is_wanted[usize::from(input)] = true;
            }
            // A layer that moves no values reads none.
            let read = twin(&node.operation).and_then(|_| self.origin(source));
            if let Some(read) = read {
                self.readers[read] += 1;
            }
        }
    }

    /// The node whose values these are; `None`: they are the network's input, or none.
    fn origin(&self, source: Source) -> Option<usize> {
        let Source::Node(index) = source else { return None };
        let node = &self.nodes[usize::from(index)];
        if twin(&node.operation).is_some() { Some(index.into()) } else { self.origin(node.inputs[0]) }
    }

    /// Whether a node is a ReLU and nobody else reads what it reads.
    fn is_only_relu(&self, index: usize) -> bool {
        let node = &self.nodes[index];
        let is_alone = || self.origin(node.inputs[0]).is_some_and(|before| self.readers[before] == 1);
        self.is_wanted[index] && matches!(node.operation, Operation::Relu(_)) && is_alone()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use adadagrad_core::layer::{Add, Conv2d, Dense, Flatten, GlobalAveragePool, MaxPool2d, Relu, Tanh};
    use adadagrad_core::network::{Node, Shape};
    use adadagrad_core::owned::OwnedNetwork;

    use super::*;

    const INPUT: Source = Source::Input;

    /// What each step computes, whether with ReLU, and where it reads.
    fn steps_of(
        input: Shape,
        nodes: &[(Operation, [Source; 2])],
    ) -> Vec<(Operation, bool, [Option<Values>; 2])> {
        let nodes: Vec<Node> =
            nodes.iter().map(|&(operation, inputs)| Node::with_inputs(operation, inputs)).collect();
        let network = OwnedNetwork::new(input, &nodes).unwrap();
        let found = steps(network.view().nodes());
        found.iter().map(|step| (step.place.operation, step.relu, step.inputs)).collect()
    }

    fn one(source: Source) -> [Source; 2] {
        [source, Source::None]
    }

    fn read(values: Values) -> [Option<Values>; 2] {
        [Some(values), None]
    }

    fn dense(outputs: u32) -> Operation {
        Dense { outputs }.into()
    }

    #[test]
    fn a_chain_fuses_its_relus_and_moves_nothing_to_flatten() {
        let conv = Conv2d { outputs: 2, kernel: 3, stride: 1, padding: 1, bias: true }.into();
        let pool = MaxPool2d { kernel: 2, stride: 2 }.into();
        let chain =
            [conv, Relu.into(), pool, Flatten.into(), Relu.into(), dense(3), Relu.into(), Relu.into()];
        let nodes = Node::chain(chain).map(|node| (node.operation, node.inputs));
        let expected = [
            (conv, true, read(Values::Input)),
            (pool, false, read(Values::Step(0))),
            // A max-pooling fuses none, and a layer no second one.
            (Relu.into(), false, read(Values::Step(1))),
            (dense(3), true, read(Values::Step(2))),
            (Relu.into(), false, read(Values::Step(3))),
        ];
        assert_eq!(steps_of(Shape::image(1, 4, 4), &nodes), expected);
    }

    #[test]
    fn a_relu_beside_another_reader_is_not_fused() {
        let nodes = [
            (dense(3), one(INPUT)),
            (Flatten.into(), one(Source::Node(0))),
            (Relu.into(), one(Source::Node(1))),
            (Add.into(), [Source::Node(0), Source::Node(2)]),
        ];
        let expected = [
            (dense(3), false, read(Values::Input)),
            (Relu.into(), false, read(Values::Step(0))),
            (Add.into(), false, [Some(Values::Step(0)), Some(Values::Step(1))]),
        ];
        assert_eq!(steps_of(Shape::vector(4), &nodes), expected);
    }

    #[test]
    fn what_the_output_does_not_depend_on_is_not_computed_and_reads_nothing() {
        let nodes = [
            (dense(3), one(INPUT)),
            (Tanh.into(), one(Source::Node(0))),
            (Relu.into(), one(Source::Node(0))),
            (dense(5), one(Source::Node(1))),
            (Add.into(), [Source::Node(2), Source::Node(2)]),
            (Flatten.into(), one(Source::Node(4))),
        ];
        let expected = [
            (dense(3), true, read(Values::Input)),
            (Add.into(), false, [Some(Values::Step(0)), Some(Values::Step(0))]),
        ];
        assert_eq!(steps_of(Shape::vector(4), &nodes), expected);
    }

    #[test]
    fn a_flattened_input_is_the_input() {
        let nodes = [
            (Flatten.into(), one(INPUT)),
            (GlobalAveragePool.into(), one(INPUT)),
            (dense(2), one(Source::Node(0))),
            (Add.into(), [Source::Node(1), Source::Node(2)]),
        ];
        let inputs: Vec<_> = steps_of(Shape::image(2, 3, 3), &nodes).iter().map(|step| step.2).collect();
        let both = [Some(Values::Step(0)), Some(Values::Step(1))];
        assert_eq!(inputs, [read(Values::Input), read(Values::Input), both]);
    }
}
