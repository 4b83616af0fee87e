//! A second sweep over what the first left in memory gives the bits of one that computes everything again.

use adadagrad_core::backend::{Backend, FastBackend, PlainBackend};
use adadagrad_core::real::Real;
use adadagrad_core::statistics::{Inner, Statistics};
use adadagrad_tests::compare::{Check, equal, narrowed};
use adadagrad_tests::engine::{all_needs, with_sweep};

use crate::layers::{Case, cases};

fn projected<F: Real<Sum = f64>>(
    case: &Case,
    product: impl Backend<F> + Copy,
    samples: u32,
    kept: bool,
) -> Inner<f64> {
    let network = case.network.view();
    let parameters = narrowed::<F>(&case.parameters);
    let mean = narrowed::<F>(&case.mean_gradient());
    let mut inner = Inner::default();
    with_sweep(network, product, samples as usize + 1, |sweep| {
        let (mut sums, mut moments) = (vec![F::zero(); parameters.len()], vec![F::zero(); parameters.len()]);
        let mut statistics = Statistics::new(&mut sums, &mut moments).unwrap();
        sweep.accumulate(&parameters, &case.table, 0..samples, &all_needs(), &mut statistics).unwrap();
        if kept {
            sweep.project_from_cache(&parameters, &mean, samples as usize, &mut inner).unwrap();
        } else {
            sweep.project(&parameters, &mean, &case.table, 0..samples, &mut inner).unwrap();
        }
    });
    inner
}

fn check_all<F: Real<Sum = f64>>(product: impl Backend<F> + Copy) -> Check {
    for case in cases() {
        for samples in [1, 5] {
            let expected = projected(case, product, samples, false);
            assert!(expected.sum_squared_inner_products > 0.0, "{}: nothing to compare", case.name);
            equal(&case.name, &projected(case, product, samples, true), &expected)?;
        }
    }
    Ok(())
}

#[test]
fn kept_in_f32_by_the_fast_product() -> Check {
    check_all::<f32>(FastBackend)
}

#[test]
fn kept_in_f64_by_plain_loops() -> Check {
    check_all::<f64>(PlainBackend)
}

#[test]
fn more_samples_than_were_swept_are_refused() {
    let case = &cases()[0];
    let parameters = narrowed::<f64>(&case.parameters);
    let refused = with_sweep(case.network.view(), PlainBackend, 2, |sweep| {
        sweep.project_from_cache(&parameters, &parameters, 3, &mut Inner::default())
    });
    assert!(refused.is_err());
}
