//! `networks.json`: loss, gradient and per-sample statistics of small networks.

use adadagrad_core::backend::{Backend, FastBackend, PlainBackend};
use adadagrad_core::local::OwnedNetwork;
use adadagrad_core::network::Shape;
use adadagrad_core::real::Real;
use adadagrad_core::statistics::Reason;
use adadagrad_tests::compare::{Check, all_close_to_largest, close, equal, narrowed};
use adadagrad_tests::engine::{Batch, measure, measure_by_inputs};
use adadagrad_tests::golden::{self, NetworkCase, NetworkExpected, NetworksFile};
use adadagrad_tests::table::Table;

/// The network of a case.
pub(crate) fn network(case: &NetworkCase) -> OwnedNetwork {
    let input = match *case.input_shape.as_slice() {
        [width] => Shape::vector(width),
        [channels, height, width] => Shape::image(channels, height, width),
        _ => panic!("{}: an input of shape {:?}", case.name, case.input_shape),
    };
    let network = OwnedNetwork::new(input, &case.nodes()).unwrap();
    for (placed, layer) in network.view().nodes().iter().zip(&case.layers) {
        if let Some(width) = layer.layer.input() {
            assert_eq!(placed.input.channels, width, "{}", case.name);
        }
    }
    assert_eq!(network.view().parameters(), case.parameter_count, "{}", case.name);
    assert_eq!(network.view().classes(), case.classes, "{}", case.name);
    network
}

pub(crate) fn table(case: &NetworkCase) -> Table {
    Table { inputs: case.inputs.clone(), labels: case.labels.clone() }
}

/// Everything that a batch says, against the file.
pub(crate) fn check_batch<F: Real>(batch: &Batch<F>, expected: &NetworkExpected, unit: f64) -> Check {
    let evidence = &batch.evidence;
    let count = expected.losses.len();
    let b = count as f64;
    equal("B", &(evidence.samples as usize), &count)?;
    all_close_to_largest("logits", &batch.outputs, &expected.logits.concat(), unit)?;
    all_close_to_largest("losses", &batch.losses, &expected.losses, unit)?;
    close("mean_loss", evidence.loss, expected.mean_loss, unit * expected.mean_loss)?;
    close("accuracy", f64::from(evidence.correct) / b, expected.accuracy, 1e-15)?;
    all_close_to_largest("mean_gradient", &batch.mean_gradient, &expected.mean_gradient, unit)?;
    let norms = &expected.per_sample_squared_norms;
    all_close_to_largest("per_sample_squared_norms", &batch.square_norms, norms, unit)?;
    let products = &expected.per_sample_inner_products;
    all_close_to_largest("per_sample_inner_products", &batch.inner_products, products, unit)?;
    let moments = &expected.sum_squared_gradients;
    all_close_to_largest("sum_squared_gradients", &batch.second_moment, moments, unit)?;
    let defined = |value: Result<f64, Reason>| value.map_err(|reason| reason.to_string());
    let NetworkExpected { n, S: s, P2: p2, .. } = *expected;
    let inner = evidence.inner.unwrap();
    close("n", evidence.mean_norm_sq, n, unit * s / b)?;
    close("S", evidence.sum_squared_norms.unwrap(), s, unit * s)?;
    close("P2", inner.sum_squared_inner_products, p2, unit * s * s / b)?;
    close("v1", defined(evidence.variance())?, expected.v1, unit * s / (b - 1.0))?;
    close("v_ip", defined(evidence.variance_along())?, expected.v_ip, unit * s * s / (b * (b - 1.0)))?;
    close("v_orth", defined(evidence.variance_orthogonal())?, expected.v_orth, unit * s / (b - 1.0))?;
    close("n_unb", defined(evidence.debiased_norm_sq())?, expected.n_unb, unit * s / b)
}

pub(crate) fn check_case<F: Real<Sum = f64>>(
    case: &NetworkCase,
    product: impl Backend<F> + Copy,
    unit: f64,
) -> Check {
    let network = network(case);
    let parameters = narrowed::<F>(&case.parameters);
    let samples: Vec<u32> = (0..).take(case.labels.len()).collect();
    for micro_batch in [1, 2, samples.len(), samples.len() + 3] {
        let as_files_hold = measure(&network, product, &parameters, &table(case), &samples, micro_batch)?;
        let by_inputs =
            measure_by_inputs(&network, product, &parameters, &table(case), &samples, micro_batch)?;
        for batch in [as_files_hold, by_inputs] {
            check_batch(&batch, &case.expected, unit)
                .map_err(|error| format!("{}, micro-batch {micro_batch}: {error}", case.name))?;
        }
    }
    Ok(())
}

pub(crate) fn file() -> NetworksFile {
    golden::read("networks.json")
}

fn check_all<F: Real<Sum = f64>>(product: impl Backend<F> + Copy, unit: f64) -> Check {
    let file = file();
    assert!(file.cases.len() >= 4);
    file.cases.iter().try_for_each(|case| check_case(case, product, unit))
}

#[test]
fn every_number_in_f64_by_plain_loops() -> Check {
    check_all::<f64>(PlainBackend, 1e-10)
}

#[test]
fn every_number_in_f64_by_the_fast_product() -> Check {
    check_all::<f64>(FastBackend, 1e-10)
}

#[test]
fn every_number_in_f32_by_plain_loops() -> Check {
    check_all::<f32>(PlainBackend, 1e-5)
}

#[test]
fn every_number_in_f32_by_the_fast_product() -> Check {
    check_all::<f32>(FastBackend, 1e-5)
}
