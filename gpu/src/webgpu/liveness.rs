//! Which values can share a buffer: those of which one is dead before the other is born.
//!
//! Every step of a network has outputs, their gradient, and what its forward pass keeps for its backward pass. Most outputs
//! live from the forward to the backward pass; gradients, and outputs that no backward pass reads, live for a few
//! dispatches. Of n steps, step k's forward pass is at time k, the loss at time n, and step k's backward pass at time
//! 2n − k; a projection on the summed gradient follows at time 2n + 1.

use super::graph::{Step, Values};

/// When a value lives, its first and its last time included, and how long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lifetime {
    /// In words.
    pub(super) len: usize,
    pub(super) first: usize,
    pub(super) last: usize,
}

impl Lifetime {
    const fn meets(&self, other: &Self) -> bool {
        self.len > 0 && other.len > 0 && self.first <= other.last && other.first <= self.last
    }
}

/// Buffers that values share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sharing {
    /// Their lengths: that of the longest value in each, which is the first to be put there.
    pub(super) lens: Vec<usize>,
    /// Which of the values that is.
    pub(super) longest: Vec<usize>,
    /// The buffer of each value.
    pub(super) buffers: Vec<usize>,
}

impl Sharing {
    /// Longest first, each in the shortest buffer whose other values are dead while it lives, or else in one of its own.
    /// No buffer then grows.
    pub(super) fn new(values: &[Lifetime]) -> Self {
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by_key(|&value| std::cmp::Reverse(values[value].len));
        let mut sharing = Self { buffers: vec![0; values.len()], ..Self::default() };
        let mut residents: Vec<Vec<usize>> = Vec::new();
        for value in order {
            let is_free =
                |others: &Vec<usize>| !others.iter().any(|&other| values[other].meets(&values[value]));
            // Later ones are shorter.
            let buffer = residents.iter().rposition(is_free).unwrap_or_else(|| {
                residents.push(Vec::new());
                sharing.lens.push(values[value].len);
                sharing.longest.push(value);
                residents.len() - 1
            });
            residents[buffer].push(value);
            sharing.buffers[value] = buffer;
        }
        sharing
    }
}

/// The values of each step, for one sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StepLifetimes {
    pub(super) output: Lifetime,
    pub(super) gradient: Lifetime,
    pub(super) kept: Lifetime,
}

impl StepLifetimes {
    pub(super) const fn each(self) -> [Lifetime; 3] {
        [self.output, self.gradient, self.kept]
    }
}

/// When the values of each step live. `projects`: whether a projection may follow on the sweep, over what it has left.
pub(super) fn lifetimes(steps: &[Step<'_>], projects: bool) -> Vec<StepLifetimes> {
    let count = steps.len();
    let loss = count;
    let backward = |step: usize| 2 * count - step;
    let until = |step: usize| {
        let has_parameters = steps[step].place.weights + steps[step].place.biases > 0;
        if projects && has_parameters { 2 * count + 1 } else { backward(step) }
    };
    let lifetimes = steps.iter().enumerate().map(|(index, step)| {
        let len = step.place.output.len();
        let is_last = index + 1 == count;
        let reads = step.layer.reads();
        let mut output = Lifetime { len, first: index, last: if is_last { loss } else { index } };
        if step.relu || reads.outputs {
            output.last = backward(index);
        }
        // Born where the loss, or the last of its readers, passes it on.
        let mut gradient =
            Lifetime { len, first: if is_last { loss } else { backward(index) }, last: until(index) };
        for (reader, other) in steps.iter().enumerate() {
            if other.inputs.contains(&Some(Values::Step(index))) {
                let last = if other.layer.reads().inputs { until(reader) } else { reader };
                output.last = output.last.max(last);
                gradient.first = gradient.first.min(backward(reader));
            }
        }
        let kept = Lifetime { len: step.layer.kept(step.place), first: index, last: until(index) };
        StepLifetimes { output, gradient, kept }
    });
    lifetimes.collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use adadagrad_core::layer::{Add, Dense, Gelu, Operation, Relu, Tanh};
    use adadagrad_core::network::{Node, Shape, Source};
    use adadagrad_core::owned::OwnedNetwork;
    use adadagrad_core::random::Key;
    use adadagrad_tests::deep::COLOUR;

    use super::super::graph::steps;
    use super::*;

    const fn lives(len: usize, first: usize, last: usize) -> Lifetime {
        Lifetime { len, first, last }
    }

    #[test]
    fn values_share_where_one_is_dead_before_the_other_is_born() {
        let sharing = Sharing::new(&[lives(3, 0, 4), lives(5, 5, 9), lives(4, 4, 5), lives(2, 6, 8)]);
        assert_eq!(sharing.lens, [5, 4]);
        assert_eq!(sharing.buffers, [0, 0, 1, 1]);
        assert_eq!(sharing.longest, [1, 2]);
        assert_eq!(Sharing::new(&[]), Sharing::default());
        // Nothing takes no room beside anything.
        let sharing = Sharing::new(&[lives(0, 0, 9), lives(5, 0, 9), lives(0, 0, 9)]);
        assert_eq!(sharing.lens, [5]);
    }

    /// What nobody may overwrite, whatever the values are.
    fn assert_apart(values: &[Lifetime]) {
        let sharing = Sharing::new(values);
        for (k, one) in values.iter().enumerate() {
            assert!(sharing.lens[sharing.buffers[k]] >= one.len);
            for (j, other) in values.iter().enumerate().filter(|&(j, other)| j != k && one.meets(other)) {
                assert_ne!(sharing.buffers[k], sharing.buffers[j], "{one:?} and {other:?}");
            }
        }
        for (&len, &longest) in sharing.lens.iter().zip(&sharing.longest) {
            assert_eq!(len, values[longest].len);
        }
        let total: usize = sharing.lens.iter().sum();
        let largest_moment = (0..=20).map(|time| {
            values.iter().filter(|value| value.meets(&lives(1, time, time))).map(|value| value.len).sum()
        });
        let largest_moment: usize = largest_moment.max().unwrap_or(0);
        assert!(largest_moment <= total && total <= values.iter().map(|value| value.len).sum());
    }

    #[test]
    fn values_that_live_at_once_lie_apart() {
        for case in 0..300 {
            let key = Key::new(5, case);
            let numbers = |k: u32| [3 * k, 3 * k + 1, 3 * k + 2].map(|index| key.bits(index) as usize);
            let value = |k| {
                let [len, first, span] = numbers(k);
                lives(len % 9, first % 17, first % 17 + span % 4)
            };
            let values: Vec<_> = (0..key.bits(999) % 12).map(value).collect();
            assert_apart(&values);
        }
    }

    fn network(input: Shape, nodes: &[(Operation, [Source; 2])]) -> OwnedNetwork {
        let node = |&(operation, inputs): &(Operation, [Source; 2])| {
            let mut node = Node::new(operation, inputs[0]);
            node.inputs = inputs;
            node
        };
        OwnedNetwork::new(input, &nodes.iter().map(node).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn values_live_until_their_last_reader() {
        let one = |node| [Source::Node(node), Source::None];
        let dense = |outputs: u32| Operation::from(Dense { outputs });
        // Steps: dense 3 (fused ReLU), tanh, GELU, add, dense 2.
        let network = network(
            Shape::vector(4),
            &[
                (dense(3), [Source::Input, Source::None]),
                (Relu.into(), one(0)),
                (Tanh.into(), one(1)),
                (Gelu.into(), one(1)),
                (Add.into(), [Source::Node(2), Source::Node(3)]),
                (dense(2), one(4)),
            ],
        );
        let steps = steps(network.view().nodes());
        let of = |projects| {
            let lifetimes = lifetimes(&steps, projects);
            let spans = lifetimes.iter().map(|of| [of.output, of.gradient].map(|it| [it.first, it.last]));
            spans.collect::<Vec<_>>()
        };
        // The loss is at 5, the ways back at 10 (dense 3) to 6 (dense 2).
        let expected = [
            // Its own mask, after the GELU's need of its inputs; its gradient comes from the GELU first.
            [[0, 10], [8, 10]],
            // Its own backward pass.
            [[1, 9], [7, 9]],
            // Nobody's, once they are added up.
            [[2, 3], [7, 8]],
            // The last layer's weight gradient.
            [[3, 6], [6, 7]],
            // The loss.
            [[4, 5], [5, 6]],
        ];
        assert_eq!(of(false), expected);
        let mut projecting = expected;
        projecting[0][1][1] = 11;
        projecting[3][0][1] = 11;
        projecting[4][1][1] = 11;
        assert_eq!(of(true), projecting);
    }

    #[test]
    fn deep_networks_take_far_less_than_all_of_their_values() {
        for (name, most) in [("cifar-cnn", 0.76), ("resnet-20", 0.50), ("resnet-56", 0.48)] {
            let network = OwnedNetwork::of_model(name.parse().unwrap(), COLOUR).unwrap();
            for (projects, most) in [(false, most), (true, 1.0)] {
                let steps = steps(network.view().nodes());
                let lifetimes = lifetimes(&steps, projects);
                let values: Vec<_> = lifetimes.iter().flat_map(|step| step.each()).collect();
                let apart: usize = values.iter().map(|value| value.len).sum();
                let sharing = Sharing::new(&values);
                let shared: usize = sharing.lens.iter().sum();
                println!(
                    "{name}: {} steps, bytes a sample {} apart, {} in {} buffers{}",
                    steps.len(),
                    4 * apart,
                    4 * shared,
                    sharing.lens.len(),
                    if projects { ", with projections" } else { "" },
                );
                assert!(shared as f64 <= most * apart as f64, "{name}: {shared} of {apart}");
            }
        }
    }
}
