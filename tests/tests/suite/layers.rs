//! Every layer: gradients and per-sample statistics against gradients written out sample by sample, and
//! gradients against differences of the loss. Inputs keep clear of the corners of ReLU and max-pooling.

use std::sync::LazyLock;

use adadagrad_core::backend::{Backend, FastBackend, Matrix, MatrixMut, PlainBackend};
use adadagrad_core::dataset::{Dataset, SampleShape};
use adadagrad_core::layer::{
    Add, AveragePool2d, CausalAttention, Conv2d, Dense, Embedding, Flatten, Gelu, GlobalAveragePool,
    GroupNorm, LayerNorm, MaxPool2d, Operation, PositionEmbedding, Relu, Tanh,
};
use adadagrad_core::model::Model;
use adadagrad_core::network::{Node, Shape, initialise};
use adadagrad_core::owned::OwnedNetwork;
use adadagrad_core::random::Key;
use adadagrad_core::real::{Real, dot};
use adadagrad_core::statistics::{Needs, Statistics};
use adadagrad_tests::compare::{Check, all_close, all_close_to_largest, close, equal, largest, narrowed};
use adadagrad_tests::engine::{Batch, measure, with_sweep};
use adadagrad_tests::reference::{Reference, Sample};
use adadagrad_tests::table::{Table, uniform};
use adadagrad_tests::tape::source;

/// How far every input is from a corner.
const MARGIN: f64 = 1e-3;
const SAMPLES: usize = 6;

/// A network with parameters and samples that keep clear of the corners.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) network: OwnedNetwork,
    pub(crate) parameters: Vec<f64>,
    pub(crate) table: Table,
    pub(crate) samples: Vec<Sample>,
}

impl Case {
    fn new(name: &str, input: Shape, nodes: &[Node]) -> Self {
        let network = OwnedNetwork::new(input, nodes).unwrap();
        let len = network.view().parameters();
        let parameters = uniform(Key::new(1, 0), len, 0.8);
        let reference = Reference::new(input, nodes.to_vec());
        let output = network.view().output();
        let mut candidates = Table::random(2, 1000, input.len(), output.channels);
        let label = |k| Key::new(2, u64::MAX).bits(k) % output.channels;
        candidates.labels = (0..).take(1000 * output.plane()).map(label).collect();
        let tokens = nodes.iter().find_map(|node| match node.operation {
            Operation::Embedding(embedding) => Some(f64::from(embedding.vocabulary)),
            _ => None,
        });
        if let Some(vocabulary) = tokens {
            let values = candidates.inputs.iter_mut().flatten();
            values.for_each(|value| *value = ((*value + 1.0) / 2.0 * vocabulary).floor());
        }
        let mut table = Table { inputs: Vec::new(), labels: Vec::new() };
        let mut samples = Vec::new();
        for (index, input) in candidates.inputs.iter().enumerate() {
            let labels = candidates.labels_of(index);
            let sample = reference.sample(&parameters, input, labels);
            // Few tokens make equal samples, of which one could stand for another.
            let is_new = |k: usize| table.inputs[k] != *input || table.labels_of(k) != labels;
            if sample.margin > MARGIN && (0..samples.len()).all(is_new) {
                table.inputs.push(input.clone());
                table.labels.extend(labels);
                samples.push(sample);
            }
            if samples.len() == SAMPLES {
                break;
            }
        }
        assert_eq!(samples.len(), SAMPLES, "{name}: too few inputs keep clear of the corners");
        Self { name: name.to_owned(), network, parameters, table, samples }
    }

    /// Σ over samples of something per coordinate.
    fn sums(&self, term: impl Fn(f64) -> f64) -> Vec<f64> {
        let mut sums = vec![0.0; self.parameters.len()];
        for sample in &self.samples {
            for (sum, &g) in sums.iter_mut().zip(&sample.gradient) {
                *sum += term(g);
            }
        }
        sums
    }

    pub(crate) fn mean_gradient(&self) -> Vec<f64> {
        self.sums(|g| g).into_iter().map(|sum| sum / SAMPLES as f64).collect()
    }
}

fn conv(outputs: u32, kernel: u32, stride: u32, padding: u32) -> Operation {
    Operation::Conv2d(Conv2d { outputs, kernel, stride, padding, bias: true })
}

fn without_bias(outputs: u32, kernel: u32, stride: u32) -> Operation {
    Operation::Conv2d(Conv2d { outputs, kernel, stride, padding: kernel / 2, bias: false })
}

fn add(first: u16, second: u16) -> Node {
    Node::with_inputs(Add.into(), [first, second].map(source))
}

fn dense(outputs: u32) -> Operation {
    Operation::Dense(Dense { outputs })
}

fn pool(kernel: u32, stride: u32) -> Operation {
    Operation::MaxPool2d(MaxPool2d { kernel, stride })
}

const RELU: Operation = Operation::Relu(Relu);
const TANH: Operation = Operation::Tanh(Tanh);
const FLATTEN: Operation = Operation::Flatten(Flatten);

fn node(operation: Operation, input: u16) -> Node {
    Node::new(operation, source(input))
}

/// Every case. A new kind of layer is a row.
pub(crate) fn cases() -> &'static [Case] {
    static CASES: LazyLock<Vec<Case>> = LazyLock::new(make_cases);
    &CASES
}

fn make_cases() -> Vec<Case> {
    let vector = Shape::vector(7);
    let image = Shape::image(2, 7, 5);
    let mut cases = vec![
        Case::new("dense", vector, &Node::chain([dense(4)])),
        Case::new("dense on one input", Shape::vector(1), &Node::chain([dense(2)])),
        Case::new("two dense", vector, &Node::chain([dense(5), dense(3)])),
        Case::new("relu", vector, &Node::chain([dense(6), RELU, dense(3)])),
        Case::new("tanh", vector, &Node::chain([dense(6), TANH, dense(5), TANH, dense(3)])),
        Case::new("relu on the input", vector, &Node::chain([RELU, dense(3)])),
        Case::new("flatten twice", image, &Node::chain([FLATTEN, FLATTEN, dense(3)])),
        Case::new("flatten, then relu", image, &Node::chain([FLATTEN, RELU, dense(3)])),
        Case::new(
            "no layer with parameters but the last",
            image,
            &Node::chain([TANH, pool(2, 2), FLATTEN, dense(3)]),
        ),
        Case::new("convolution to a vector", Shape::image(2, 3, 3), &Node::chain([conv(3, 3, 1, 0)])),
        Case::new(
            "three convolutions",
            image,
            &Node::chain([
                conv(3, 3, 1, 1),
                TANH,
                conv(2, 1, 1, 0),
                RELU,
                conv(2, 3, 2, 2),
                FLATTEN,
                dense(3),
            ]),
        ),
        Case::new(
            "convolution, relu, pooling, twice",
            Shape::image(1, 10, 8),
            &Node::chain([
                conv(3, 3, 1, 1),
                RELU,
                pool(2, 2),
                conv(2, 3, 1, 1),
                RELU,
                pool(2, 2),
                FLATTEN,
                dense(3),
            ]),
        ),
        // Wider than two vectors, more outputs than one block, and rows and columns that no window reaches.
        Case::new(
            "a wide convolution, relu, pooling",
            Shape::image(1, 5, 21),
            &Node::chain([conv(6, 5, 1, 2), RELU, pool(2, 2), FLATTEN, dense(3)]),
        ),
        Case::new(
            "a convolution to more outputs than two blocks, relu, pooling",
            Shape::image(3, 6, 9),
            &Node::chain([conv(19, 3, 1, 1), RELU, pool(2, 2), GlobalAveragePool.into(), dense(3)]),
        ),
        Case::new(
            "a deep convolution, relu, pooling",
            Shape::image(5, 7, 5),
            &Node::chain([conv(5, 3, 1, 1), RELU, pool(2, 2), conv(3, 1, 1, 0), FLATTEN, dense(3)]),
        ),
        Case::new(
            "a convolution that is read before its relu and pooling too",
            image,
            &[
                node(conv(3, 3, 1, 1), 0),
                node(RELU, 1),
                node(pool(2, 2), 2),
                node(FLATTEN, 3),
                node(dense(3), 4),
                node(FLATTEN, 1),
                node(dense(3), 6),
            ],
        ),
        Case::new(
            "outputs that nobody reads",
            vector,
            &[
                node(dense(6), 0),
                node(TANH, 1),
                node(dense(5), 2),
                node(RELU, 1),
                node(dense(4), 0),
                node(dense(3), 2),
            ],
        ),
        Case::new(
            "a tape that skips",
            image,
            &[
                node(conv(2, 3, 1, 1), 0),
                node(pool(2, 2), 0),
                node(FLATTEN, 2),
                node(conv(1, 2, 1, 0), 2),
                node(dense(3), 3),
            ],
        ),
    ];
    cases.push(Case::new("gelu", vector, &Node::chain([dense(6), Gelu.into(), dense(3)])));
    cases.push(Case::new("gelu on the input", image, &Node::chain([Gelu.into(), FLATTEN, dense(3)])));
    for groups in [1, 2, 6] {
        let norm = Operation::from(GroupNorm { groups });
        let nodes = Node::chain([without_bias(6, 3, 1), norm, TANH, FLATTEN, dense(3)]);
        cases.push(Case::new(&format!("group norm, {groups} groups"), image, &nodes));
    }
    cases.push(Case::new(
        "group norm on the input and of vectors",
        Shape::vector(8),
        &Node::chain([GroupNorm { groups: 2 }.into(), dense(6), GroupNorm { groups: 3 }.into(), dense(3)]),
    ));
    for (kernel, stride) in [(2, 2), (3, 1), (3, 2), (2, 3), (1, 1), (5, 1)] {
        let pool = Operation::from(AveragePool2d { kernel, stride });
        let nodes = Node::chain([conv(2, 3, 1, 1), pool, FLATTEN, dense(3)]);
        cases.push(Case::new(&format!("average-pool {kernel}×{kernel}, stride {stride}"), image, &nodes));
    }
    let nodes = Node::chain([without_bias(4, 3, 2), GlobalAveragePool.into(), dense(3)]);
    cases.push(Case::new("global average-pool", image, &nodes));
    cases.push(Case::new(
        "a residual block with a projection",
        image,
        &[
            node(without_bias(4, 3, 1), 0),
            node(GroupNorm { groups: 2 }.into(), 1),
            node(TANH, 2),
            node(without_bias(6, 3, 2), 3),
            node(without_bias(6, 1, 2), 1),
            add(4, 5),
            node(GlobalAveragePool.into(), 6),
            node(dense(3), 7),
        ],
    ));
    cases.push(Case::new(
        "additions of the input, and of a node to itself",
        vector,
        &[add(0, 0), node(dense(7), 1), add(2, 0), add(3, 3), node(TANH, 4), add(5, 2), node(dense(3), 6)],
    ));
    for kernel in [1, 3, 5] {
        for stride in [1, 2, 3] {
            for padding in (0..3).filter(|&padding| padding < kernel) {
                let name = format!("convolution {kernel}×{kernel}, stride {stride}, padding {padding}");
                let nodes = Node::chain([conv(3, kernel, stride, padding), TANH, FLATTEN, dense(3)]);
                cases.push(Case::new(&name, image, &nodes));
            }
        }
    }
    // More channels and outputs than one tile, one vector and one pair of vectors of the kernels have.
    for (channels, outputs, kernel, stride, padding, [height, width]) in [
        (17, 9, 3, 1, 1, [5, 4]),
        (8, 16, 3, 2, 1, [6, 7]),
        (3, 33, 3, 1, 1, [4, 5]),
        (16, 48, 1, 2, 0, [5, 5]),
        (9, 17, 5, 3, 2, [7, 6]),
        (9, 12, 2, 2, 0, [5, 7]),
        (2, 3, 3, 1, 2, [1, 19]),
        (1, 4, 7, 2, 3, [9, 3]),
        (2, 2, 2, 5, 1, [11, 4]),
        // A row of several vectors, and rows that are summed in more than one turn.
        (2, 3, 3, 1, 1, [23, 37]),
    ] {
        let name = format!(
            "convolution {channels} to {outputs}, {kernel}×{kernel}, stride {stride}, padding {padding}, of \
             {height}×{width}"
        );
        let last = Conv2d { outputs, kernel, stride, padding, bias: outputs % 2 == 0 };
        let nodes =
            Node::chain([conv(channels, 1, 1, 0), TANH, last.into(), GlobalAveragePool.into(), dense(2)]);
        cases.push(Case::new(&name, Shape::image(2, height, width), &nodes));
    }
    let norm = Operation::from(GroupNorm { groups: 3 });
    let nodes =
        Node::chain([norm, RELU, without_bias(6, 3, 1), norm, RELU, GlobalAveragePool.into(), dense(3)]);
    cases.push(Case::new("group norm with relu, twice", Shape::image(3, 4, 7), &nodes));
    cases.push(Case::new(
        "a group norm that is read before its relu too",
        image,
        &[
            node(GroupNorm { groups: 2 }.into(), 0),
            node(RELU, 1),
            add(1, 2),
            node(FLATTEN, 3),
            node(dense(3), 4),
        ],
    ));
    // Planes of more values than are summed at once, and no multiple of the running sums.
    let nodes = Node::chain([conv(2, 1, 1, 0), GroupNorm { groups: 1 }.into(), TANH, FLATTEN, dense(2)]);
    cases.push(Case::new("group norm of large planes", Shape::image(1, 21, 55), &nodes));
    cases.extend(sequence_cases());
    for (kernel, stride) in [(2, 2), (3, 2), (2, 1), (2, 3), (3, 3), (1, 1), (1, 2), (5, 1)] {
        let name = format!("max-pool {kernel}×{kernel}, stride {stride}");
        let nodes = Node::chain([conv(2, 3, 1, 1), pool(kernel, stride), FLATTEN, dense(3)]);
        cases.push(Case::new(&name, image, &nodes));
    }
    cases
}

/// Sequences, of numbers and of tokens.
fn sequence_cases() -> Vec<Case> {
    let embedding = |vocabulary, width| Operation::from(Embedding { vocabulary, width });
    let positions = |positions| Operation::from(PositionEmbedding { positions });
    let attention = |heads| Operation::from(CausalAttention { heads });
    let norm = Operation::from(LayerNorm);
    let mut cases = Vec::new();
    // More channels and positions than one block and one panel of the kernels have.
    for (channels, len) in [(1, 2), (3, 5), (17, 8), (8, 33), (70, 19)] {
        let input = Shape::sequence(channels, len);
        let name = |what: &str| format!("{what} of {channels} channels at {len} positions");
        cases.push(Case::new(&name("dense"), input, &Node::chain([dense(5), TANH, dense(3)])));
        // Of one channel nothing is left: all samples would be the same.
        if channels > 1 {
            let chain = Node::chain([norm, dense(4), norm, dense(3)]);
            cases.push(Case::new(&name("layer norm"), input, &chain));
        }
        let chain = Node::chain([dense(4), positions(len + 2), TANH, positions(len), dense(2)]);
        cases.push(Case::new(&name("position embedding"), input, &chain));
    }
    for (width, heads, len) in [(1, 1, 3), (4, 4, 2), (6, 2, 9), (12, 3, 17), (5, 1, 1), (38, 2, 37)] {
        let name = format!("attention of {heads} heads, width {width}, at {len} positions");
        let chain = Node::chain([dense(3 * width), attention(heads), dense(3)]);
        cases.push(Case::new(&name, Shape::sequence(2, len), &chain));
    }
    // All rests of blocks of rows.
    for outputs in 6..=14 {
        let name = format!("dense to {outputs} outputs at 4 positions");
        let chain = Node::chain([dense(outputs), TANH, dense(3)]);
        cases.push(Case::new(&name, Shape::sequence(11, 4), &chain));
    }
    let chain = Node::chain([norm, dense(5), norm, dense(3)]);
    cases.push(Case::new("layer norm of vectors", Shape::vector(7), &chain));
    let chain = Node::chain([conv(3, 3, 1, 1), norm, FLATTEN, dense(3)]);
    cases.push(Case::new("layer norm of images", Shape::image(2, 7, 5), &chain));
    for (vocabulary, width, len) in [(1, 3, 4), (3, 5, 9), (40, 2, 6), (5, 4, 1)] {
        let name = format!("embedding of {vocabulary} tokens to {width} at {len} positions");
        let chain = Node::chain([embedding(vocabulary, width), TANH, dense(3)]);
        cases.push(Case::new(&name, Shape::sequence(1, len), &chain));
    }
    let chain = Node::chain([embedding(4, 3), FLATTEN, dense(3)]);
    cases.push(Case::new("tokens to one class", Shape::sequence(1, 5), &chain));
    let two = [node(embedding(4, 3), 0), node(embedding(7, 3), 0), add(1, 2), node(dense(3), 3)];
    cases.push(Case::new("two embeddings of the same tokens", Shape::sequence(1, 6), &two));
    let last = [node(embedding(9, 4), 0), node(GlobalAveragePool.into(), 1), node(dense(3), 2)];
    cases.push(Case::new("the mean of tokens", Shape::sequence(1, 6), &last));
    cases
}

/// A batch against the oracle's samples.
pub(crate) fn check_batch<F: Real>(case: &Case, batch: &Batch<F>, unit: f64) -> Check {
    let mean = case.mean_gradient();
    let column = |value: fn(&Sample) -> f64| case.samples.iter().map(value).collect::<Vec<f64>>();
    let outputs: Vec<f64> = case.samples.iter().flat_map(|sample| sample.outputs.clone()).collect();
    all_close_to_largest("outputs", &batch.outputs, &outputs, unit)?;
    all_close_to_largest("losses", &batch.losses, &column(|sample| sample.loss), unit)?;
    all_close_to_largest("mean_gradient", &batch.mean_gradient, &mean, unit)?;
    all_close_to_largest("second_moment", &batch.second_moment, &case.sums(|g| g * g), unit)?;
    let norms = column(|sample| sample.gradient.iter().map(|g| g * g).sum());
    all_close_to_largest("square_norms", &batch.square_norms, &norms, unit)?;
    let products: Vec<f64> =
        case.samples.iter().map(|sample| dot(&sample.gradient, &mean).unwrap()).collect();
    all_close("inner_products", &batch.inner_products, &products, unit * largest(&norms))?;
    let evidence = &batch.evidence;
    let losses: f64 = case.samples.iter().map(|sample| sample.loss).sum();
    equal("samples", &(evidence.samples as usize), &SAMPLES)?;
    close("loss", evidence.loss * SAMPLES as f64, losses, unit * losses)?;
    let s: f64 = norms.iter().sum();
    close("S", evidence.sum_squared_norms.unwrap(), s, unit * s)?;
    let inner = evidence.inner.unwrap();
    let pairs = [
        ("P2", inner.sum_squared_inner_products, products.iter().map(|p| p * p).sum()),
        ("Σ sᵢpᵢ", inner.sum_norm_inner_products, norms.iter().zip(&products).map(|(s, p)| s * p).sum()),
        ("Σ sᵢ²", inner.sum_squared_square_norms, norms.iter().map(|s| s * s).sum::<f64>()),
    ];
    pairs.into_iter().try_for_each(|(what, found, expected)| close(what, found, expected, unit * s * s))
}

fn check_all<F: Real<Sum = f64>>(product: impl Backend<F> + Copy, unit: f64) -> Check {
    let samples: Vec<u32> = (0..).take(SAMPLES).collect();
    for case in cases() {
        let parameters = narrowed::<F>(&case.parameters);
        for micro_batch in [1, 2, SAMPLES, SAMPLES + 1] {
            let batch = measure(&case.network, product, &parameters, &case.table, &samples, micro_batch)?;
            check_batch(case, &batch, unit)
                .map_err(|error| format!("{}, micro-batch {micro_batch}: {error}", case.name))?;
        }
    }
    Ok(())
}

#[test]
fn statistics_in_f64_by_plain_loops() -> Check {
    check_all::<f64>(PlainBackend, 1e-12)
}

#[test]
fn statistics_in_f64_by_the_fast_product() -> Check {
    check_all::<f64>(FastBackend, 1e-12)
}

#[test]
fn statistics_in_f32_by_plain_loops() -> Check {
    check_all::<f32>(PlainBackend, 1e-5)
}

#[test]
fn statistics_in_f32_by_the_fast_product() -> Check {
    check_all::<f32>(FastBackend, 1e-5)
}

/// The mean loss's differences against the gradient. With a step of h the central difference is off by h²
/// times a third derivative, plus rounding of ε/h.
#[test]
fn gradients_are_differences_of_the_loss() -> Check {
    const STEP: f64 = 1e-5;
    let samples: Vec<u32> = (0..).take(SAMPLES).collect();
    for case in cases() {
        let batch = measure(&case.network, PlainBackend, &case.parameters, &case.table, &samples, SAMPLES)?;
        with_sweep(case.network.view(), PlainBackend, SAMPLES, |sweep| {
            let mut loss = |parameters: &[f64]| {
                let score = sweep.evaluate(parameters, &case.table, samples.iter().copied());
                score.unwrap().loss / SAMPLES as f64
            };
            for coordinate in 0..case.parameters.len() {
                let mut moved = case.parameters.clone();
                moved[coordinate] += STEP;
                let above = loss(&moved);
                moved[coordinate] = case.parameters[coordinate] - STEP;
                let difference = (above - loss(&moved)) / (2.0 * STEP);
                let what = format!("{}: gradient[{coordinate}]", case.name);
                close(&what, batch.mean_gradient[coordinate], difference, 1e-8)?;
            }
            Check::Ok(())
        })?;
    }
    Ok(())
}

/// An engine computes no more than it is asked for, and what it computes does not depend on what else it was
/// asked for.
#[test]
fn what_is_not_needed_is_not_computed() {
    for case in cases() {
        let network = case.network.view();
        let mut sums = vec![f64::NAN; network.parameters()];
        let mut plain = Statistics::new(&mut sums, &mut []).unwrap();
        with_sweep(network, PlainBackend, 4, |sweep| {
            for part in [0..4, 4..6] {
                sweep.accumulate(&case.parameters, &case.table, part, &Needs::NONE, &mut plain).unwrap();
            }
        });
        assert_eq!(plain.totals.sum_squared_norms, 0.0, "{}", case.name);
        let evidence = plain.evidence(&Needs::NONE, None);
        assert_eq!(evidence.sum_squared_norms, None);
        let mut mean = vec![0.0; network.parameters()];
        plain.mean_gradient(&mut mean).unwrap();
        let expected = case.mean_gradient();
        all_close_to_largest("mean gradient", &mean, &expected, 1e-12).unwrap();
    }
}

/// A sweep over no sample adds nothing.
#[test]
fn an_empty_micro_batch_changes_nothing() {
    for case in cases() {
        let network = case.network.view();
        let mut sums = vec![0.0; network.parameters()];
        let mut statistics = Statistics::new(&mut sums, &mut []).unwrap();
        let totals = statistics.totals;
        let needs = Needs { norms: true, ..Needs::NONE };
        with_sweep(network, FastBackend, 3, |sweep| {
            sweep.accumulate(&case.parameters, &case.table, [0_u32; 0], &needs, &mut statistics).unwrap();
        });
        assert_eq!(statistics.totals, totals, "{}", case.name);
        assert!(statistics.gradient_sum.iter().all(|&sum| sum == 0.0), "{}", case.name);
    }
}

/// The place, 1 to 4, that wins a window over a 2×2 image. The second channel has no weight, and its weight's
/// gradient tells.
fn winner(pooling: Operation, values: [f64; 4]) -> f64 {
    let nodes = Node::chain([conv(1, 1, 1, 0), pooling, Operation::Flatten(Flatten), dense(2)]);
    let network = OwnedNetwork::new(Shape::image(2, 2, 2), &nodes).unwrap();
    let parameters = [1.0_f64, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0];
    let inputs = vec![values.into_iter().chain([1.0, 2.0, 3.0, 4.0]).collect()];
    let table = Table { inputs, labels: vec![1] };
    let gradient = measure(&network, PlainBackend, &parameters, &table, &[0], 1).unwrap().mean_gradient;
    f64::round(gradient[1] / gradient[2])
}

/// Of tied values in a window the first passes the gradient. Windows of 2×2 side by side have code of their
/// own; those of stride 1 take the general way.
#[test]
fn ties_go_to_the_first_of_a_window() {
    for pooling in [pool(2, 2), pool(2, 1)] {
        for bits in 1..16_u8 {
            let values = [1, 2, 4, 8].map(|bit| if bits & bit == 0 { 0.0 } else { 1.0 });
            let first = f64::from(bits.trailing_zeros()) + 1.0;
            assert_eq!(winner(pooling, values), first, "{pooling} over {values:?}");
        }
        assert_eq!(winner(pooling, [0.0; 4]), 1.0);
        assert_eq!(winner(pooling, [-0.0, 0.0, -0.0, 0.0]), 1.0);
    }
}

/// An image with four values in one window and −1 elsewhere; in a second channel the places 1 to 4 of the
/// window, which has no weight.
fn one_window(values: [f64; 4]) -> Table {
    let mut image = vec![-1.0; 2 * 64];
    for (k, value) in values.into_iter().enumerate() {
        let place = (2 + k / 2) * 8 + 4 + k % 2;
        image[place] = value;
        image[64 + place] = 1.0 + k as f64;
    }
    Table { inputs: vec![image], labels: vec![1] }
}

/// Convolution, ReLU and pooling in one pass: of tied values the first passes the gradient there too, and a NaN
/// reaches the loss.
#[test]
fn fused_pooling_breaks_ties_and_passes_nan_on() {
    let nodes = Node::chain([
        conv(1, 3, 1, 1),
        Operation::Relu(Relu),
        pool(2, 2),
        Operation::Flatten(Flatten),
        dense(2),
    ]);
    let network = OwnedNetwork::new(Shape::image(2, 8, 8), &nodes).unwrap();
    let mut parameters = vec![0.0_f32; network.view().parameters()];
    // The middle of the first channel's kernel, and the first class's weights.
    parameters[4] = 1.0;
    parameters[19..35].fill(1.0);
    for bits in 1..16_u8 {
        let values = [1, 2, 4, 8].map(|bit| if bits & bit == 0 { 1.0 } else { 2.0 });
        let first = f64::from(bits.trailing_zeros()) + 1.0;
        let batch = measure(&network, FastBackend, &parameters, &one_window(values), &[0], 1).unwrap();
        let (of_second_channel, of_bias) = (batch.mean_gradient[9 + 4], batch.mean_gradient[18]);
        assert_eq!(f64::from(of_second_channel / of_bias).round(), first, "{values:?}");
    }
    for place in 0..4 {
        let mut values = [0.5; 4];
        values[place] = f64::NAN;
        let table = one_window(values);
        let loss: f64 = with_sweep(network.view(), FastBackend, 1, |sweep| {
            sweep.evaluate(&parameters, &table, [0]).unwrap().loss
        });
        assert!(loss.is_nan(), "at {place}: {loss}");
    }
}

/// A NaN anywhere in a window, or before a ReLU, reaches the loss.
#[test]
fn nan_passes_through_every_layer() {
    let side_by_side = Node::chain([pool(2, 2), Operation::Flatten(Flatten), dense(2)]);
    let general = Node::chain([pool(2, 1), Operation::Flatten(Flatten), dense(2)]);
    let relu = Node::chain([Operation::Relu(Relu), Operation::Flatten(Flatten), dense(2)]);
    let tanh = Node::chain([Operation::Tanh(Tanh), Operation::Flatten(Flatten), dense(2)]);
    for nodes in [side_by_side, general, relu, tanh] {
        let network = OwnedNetwork::new(Shape::image(1, 2, 2), &nodes).unwrap();
        let parameters = vec![0.5; network.view().parameters()];
        for place in 0..4 {
            let mut image = vec![0.25, 0.5, 0.75, 1.0];
            image[place] = f64::NAN;
            let table = Table { inputs: vec![image], labels: vec![0] };
            let loss: f64 = with_sweep(network.view(), PlainBackend, 1, |sweep| {
                sweep.evaluate(&parameters, &table, [0]).unwrap().loss
            });
            assert!(loss.is_nan(), "{} of {place}: {loss}", nodes[0].operation);
        }
    }
}

/// PyTorch's default: uniform in ±1/√fan_in, weights and biases alike.
#[test]
fn initial_parameters_are_uniform_in_their_bounds() {
    let network = OwnedNetwork::of_model(Model::Cnn, SampleShape::MNIST).unwrap();
    let initial = |seed| {
        let mut parameters = vec![f64::NAN; network.view().parameters()];
        initialise(network.view(), seed, &mut parameters).unwrap();
        parameters
    };
    let (first, other) = (initial(3), initial(4));
    let mut layers = Vec::new();
    for node in network.view().nodes().iter().filter(|node| node.weights > 0) {
        let range = node.parameters();
        let values = &first[range.clone()];
        let fan_in = node.operation.tensors(node.input)[0].unwrap().len() / node.output.channels as usize;
        let bound = 1.0 / (fan_in as f64).sqrt();
        assert!(values.iter().all(|value| value.abs() <= bound), "{}", node.operation);
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|value| value * value).sum::<f64>() / count;
        // A uniform number in ±c has the variance c²/3, and its square that of 4c⁴/45: five deviations.
        assert!(mean.abs() < 5.0 * bound / (3.0 * count).sqrt(), "{}: mean {mean}", node.operation);
        let deviation = (4.0 / (45.0 * count)).sqrt();
        close("variance", variance / bound.powi(2), 1.0 / 3.0, 5.0 * deviation).unwrap();
        assert!(values.iter().zip(&other[range]).all(|(a, b)| a != b), "{}", node.operation);
        layers.push(values.iter().map(|value| value / bound).take(100).collect::<Vec<f64>>());
    }
    assert!(layers[0] != layers[1] && layers[1] != layers[2]);
    let mut narrow = vec![0.0_f32; first.len()];
    initialise(network.view(), 3, &mut narrow).unwrap();
    all_close_to_largest("f32", &narrow, &first, 1e-7).unwrap();
    assert!(initialise(network.view(), 3, &mut narrow[1..]).is_err());
}

/// Of tied outputs the first is the network's answer.
#[test]
fn tied_outputs_answer_with_the_first_class() {
    let network = OwnedNetwork::new(Shape::vector(2), &Node::chain([dense(3)])).unwrap();
    let table = Table { inputs: vec![vec![1.0, 2.0]; 6], labels: vec![0, 1, 0, 2, 0, 1] };
    let batch = measure(&network, PlainBackend, &[0.0_f64; 9], &table, &[0, 1, 2, 3, 4, 5], 4).unwrap();
    assert_eq!(batch.evidence.correct, 3);
}

/// The derivative of ReLU at 0 is 0.
#[test]
fn relu_passes_nothing_on_at_its_corner() {
    let network =
        OwnedNetwork::new(Shape::vector(2), &Node::chain([dense(1), Operation::Relu(Relu), dense(2)]))
            .unwrap();
    let table = Table { inputs: vec![vec![1.0, 2.0]], labels: vec![0] };
    let gradient = |bias: f64| {
        let parameters = [0.0, 0.0, bias, 1.0, -1.0, 0.0, 0.0];
        measure(&network, PlainBackend, &parameters, &table, &[0], 1).unwrap().mean_gradient
    };
    assert_eq!(gradient(0.0)[..3], [0.0; 3]);
    assert_eq!(gradient(-1e-9)[..3], [0.0; 3]);
    assert!(gradient(1e-9)[..3].iter().all(|&g| g != 0.0));
}

/// A sample whose label does not exist is refused before anything is added.
#[test]
fn a_label_out_of_range_changes_nothing() {
    let case = &cases()[0];
    let network = case.network.view();
    let table = Table { labels: vec![0, 1, 4, 0, 0, 0], ..case.table.clone() };
    let mut sums = vec![0.0; network.parameters()];
    let mut statistics = Statistics::new(&mut sums, &mut []).unwrap();
    let error = with_sweep(network, PlainBackend, 6, |sweep| {
        sweep.accumulate(&case.parameters, &table, 0..6, &Needs::NONE, &mut statistics).unwrap_err()
    });
    let message = error.to_string();
    assert!(message.contains("sample 2") && message.contains("label 4"), "{message}");
    assert_eq!(statistics.totals.samples, 0);
    assert_eq!(Dataset::<f64>::len(&table), 6);
}

/// C ← A B + β C against sums in `f64`: the error of k products and sums is at most (k + 2) ε Σ|a||b|.
fn matrix<F: Real>(values: &[F], rows: usize, columns: usize) -> Matrix<'_, F> {
    Matrix::new(values, rows, columns).unwrap()
}

fn check_product<F: Real>(
    product: impl Backend<F> + Copy,
    [rows, k, columns]: [usize; 3],
    epsilon: f64,
) -> Check {
    let random = |stream, len| narrowed::<F>(&uniform(Key::new(9, stream), len, 3.0));
    let (a, b, c) = (random(0, rows * k), random(1, k * columns), random(2, rows * columns));
    // Where a transposed matrix is wanted, the values are read the other way round.
    for (a_transposed, b_transposed, beta) in [false, true]
        .into_iter()
        .flat_map(|a| [(a, false), (a, true)])
        .flat_map(|(a, b)| [0.0, 1.0, 0.5].map(|beta| (a, b, beta)))
    {
        let a_matrix = if a_transposed { matrix(&a, k, rows).transposed() } else { matrix(&a, rows, k) };
        let b_matrix =
            if b_transposed { matrix(&b, columns, k).transposed() } else { matrix(&b, k, columns) };
        let mut found = if beta == 0.0 { vec![F::nan(); c.len()] } else { c.clone() };
        let target = MatrixMut::new(&mut found, rows, columns).unwrap();
        product.product(a_matrix, b_matrix, F::of(beta), target).unwrap();
        for (i, j) in (0..rows).flat_map(|i| (0..columns).map(move |j| (i, j))) {
            let a_at = |l: usize| a[if a_transposed { l * rows + i } else { i * k + l }].as_f64();
            let b_at = |l: usize| b[if b_transposed { j * k + l } else { l * columns + j }].as_f64();
            let before = beta * c[i * columns + j].as_f64();
            let exact = before + (0..k).map(|l| a_at(l) * b_at(l)).sum::<f64>();
            let size = before.abs() + (0..k).map(|l| (a_at(l) * b_at(l)).abs()).sum::<f64>();
            let bound = (k as f64 + 2.0) * epsilon * size;
            let what = format!("[{rows}×{k}][{k}×{columns}] at ({i}, {j}), β = {beta}");
            close(&what, found[i * columns + j].as_f64(), exact, bound)?;
        }
    }
    Ok(())
}

const SIZES: [[usize; 3]; 12] = [
    [1, 1, 1],
    [1, 7, 3],
    [5, 1, 9],
    [3, 64, 2],
    [7, 8, 9],
    [17, 33, 65],
    [8, 8, 8],
    [9, 127, 1],
    [1, 300, 1],
    [64, 5, 31],
    [2, 25, 785],
    [33, 0, 5],
];

#[test]
fn plain_products_are_right() -> Check {
    SIZES.iter().try_for_each(|&sizes| {
        check_product::<f32>(PlainBackend, sizes, f64::from(f32::EPSILON))?;
        // Here the oracle rounds as much as the product.
        check_product::<f64>(PlainBackend, sizes, 2.0 * f64::EPSILON)
    })
}

#[test]
fn fast_products_are_right() -> Check {
    SIZES.iter().try_for_each(|&sizes| {
        check_product::<f32>(FastBackend, sizes, f64::from(f32::EPSILON))?;
        check_product::<f64>(FastBackend, sizes, 2.0 * f64::EPSILON)
    })
}

/// Products that do not fit are refused by their shapes, and C is as it was.
fn check_refusals(product: impl Backend<f64>) {
    let values = [1.0; 6];
    let (wide, tall) = (matrix(&values, 2, 3), matrix(&values, 3, 2));
    for (a, b, [rows, columns], expected, found) in [
        (wide, wide, [2, 3], 3, 2),
        (wide, tall, [2, 3], 2, 3),
        (wide, tall, [1, 2], 2, 1),
        (tall, wide, [2, 3], 3, 2),
        (wide, wide.transposed(), [3, 2], 2, 3),
        (tall.transposed(), wide, [2, 3], 3, 2),
    ] {
        let mut c = [7.0; 6];
        let target = MatrixMut::new(&mut c, rows, columns).unwrap();
        let error = product.product(a, b, 0.0, target).unwrap_err();
        assert_eq!((error.expected, error.found), (expected, found), "{error}");
        assert_eq!(c, [7.0; 6]);
    }
}

#[test]
fn products_of_shapes_that_do_not_fit_are_refused() {
    check_refusals(PlainBackend);
    check_refusals(FastBackend);
}

#[test]
fn a_matrix_of_fewer_values_than_it_holds_is_refused() {
    for (rows, columns, expected) in
        [(2, 3, 6), (usize::MAX, 2, usize::MAX), (usize::MAX, usize::MAX, usize::MAX)]
    {
        let mut values = [0.0_f32; 5];
        let error = Matrix::new(&values, rows, columns).unwrap_err();
        assert_eq!((error.expected, error.found), (expected, 5));
        assert_eq!(MatrixMut::new(&mut values, rows, columns).unwrap_err(), error);
    }
    assert!(Matrix::<f32>::new(&[], usize::MAX, 0).is_ok(), "nothing is enough for nothing");
}
