//! A network that is sure of every sample has gradients whose squares leave `f32`. Its evidence is that of `f64`.

use adadagrad_core::backend::{FastBackend, PlainBackend};
use adadagrad_core::layer::{Conv2d, Dense, Flatten, MaxPool2d, Operation, Relu};
use adadagrad_core::network::{Node, Shape};
use adadagrad_core::owned::OwnedNetwork;
use adadagrad_core::random::Key;
use adadagrad_core::real::Real;
use adadagrad_core::statistics::{Evidence, Needs, Statistics};
use adadagrad_tests::compare::narrowed;
use adadagrad_tests::engine::{measure, with_sweep};
use adadagrad_tests::table::{Table, uniform};

/// A network, its parameters, and samples that it is sure of.
struct Sure {
    network: OwnedNetwork,
    parameters: Vec<f64>,
    table: Table,
}

/// Logits of about `gap` for the right class, and noise for the others.
fn dense(gap: f64) -> Sure {
    let network =
        OwnedNetwork::new(Shape::vector(4), &Node::chain([Operation::Dense(Dense { outputs: 4 })])).unwrap();
    let weights = (0..16).map(|k| if k % 5 == 0 { gap } else { 0.0 });
    let inputs = |label: usize| -> Vec<f64> {
        (0..4).map(|k| if k == label { 1.0 } else { 0.01 * (k as f64 - label as f64) }).collect()
    };
    let table = Table { inputs: (0..4).map(inputs).collect(), labels: (0..4).collect() };
    Sure { network, parameters: weights.chain([0.0; 4]).collect(), table }
}

/// Whatever the image, class 1.
fn convolution(gap: f64) -> Sure {
    let nodes = Node::chain([
        Operation::Conv2d(Conv2d { outputs: 3, kernel: 3, stride: 1, padding: 1, bias: true }),
        Operation::Relu(Relu),
        Operation::MaxPool2d(MaxPool2d { kernel: 2, stride: 2 }),
        Operation::Flatten(Flatten),
        Operation::Dense(Dense { outputs: 4 }),
    ]);
    let network = OwnedNetwork::new(Shape::image(2, 6, 6), &nodes).unwrap();
    let mut parameters = uniform(Key::new(3, 0), network.view().parameters(), 0.3);
    let bias = parameters.len() - 3;
    parameters[bias] += gap;
    Sure { network, parameters, table: Table { labels: vec![1; 4], ..Table::random(5, 4, 72, 4) } }
}

fn numbers(evidence: &Evidence<f64>) -> [f64; 9] {
    let inner = evidence.inner.unwrap();
    [
        evidence.sum_squared_norms.unwrap(),
        evidence.mean_norm_sq,
        evidence.variance().unwrap(),
        evidence.variance_along().unwrap(),
        evidence.variance_orthogonal().unwrap(),
        inner.sum_squared_inner_products,
        inner.sum_norm_inner_products,
        inner.sum_squared_square_norms,
        evidence.coordinate_ratio.unwrap(),
    ]
}

#[test]
fn the_tests_survive_tiny_gradients() {
    let samples = [0, 1, 2, 3, 1];
    // Among many coordinates the largest ratio hangs on the rounding of the one whose mean is nearest to 0.
    for (name, sure, compared) in [("dense", dense as fn(f64) -> Sure, 9), ("convolution", convolution, 8)] {
        for gap in [10.0, 50.0, 65.0, 75.0] {
            let Sure { network, parameters, table } = sure(gap);
            let exact = measure::<f64>(&network, PlainBackend, &parameters, &table, &samples, 2).unwrap();
            let narrow = narrowed::<f32>(&parameters);
            let plain = measure::<f32>(&network, PlainBackend, &narrow, &table, &samples, 2).unwrap();
            let fast = measure::<f32>(&network, FastBackend, &narrow, &table, &samples, 2).unwrap();
            for (engine, found) in [("plain", plain), ("fast", fast)] {
                let pairs = numbers(&found.evidence).into_iter().zip(numbers(&exact.evidence));
                for (number, (found, expected)) in pairs.enumerate().take(compared) {
                    assert!(
                        (found / expected - 1.0).abs() < 1e-2,
                        "{name}, gap {gap}, {engine}, number {number}: {found:e} in place of {expected:e}"
                    );
                }
            }
        }
    }
}

/// Nothing is asked for but the gradient.
#[test]
fn tiny_gradients_are_summed_without_a_test_too() {
    let Sure { network, parameters, table } = convolution(65.0);
    let network = network.view();
    let sum = |needs: &Needs| {
        let parameters = narrowed::<f32>(&parameters);
        let mut gradient_sum = vec![0.0; parameters.len()];
        with_sweep(network, PlainBackend, 4, |sweep| {
            let mut statistics = Statistics::new(&mut gradient_sum, &mut []).unwrap();
            sweep.accumulate(&parameters, &table, 0..4, needs, &mut statistics).unwrap();
        });
        gradient_sum
    };
    let alone = sum(&Needs::NONE);
    assert!(alone.iter().any(|g| *g != 0.0 && g.abs() < 1e-20));
    assert_eq!(alone, sum(&Needs { norms: true, ..Needs::NONE }));
    assert!(alone.iter().all(|g| g.as_f64().is_finite()));
}
