//! Files, shapes, settings and data that are wrong: refused with a message that says what and where, and
//! nothing is changed.

use adadagrad_core::backend::PlainBackend;
use adadagrad_core::batch_test::{
    AnyTest, AugmentedTest, CoordinateNormTest, InnerProductTest, NormTest, OrthogonalityTest, WorkerNormTest,
};
use adadagrad_core::config::{Preset, RunConfig};
use adadagrad_core::controller::{AdAdaGrad, AnyController};
use adadagrad_core::dataset::{Dataset, ReadError, SampleShape, Targets, Visit};
use adadagrad_core::idx::{Idx, IdxError};
use adadagrad_core::images::{ImagesError, LabelledImages};
use adadagrad_core::layer::{
    Add, AveragePool2d, Conv2d, Dense, Flatten, GroupNorm, MaxPool2d, Operation, Relu,
};
use adadagrad_core::model::Model;
use adadagrad_core::network::{
    Network, NetworkError, Node, Placed, Shape, Source, Sweep, SweepError, Workspace,
};
use adadagrad_core::optimizer::{
    AdaGrad, AdaGradNorm, Adam, AdamW, AnyOptimizer, Momentum, Nesterov, RmsProp, Sgd,
};
use adadagrad_core::owned::{Advance, LocalRun, OwnedNetwork, RunError};
use adadagrad_core::schedule::{Decay, Schedule};
use adadagrad_core::statistics::{Evidence, Needs, Statistics};
use adadagrad_core::training::{StepError, Trainer};
use adadagrad_tests::mnist::network;
use adadagrad_tests::tape::{chain, source};

use crate::determinism::{Images, run_configs};

/// An IDX file.
fn idx(dimensions: &[u32], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, u8::try_from(dimensions.len()).unwrap()];
    bytes.extend(dimensions.iter().flat_map(|dimension| dimension.to_be_bytes()));
    bytes.extend_from_slice(values);
    bytes
}

/// Three images of 2×2 pixels with labels.
fn small() -> (Vec<u8>, Vec<u8>) {
    (idx(&[3, 2, 2], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255]), idx(&[3], &[0, 9, 4]))
}

fn parse(images: &[u8], labels: &[u8]) -> Result<(), ImagesError> {
    LabelledImages::parse(images, labels, [2, 2], 10).map(|_| ())
}

#[test]
fn a_sound_file_is_read() {
    let (images, labels) = small();
    let set = LabelledImages::parse(images.as_slice(), labels.as_slice(), [2, 2], 10).unwrap();
    assert_eq!(Dataset::<f64>::len(&set), 3);
    assert_eq!(Dataset::<f64>::shape(&set).input.len(), 4);
    let mut input = [f64::NAN; 4];
    let mut label = [0];
    set.read(2.into(), &mut input, &mut Targets::labels(&mut label)).unwrap();
    assert_eq!(label, [4]);
    assert_eq!(input, [8.0 / 255.0, 9.0 / 255.0, 10.0 / 255.0, 1.0]);
    assert_eq!(set.image(0), Some(&[0, 1, 2, 3][..]));
    assert_eq!(set.label(1), Some(9));
}

#[test]
fn truncated_files_are_refused_at_every_length() {
    let (images, labels) = small();
    for len in 0..images.len() {
        let error = parse(&images[..len], &labels).unwrap_err();
        let message = error.to_string();
        assert!(message.starts_with("image file: "), "{message}");
        assert!(message.ends_with(&format!(" has {len}")), "{len}: {message}");
    }
    for len in 0..labels.len() {
        let message = parse(&images, &labels[..len]).unwrap_err().to_string();
        assert!(message.starts_with("label file: "), "{message}");
        assert!(message.ends_with(&format!(" has {len}")), "{len}: {message}");
    }
}

#[test]
fn files_that_go_on_too_long_are_refused() {
    let (images, labels) = small();
    for more in [1, 4, 100] {
        let mut long = images.clone();
        long.resize(images.len() + more, 0);
        let message = parse(&long, &labels).unwrap_err().to_string();
        assert!(message.ends_with(&format!("but it has {}", long.len())), "{message}");
        let mut long = labels.clone();
        long.resize(labels.len() + more, 0);
        let message = parse(&images, &long).unwrap_err().to_string();
        assert!(message.ends_with(&format!("but it has {}", long.len())), "{message}");
    }
}

/// Any other value of any byte of the header is a lie, and found out.
#[test]
fn every_lie_in_a_header_is_found() {
    let (images, labels) = small();
    let lies = |bytes: &[u8], header: usize| -> Vec<(usize, Vec<u8>)> {
        let with = |at: usize, value: u8| {
            let mut bytes = bytes.to_vec();
            bytes[at] = value;
            (at, bytes)
        };
        (0..header)
            .flat_map(|at| (0..=255).map(move |value| (at, value)))
            .filter(|&(at, value)| bytes[at] != value)
            .map(|(at, value)| with(at, value))
            .collect()
    };
    for (at, lie) in lies(&images, 16) {
        let error = parse(&lie, &labels).unwrap_err();
        assert!(matches!(error, ImagesError::Images(_)), "byte {at}: {error}");
        check_kind(at, &error);
    }
    for (at, lie) in lies(&labels, 8) {
        let error = parse(&images, &lie).unwrap_err();
        assert!(matches!(error, ImagesError::Labels(_)), "byte {at}: {error}");
        check_kind(at, &error);
    }
}

/// What is said about a lie in this byte.
fn check_kind(at: usize, error: &ImagesError) {
    let (ImagesError::Images(kind) | ImagesError::Labels(kind)) = error;
    let right = match at {
        0 | 1 => matches!(kind, IdxError::Magic(_)),
        2 => matches!(kind, IdxError::Type(_)),
        3 => matches!(kind, IdxError::Dimensions { .. }),
        _ => matches!(kind, IdxError::Length { .. } | IdxError::TooLarge),
    };
    assert!(right, "byte {at}: {error}");
    if at < 4 {
        let byte = if at < 2 { 0 } else { at };
        assert!(error.to_string().contains(&format!("byte {byte}")), "byte {at}: {error}");
    }
}

#[test]
fn dimensions_that_overflow_are_refused() {
    let most = u32::MAX;
    for dimensions in [[most; 3], [most, most, 2], [2, most, most], [1 << 31, 1 << 31, 4]] {
        let bytes = idx(&dimensions, &[0; 20]);
        let error = Idx::<3>::parse(&bytes).unwrap_err();
        assert!(matches!(error, IdxError::TooLarge | IdxError::Length { .. }), "{dimensions:?}: {error}");
    }
    // A dimension of nothing makes any other harmless.
    assert!(Idx::<3>::parse(&idx(&[most, most, 0], &[])).unwrap().values.is_empty());
    let header_alone = Idx::<1>::parse(&idx(&[most], &[])).unwrap_err();
    assert_eq!(header_alone, IdxError::Length { needed: most as usize + 8, found: 8 });
}

/// Image file, label file, the image size wanted, and a part of the message.
type Pair<'a> = (&'a [u8], &'a [u8], [u32; 2], &'a str);

#[test]
fn pairs_that_do_not_match_are_refused() {
    let (images, labels) = small();
    let table: [Pair<'_>; 7] = [
        (&images, &idx(&[2], &[0, 1]), [2, 2], "label file: 3 images, but 2 labels"),
        (&images, &idx(&[4], &[0; 4]), [2, 2], "label file: 3 images, but 4 labels"),
        (&images, &labels, [2, 3], "bytes 8 to 15: the images have 2×2 pixels, but 2×3 are expected"),
        (
            &idx(&[0, 2, 2], &[]),
            &idx(&[0], &[]),
            [2, 2],
            "image file: bytes 4 to 7: the file contains no samples",
        ),
        (&labels, &images, [2, 2], "image file: byte 3: the number of dimensions is 1, but must be 3"),
        (&images, &images, [2, 2], "label file: byte 3: the number of dimensions is 3, but must be 1"),
        (&[0x1f, 0x8b, 8, 0], &labels, [2, 2], "image file: byte 0: "),
    ];
    for (images, labels, size, expected) in table {
        let message = LabelledImages::parse(images, labels, size, 10).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn labels_out_of_range_are_refused_with_their_place() {
    let (images, _) = small();
    for (position, label, classes) in [(0, 10, 10), (1, 255, 10), (2, 10, 10), (2, 1, 1), (1, 4, 4)] {
        let mut values = [0; 3];
        values[position] = label;
        let labels = idx(&[3], &values);
        let error = LabelledImages::parse(&images, &labels, [2, 2], classes).unwrap_err();
        let byte = 8 + position;
        assert_eq!(error, ImagesError::Labels(IdxError::Label { byte, label, classes }));
        let message = error.to_string();
        assert!(message.contains(&format!("byte {byte}: label {label} ")), "{message}");
        assert!(message.contains(&format!("labels must be below {classes}")), "{message}");
    }
    // No class at all: an odd thing to ask for, but it has an answer too.
    let error = LabelledImages::parse(&images, &idx(&[3], &[0; 3]), [2, 2], 0).unwrap_err();
    assert!(!error.to_string().is_empty());
}

fn place(input: Shape, nodes: &[Node]) -> Result<usize, String> {
    let mut places = vec![Placed::empty(); nodes.len()];
    let network = Network::place(input, nodes, &mut places).map_err(|error| error.to_string())?;
    // A network that is accepted must also be able to say how much memory it takes.
    let _ = (network.workspace(64), network.micro_batch(1 << 18), network.flops());
    Ok(network.parameters())
}

fn conv(outputs: u32, kernel: u32, stride: u32, padding: u32) -> Operation {
    Operation::Conv2d(Conv2d { outputs, kernel, stride, padding, bias: true })
}

#[test]
fn networks_that_do_not_fit_name_the_layer() {
    let [flatten, relu] = [Flatten.into(), Relu.into()];
    let dense = |outputs| Operation::from(Dense { outputs });
    let pool = |kernel, stride| Operation::MaxPool2d(MaxPool2d { kernel, stride });
    let image = Shape::image(2, 6, 4);
    let table: Vec<(Shape, Vec<Operation>, &str)> = vec![
        (image, vec![], "at least one layer"),
        (
            image,
            vec![dense(3)],
            "layer 0 (dense, 3 outputs) cannot take an input of shape 2×6×4: its input must be a vector",
        ),
        (image, vec![relu, dense(3)], "layer 1 (dense, 3 outputs)"),
        (
            image,
            vec![flatten, dense(0)],
            "layer 1 (dense, 0 outputs) cannot take an input of shape 48: a size is zero",
        ),
        (image, vec![flatten, dense(4), dense(0), dense(3)], "layer 2"),
        (image, vec![conv(0, 3, 1, 1)], "layer 0 (convolution 3×3, 0 output channels, stride 1, padding 1)"),
        (image, vec![conv(3, 0, 1, 0)], "layer 0 (convolution 0×0"),
        (image, vec![conv(3, 3, 0, 0)], "a size is zero"),
        (image, vec![conv(3, 5, 1, 0)], "window is larger"),
        (image, vec![conv(3, 3, 1, 3)], "padding must be smaller than its kernel"),
        (image, vec![pool(0, 1)], "a size is zero"),
        (image, vec![pool(2, 0)], "a size is zero"),
        (image, vec![pool(5, 1)], "layer 0 (max-pool 5×5, stride 1)"),
        (image, vec![pool(2, 2), pool(2, 2), pool(2, 2)], "layer 2"),
        (image, vec![conv(3, 3, 1, 1)], "the last layer's output has shape 3×6×4"),
        (Shape::image(0, 5, 5), vec![flatten, dense(3)], "layer 0 (flatten)"),
        (Shape::vector(0), vec![dense(3)], "layer 0 (dense, 3 outputs) cannot take an input of shape 0"),
        (Shape::image(1, 0, 7), vec![relu, flatten, dense(3)], "layer 0 (ReLU)"),
    ];
    for (input, operations, expected) in table {
        let nodes = chain(operations);
        let message = place(input, &nodes).expect_err(expected);
        assert!(message.contains(expected), "{message} (expected {expected})");
    }
}

/// Sizes so large that their products overflow: refused by layer, never a wrapped number or a panic.
#[test]
fn networks_of_huge_sizes_are_refused() {
    let [flatten, relu] = [Flatten.into(), Relu.into()];
    let dense = |outputs| Operation::from(Dense { outputs });
    let most = u32::MAX;
    let table: Vec<(&str, Shape, Vec<Operation>, usize)> = vec![
        ("an input beyond 32 bits", Shape::image(1 << 16, 1 << 16, 1), vec![flatten, dense(3)], 0),
        ("an input beyond 64 bits", Shape::image(most, most, most), vec![relu, flatten, dense(3)], 0),
        ("padding", Shape::image(1, 4, 4), vec![conv(2, most, 1, most - 1)], 0),
        ("outputs", Shape::image(1, 1 << 10, 1 << 10), vec![conv(1 << 13, 1, 1, 0)], 0),
        (
            "weights of a kernel",
            Shape::image(1 << 8, 1, 1),
            vec![conv(2, 1 << 31, 1, 1 << 30), flatten, dense(2)],
            0,
        ),
        (
            "patches",
            Shape::image(1 << 4, 1, 1),
            vec![conv(2, 1 << 30, 1, (1 << 29) + 3), flatten, dense(2)],
            0,
        ),
        ("two huge layers", Shape::vector(most), vec![dense(most), dense(most)], 0),
    ];
    for (what, input, operations, layer) in table {
        let nodes = chain(operations);
        let message = place(input, &nodes).expect_err(what);
        assert!(message.starts_with(&format!("layer {layer} ")), "{what}: {message}");
    }
}

#[test]
fn layers_with_other_inputs_than_they_take_are_refused() {
    let add = |inputs| Node::with_inputs(Add.into(), inputs);
    let dense = |outputs, input| Node::new(Dense { outputs }.into(), input);
    let (none, input, first) = (Source::None, Source::Input, Source::Node(0));
    let table = [
        (vec![add([input, none])], "layer 0 (add) takes two inputs"),
        (vec![add([none, none])], "layer 0 (add) takes two inputs"),
        (vec![dense(3, none)], "layer 0 (dense, 3 outputs) takes one input"),
        (vec![Node::with_inputs(Relu.into(), [input, input])], "layer 0 (ReLU) takes one input"),
        (
            vec![dense(3, input), add([input, first])],
            "layer 1 (add) takes two inputs of the same shape, not 4 and 3",
        ),
        (
            vec![Node::new(GroupNorm { groups: 3 }.into(), input)],
            "layer 0 (group norm, 3 groups) cannot take an input of shape 4: its groups do not divide its channels",
        ),
        (
            vec![Node::new(GroupNorm { groups: 0 }.into(), input)],
            "layer 0 (group norm, 0 groups) cannot take an input of shape 4: a size is zero",
        ),
        (
            vec![Node::new(AveragePool2d { kernel: 2, stride: 1 }.into(), input)],
            "layer 0 (average-pool 2×2, stride 1) cannot take an input of shape 4: its window is larger",
        ),
    ];
    for (nodes, expected) in table {
        let message = place(Shape::vector(4), &nodes).expect_err(expected);
        assert!(message.contains(expected), "{message} (expected {expected})");
    }
    // Each layer alone would fit, but not all of them.
    let wide = |input| Node::new(Dense { outputs: 1 << 20 }.into(), input);
    let nodes: Vec<Node> = (0..5).map(|k| wide(if k == 0 { input } else { Source::Node(k - 1) })).collect();
    let message = place(Shape::vector(1 << 11), &nodes).unwrap_err();
    assert!(message.contains("do not fit") || message.contains("does not fit in 32 bits"), "{message}");
}

#[test]
fn tapes_that_read_what_is_not_there_are_refused() {
    let node = |input| Node::new(Relu.into(), source(input));
    for nodes in [vec![node(1)], vec![node(0), node(2)], vec![node(0), node(1), node(u16::MAX)]] {
        let layer = nodes.len() - 1;
        let message = place(Shape::vector(4), &nodes).unwrap_err();
        assert_eq!(message, format!("layer {layer} takes its input from itself or a later layer"));
    }
    let mut places = [Placed::empty(); 3];
    let error = Network::place(Shape::vector(4), &[node(0)], &mut places).unwrap_err();
    assert_eq!(error, NetworkError::Storage { nodes: 1, places: 3 });
}

#[test]
fn slices_of_the_wrong_length_are_refused() {
    let network = OwnedNetwork::of_model(Model::Logistic, SampleShape::MNIST).unwrap();
    let network = network.view();
    // Whatever is asked of them they are long enough, and they may be longer.
    let whole = network.workspace(2);
    let len = network.workspace_for(2, &Needs::NORMS);
    assert!(whole.values > len.values && whole.sums == 2 * len.sums);
    let (mut values, mut sums, mut labels) =
        (vec![0.0_f32; len.values], vec![0.0; len.sums], vec![0; len.labels]);
    let mut visits = vec![Visit::default(); len.visits];
    let short = [(1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)];
    for (v, s, l, p) in short {
        let workspace = Workspace {
            values: &mut values[v..],
            sums: &mut sums[s..],
            visits: &mut visits[p..],
            labels: &mut labels[l..],
        };
        let error = Sweep::new(network, PlainBackend, 2, workspace).unwrap_err();
        assert_eq!(error.found + 1, error.expected, "{error}");
    }
    let workspace =
        Workspace { values: &mut values, sums: &mut sums, visits: &mut visits, labels: &mut labels };
    let mut sweep = Sweep::new(network, PlainBackend, 2, workspace).unwrap();
    let images = Images::new(9);
    let parameters = vec![0.0_f32; 7850];
    let mut gradient = vec![0.0_f32; 7850];
    let mut statistics = Statistics::new(&mut gradient, &mut []).unwrap();
    let needs = Needs::NONE;
    let too_many = sweep.accumulate(&parameters, &images, 0..3, &needs, &mut statistics).unwrap_err();
    assert_eq!(too_many, SweepError::TooManySamples { capacity: 2 });
    let short = sweep.accumulate(&parameters[1..], &images, 0..2, &needs, &mut statistics).unwrap_err();
    assert!(matches!(short, SweepError::Length(_)), "{short}");
    let mut wrong = vec![0.0_f32; 7849];
    let mut other = Statistics::new(&mut wrong, &mut []).unwrap();
    assert!(sweep.accumulate(&parameters, &images, 0..2, &needs, &mut other).is_err());
    assert!(sweep.project(&parameters, &[0.0], &images, 0..2, &mut Default::default()).is_err());
    // What the norm test does not need is not there: nothing runs beyond the memory.
    let inner = sweep.project(&parameters, &parameters, &images, 0..2, &mut Default::default());
    assert!(inner.unwrap_err().to_string().starts_with("the workspace"));
    assert!(sweep.project_from_cache(&parameters, &parameters, 2, &mut Default::default()).is_err());
    let (mut sum, mut squares) = (vec![0.0_f32; 7850], vec![0.0_f32; 7850]);
    let mut moments = Statistics::new(&mut sum, &mut squares).unwrap();
    let refused = sweep.accumulate(&parameters, &images, 0..2, &needs, &mut moments).unwrap_err();
    assert!(refused.to_string().starts_with("the workspace"), "{refused}");
    let narrow = adadagrad_tests::table::Table::random(1, 4, 3, 10);
    assert!(sweep.accumulate(&parameters, &narrow, 0..2, &needs, &mut statistics).is_err());
    assert_eq!(statistics.totals, Default::default());
    assert!(Statistics::<f64>::new(&mut [0.0; 3], &mut [0.0; 2]).is_err());
    let mut sums = [0.0; 3];
    let mut statistics = Statistics::<f64>::new(&mut sums, &mut []).unwrap();
    assert!(statistics.push(&[1.0; 2], 0.0).is_err());
    assert!(statistics.mean_gradient::<f64>(&mut [0.0; 4]).is_err());
    assert!(statistics.project(&[0.0; 3], &[0.0; 2], &mut Default::default()).is_err());
    assert!(statistics.merge(&Statistics::<f64>::new(&mut [0.0; 2], &mut []).unwrap()).is_err());
    assert!(statistics.merge(&Statistics::<f64>::new(&mut [0.0; 3], &mut [0.0; 3]).unwrap()).is_err());
    assert_eq!(statistics.totals, Default::default());
}

/// A setting out of its range: how to make it so, its name, and a part of the message.
type Wrong = (fn(&mut RunConfig), &'static str, &'static str);

#[test]
fn settings_out_of_range_are_refused_with_name_and_range() {
    const OPTIMIZERS: [Wrong; 26] = [
        (|c| c.optimizer = AnyOptimizer::Sgd(Sgd { weight_decay: -0.1 }), "weight_decay", "at least 0"),
        (
            |c| c.optimizer = AnyOptimizer::Sgd(Sgd { weight_decay: f64::INFINITY }),
            "weight_decay",
            "at least 0",
        ),
        (|c| c.optimizer = momentum(1.0, 0.0), "momentum", "at least 0 and below 1"),
        (|c| c.optimizer = momentum(-0.1, 0.0), "momentum", "at least 0 and below 1"),
        (|c| c.optimizer = momentum(0.9, f64::NAN), "weight_decay", "at least 0"),
        (|c| c.optimizer = nesterov(1.5, 0.0), "momentum", "at least 0 and below 1"),
        (|c| c.optimizer = nesterov(f64::NAN, 0.0), "momentum", "at least 0 and below 1"),
        (|c| c.optimizer = nesterov(0.9, -1.0), "weight_decay", "at least 0"),
        (|c| c.optimizer = adagrad(-1.0, 1e-10, 0.0), "initial_accumulator", "at least 0"),
        (|c| c.optimizer = adagrad(0.0, 0.0, 0.0), "epsilon", "above 0"),
        (|c| c.optimizer = adagrad(0.0, 1e-10, -1.0), "weight_decay", "at least 0"),
        (
            |c| c.optimizer = AnyOptimizer::AdaGradNorm(AdaGradNorm { initial_norm: 0.0 }),
            "initial_norm",
            "above 0",
        ),
        (
            |c| c.optimizer = AnyOptimizer::AdaGradNorm(AdaGradNorm { initial_norm: f64::NAN }),
            "initial_norm",
            "above 0",
        ),
        (|c| c.optimizer = rmsprop(1.0, 1e-8, 0.0), "alpha", "at least 0 and below 1"),
        (|c| c.optimizer = rmsprop(0.9, -1.0, 0.0), "epsilon", "above 0"),
        (|c| c.optimizer = rmsprop(0.9, 1e-8, -1.0), "weight_decay", "at least 0"),
        (|c| c.optimizer = adam(1.0, 0.9, 1e-8, 0.0), "beta1", "at least 0 and below 1"),
        (|c| c.optimizer = adam(0.9, 1.0, 1e-8, 0.0), "beta2", "at least 0 and below 1"),
        (|c| c.optimizer = adam(-0.9, 0.9, 1e-8, 0.0), "beta1", "at least 0 and below 1"),
        (|c| c.optimizer = adam(0.9, f64::NAN, 1e-8, 0.0), "beta2", "at least 0 and below 1"),
        (|c| c.optimizer = adam(0.9, 0.9, f64::NAN, 0.0), "epsilon", "above 0"),
        (|c| c.optimizer = adam(0.9, 0.9, 1e-8, -1.0), "weight_decay", "at least 0"),
        (|c| c.optimizer = adamw(1.0, 0.9, 1e-8, 0.0), "beta1", "at least 0 and below 1"),
        (|c| c.optimizer = adamw(0.9, 2.0, 1e-8, 0.0), "beta2", "at least 0 and below 1"),
        (|c| c.optimizer = adamw(0.9, 0.9, 1e-60, 0.0), "epsilon", "above 0"),
        (|c| c.optimizer = adamw(0.9, 0.9, 1e-8, -0.5), "weight_decay", "at least 0"),
    ];
    const TESTS: [Wrong; 14] = [
        (|c| c.test = Some(norm(0.0)), "eta", "above 0"),
        (|c| c.test = Some(norm(-1.0)), "eta", "above 0"),
        (|c| c.test = Some(norm(f64::NAN)), "eta", "above 0"),
        (|c| c.test = Some(norm(f64::INFINITY)), "eta", "above 0"),
        (|c| c.test = Some(inner_product(0.0)), "theta", "above 0"),
        (|c| c.test = Some(AnyTest::Orthogonality(OrthogonalityTest { nu: 0.0 })), "nu", "above 0"),
        (|c| c.test = Some(augmented(0.0, 1.0)), "theta", "above 0"),
        (|c| c.test = Some(augmented(0.9, -1.0)), "nu", "above 0"),
        (|c| c.test = Some(coordinates(0.0, 1.0)), "eta", "above 0"),
        (|c| c.test = Some(coordinates(0.1, 0.0)), "quantile", "above 0 and at most 1"),
        (|c| c.test = Some(coordinates(0.1, 1.1)), "quantile", "above 0 and at most 1"),
        (|c| c.test = Some(workers(0.0, 4)), "eta", "above 0"),
        (|c| c.test = Some(workers(0.1, 1)), "workers", "from 2 to 1024"),
        (|c| c.test = Some(workers(0.1, 1025)), "workers", "from 2 to 1024"),
    ];
    const OTHERS: [Wrong; 29] = [
        (|c| c.version = 0, "version", "must be 1"),
        (|c| c.version = 2, "version", "settings of another version"),
        (|c| c.learning_rate = 0.0, "learning_rate", "above 0"),
        (|c| c.learning_rate = -0.1, "learning_rate", "above 0"),
        (|c| c.learning_rate = f64::NAN, "learning_rate", "above 0"),
        (|c| c.learning_rate = 1e39, "learning_rate", "at most 3.402823"),
        (|c| c.schedule.warm_up_samples = 1 << 53, "warm_up_samples", "from 0 to 9007199254740991"),
        (|c| c.schedule.decay = Decay::Cosine { final_fraction: -0.1 }, "final_fraction", "from 0 to 1"),
        (|c| c.schedule.decay = Decay::Cosine { final_fraction: 1.1 }, "final_fraction", "from 0 to 1"),
        (|c| c.schedule.decay = stairs(0, 0.5), "every_samples", "from 1 to"),
        (|c| c.schedule.decay = stairs(1 << 53, 0.5), "every_samples", "to 9007199254740991"),
        (|c| c.schedule.decay = stairs(100, 0.0), "factor", "above 0 and at most 1"),
        (|c| c.schedule.decay = stairs(100, 1.5), "factor", "above 0 and at most 1"),
        (|c| c.schedule.decay = stairs(100, f64::NAN), "factor", "above 0 and at most 1"),
        (|c| c.controller = capped(1.0), "growth_cap", "above 1"),
        (|c| c.controller = capped(0.0), "growth_cap", "above 1"),
        (|c| c.controller = capped(f64::NAN), "growth_cap", "above 1"),
        (|c| c.test = None, "test", "an adaptive batch size needs a batch-size test"),
        (|c| c.initial_batch = 1, "initial_batch", "a batch-size test needs at least two samples"),
        (|c| c.initial_batch = 0, "initial_batch", "from 2 to 60000"),
        (|c| c.initial_batch = 60_001, "initial_batch", "from 2 to 60000"),
        (|c| (c.min_batch, c.initial_batch) = (100, 99), "initial_batch", "from 100 to 60000"),
        (|c| c.min_batch = 0, "min_batch", "from 1 to 60000"),
        (|c| (c.min_batch, c.max_batch) = (11, 10), "min_batch", "it cannot be above max_batch"),
        (|c| c.max_batch = 0, "max_batch", "from 1 to 60000"),
        (|c| c.max_batch = 60_001, "max_batch", "cannot be larger than the training set"),
        (|c| c.max_batch = 1, "max_batch", "a batch-size test needs at least two samples"),
        (|c| c.sample_budget = 0, "sample_budget", "from 1 to 9007199254740991"),
        (|c| c.evaluate_every = 0, "evaluate_every", "from 1 to 9007199254740991"),
    ];
    const LARGE: [Wrong; 7] = [
        (|c| c.clip_norm = -1.0, "clip_norm", "0"),
        (|c| c.clip_norm = f64::NAN, "clip_norm", "0"),
        (|c| c.clip_norm = 1e300, "clip_norm", "and below 3.4"),
        (|c| c.parts = 1025, "parts", "from 0 to 1024"),
        (|c| c.sample_budget = 1 << 53, "sample_budget", "to 9007199254740991"),
        (|c| c.evaluate_every = u64::MAX, "evaluate_every", "to 9007199254740991"),
        (|c| c.seed = 1 << 53, "seed", "from 0 to 9007199254740991"),
    ];
    for (spoil, field, part) in OPTIMIZERS.iter().chain(&TESTS).chain(&OTHERS).chain(&LARGE) {
        let mut config = Preset::PaperCnn.config();
        assert_eq!(config.validate(60_000), Ok(()));
        spoil(&mut config);
        let error = config.validate(60_000).expect_err(field);
        let message = error.to_string();
        assert_eq!(error.field, *field, "{message}");
        assert!(message.starts_with(&format!("{field} is ")), "{message}");
        assert!(message.contains(part), "{message} (expected {part})");
        let refused = Trainer::<f32>::new(config, 60_000).unwrap_err();
        assert_eq!(refused.to_string(), message);
    }
}

/// Numbers that are in range until the run's float type rounds them to 0 or to 1. In `f64` they may stay.
#[test]
fn settings_that_the_float_type_rounds_away_are_refused() {
    const ROUNDED: [Wrong; 12] = [
        (|c| c.learning_rate = 1e-50, "learning_rate", "rounds it to 0"),
        (|c| c.optimizer = adagrad(0.0, 1e-50, 0.0), "epsilon", "rounds it to 0"),
        (|c| c.optimizer = adagrad(1e-60, 1e-10, 0.0), "initial_accumulator", "use 0 or a larger"),
        (|c| c.optimizer = adagrad(0.0, 1e-10, 1e-60), "weight_decay", "use 0 or a larger"),
        (|c| c.optimizer = rmsprop(0.9, 1e-46, 0.0), "epsilon", "rounds it to 0"),
        (|c| c.optimizer = rmsprop(1.0 - 1e-9, 1e-8, 0.0), "alpha", "rounds it to 1"),
        (|c| c.optimizer = adam(0.9, 1.0 - 1e-9, 1e-8, 0.0), "beta2", "rounds it to 1"),
        (|c| c.optimizer = adam(1.0 - 1e-9, 0.999, 1e-8, 0.0), "beta1", "rounds it to 1"),
        (|c| c.optimizer = adamw(0.9, 0.999, 1e-50, 0.0), "epsilon", "rounds it to 0"),
        (|c| c.optimizer = momentum(1.0 - 1e-12, 0.0), "momentum", "rounds it to 1"),
        (|c| c.optimizer = momentum(1e-50, 0.0), "momentum", "use 0 or a larger"),
        (|c| c.optimizer = nesterov(0.9, 1e-50), "weight_decay", "use 0 or a larger"),
    ];
    for (spoil, field, part) in ROUNDED {
        let mut config = Preset::PaperCnn.config();
        spoil(&mut config);
        let error = Trainer::<f32>::new(config, 60_000).expect_err(field);
        assert_eq!(error.field, field, "{error}");
        assert!(error.to_string().contains(part), "{error} (expected {part})");
        assert_eq!(config.validate(60_000), Err(error));
        assert!(Trainer::<f64>::new(config, 60_000).is_ok(), "{field} fits f64");
    }
    // Its square is what is computed with, in f64.
    let config = |initial_norm| RunConfig {
        optimizer: AnyOptimizer::AdaGradNorm(AdaGradNorm { initial_norm }),
        ..Preset::PaperCnn.config()
    };
    assert_eq!(config(1e-100).validate(60_000), Ok(()));
    let error = config(1e-200).validate(60_000).unwrap_err();
    assert!(error.to_string().contains("its square rounds to 0"), "{error}");
}

fn momentum(momentum: f64, weight_decay: f64) -> AnyOptimizer {
    AnyOptimizer::Momentum(Momentum { momentum, weight_decay })
}
fn nesterov(momentum: f64, weight_decay: f64) -> AnyOptimizer {
    AnyOptimizer::Nesterov(Nesterov { momentum, weight_decay })
}
fn adagrad(initial_accumulator: f64, epsilon: f64, weight_decay: f64) -> AnyOptimizer {
    AnyOptimizer::AdaGrad(AdaGrad { initial_accumulator, epsilon, weight_decay })
}
fn rmsprop(alpha: f64, epsilon: f64, weight_decay: f64) -> AnyOptimizer {
    AnyOptimizer::RmsProp(RmsProp { alpha, epsilon, weight_decay })
}
fn adam(beta1: f64, beta2: f64, epsilon: f64, weight_decay: f64) -> AnyOptimizer {
    AnyOptimizer::Adam(Adam { beta1, beta2, epsilon, weight_decay })
}
fn adamw(beta1: f64, beta2: f64, epsilon: f64, weight_decay: f64) -> AnyOptimizer {
    AnyOptimizer::AdamW(AdamW { beta1, beta2, epsilon, weight_decay })
}
fn norm(eta: f64) -> AnyTest {
    AnyTest::Norm(NormTest { eta, debiased: false })
}
fn inner_product(theta: f64) -> AnyTest {
    AnyTest::InnerProduct(InnerProductTest { theta, leave_one_out: false })
}
fn augmented(theta: f64, nu: f64) -> AnyTest {
    AnyTest::Augmented(AugmentedTest { theta, nu, leave_one_out: false })
}
fn coordinates(eta: f64, quantile: f64) -> AnyTest {
    AnyTest::CoordinateNorm(CoordinateNormTest { eta, quantile })
}
fn workers(eta: f64, workers: u32) -> AnyTest {
    AnyTest::WorkerNorm(WorkerNormTest { eta, workers })
}
fn capped(cap: f64) -> AnyController {
    AnyController::AdAdaGrad(AdAdaGrad { growth_cap: Some(cap), ..AdAdaGrad::default() })
}
fn stairs(every_samples: u64, factor: f64) -> Decay {
    Decay::Step { every_samples, factor }
}

#[test]
fn json_that_is_no_run_description_is_refused() {
    for text in [
        "",
        "7",
        "{",
        r#"{"learning_rate": "fast"}"#,
        r#"{"learning_rate": null}"#,
        r#"{"learnig_rate": 0.1}"#,
        r#"{"optimizer": "adagrad"}"#,
        r#"{"optimizer": {"name": "adagrat"}}"#,
        r#"{"optimizer": {"name": "adagrad", "eps": 1e-10}}"#,
        r#"{"optimizer": {"epsilon": 1e-10}}"#,
        r#"{"test": {"name": "norm", "theta": 0.9}}"#,
        r#"{"controller": {"name": "constant", "growth_cap": 2.0}}"#,
        r#"{"schedule": {"decay": {"name": "cosine", "factor": 0.5}}}"#,
        r#"{"initial_batch": -1}"#,
        r#"{"initial_batch": 4294967296}"#,
        r#"{"initial_batch": 8.5}"#,
        r#"{"seed": -1}"#,
        r#"{"model": "CNN"}"#,
        r#"{"dataset": "cifar"}"#,
    ] {
        assert!(serde_json::from_str::<RunConfig>(text).is_err(), "{text}");
    }
    // What is left out has its default.
    let short: RunConfig = serde_json::from_str(r#"{"optimizer": {"name": "adam", "beta1": 0.8}}"#).unwrap();
    let adam = Adam { beta1: 0.8, ..Adam::default() };
    assert_eq!(short, RunConfig { optimizer: AnyOptimizer::Adam(adam), ..RunConfig::default() });
    let short = r#"{"schedule": {"decay": {"name": "step", "factor": 0.25}}}"#;
    let Schedule { decay, .. } = serde_json::from_str::<RunConfig>(short).unwrap().schedule;
    assert_eq!(decay, Decay::Step { every_samples: 60_000, factor: 0.25 });
    let bare = serde_json::from_str::<RunConfig>("{}").unwrap();
    assert_eq!(bare, RunConfig { schedule: Schedule::default(), ..Preset::Quick.config() });
}

/// A data set with something wrong in one sample.
struct Spoiled<'a> {
    images: &'a Images,
    sample: u32,
    pixel: f32,
    label: Option<u32>,
}

impl Dataset<f32> for Spoiled<'_> {
    fn len(&self) -> u32 {
        Dataset::<f32>::len(self.images)
    }

    fn shape(&self) -> SampleShape {
        Dataset::<f32>::shape(self.images)
    }

    fn read(&self, visit: Visit, input: &mut [f32], targets: &mut Targets<'_, f32>) -> Result<(), ReadError> {
        self.images.read(visit, input, targets)?;
        if visit.sample == self.sample {
            input[400] = self.pixel;
            targets.labels.fill(self.label.unwrap_or(targets.labels[0]));
        }
        Ok(())
    }
}

type Run = LocalRun<f32, PlainBackend>;

/// Goes on until a step is made.
fn step(run: &mut Run, images: &impl Dataset<f32>) -> Result<Advance, RunError> {
    loop {
        match run.advance(images)? {
            Advance::Working => {}
            done => return Ok(done),
        }
    }
}

/// A step that fails leaves everything as it was, and the run goes on with sound data as if nothing had
/// happened, for every optimizer and every test.
#[test]
fn bad_data_fail_the_step_and_nothing_else() {
    let images = Images::new(90);
    let len = Dataset::<f32>::len(&images);
    let larger = [Model::MLP, Model::Cnn].map(|model| RunConfig { model, ..run_configs()[0] });
    for config in run_configs().into_iter().chain(larger) {
        let (mut run, mut undisturbed) = (
            Run::new(config, network(&config), len, PlainBackend).unwrap(),
            Run::new(config, network(&config), len, PlainBackend).unwrap(),
        );
        for _ in 0..2 {
            step(&mut run, &images).unwrap();
            step(&mut undisturbed, &images).unwrap();
        }
        let (parameters, progress) = (run.parameters(), *run.progress());
        // The last sample of the batch, so that sums were taken before it shows.
        let position = progress.samples_seen + u64::from(progress.next_batch) - 1;
        let sample = run.trainer().order().visit(position).sample;
        let bad = [(f32::NAN, None), (f32::INFINITY, None), (f32::NEG_INFINITY, None), (0.5, Some(10))];
        for (pixel, label) in bad {
            let error = step(&mut run, &Spoiled { images: &images, sample, pixel, label }).unwrap_err();
            let message = error.to_string();
            match error {
                RunError::Step(StepError::NonFinite { step, .. }) if label.is_none() => {
                    assert_eq!(step, 3, "{message}");
                    assert!(message.starts_with("step 3: the ") && message.contains("NaN"), "{message}");
                }
                RunError::Sweep(SweepError::Label { sample: found, label: 10, classes: 10 }) => {
                    assert_eq!(found, sample);
                    assert!(message.contains(&format!("sample {sample}")), "{message}");
                }
                other => panic!("{other}"),
            }
            assert!(!run.is_inside_step());
            let same = run.parameters().iter().zip(&parameters).all(|(a, b)| a.to_bits() == b.to_bits());
            assert!(same, "{:?}: parameters changed", config.optimizer);
            assert_eq!(*run.progress(), progress);
        }
        for _ in 0..2 {
            assert_eq!(step(&mut run, &images).unwrap(), step(&mut undisturbed, &images).unwrap());
        }
        // The optimizer's memory shows in the steps that follow.
        assert_eq!(run.parameters(), undisturbed.parameters(), "{:?}", config.optimizer);
    }
}

#[test]
fn evidence_of_another_batch_is_refused() {
    let config = Preset::PaperCnn.config();
    let trainer = Trainer::<f32>::new(config, 60_000).unwrap();
    let plan = trainer.plan().unwrap();
    let evidence =
        Evidence { samples: 7, mean_norm_sq: 1.0, sum_squared_norms: Some(9.0), ..Evidence::default() };
    let error = trainer.weigh(&plan, &evidence).unwrap_err();
    assert_eq!(error, StepError::Samples { planned: 8, found: 7 });
    for bad in [f64::NAN, f64::INFINITY] {
        let loss = Evidence { samples: 8, loss: bad, ..evidence };
        assert!(matches!(trainer.weigh(&plan, &loss), Err(StepError::NonFinite { step: 1, what: "loss" })));
        let gradient = Evidence { samples: 8, mean_norm_sq: bad, ..evidence };
        assert!(matches!(
            trainer.weigh(&plan, &gradient),
            Err(StepError::NonFinite { step: 1, what: "gradient" })
        ));
    }
    let sound = Evidence { samples: 8, ..evidence };
    assert!(trainer.weigh(&plan, &sound).is_ok());
}
