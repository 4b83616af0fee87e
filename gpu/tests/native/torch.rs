//! Files that PyTorch wrote (tests/peers/torch_checkpoints.py), and what PyTorch asks of ours.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use adadagrad_core::backend::FastBackend;
use adadagrad_core::dataset::SampleShape;
use adadagrad_core::images::Picture;
use adadagrad_core::model::Model;
use adadagrad_core::owned::checkpoint::{self, Checkpoint};
use adadagrad_core::owned::{OwnedNetwork, Prediction, Predictor};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/torch").join(name)
}

fn load(name: &str) -> Checkpoint {
    checkpoint::load(&file(&format!("{name}.safetensors"))).unwrap()
}

/// What each file holds: value k of all parameters is ((37 k) mod 31 − 15)/64.
fn filled(model: Model) -> Vec<f32> {
    let network = OwnedNetwork::of_model(model, SampleShape::MNIST).unwrap();
    // Small whole numbers.
    #[allow(clippy::cast_precision_loss)]
    (0..network.view().parameters()).map(|k| ((37 * k % 31) as f32 - 15.0) / 64.0).collect()
}

#[test]
fn files_of_torch_are_read_whatever_their_names_and_float_types() {
    for (name, model) in [
        ("cnn", Model::Cnn),
        ("far-apart-f16", Model::Cnn),
        ("named-bf16", Model::Cnn),
        ("without-flatten-bf16", Model::MLP),
        ("linear-f64", Model::Logistic),
        ("data-parallel-bf16", Model::Logistic),
    ] {
        let checkpoint = load(name);
        let network = OwnedNetwork::of_model(model, SampleShape::MNIST).unwrap();
        assert!(checkpoint.parameters(network.view()).unwrap() == filled(model), "{name}");
        assert_eq!(checkpoint.model(SampleShape::MNIST), Some(model), "{name}");
        assert!(checkpoint.state.is_none(), "{name}");
    }
    let mut others = load("named-bf16").others;
    others.sort();
    assert_eq!(others, ["mean", "steps"]);
}

#[test]
fn a_batch_normalization_is_refused_by_name() {
    let checkpoint = load("batch-norm-bf16");
    let network = OwnedNetwork::of_model(Model::Logistic, SampleShape::MNIST).unwrap();
    let error = checkpoint.parameters(network.view()).unwrap_err().to_string();
    assert!(error.starts_with("the tensor 2.running_") && error.contains("batch normalization"), "{error}");
}

#[test]
fn the_same_parameters_answer_as_in_torch() {
    let text = std::fs::read_to_string(file("probabilities.json")).unwrap();
    let expected: serde_json::Value = serde_json::from_str(&text).unwrap();
    let image: Vec<u8> = (0..784_u32).map(|k| (7 * k % 256) as u8).collect();
    for model in Model::MNIST {
        let mut predictor =
            Predictor::<f32, _>::new(OwnedNetwork::of_model(model, SampleShape::MNIST).unwrap(), FastBackend)
                .unwrap();
        let expected = expected[&model.to_string()].as_array().unwrap();
        let parameters = predictor.in_own_order(&filled(model)).unwrap();
        let compare = |_, prediction: Prediction<'_, f32>| {
            for (found, expected) in prediction.probabilities.iter().zip(expected) {
                let expected = expected.as_f64().unwrap();
                assert!((f64::from(*found) - expected).abs() <= 1e-5, "{model:?}: {found} for {expected}");
            }
        };
        predictor
            .predict(&parameters, &Picture { bytes: &image, shape: SampleShape::MNIST }, 0..1, compare)
            .unwrap();
    }
}

/// The keys of `state_dict()` of the `Sequential`s in gpu/README.md: with `strict=True` nothing may be left over or missing.
#[test]
fn the_names_of_parameters_are_those_of_sequential() {
    let expected = [
        (Model::Logistic, vec!["1.bias", "1.weight"]),
        (Model::MLP, vec!["1.bias", "1.weight", "3.bias", "3.weight"]),
        (Model::Cnn, vec!["0.bias", "0.weight", "3.bias", "3.weight", "7.bias", "7.weight"]),
    ];
    for (model, expected) in expected {
        let network = OwnedNetwork::of_model(model, SampleShape::MNIST).unwrap();
        let names: BTreeSet<_> = checkpoint::pieces(network.view()).map(|piece| piece.name).collect();
        assert_eq!(names.into_iter().collect::<Vec<_>>(), expected);
    }
    let torch: BTreeSet<_> = load("cnn").tensors.into_keys().collect();
    let network = OwnedNetwork::of_model(Model::Cnn, SampleShape::MNIST).unwrap();
    assert_eq!(torch, checkpoint::pieces(network.view()).map(|piece| piece.name).collect());
}
