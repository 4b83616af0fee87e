//! A network that is sure of every sample has gradients whose squares leave `f32`. Its evidence is that of `f64`.

use adadagrad_core::backend::{FastBackend, PlainBackend};
use adadagrad_core::layer::{Dense, Operation};
use adadagrad_core::local::OwnedNetwork;
use adadagrad_core::network::{Node, Shape};
use adadagrad_tests::compare::narrowed;
use adadagrad_tests::engine::measure;
use adadagrad_tests::table::Table;

/// Logits of about `gap` for the right class, and noise for the others.
fn evidence(gap: f64) -> [[f64; 4]; 3] {
    let network =
        OwnedNetwork::new(Shape::vector(4), &Node::chain([Operation::Dense(Dense { outputs: 4 })])).unwrap();
    let weights = (0..16).map(|k| if k % 5 == 0 { gap } else { 0.0 });
    let parameters: Vec<f64> = weights.chain([0.0; 4]).collect();
    let inputs = |label: usize| -> Vec<f64> {
        (0..4).map(|k| if k == label { 1.0 } else { 0.01 * (k as f64 - label as f64) }).collect()
    };
    let table = Table { inputs: (0..4).map(inputs).collect(), labels: (0..4).collect() };
    let samples = [0, 1, 2, 3, 1];
    let numbers = |evidence: adadagrad_core::statistics::Evidence<f64>| {
        [
            evidence.sum_squared_norms.unwrap(),
            evidence.mean_norm_sq,
            evidence.variance().unwrap(),
            evidence.coordinate_ratio.unwrap(),
        ]
    };
    let narrow = narrowed::<f32>(&parameters);
    [
        numbers(measure::<f64>(&network, PlainBackend, &parameters, &table, &samples, 2).unwrap().evidence),
        numbers(measure::<f32>(&network, PlainBackend, &narrow, &table, &samples, 2).unwrap().evidence),
        numbers(measure::<f32>(&network, FastBackend, &narrow, &table, &samples, 2).unwrap().evidence),
    ]
}

#[test]
fn the_tests_survive_tiny_gradients() {
    for gap in [10.0, 50.0, 65.0, 80.0] {
        let [expected, plain, fast] = evidence(gap);
        for found in [plain, fast] {
            for (found, expected) in found.iter().zip(expected) {
                assert!(
                    (found / expected - 1.0).abs() < 1e-2,
                    "gap {gap}: {found:e} in place of {expected:e}"
                );
            }
        }
    }
}
