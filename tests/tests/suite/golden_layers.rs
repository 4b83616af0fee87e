//! `layers.json`: the same numbers for strided convolutions, pooling, residual connections, normalisation and GELU.

use adadagrad_core::backend::{Backend, FastBackend, PlainBackend};
use adadagrad_core::real::Real;
use adadagrad_tests::compare::Check;
use adadagrad_tests::golden;

use crate::golden_networks::check_case;

fn check_all<F: Real<Sum = f64>>(backend: impl Backend<F> + Copy, unit: f64) -> Check {
    let cases = golden::layers();
    assert_eq!(cases.len(), 12);
    cases.iter().try_for_each(|case| check_case(case, backend, unit))
}

#[test]
fn golden_layers_in_f64_by_plain_loops() -> Check {
    check_all::<f64>(PlainBackend, 1e-10)
}

#[test]
fn golden_layers_in_f64_by_the_fast_backend() -> Check {
    check_all::<f64>(FastBackend, 1e-10)
}

#[test]
fn golden_layers_in_f32_by_plain_loops() -> Check {
    check_all::<f32>(PlainBackend, 1e-5)
}

#[test]
fn golden_layers_in_f32_by_the_fast_backend() -> Check {
    check_all::<f32>(FastBackend, 1e-5)
}
