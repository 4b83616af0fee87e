//! A naive oracle for networks: one sample at a time, in `f64`, every gradient written out in full.

use adadagrad_core::layer::{
    AveragePool2d, CausalAttention, Conv2d, Embedding, GroupNorm, MaxPool2d, Operation,
};
use adadagrad_core::network::{Node, Shape, Source};

/// A network for the oracle: the tape and the shape of its input.
#[derive(Clone, Debug)]
pub struct Reference {
    /// Shape of the input.
    pub input: Shape,
    /// The tape.
    pub nodes: Vec<Node>,
    /// What it gets wrong on purpose.
    pub mistake: Option<Mistake>,
}

/// A mistake that tests must notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// A position does not see itself, unless it is the first.
    MaskTooShort,
    /// A position sees the next one.
    MaskTooLong,
    /// Scores are not divided by √d.
    NoScale,
    /// A token that occurs twice has its gradients squared before they are summed.
    SquaresOfOccurrences,
}

/// What the oracle says about one sample.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The outputs.
    pub outputs: Vec<f64>,
    /// In nats.
    pub loss: f64,
    /// The gradient of the loss by all parameters.
    pub gradient: Vec<f64>,
    /// Its squares.
    pub squares: Vec<f64>,
    /// How far the input may move, about, until a ReLU or a pooling window takes another branch.
    pub margin: f64,
}

/// One node's values and where its parameters begin.
struct Layer {
    shape: Shape,
    values: Vec<f64>,
    offset: usize,
}

impl Reference {
    /// Without a mistake.
    #[must_use]
    pub const fn new(input: Shape, nodes: Vec<Node>) -> Self {
        Self { input, nodes, mistake: None }
    }

    /// Loss and gradient of one sample by softmax cross-entropy, the mean over the positions that have a label.
    ///
    /// # Panics
    /// When shapes do not fit: the oracle is for networks that were placed.
    #[must_use]
    pub fn sample(&self, parameters: &[f64], input: &[f64], labels: &[u32]) -> Sample {
        let positions = labels.len();
        self.sample_by(parameters, input, |outputs| {
            let (mut loss, mut error) = (0.0, vec![0.0; outputs.len()]);
            for (position, &label) in labels.iter().enumerate() {
                let of_position: Vec<f64> =
                    outputs.iter().copied().skip(position).step_by(positions).collect();
                let (of_loss, errors) = softmax_cross_entropy(&of_position, label as usize);
                loss += of_loss / positions as f64;
                for (class, e) in errors.into_iter().enumerate() {
                    error[class * positions + position] = e / positions as f64;
                }
            }
            (loss, error)
        })
    }

    /// The same by any loss: of the outputs, itself and its gradient with respect to them.
    ///
    /// # Panics
    /// As [`Self::sample`].
    #[must_use]
    pub fn sample_by(
        &self,
        parameters: &[f64],
        input: &[f64],
        loss: impl Fn(&[f64]) -> (f64, Vec<f64>),
    ) -> Sample {
        let layers = self.layers(parameters, input);
        let margin =
            self.branches(&layers).map(|(_, margin)| margin).fold(f64::INFINITY, |all, one| all.min(one));
        let outputs = layers.last().expect("at least the input").values.clone();
        let (loss, error) = loss(&outputs);
        let mut errors: Vec<Vec<f64>> = layers.iter().map(|layer| vec![0.0; layer.values.len()]).collect();
        errors[self.nodes.len()] = error;
        let mut gradient = vec![0.0; parameters.len()];
        let mut of_occurrences = Vec::new();
        for (index, node) in self.nodes.iter().enumerate().rev() {
            let to = &layers[index + 1];
            let error = errors[index + 1].clone();
            for source in node.inputs.into_iter().filter_map(place) {
                let (from, target) = (&layers[source], &mut errors[source]);
                self.backward(node.operation, from, to, &error, parameters, &mut gradient, target);
                if matches!(node.operation, Operation::Embedding(_)) {
                    let mut squares = vec![0.0; parameters.len()];
                    let occurrences: Vec<f64> = error.iter().map(|e| e * e).collect();
                    self.backward(node.operation, from, to, &occurrences, parameters, &mut squares, target);
                    of_occurrences.push(squares);
                }
            }
        }
        let mut squares: Vec<f64> = gradient.iter().map(|g| g * g).collect();
        if self.mistake == Some(Mistake::SquaresOfOccurrences) {
            for wrong in of_occurrences {
                for (square, wrong) in squares.iter_mut().zip(wrong).filter(|(_, wrong)| *wrong != 0.0) {
                    *square = wrong;
                }
            }
        }
        Sample { loss, outputs, gradient, squares, margin }
    }

    /// How near the nearest ReLU or pooling window is to another branch, as a share of the largest value of the layer that
    /// it takes: where rounding moves values by less, every order of sums takes the same branches.
    ///
    /// # Panics
    /// As [`Self::sample`].
    #[must_use]
    pub fn relative_margin(&self, parameters: &[f64], input: &[f64]) -> f64 {
        let layers = self.layers(parameters, input);
        let shares = self.branches(&layers).map(|(from, margin)| {
            margin / from.values.iter().fold(f64::MIN_POSITIVE, |largest, value| largest.max(value.abs()))
        });
        shares.fold(f64::INFINITY, f64::min)
    }

    /// The forward pass: the input, and each node's values.
    fn layers(&self, parameters: &[f64], input: &[f64]) -> Vec<Layer> {
        let mut layers = vec![Layer { shape: self.input, values: input.to_vec(), offset: 0 }];
        let mut offset = 0;
        for node in &self.nodes {
            let from = &layers[place(node.inputs[0]).expect("an input")];
            let shape = node.operation.output(from.shape).expect("a network that fits");
            let [weights, biases] = lengths(node.operation, from.shape);
            let of_layer = &parameters[offset..offset + weights + biases];
            let second = &layers[place(node.inputs[1]).unwrap_or(0)];
            let values = self.forward(node.operation, from, second, shape, of_layer);
            layers.push(Layer { shape, values, offset });
            offset += weights + biases;
        }
        assert_eq!(offset, parameters.len());
        layers
    }

    /// What each node takes, and how far it is from another branch.
    fn branches<'l>(&self, layers: &'l [Layer]) -> impl Iterator<Item = (&'l Layer, f64)> {
        self.nodes.iter().zip(&layers[1..]).map(|(node, to)| {
            let from = &layers[place(node.inputs[0]).expect("an input")];
            (from, branch_margin(node.operation, from, to.shape))
        })
    }
}

/// The layers.
impl Reference {
    fn forward(
        &self,
        operation: Operation,
        from: &Layer,
        second: &Layer,
        to: Shape,
        parameters: &[f64],
    ) -> Vec<f64> {
        match operation {
            Operation::Dense(_) => {
                let (inputs, plane) = (from.shape.channels as usize, from.shape.plane());
                let (weights, bias) = parameters.split_at(parameters.len() - to.channels as usize);
                let product = |index: usize| {
                    let (o, t) = (index / plane, index % plane);
                    let terms = (0..inputs).map(|i| weights[o * inputs + i] * from.values[i * plane + t]);
                    terms.sum::<f64>() + bias[o]
                };
                (0..to.len()).map(product).collect()
            }
            Operation::Conv2d(_) => {
                let [weights, _] = lengths(operation, from.shape);
                let bias = &parameters[weights..];
                let mut values: Vec<f64> = (0..to.len())
                    .map(|output| bias.get(output / to.plane()).copied().unwrap_or(0.0))
                    .collect();
                windows(operation, from.shape, to, |output, input, weight| {
                    values[output] += parameters[weight] * from.values[input];
                });
                values
            }
            Operation::Relu(_) => from.values.iter().map(|x| x.max(0.0)).collect(),
            Operation::Tanh(_) => from.values.iter().map(|x| x.tanh()).collect(),
            Operation::MaxPool2d(_) => {
                winners(operation, from, to).into_iter().map(|winner| from.values[winner]).collect()
            }
            Operation::Gelu(_) => from.values.iter().map(|&x| gelu(x)).collect(),
            Operation::AveragePool2d(AveragePool2d { kernel, .. }) => {
                let mut values = vec![0.0; to.len()];
                windows(operation, from.shape, to, |output, input, _| values[output] += from.values[input]);
                values.iter().map(|value| value / f64::from(kernel * kernel)).collect()
            }
            Operation::GlobalAveragePool(_) => from.values.chunks(from.shape.plane()).map(mean).collect(),
            Operation::GroupNorm(GroupNorm { groups }) => {
                let (weights, biases) = parameters.split_at(from.shape.channels as usize);
                let channel = |k: usize| k / from.shape.plane();
                let normal = normalised(&from.values, groups).into_iter().enumerate();
                normal.map(|(k, (x, _))| weights[channel(k)] * x + biases[channel(k)]).collect()
            }
            Operation::Add(_) => from.values.iter().zip(&second.values).map(|(a, b)| a + b).collect(),
            Operation::Flatten(_) => from.values.clone(),
            Operation::LayerNorm(_) => {
                let (weights, biases) = parameters.split_at(from.shape.channels as usize);
                let (plane, normal) = (from.shape.plane(), normalised_positions(from));
                let value = |k: usize| weights[k / plane] * normal[k].0 + biases[k / plane];
                (0..to.len()).map(value).collect()
            }
            Operation::Embedding(Embedding { width, .. }) => {
                let (positions, width) = (from.values.len(), width as usize);
                (0..to.len())
                    .map(|k| parameters[token(from, k % positions) * width + k / positions])
                    .collect()
            }
            Operation::PositionEmbedding(_) => {
                let [channels, positions] = [from.shape.channels, from.shape.width].map(|size| size as usize);
                let weight = |k: usize| parameters[k % positions * channels + k / positions];
                from.values.iter().enumerate().map(|(k, x)| x + weight(k)).collect()
            }
            Operation::CausalAttention(attention) => {
                let mut values = vec![0.0; to.len()];
                for Attended { head, t, weights } in self.attended(attention, from, to) {
                    for c in head.clone() {
                        for (u, a) in weights.iter().enumerate() {
                            values[c * to.plane() + t] += a * third(from, 2, c, u);
                        }
                    }
                }
                values
            }
        }
    }

    /// Adds to the gradients of the parameters and of the input.
    #[allow(clippy::too_many_arguments, reason = "all that the chain rule takes")]
    fn backward(
        &self,
        operation: Operation,
        from: &Layer,
        to: &Layer,
        error: &[f64],
        parameters: &[f64],
        gradient: &mut [f64],
        target: &mut [f64],
    ) {
        match operation {
            Operation::Dense(_) => {
                let (inputs, plane) = (from.shape.channels as usize, from.shape.plane());
                let bias = to.offset + to.shape.channels as usize * inputs;
                for (k, e) in error.iter().enumerate() {
                    let (o, t) = (k / plane, k % plane);
                    for i in 0..inputs {
                        gradient[to.offset + o * inputs + i] += e * from.values[i * plane + t];
                        target[i * plane + t] += e * parameters[to.offset + o * inputs + i];
                    }
                    gradient[bias + o] += e;
                }
            }
            Operation::Conv2d(conv) => {
                let [weights, _] = lengths(operation, from.shape);
                windows(operation, from.shape, to.shape, |output, input, weight| {
                    gradient[to.offset + weight] += error[output] * from.values[input];
                    target[input] += error[output] * parameters[to.offset + weight];
                });
                let biases = &mut gradient[to.offset + weights..];
                for (output, e) in error.iter().enumerate().filter(|_| conv.bias) {
                    biases[output / to.shape.plane()] += e;
                }
            }
            Operation::Relu(_) => {
                for ((target, e), x) in target.iter_mut().zip(error).zip(&from.values) {
                    *target += if *x > 0.0 { *e } else { 0.0 };
                }
            }
            Operation::Tanh(_) => {
                for ((target, e), x) in target.iter_mut().zip(error).zip(&from.values) {
                    *target += e / x.cosh().powi(2);
                }
            }
            Operation::MaxPool2d(_) => {
                for (winner, e) in winners(operation, from, to.shape).into_iter().zip(error) {
                    target[winner] += e;
                }
            }
            Operation::Gelu(_) => {
                for ((target, e), &x) in target.iter_mut().zip(error).zip(&from.values) {
                    // Five points: off by h⁴.
                    let h = 1e-3;
                    let slope = 8.0 * (gelu(x + h) - gelu(x - h)) - (gelu(x + 2.0 * h) - gelu(x - 2.0 * h));
                    *target += e * slope / (12.0 * h);
                }
            }
            Operation::AveragePool2d(AveragePool2d { kernel, .. }) => {
                let share = 1.0 / f64::from(kernel * kernel);
                windows(operation, from.shape, to.shape, |output, input, _| {
                    target[input] += error[output] * share
                });
            }
            Operation::GlobalAveragePool(_) => {
                let plane = from.shape.plane();
                for (k, target) in target.iter_mut().enumerate() {
                    *target += error[k / plane] / plane as f64;
                }
            }
            Operation::GroupNorm(GroupNorm { groups }) => {
                let (channels, plane) = (from.shape.channels as usize, from.shape.plane());
                let normal = normalised(&from.values, groups);
                for (k, (e, (x, _))) in error.iter().zip(&normal).enumerate() {
                    gradient[to.offset + k / plane] += e * x;
                    gradient[to.offset + channels + k / plane] += e;
                }
                // Every entry of the Jacobian: ∂x̂ᵢ/∂xⱼ = (δᵢⱼ − (1 + x̂ᵢ x̂ⱼ)/n)/σ within a group.
                let n = from.values.len() / groups as usize;
                for (j, target) in target.iter_mut().enumerate() {
                    for i in j / n * n..(j / n + 1) * n {
                        let ((xi, inverse), (xj, _)) = (normal[i], normal[j]);
                        let same = if i == j { 1.0 } else { 0.0 };
                        let derivative = (same - (1.0 + xi * xj) / n as f64) * inverse;
                        *target += error[i] * parameters[to.offset + i / plane] * derivative;
                    }
                }
            }
            Operation::LayerNorm(_) => {
                let (channels, plane) = (from.shape.channels as usize, from.shape.plane());
                let normal = normalised_positions(from);
                for (k, (e, (x, _))) in error.iter().zip(&normal).enumerate() {
                    gradient[to.offset + k / plane] += e * x;
                    gradient[to.offset + channels + k / plane] += e;
                }
                for (j, target) in target.iter_mut().enumerate() {
                    for i in (j % plane..error.len()).step_by(plane) {
                        let ((xi, inverse), (xj, _)) = (normal[i], normal[j]);
                        let same = if i == j { 1.0 } else { 0.0 };
                        let derivative = (same - (1.0 + xi * xj) / channels as f64) * inverse;
                        *target += error[i] * parameters[to.offset + i / plane] * derivative;
                    }
                }
            }
            Operation::Embedding(Embedding { width, .. }) => {
                let (positions, width) = (from.values.len(), width as usize);
                for (k, e) in error.iter().enumerate() {
                    gradient[to.offset + token(from, k % positions) * width + k / positions] += e;
                }
            }
            Operation::PositionEmbedding(_) => {
                let [channels, positions] = [from.shape.channels, from.shape.width].map(|size| size as usize);
                for (k, e) in error.iter().enumerate() {
                    gradient[to.offset + k % positions * channels + k / positions] += e;
                    target[k] += e;
                }
            }
            Operation::CausalAttention(attention) => {
                let plane = from.shape.plane();
                let place = |which: usize, channel: usize, position: usize| {
                    which * from.values.len() / 3 + channel * plane + position
                };
                for Attended { head, t, weights } in self.attended(attention, from, to.shape) {
                    let scale = self.scale(head.len());
                    let by_weight = |u: usize| {
                        head.clone().map(|c| error[c * plane + t] * third(from, 2, c, u)).sum::<f64>()
                    };
                    for (u, a) in weights.iter().enumerate() {
                        // Every entry of the softmax's Jacobian.
                        let by_score: f64 = weights
                            .iter()
                            .enumerate()
                            .map(|(w, b)| by_weight(w) * b * (if u == w { 1.0 } else { 0.0 } - a))
                            .sum();
                        for c in head.clone() {
                            target[place(0, c, t)] += by_score * scale * third(from, 1, c, u);
                            target[place(1, c, u)] += by_score * scale * third(from, 0, c, t);
                            target[place(2, c, u)] += a * error[c * plane + t];
                        }
                    }
                }
            }
            Operation::Add(_) | Operation::Flatten(_) => {
                for (target, e) in target.iter_mut().zip(error) {
                    *target += e;
                }
            }
        }
    }

    /// By what scores are multiplied.
    fn scale(&self, channels: usize) -> f64 {
        if self.mistake == Some(Mistake::NoScale) { 1.0 } else { 1.0 / (channels as f64).sqrt() }
    }

    fn attended(&self, attention: CausalAttention, from: &Layer, to: Shape) -> Vec<Attended> {
        let channels = (to.channels / attention.heads) as usize;
        let mut all = Vec::new();
        for index in 0..attention.heads as usize {
            let head = index * channels..(index + 1) * channels;
            for t in 0..to.plane() {
                let score = |u: usize| {
                    let products = head.clone().map(|c| third(from, 0, c, t) * third(from, 1, c, u));
                    products.sum::<f64>() * self.scale(channels)
                };
                let seen = match self.mistake {
                    Some(Mistake::MaskTooShort) => 0..t.max(1),
                    Some(Mistake::MaskTooLong) => 0..(t + 2).min(to.plane()),
                    _ => 0..t + 1,
                };
                let exponentials: Vec<f64> = seen.map(|u| score(u).exp()).collect();
                let sum: f64 = exponentials.iter().sum();
                let weights = exponentials.iter().map(|exponential| exponential / sum).collect();
                all.push(Attended { head: head.clone(), t, weights });
            }
        }
        all
    }
}

/// ln Σ exp z − z_label, and softmax(z) − onehot(label).
fn softmax_cross_entropy(outputs: &[f64], label: usize) -> (f64, Vec<f64>) {
    let largest = outputs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = outputs.iter().map(|z| (z - largest).exp()).sum();
    let error = |(class, z): (usize, &f64)| (z - largest).exp() / sum - f64::from(class == label);
    (sum.ln() + largest - outputs[label], outputs.iter().enumerate().map(error).collect())
}

/// Where a source lies among the layers, of which the first is the input.
fn place(source: Source) -> Option<usize> {
    match source {
        Source::None => None,
        Source::Input => Some(0),
        Source::Node(index) => Some(usize::from(index) + 1),
    }
}

/// Numbers of weights and of biases.
fn lengths(operation: Operation, input: Shape) -> [usize; 2] {
    operation.tensors(input).map(|tensor| tensor.map_or(0, |tensor| tensor.len()))
}

/// Calls `visit(output index, input index, weight index)` for every product of a convolution, and for every
/// pair of a pooling window (weight index 0).
fn windows(operation: Operation, from: Shape, to: Shape, mut visit: impl FnMut(usize, usize, usize)) {
    let (kernel, stride, padding) = match operation {
        Operation::Conv2d(Conv2d { kernel, stride, padding, .. }) => (kernel, stride, padding),
        Operation::MaxPool2d(MaxPool2d { kernel, stride })
        | Operation::AveragePool2d(AveragePool2d { kernel, stride }) => (kernel, stride, 0),
        other => panic!("{other} has no windows"),
    };
    let pools = !matches!(operation, Operation::Conv2d(_));
    for o in 0..to.channels {
        for (r, c) in (0..to.height).flat_map(|r| (0..to.width).map(move |c| (r, c))) {
            let output = ((o * to.height + r) * to.width + c) as usize;
            for i in if pools { o..o + 1 } else { 0..from.channels } {
                for (u, v) in (0..kernel).flat_map(|u| (0..kernel).map(move |v| (u, v))) {
                    let (y, x) = (r * stride + u, c * stride + v);
                    let inside = (padding..padding + from.height).contains(&y)
                        && (padding..padding + from.width).contains(&x);
                    if inside {
                        let input = (i * from.height + y - padding) * from.width + x - padding;
                        let weight = ((o * from.channels + i) * kernel + u) * kernel + v;
                        visit(output, input as usize, weight as usize);
                    }
                }
            }
        }
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))).
fn gelu(x: f64) -> f64 {
    0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3))).tanh())
}

/// (x − μ)/√(σ² + 10⁻⁵) within each group, and 1/√(σ² + 10⁻⁵).
fn normalised(values: &[f64], groups: u32) -> Vec<(f64, f64)> {
    let of_group = |group: &[f64]| {
        let mean_of_group = mean(group);
        let squares: Vec<f64> = group.iter().map(|x| (x - mean_of_group).powi(2)).collect();
        let inverse = 1.0 / (mean(&squares) + 1e-5).sqrt();
        group.iter().map(|x| ((x - mean_of_group) * inverse, inverse)).collect::<Vec<_>>()
    };
    values.chunks(values.len() / groups as usize).flat_map(of_group).collect()
}

/// The first largest input of every window.
fn winners(operation: Operation, from: &Layer, to: Shape) -> Vec<usize> {
    let mut winners = vec![usize::MAX; to.len()];
    windows(operation, from.shape, to, |output, input, _| {
        let best = &mut winners[output];
        if *best == usize::MAX || from.values[input] > from.values[*best] {
            *best = input;
        }
    });
    winners
}

/// The token at a position.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn token(from: &Layer, position: usize) -> usize {
    from.values[position] as usize
}

/// (x − μ)/√(σ² + 10⁻⁵) over the channels of each position, and 1/√(σ² + 10⁻⁵).
fn normalised_positions(from: &Layer) -> Vec<(f64, f64)> {
    let plane = from.shape.plane();
    let mut normal = vec![(0.0, 0.0); from.values.len()];
    for position in 0..plane {
        let channels: Vec<f64> = from.values.iter().copied().skip(position).step_by(plane).collect();
        let of_position = normalised(&channels, 1);
        normal.iter_mut().skip(position).step_by(plane).zip(of_position).for_each(|(to, from)| *to = from);
    }
    normal
}

/// A value of query (0), key (1) or value (2): a channel of the output's width at a position.
fn third(from: &Layer, which: usize, channel: usize, position: usize) -> f64 {
    from.values[which * from.values.len() / 3 + channel * from.shape.plane() + position]
}

/// What one head attends to from one position: the weights of the positions up to it.
struct Attended {
    head: std::ops::Range<usize>,
    t: usize,
    weights: Vec<f64>,
}

/// The distance to a ReLU's corner, or between a window's largest two. Windows whose largest is exactly 0
/// come from a ReLU that passes no gradient on, so that their ties do not matter.
fn branch_margin(operation: Operation, from: &Layer, to: Shape) -> f64 {
    match operation {
        Operation::Relu(_) => from.values.iter().map(|x| x.abs()).fold(f64::INFINITY, f64::min),
        Operation::MaxPool2d(_) => {
            let winners = winners(operation, from, to);
            let mut margin = f64::INFINITY;
            windows(operation, from.shape, to, |output, input, _| {
                let largest = from.values[winners[output]];
                if input != winners[output] && largest != 0.0 {
                    margin = margin.min(largest - from.values[input]);
                }
            });
            margin
        }
        _ => f64::INFINITY,
    }
}
