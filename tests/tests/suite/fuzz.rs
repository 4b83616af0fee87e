//! The bodies of the fuzz targets over random bytes, and over sound files with random damage, so that they
//! are exercised where no fuzzer runs.

use adadagrad_core::cifar::{Labels, Records};
use adadagrad_core::config::Preset;
use adadagrad_core::dataset::SampleShape;
use adadagrad_core::model::Model;
use adadagrad_core::optimizer::Shared;
use adadagrad_core::owned::OwnedNetwork;
use adadagrad_core::owned::checkpoint::{self, State};
use adadagrad_core::training::Progress;
use adadagrad_tests::fuzz;
use proptest::prelude::*;

use crate::properties::settings;

/// A sound pair of files, as the target takes it: one byte for the images' values, then both.
fn idx_pair() -> Vec<u8> {
    let mut bytes = vec![12, 0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3];
    bytes.extend(0..12);
    bytes.extend([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]);
    bytes
}

/// A sound batch file of CIFAR with so many labels in each record.
fn batch(labels: u8) -> Vec<u8> {
    let record = |record: u8| {
        let labels = (0..labels).map(move |label| record + label);
        labels.chain((0..3072).map(move |place| (place % 251) as u8 ^ record))
    };
    (3..6).flat_map(record).collect()
}

/// A sound checkpoint of the smallest model.
fn checkpoint_bytes() -> Vec<u8> {
    let network = OwnedNetwork::of_model(Model::Logistic, SampleShape::MNIST).unwrap();
    let parameters = vec![0.25; network.view().parameters()];
    let config = Preset::PaperLogistic.config();
    let progress = Progress {
        steps: 3,
        samples_seen: 6,
        shared: Shared { steps: 3, sum_norm_sq: 0.1, betas: None },
        ..Progress::start(2)
    };
    let state = State {
        version: 2,
        config,
        progress,
        training_samples: 60_000,
        training_data: None,
        sample: None,
        network: None,
        encoding: None,
        vocabulary: None,
    };
    checkpoint::write(network.view(), &parameters, &parameters, &state).unwrap()
}

/// The bytes with some of them changed, cut short or repeated. Most of the damage falls on the first bytes,
/// where the headers are.
fn damaged(bytes: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let len = bytes.len();
    let place = prop_oneof![0..len.min(64), 0..len.min(1500), 0..len];
    let changes = prop::collection::vec((place, any::<u8>()), 0..4);
    (changes, prop::option::weighted(0.3, 0..len), prop::collection::vec(any::<u8>(), 0..3)).prop_map(
        move |(changes, end, more)| {
            let mut bytes = bytes.clone();
            for (place, value) in changes {
                bytes[place] = value;
            }
            bytes.truncate(end.unwrap_or(len));
            bytes.extend(more);
            bytes
        },
    )
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![any::<u8>(), 0..4_u8], 0..80)
}

/// Settings with a field of random text.
fn json() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        any::<f64>().prop_map(|x| format!("{x:e}")),
        any::<i64>().prop_map(|x| x.to_string()),
        any::<u32>().prop_map(|x| x.to_string()),
        Just("null".to_owned()),
        Just(r#"{"name":"norm"}"#.to_owned()),
        Just(r#"{"name":"adagrad_norm","initial_norm":1e-300}"#.to_owned()),
        Just(r#"{"name":"constant"}"#.to_owned()),
        Just(r#"{"padding":4,"flip":true}"#.to_owned()),
        Just(r#""training""#.to_owned()),
        Just(r#"{"decay":{"name":"step","every_samples":1,"factor":0.5}}"#.to_owned()),
        Just(
            r#"{"decay":{"name":"cosine","final_fraction":0},"warm_up_samples":9007199254740991}"#.to_owned()
        ),
        "[a-z{}\\[\\]\",:0-9]{0,12}",
    ];
    let fields = prop::sample::select(vec![
        "version",
        "optimizer",
        "learning_rate",
        "schedule",
        "test",
        "controller",
        "initial_batch",
        "min_batch",
        "max_batch",
        "decay_on",
        "clip_norm",
        "parts",
        "sample_budget",
        "seed",
        "evaluate_every",
        "normalisation",
        "augmentation",
        "text",
    ]);
    prop::collection::vec((fields, value), 0..4).prop_map(|pairs| {
        let pairs: Vec<String> = pairs.iter().map(|(field, value)| format!("\"{field}\":{value}")).collect();
        format!("{{{}}}", pairs.join(","))
    })
}

proptest! {
    #![proptest_config(settings())]

    #[test]
    fn idx(random in bytes(), damaged in damaged(idx_pair())) {
        fuzz::idx(&random);
        fuzz::idx(&damaged);
    }

    #[test]
    fn cifar(random in bytes(), damaged in prop::sample::select(vec![1_u8, 2]).prop_flat_map(|labels| damaged(batch(labels)))) {
        fuzz::cifar(&random);
        fuzz::cifar(&damaged);
    }

    #[test]
    fn safetensors(random in bytes(), damaged in damaged(checkpoint_bytes())) {
        fuzz::safetensors(&random);
        fuzz::safetensors(&damaged);
    }

    #[test]
    fn network(random in bytes(), damaged in damaged(NETWORK.into()), shuffled in shuffled_network()) {
        fuzz::network(&random);
        fuzz::network(&damaged);
        fuzz::network(&shuffled);
    }

    #[test]
    fn batch_size(random in prop::collection::vec(any::<u8>(), 0..400)) {
        fuzz::batch_size(&random);
    }

    #[test]
    fn run_config(
        random in bytes(),
        json in json(),
        damaged in damaged(serde_json::to_vec(&Preset::Quick.config()).unwrap()),
    ) {
        fuzz::run_config(&random);
        fuzz::run_config(json.as_bytes());
        fuzz::run_config(&damaged);
    }
}

/// A network with inputs of every kind.
const NETWORK: &str = r#"[{"layer": "conv2d", "name": "a", "out_channels": 4, "kernel_size": 3, "padding": 1, "bias": false},
    {"layer": "group_norm", "num_groups": 2}, {"layer": "add", "inputs": ["1", "a"]}, {"layer": "max_pool2d",
    "kernel_size": 2}, {"layer": "global_average_pool"}, {"layer": "dense", "out_features": 10}]"#;

/// The network with some of its words in other places.
fn shuffled_network() -> impl Strategy<Value = Vec<u8>> {
    let words = NETWORK.split_inclusive([' ', ',', '}']).map(str::to_owned).collect::<Vec<_>>();
    let len = words.len();
    prop::collection::vec((0..len, 0..len), 0..3).prop_map(move |swaps| {
        let mut words = words.clone();
        swaps.into_iter().for_each(|(a, b)| words.swap(a, b));
        words.concat().into_bytes()
    })
}

/// The undamaged ones are accepted: otherwise the targets would test little.
#[test]
fn sound_input_is_accepted() {
    fuzz::idx(&idx_pair());
    let pair = idx_pair();
    let (images, labels) = pair[1..].split_at(28);
    assert!(adadagrad_core::images::LabelledImages::parse(images, labels, [2, 3], 10).is_ok());
    for (labels, kind) in [(1, Labels::Ten), (2, Labels::Fine), (2, Labels::Coarse)] {
        fuzz::cifar(&batch(labels));
        assert_eq!(Records::parse(&batch(labels), kind).unwrap().len(), 3);
    }
    let bytes = checkpoint_bytes();
    let checkpoint = checkpoint::read(&bytes).unwrap();
    let network = OwnedNetwork::of_model(Model::Logistic, SampleShape::MNIST).unwrap();
    assert_eq!(checkpoint.parameters(network.view()).unwrap().len(), 7850);
    assert_eq!(checkpoint.memory(network.view(), 1).unwrap().len(), 7850);
    assert_eq!(checkpoint.state().unwrap().progress.steps, 3);
    fuzz::safetensors(&bytes);
    assert_eq!(checkpoint::OwnNetwork::read(NETWORK).unwrap().nodes().len(), 6);
    fuzz::network(NETWORK.as_bytes());
    for preset in Preset::ALL {
        let text = serde_json::to_vec(&preset.config()).unwrap();
        assert_eq!(
            serde_json::from_slice::<adadagrad_core::config::RunConfig>(&text).unwrap(),
            preset.config()
        );
        fuzz::run_config(&text);
    }
}
