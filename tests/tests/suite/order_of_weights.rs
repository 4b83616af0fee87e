//! Weights that lie by inputs: there and back, and nobody outside the engines sees it.

use adadagrad_core::backend::PlainBackend;
use adadagrad_core::config::RunConfig;
use adadagrad_core::dataset::SampleShape;
use adadagrad_core::layer::{Dense, Flatten, Operation};
use adadagrad_core::model::Model;
use adadagrad_core::network::{Node, Shape, initialise};
use adadagrad_core::owned::{LocalRun, OwnedNetwork};

/// Two dense layers, of which the first reads the input.
fn network() -> OwnedNetwork {
    let nodes = Node::chain([
        Operation::Flatten(Flatten),
        Operation::Dense(Dense { outputs: 2 }),
        Operation::Dense(Dense { outputs: 2 }),
    ]);
    OwnedNetwork::new(Shape::image(1, 1, 3), &nodes).unwrap()
}

#[test]
fn the_first_layers_weights_lie_by_inputs_and_nothing_else_moves() {
    let network = network().by_inputs();
    // W₁ [2, 3], b₁, W₂ [2, 2], b₂; and the same again, negative.
    let vectors: Vec<i32> = (1..=14).chain((1..=14).map(|value| -value)).collect();
    let mut own = vec![0; 28];
    network.view().to_own_order(&vectors, &mut own).unwrap();
    assert_eq!(own[..14], [1, 4, 2, 5, 3, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
    assert_eq!(own[14..20], [-1, -4, -2, -5, -3, -6]);
    assert_eq!(network.as_files_hold(&own), vectors);
}

#[test]
fn a_network_as_files_hold_it_moves_nothing() {
    let vectors: Vec<i32> = (0..14).collect();
    assert_eq!(network().as_files_hold(&vectors), vectors);
}

#[test]
fn vectors_of_another_length_are_refused() {
    let network = network().by_inputs();
    let mut own = [0; 14];
    let error = network.view().to_own_order(&[1; 13], &mut own).unwrap_err();
    assert_eq!(error.to_string(), "a vector over the parameters: expected 14 values, found 13");
    let error = network.view().from_own_order(&[1; 28], &mut own).unwrap_err();
    assert_eq!((error.expected, error.found, own), (28, 14, [0; 14]));
}

#[test]
fn a_run_begins_with_the_parameters_of_its_seed_and_shows_them_as_files_hold_them() {
    for model in Model::MNIST {
        let network = OwnedNetwork::of_model(model, SampleShape::MNIST).unwrap();
        let mut parameters = vec![0.0_f32; network.view().parameters()];
        initialise(network.view(), 5, &mut parameters).unwrap();
        let config = RunConfig { model, seed: 5, ..RunConfig::default() };
        let run = LocalRun::<f32, _>::new(config, network.clone(), 60_000, PlainBackend).unwrap();
        assert_eq!(run.parameters(), parameters, "{model:?}");
        let taken =
            LocalRun::resume(*run.trainer(), network.clone(), PlainBackend, &parameters, &run.memory(), [])
                .unwrap();
        assert_eq!(taken.parameters(), parameters, "{model:?}");
    }
}
