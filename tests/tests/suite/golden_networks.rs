//! `networks.json`: loss, gradient and per-sample statistics of small networks.

use adadagrad_core::backend::{Backend, FastBackend, PlainBackend};
use adadagrad_core::real::Real;
use adadagrad_tests::compare::{Check, narrowed};
use adadagrad_tests::engine::{measure, measure_by_inputs};
use adadagrad_tests::golden::{self, NetworkCase, NetworksFile};

pub(crate) fn check_case<F: Real<Sum = f64>>(
    case: &NetworkCase,
    product: impl Backend<F> + Copy,
    unit: f64,
) -> Check {
    let (network, table) = (case.network(), case.table());
    let parameters = narrowed::<F>(&case.parameters);
    let samples: Vec<u32> = (0..).take(case.labels.len()).collect();
    for micro_batch in [1, 2, samples.len(), samples.len() + 3] {
        let as_files_hold = measure(&network, product, &parameters, &table, &samples, micro_batch)?;
        let by_inputs = measure_by_inputs(&network, product, &parameters, &table, &samples, micro_batch)?;
        for batch in [as_files_hold, by_inputs] {
            case.check(&batch, unit)
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
