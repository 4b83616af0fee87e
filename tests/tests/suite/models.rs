//! Models: their names, their tapes for any samples, how many parameters they have, and that they train.

use adadagrad_core::backend::FastBackend;
use adadagrad_core::batch_test::{AnyTest, NormTest};
use adadagrad_core::config::{Preset, RunConfig};
use adadagrad_core::dataset::SampleShape;
use adadagrad_core::digest::Digest;
use adadagrad_core::layer::{Conv2d, Dense, Flatten, MaxPool2d, Operation, Relu};
use adadagrad_core::model::{Model, ModelError, NotAModel};
use adadagrad_core::network::{Grain, Node, Shape, initialise};
use adadagrad_core::owned::checkpoint::{OwnNetwork, network_of, pieces};
use adadagrad_core::owned::{Advance, LocalRun, OwnedNetwork};
use adadagrad_tests::coloured::Coloured;

const CIFAR: SampleShape = SampleShape::image(Shape::image(3, 32, 32), 10);

/// Every ready-made model, and some of other sizes.
fn models() -> Vec<Model> {
    let others = [
        Model::Mlp { hidden: 1 },
        Model::Mlp { hidden: u32::MAX },
        Model::ResNet { depth: 20, width: 32 },
        Model::ResNet { depth: 8, width: 1 },
        Model::ResNet18 { width: 4096 },
        Model::Own { digest: Digest(std::array::from_fn(|k| 7 * k as u8)) },
    ];
    Model::ALL.into_iter().chain(others).collect()
}

/// Those for images.
fn of_images() -> impl Iterator<Item = Model> {
    Model::ALL.into_iter().filter(|model| model.takes_tokens() == Some(false))
}

fn parameters(model: Model, shape: SampleShape) -> usize {
    OwnedNetwork::of_model(model, shape).unwrap().view().parameters()
}

fn tape(model: Model, shape: SampleShape) -> Vec<Node> {
    let mut nodes = vec![Node::empty(); model.len(shape).unwrap()];
    model.write(shape, &mut nodes).unwrap().to_vec()
}

#[test]
fn a_name_is_read_as_what_wrote_it() {
    let mut names = Vec::new();
    for model in models() {
        let name = model.to_string();
        assert_eq!(name.parse(), Ok(model), "{name}");
        assert_eq!(serde_json::to_string(&model).unwrap(), format!("{name:?}"));
        assert_eq!(serde_json::from_str::<Model>(&format!("{name:?}")).unwrap(), model);
        names.push(name);
    }
    let expected = [
        "logistic",
        "mlp",
        "cnn",
        "cifar-cnn",
        "resnet-8",
        "resnet-14",
        "resnet-20",
        "resnet-32",
        "resnet-56",
    ];
    assert_eq!(names[..9], expected);
    assert_eq!(
        names[9..16],
        ["resnet18", "transformer", "mlp-1", "mlp-4294967295", "resnet-20-32", "resnet-8-1", "resnet18-4096"]
    );
    assert!(names[16].starts_with("own-00070e151c"), "{}", names[16]);
}

#[test]
fn a_wrong_name_is_told_what_may_be_given() {
    for name in [
        "",
        "CNN",
        "cnn ",
        "mlp-",
        "mlp-0",
        "mlp--1",
        "mlp-+5",
        "mlp-4294967296",
        "mlp-5-5",
        "cifar",
        "cifar-cnn-2",
        "resnet",
        "resnet-9",
        "resnet-20-0",
        "resnet-20-4097",
        "resnet-20-16-2",
        "resnet18-",
        "resnet-18",
        "own-",
        "own-00",
        "logistic-3",
    ] {
        let error = name.parse::<Model>().unwrap_err();
        assert_eq!(error, NotAModel::Unknown, "{name}");
        assert!(error.to_string().starts_with("expected one of logistic, mlp, mlp-HIDDEN, cnn, cifar-cnn, "));
        let error = serde_json::from_str::<Model>(&format!("{name:?}")).unwrap_err().to_string();
        assert!(error.starts_with(&format!("it is \"{name}\", but must be one of logistic")), "{error}");
    }
    // One name for each model, so that equal settings are equal texts.
    for (name, right) in [
        ("mlp-128", "mlp"),
        ("mlp-007", "mlp-7"),
        ("resnet-20-16", "resnet-20"),
        ("resnet-020", "resnet-20"),
        ("resnet18-64", "resnet18"),
    ] {
        let error = name.parse::<Model>().unwrap_err();
        assert_eq!(error.to_string(), format!("expected {right}, as this model is written"));
    }
}

/// Those that runs, checkpoints and golden sets of earlier versions have.
#[test]
fn the_networks_for_mnist_are_what_they_were() {
    let pool = || Operation::MaxPool2d(MaxPool2d { kernel: 2, stride: 2 });
    let convolution = |outputs| Conv2d { outputs, kernel: 5, stride: 1, padding: 2, bias: true }.into();
    let dense = |outputs| Dense { outputs }.into();
    let logistic = Node::chain([Flatten.into(), dense(10)]);
    let mlp = Node::chain([Flatten.into(), dense(128), Relu.into(), dense(10)]);
    let cnn = Node::chain([
        convolution(16),
        Relu.into(),
        pool(),
        convolution(32),
        Relu.into(),
        pool(),
        Flatten.into(),
        dense(10),
    ]);
    let expected: [(&[Node], usize, Grain); 3] = [
        (&logistic, 7850, Grain { samples: 64, parts: 32 }),
        (&mlp, 101_770, Grain { samples: 128, parts: 8 }),
        (&cnn, 28_938, Grain { samples: 8, parts: 32 }),
    ];
    for (model, (nodes, parameters, grain)) in Model::MNIST.into_iter().zip(expected) {
        assert_eq!(tape(model, SampleShape::MNIST), nodes, "{model}");
        let network = OwnedNetwork::of_model(model, SampleShape::MNIST).unwrap();
        assert_eq!((network.view().parameters(), network.grain()), (parameters, grain), "{model}");
    }
}

/// Convolutions and norms of one stage after another, and the dense layer, counted by hand.
fn resnet(blocks: usize, stages: usize, width: usize, classes: usize) -> usize {
    let norm = |channels: usize| 2 * channels;
    let mut parameters = 3 * 9 * width + norm(width);
    let mut channels = width;
    for stage in 0..stages {
        let outputs = width << stage;
        for block in 0..blocks {
            parameters += 9 * channels * outputs + 9 * outputs * outputs + 2 * norm(outputs);
            if block == 0 && stage > 0 {
                parameters += channels * outputs + norm(outputs);
            }
            channels = outputs;
        }
    }
    parameters + channels * classes + classes
}

#[test]
fn parameters_are_as_many_as_in_the_literature() {
    assert_eq!(parameters(Model::CifarCnn, CIFAR), 541_094);
    // With a 3×3 stem; norms have as many parameters as batch norms.
    assert_eq!(parameters(Model::ResNet18 { width: 64 }, CIFAR), 11_173_962);
    assert_eq!(parameters(Model::ResNet { depth: 20, width: 16 }, CIFAR), 272_474);
    for depth in Model::DEPTHS {
        for (width, classes) in [(16, 10), (5, 3), (32, 100), (48, 10)] {
            let shape = SampleShape { classes, ..CIFAR };
            let expected = resnet((depth as usize - 2) / 6, 3, width as usize, classes as usize);
            assert_eq!(parameters(Model::ResNet { depth, width }, shape), expected, "{depth}, {width}");
        }
    }
    for (width, classes) in [(64, 100), (8, 10)] {
        let shape = SampleShape { classes, ..CIFAR };
        let expected = resnet(2, 4, width as usize, classes as usize);
        assert_eq!(parameters(Model::ResNet18 { width }, shape), expected, "{width}");
    }
}

#[test]
fn models_are_for_samples_of_any_shape() {
    let shapes = [(1, 8, 8, 2), (3, 32, 32, 100), (4, 9, 17, 26), (2, 28, 28, 47), (3, 64, 48, 3)];
    for (channels, height, width, classes) in shapes {
        let shape = SampleShape::image(Shape::image(channels, height, width), classes);
        for model in of_images() {
            let network = OwnedNetwork::of_model(model, shape).unwrap();
            assert_eq!(network.view().input(), shape.input, "{model}");
            assert_eq!(network.view().output(), Shape::vector(classes), "{model}");
        }
    }
}

#[test]
fn a_model_that_does_not_fit_its_samples_is_refused_in_one_sentence() {
    let image = |channels, height, width| SampleShape::image(Shape::image(channels, height, width), 10);
    let huge = Model::Mlp { hidden: u32::MAX };
    for (model, shape, expected) in [
        (
            Model::Cnn,
            image(1, 3, 3),
            "layer 5 (max-pool 2×2, stride 2) cannot take an input of shape 32: its window is larger than its padded \
             input",
        ),
        (
            Model::CifarCnn,
            image(3, 7, 32),
            "layer 8 (max-pool 2×2, stride 2) cannot take an input of shape 64×1×8: its window is larger than its \
             padded input",
        ),
        (
            Model::Logistic,
            image(3, 65_536, 65_536),
            "layer 0 (flatten) cannot take an input of shape 3×65536×65536: a size does not fit in 32 bits",
        ),
        (
            huge,
            image(1, 2, 2),
            "layer 1 (dense, 4294967295 outputs) cannot take an input of shape 4: a size does not fit in 32 bits",
        ),
        (
            Model::MLP,
            image(1, 0, 28),
            "layer 0 (flatten) cannot take an input of shape 1×0×28: a size is zero",
        ),
        (
            Model::Logistic,
            SampleShape { classes: 1, ..SampleShape::MNIST },
            "the last layer has one output, but classes need at least two: for a single output the data's targets must be \
             numbers",
        ),
        (
            Model::ResNet { depth: 9, width: 16 },
            CIFAR,
            "the depth of the ResNet is 9, but must be one of 8, 14, 20, 32, 56",
        ),
        (Model::ResNet18 { width: 0 }, CIFAR, "the width of the ResNet is 0, but must be from 1 to 4096"),
        (
            Model::Own { digest: Digest([0; 32]) },
            CIFAR,
            "the settings name a custom network, but its layers are missing",
        ),
    ] {
        assert_eq!(OwnedNetwork::of_model(model, shape).unwrap_err().to_string(), expected);
    }
    let seven = Node::chain([Flatten.into(), Dense { outputs: 7 }.into()]);
    let error = OwnedNetwork::of_nodes(&seven, CIFAR).unwrap_err();
    assert_eq!(error.to_string(), "the last layer has 7 outputs, but the data have 10 classes");
    let mut short = [Node::empty(); 7];
    assert_eq!(Model::Cnn.write(CIFAR, &mut short), Err(ModelError::Storage { nodes: 8, places: 7 }));
}

#[test]
fn tensors_have_the_names_of_torch() {
    let names = |model| {
        let network = OwnedNetwork::of_model(model, CIFAR).unwrap();
        pieces(network.view()).map(|piece| (piece.name, piece.shape)).collect::<Vec<_>>()
    };
    let of = |pairs: &[(&str, &[usize])]| {
        pairs.iter().map(|(name, shape)| ((*name).to_owned(), shape.to_vec())).collect::<Vec<_>>()
    };
    let block = of(&[
        ("conv1.weight", &[16, 3, 3, 3]),
        ("norm1.weight", &[16]),
        ("norm1.bias", &[16]),
        ("layer1.0.conv1.weight", &[16, 16, 3, 3]),
        ("layer1.0.norm1.weight", &[16]),
        ("layer1.0.norm1.bias", &[16]),
        ("layer1.0.conv2.weight", &[16, 16, 3, 3]),
        ("layer1.0.norm2.weight", &[16]),
        ("layer1.0.norm2.bias", &[16]),
        ("layer2.0.conv1.weight", &[32, 16, 3, 3]),
        ("layer2.0.norm1.weight", &[32]),
        ("layer2.0.norm1.bias", &[32]),
        ("layer2.0.conv2.weight", &[32, 32, 3, 3]),
        ("layer2.0.norm2.weight", &[32]),
        ("layer2.0.norm2.bias", &[32]),
        ("layer2.0.downsample.0.weight", &[32, 16, 1, 1]),
        ("layer2.0.downsample.1.weight", &[32]),
        ("layer2.0.downsample.1.bias", &[32]),
    ]);
    let resnet = names(Model::ResNet { depth: 8, width: 16 });
    assert_eq!(resnet[..block.len()], block);
    assert_eq!(resnet[resnet.len() - 2..], of(&[("fc.weight", &[10, 64]), ("fc.bias", &[10])]));
    let chain: Vec<_> = names(Model::CifarCnn).into_iter().map(|(name, _)| name).collect();
    let numbers = [0, 3, 6, 10, 12].map(|module| [format!("{module}.weight"), format!("{module}.bias")]);
    assert_eq!(chain, numbers.concat());
}

/// Weights and biases of a layer uniform in (−1/√fan_in, 1/√fan_in), norms 1 and 0.
#[test]
fn parameters_begin_as_those_of_torch() {
    let network = OwnedNetwork::of_model(Model::ResNet { depth: 8, width: 16 }, CIFAR).unwrap();
    let mut parameters = vec![f64::NAN; network.view().parameters()];
    initialise(network.view(), 3, &mut parameters).unwrap();
    for piece in pieces(network.view()) {
        let values = &parameters[piece.range];
        if piece.name.contains("norm") || piece.name.contains("downsample.1") {
            let constant = if piece.name.ends_with("weight") { 1.0 } else { 0.0 };
            assert!(values.iter().all(|&value| value == constant), "{}", piece.name);
            continue;
        }
        let fan_in = if piece.name == "fc.bias" { 64 } else { piece.shape[1..].iter().product::<usize>() };
        let bound = 1.0 / (fan_in as f64).sqrt();
        assert!(values.iter().all(|value| value.abs() < bound), "{}", piece.name);
        if values.len() > 400 {
            let variance = values.iter().map(|value| value * value).sum::<f64>() / values.len() as f64;
            // Uniform: a third of the bound's square, four standard errors √(4/45 n) of it.
            let room = 4.0 * bound * bound * (4.0 / (45.0 * values.len() as f64)).sqrt();
            assert!((variance - bound * bound / 3.0).abs() < room, "{}: {variance}", piece.name);
        }
    }
}

#[test]
fn every_model_makes_steps_on_colour_images() {
    let images = Coloured::cifar(3, 12, 10);
    for model in of_images() {
        // A narrow one has all the layers, too.
        let model = if let Model::ResNet18 { .. } = model { Model::ResNet18 { width: 8 } } else { model };
        let config = RunConfig {
            model,
            test: Some(AnyTest::Norm(NormTest { eta: 0.5, debiased: false })),
            learning_rate: 1e-3,
            initial_batch: 4,
            max_batch: 6,
            sample_budget: 10,
            ..Preset::Quick.config()
        };
        let network = OwnedNetwork::of_model(model, CIFAR).unwrap();
        let mut run = LocalRun::<f32, _>::new(config, network, 12, FastBackend).unwrap();
        let before = run.parameters();
        let mut losses = Vec::new();
        loop {
            match run.advance(&images).unwrap() {
                Advance::Working => {}
                Advance::Step(telemetry) => losses.push(telemetry.loss),
                Advance::Finished => break,
            }
        }
        assert!(losses.len() >= 2 && losses.iter().all(|loss| loss.is_finite()), "{model}: {losses:?}");
        // Ten classes that are still much alike; deep residual networks begin with larger outputs.
        assert!((losses[0] - 10.0_f64.ln()).abs() < 4.0, "{model}: {losses:?}");
        let after = run.parameters();
        let network = OwnedNetwork::of_model(model, CIFAR).unwrap();
        for piece in pieces(network.view()) {
            assert!(before[piece.range.clone()] != after[piece.range], "{model}: {} stayed", piece.name);
        }
    }
}

#[test]
fn grains_follow_from_costs() {
    let grain = |model| OwnedNetwork::of_model(model, CIFAR).unwrap().grain();
    assert_eq!(grain(Model::ResNet { depth: 20, width: 16 }), Grain { samples: 4, parts: 32 });
    assert_eq!(grain(Model::CifarCnn), Grain { samples: 18, parts: 32 });
    assert_eq!(grain(Model::ResNet18 { width: 64 }), Grain { samples: 4, parts: 32 });
    assert_eq!(grain(Model::Mlp { hidden: 64 }), Grain { samples: 128, parts: 32 });
    assert_eq!(Grain::of_cost(0, 0).samples, 128, "a network that costs nothing");
    assert_eq!(Grain::of_cost(u64::MAX, 1).samples, 4, "a network that costs more than any");
    assert_eq!(Grain::of_cost(u64::MAX, usize::MAX).samples, 4);
}

#[test]
fn a_network_that_is_printed_reads_back_as_the_same_tape() {
    for model in of_images() {
        let nodes = tape(model, CIFAR);
        let own = OwnNetwork::new(adadagrad_core::model::description::Description::new(nodes.clone()));
        let text = own.to_text();
        let back = OwnNetwork::read(&text).unwrap();
        assert_eq!(back.nodes(), nodes, "{model}");
        assert_eq!(back.model(), own.model(), "{model}");
        assert_eq!(text.lines().count(), nodes.len() + 2, "one line a layer: {text}");
        let network = network_of(own.model(), Some(&back), CIFAR).unwrap();
        assert_eq!(network.view().parameters(), parameters(model, CIFAR), "{model}");
        assert_eq!(network.view().forward_flops(), {
            let built_in = OwnedNetwork::of_model(model, CIFAR).unwrap();
            built_in.view().forward_flops()
        });
        assert!(network_of(Model::Own { digest: Digest([0; 32]) }, Some(&back), CIFAR).is_err());
    }
}

#[test]
fn how_a_list_is_written_does_not_matter_and_what_it_says_does() {
    let one = r#"[{"layer": "conv2d", "out_channels": 4, "kernel_size": 3, "padding": 0, "stride": 1, "bias": true},
        {"layer": "avg_pool2d", "kernel_size": 2, "stride": 2}, {"layer": "flatten", "inputs": ["1"]},
        {"out_features": 10, "layer": "linear", "name": "3"}]"#;
    let same = r#"[{"kernel_size":3,"layer":"conv2d","out_channels":4},{"layer":"average_pool2d","kernel_size":2},
        {"layer":"flatten"},{"layer":"dense","out_features":10}]"#;
    let other = same.replace("average", "max");
    let named = same.replace(r#""flatten""#, r#""flatten","name":"flat""#);
    let [one, same, other, named] =
        [one, same, &other, &named].map(|text| OwnNetwork::read(text).unwrap().model().to_string());
    assert_eq!(one, same);
    assert!(one != other && one != named && other != named);
}

#[test]
fn a_list_that_is_no_network_is_told_which_layer_and_what_may_stand_there() {
    let long = "x".repeat(32);
    for (text, expected) in [
        ("", "line 1: not valid JSON: the text ends before a value"),
        ("{}", "it is an object, but must be a list of layers"),
        ("[4]", "line 1: layer 0: it is 4, but must be an object, such as {\"layer\": \"relu\"}"),
        ("[{}]", "line 1: layer 0: `layer` is missing: dense, conv2d, relu,"),
        (r#"[{"layer": 3}]"#, "line 1: layer 0: `layer` must be a string: dense, conv2d,"),
        (
            "[\n{\"layer\": \"conv3d\"}\n]",
            "line 2: layer 0: `conv3d` is not a layer: dense, conv2d, relu, tanh, gelu,",
        ),
        (
            r#"[{"layer": "relu"}, {"layer": "BatchNorm2d", "num_features": 4}]"#,
            "line 1: layer 1: BatchNorm2d couples the samples of a batch, so that there are no per-sample gradients \
             for the batch-size test: use group_norm",
        ),
        (
            r#"[{"layer": "dense", "out_features": 3, "tied_to": "embedding"}]"#,
            "line 1: layer 0: `tied_to`: layers cannot share weights, because with tied weights the norm of a \
             sample's gradient would lack the cross terms between the layers",
        ),
        (
            r#"[{"layer": "tanh", "name": "a"}, {"layer": "tanh", "name": "a"}]"#,
            "line 1: layer 1: the name `a` is already that of layer 0: layers cannot share weights, because",
        ),
        (
            r#"[{"layer": "conv2d", "out_channels": 3, "kernel": 3}]"#,
            "line 1: layer 0: `kernel_size` is missing (a whole number)",
        ),
        (
            r#"[{"layer": "conv2d", "out_channels": 3, "kernel_size": 3, "dilation": 2}]"#,
            "line 1: layer 0: conv2d has no setting `dilation`: it takes name, inputs, out_channels, kernel_size, \
             stride, padding, bias",
        ),
        (
            r#"[{"layer": "dense", "out_features": -1}]"#,
            "line 1: layer 0: `out_features` must be a whole number from 0 to",
        ),
        (
            r#"[{"layer": "conv2d", "out_channels": 1, "kernel_size": 1, "bias": 0}]"#,
            "line 1: layer 0: `bias` must be true or false",
        ),
        (r#"[{"layer": "relu", "layer": "relu"}]"#, "line 1: layer 0: layer appears twice"),
        (r#"[{"layer": "relu", "name": ""}]"#, "line 1: layer 0: `name` is empty"),
        (r#"[{"layer": "relu", "name": 1}]"#, "line 1: layer 0: `name` must be a string"),
        (
            r#"[{"layer": "relu", "name": "1"}]"#,
            "line 1: layer 0: `1` is not a valid name: numbers and `input` are reserved",
        ),
        (r#"[{"layer": "relu", "name": "input"}]"#, "line 1: layer 0: `input` is not a valid name"),
        (
            r#"[{"layer": "relu", "name": "a b"}]"#,
            "line 1: layer 0: `a b` is not a valid name: use letters, digits,",
        ),
        (
            r#"[{"layer": "relu", "name": "optimizer.0.x"}]"#,
            "line 1: layer 0: `optimizer.0.x` is not a valid name",
        ),
        (r#"[{"layer": "relu", "name": "optimizer"}]"#, "line 1: layer 0: `optimizer` is not a valid name"),
        (r#"[{"layer": "relu", "name": "a..b"}]"#, "line 1: layer 0: `a..b` is not a valid name"),
        (r#"[{"layer": "relu", "name": "a\nb"}]"#, "line 1: layer 0: `a\\nb` is not a valid name"),
        (
            r#"[{"layer": "dense", "out_feature": 10}]"#,
            "line 1: layer 0: `out_features` is missing (a whole number): `out_feature` is not a setting",
        ),
        (
            r#"[{"layer": "softmax"}]"#,
            "line 1: layer 0: `softmax` is not a layer: softmax and cross-entropy always",
        ),
        (&format!(r#"[{{"layer": "relu", "name": "{long}"}}]"#), "line 1: layer 0: the name `xxx"),
        (
            r#"[{"layer": "relu", "inputs": []}]"#,
            "line 1: layer 0: `inputs` must be a list of one or two names",
        ),
        (
            r#"[{"layer": "relu", "inputs": ["0"]}]"#,
            "line 1: layer 0: `inputs`: no earlier layer is called `0`",
        ),
        (
            r#"[{"layer": "relu", "inputs": ["later"]}]"#,
            "line 1: layer 0: `inputs`: no earlier layer is called `later`",
        ),
        (r#"[{"layer": "add"}]"#, "line 1: layer 0: add takes two inputs: give `inputs` as"),
        (
            r#"[{"layer": "relu", "inputs": ["input", "input"]}]"#,
            "line 1: layer 0: relu takes one input: give `inputs` as",
        ),
        (
            r#"[{"layer": "relu"}, {"layer": "tanh", "name": "lost"}, {"layer": "flatten", "inputs": ["0"]}]"#,
            "line 1: layer 1: no layer takes the output of `lost`",
        ),
    ] {
        let error = OwnNetwork::read(text).unwrap_err();
        let place = if error.starts_with("line") { without_column(&error) } else { error.clone() };
        assert!(place.starts_with(expected), "{text}: {error}");
        assert!(!error.contains('\n') && !error.contains(" at line "), "{text}: {error}");
    }
    let many = format!("[{}]", vec![r#"{"layer": "relu"}"#; 4097].join(","));
    let error = OwnNetwork::read(&many).unwrap_err();
    assert_eq!(without_column(&error), "line 1: more than 4096 layers");
    for (text, expected) in [
        ("[{\"layer\": \"relu\"},\n {\"layer\" 5}]", "line 2, column 11: not valid JSON: expected `:`"),
        ("[\n  {\"layer\": \"conv3d\"}\n]", "line 2, column 3: layer 0: `conv3d` is not a layer: "),
    ] {
        let error = OwnNetwork::read(text).unwrap_err();
        assert!(error.starts_with(expected), "{text}: {error}");
    }
    let empty = OwnNetwork::read("[]").unwrap();
    let error = network_of(empty.model(), Some(&empty), CIFAR).unwrap_err();
    assert_eq!(error.to_string(), "a network needs at least one layer");
}

/// A message about a place in a text, with its line alone.
fn without_column(error: &str) -> String {
    let (line, rest) = error.split_once(", column ").unwrap_or_else(|| panic!("{error}"));
    let (column, what) = rest.split_once(": ").unwrap();
    assert!(column.parse::<usize>().is_ok(), "{error}");
    format!("{line}: {what}")
}
