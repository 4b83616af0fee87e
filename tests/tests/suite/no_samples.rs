//! What is asked of no samples at all: an error value, or a number, but never a NaN.

use adadagrad_core::backend::PlainBackend;
use adadagrad_core::batch_test::Required;
use adadagrad_core::dataset::Dataset;
use adadagrad_core::owned::{BatchSums, LocalRun};
use adadagrad_core::statistics::{Inner, Needs, Reason, Statistics};
use adadagrad_tests::mnist::network;

use crate::batch_tests::rows;
use crate::determinism::{Images, run_configs};

fn everything() -> Needs {
    Needs { norms: true, inner: true, coordinate_quantile: Some(1.0), parts: 1, ..Needs::NONE }
}

#[test]
fn an_empty_batch_has_no_mean_gradient() {
    let (mut sums, mut moments) = ([0.0_f32; 3], [0.0_f32; 3]);
    let statistics = Statistics::<f32>::new(&mut sums, &mut moments).unwrap();
    let mut mean = [7.0_f32; 3];
    let error = statistics.mean_gradient(&mut mean).unwrap_err();
    assert_eq!((error.expected, error.found), (1, 0));
    assert!(error.to_string().contains("the batch"), "{error}");
    assert_eq!(mean, [7.0; 3]);
    let mut batch = BatchSums::<f32>::new(3, &everything()).unwrap();
    assert_eq!(batch.mean_gradient(&mut mean), Err(error));
    assert_eq!(mean, [7.0; 3]);
}

#[test]
fn an_empty_batch_says_nothing() {
    let (mut sums, mut moments) = ([0.0_f64; 3], [0.0_f64; 3]);
    let part = Statistics::<f64>::new(&mut sums, &mut moments).unwrap().into_part();
    let (mut total, mut squares) = ([7.0_f64; 3], [7.0_f64; 3]);
    let mut statistics = Statistics::<f64>::new(&mut total, &mut squares).unwrap();
    statistics.merge(&part).unwrap();
    assert_eq!(statistics.coordinate_variance(0), None);
    assert_eq!(statistics.coordinate_ratio(0.5), None);
    let evidence = statistics.evidence(&everything(), Some(Inner::default()));
    assert_eq!((evidence.samples, evidence.loss, evidence.mean_norm_sq), (0, 0.0, 0.0));
    assert_eq!(evidence.variance(), Err(Reason::SingleSample));
    for row in rows() {
        let required = row.test.as_test::<f64>().required(&evidence);
        assert!(matches!(required, Required::Undefined(_)), "{}: {required:?}", row.name);
        assert_eq!(row.test.as_test::<f64>().threshold(&evidence), None, "{}", row.name);
    }
}

#[test]
fn an_empty_data_set_has_no_accuracy() {
    let none = Images::new(0);
    let mut run =
        LocalRun::<f32, _>::new(run_configs()[0], network(&run_configs()[0]), 90, PlainBackend).unwrap();
    run.begin_evaluation(&none);
    assert!(Dataset::<f32>::is_empty(&none));
    let error = run.advance_evaluation(&none).unwrap_err();
    assert!(error.to_string().contains("the evaluation set"), "{error}");
    assert_eq!(run.advance_evaluation(&none).unwrap(), None);
}
