//! `layers.json`: the same numbers for strided convolutions, pooling, residual connections, normalisation and GELU, and
//! for sequences of numbers and of tokens.

use adadagrad_core::backend::{Backend, FastBackend, PlainBackend};
use adadagrad_core::real::{Real, dot};
use adadagrad_core::statistics::{Evidence, Inner};
use adadagrad_tests::compare::Check;
use adadagrad_tests::engine::Batch;
use adadagrad_tests::golden::{self, NetworkCase};
use adadagrad_tests::reference::{Mistake, Reference, Sample};

use crate::golden_networks::check_case;

fn check_all<F: Real<Sum = f64>>(backend: impl Backend<F> + Copy, unit: f64) -> Check {
    let cases = golden::layers();
    assert_eq!(cases.len(), 19);
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

/// What the oracle makes of a case: the whole batch, with a mistake or without one.
fn oracle(case: &NetworkCase, mistake: Option<Mistake>) -> Batch<f64> {
    let (network, table) = (case.network(), case.table());
    let oracle = Reference { mistake, ..Reference::new(network.view().input(), case.nodes()) };
    let samples: Vec<Sample> = (0..table.inputs.len())
        .map(|index| oracle.sample(&case.parameters, &table.inputs[index], table.labels_of(index)))
        .collect();
    let b = samples.len() as f64;
    let sums = |of: fn(&Sample) -> &[f64]| -> Vec<f64> {
        (0..case.parameters.len()).map(|k| samples.iter().map(|sample| of(sample)[k]).sum()).collect()
    };
    let mean_gradient: Vec<f64> = sums(|sample| &sample.gradient).iter().map(|sum| sum / b).collect();
    let losses: Vec<f64> = samples.iter().map(|sample| sample.loss).collect();
    let square_norms: Vec<f64> = samples.iter().map(|sample| sample.squares.iter().sum()).collect();
    let inner_products: Vec<f64> =
        samples.iter().map(|sample| dot(&sample.gradient, &mean_gradient).unwrap()).collect();
    let evidence = Evidence {
        samples: u32::try_from(samples.len()).unwrap(),
        correct: (case.expected.accuracy * table.labels.len() as f64).round() as u32,
        loss: losses.iter().sum::<f64>() / b,
        mean_norm_sq: dot(&mean_gradient, &mean_gradient).unwrap(),
        sum_squared_norms: Some(square_norms.iter().sum()),
        inner: Some(Inner {
            sum_squared_inner_products: inner_products.iter().map(|p| p * p).sum(),
            ..Inner::default()
        }),
        ..Evidence::default()
    };
    Batch {
        evidence,
        outputs: samples.iter().flat_map(|sample| sample.outputs.clone()).collect(),
        second_moment: sums(|sample| &sample.squares),
        mean_gradient,
        losses,
        square_norms,
        inner_products,
    }
}

fn case_of(name: &str) -> NetworkCase {
    golden::layers().into_iter().find(|case| case.name == name).unwrap()
}

/// The cases tell these mistakes apart, and by the first number that they change.
#[test]
fn golden_layers_notice_mistakes_about_sequences() {
    for (mistake, names, word) in [
        (Mistake::MaskTooShort, &["attention_1_head", "attention_2_heads", "transformer"][..], "logits"),
        (Mistake::MaskTooLong, &["attention_1_head", "attention_2_heads", "transformer"], "logits"),
        (Mistake::NoScale, &["attention_1_head", "attention_2_heads", "transformer"], "logits"),
        (Mistake::SquaresOfOccurrences, &["repeated_tokens"], "per_sample_squared_norms"),
    ] {
        for name in names {
            let case = case_of(name);
            // GELU's slope is a difference there.
            assert_eq!(case.check(&oracle(&case, None), 1e-8), Ok(()), "{name}");
            let error = case.check(&oracle(&case, Some(mistake)), 1e-3).expect_err(name);
            assert!(error.contains(word), "{name}, {mistake:?}: {error}");
        }
    }
}
