//! Samples of integers with a scale.

use adadagrad_core::backend::PlainBackend;
use adadagrad_core::config::{DatasetName, RunConfig};
use adadagrad_core::dataset::{Dataset, Targets};
use adadagrad_core::integers::{IntegerTargets, Integers, Quantisation};
use adadagrad_core::model::Model;
use adadagrad_core::network::Shape;
use adadagrad_core::owned::{Advance, LocalRun, OwnedNetwork};
use adadagrad_core::random::Key;
use adadagrad_core::real::{Real, Single};

fn are_scaled<F: Real, T: Copy + Into<f32>>(integers: &[T], scale: f32, zero: i16) {
    let count = integers.len();
    let numbers: Vec<f32> = (0..count).map(|k| k as f32 / 7.0).collect();
    let targets = IntegerTargets::Numbers { numbers: &numbers, per_sample: 1 };
    let data = Integers::new(integers, Shape::vector(1), Quantisation { scale, zero }, targets).unwrap();
    for (sample, &q) in (0_u32..).zip(integers) {
        let (mut x, mut target) = ([F::nan()], [F::nan()]);
        let mut targets = Targets { labels: &mut [], values: &mut target };
        data.read(sample.into(), &mut x, &mut targets).unwrap();
        let expected = f64::from(scale) * f64::from(q.into() - f32::from(zero));
        assert_eq!(x, [F::of(expected)], "rounded once");
        assert_eq!(target, [F::of(numbers[sample as usize].into())]);
    }
}

#[test]
fn values_are_scale_times_integer_less_zero() {
    let (bytes, words): (Vec<i8>, Vec<i16>) =
        ((i8::MIN..=i8::MAX).collect(), (i16::MIN..=i16::MAX).collect());
    are_scaled::<f32, i8>(&bytes, 1.0 / 128.0, 0);
    are_scaled::<f32, i8>(&bytes, 0.037, -128);
    are_scaled::<f64, i8>(&bytes, 0.037, 5);
    are_scaled::<f32, i16>(&words, 1.0 / 32_768.0, 0);
    are_scaled::<Single, i16>(&words, 0.0123, i16::MIN);
    are_scaled::<f32, u16>(&[0, 1, u16::MAX], 0.5, i16::MAX);
}

#[test]
fn what_does_not_fit_is_refused() {
    let shape = Shape::vector(2);
    let quantisation = Quantisation { scale: 1.0, zero: 0 };
    let labelled = |values: &[i8], labels: &[u8], classes| {
        Integers::new(values, shape, quantisation, IntegerTargets::Labels { labels, classes }).is_some()
    };
    assert!(labelled(&[1, 2, 3, 4], &[0, 1], 2));
    assert!(!labelled(&[1, 2, 3], &[0, 1], 2));
    assert!(!labelled(&[1, 2, 3, 4], &[0, 2], 2));
    assert!(!labelled(&[], &[], 2));
    let numbered = |values: &[i8], numbers: &[f32], per_sample| {
        Integers::new(values, shape, quantisation, IntegerTargets::Numbers { numbers, per_sample }).is_some()
    };
    assert!(numbered(&[1, 2, 3, 4], &[0.0; 6], 3));
    assert!(!numbered(&[1, 2, 3, 4], &[0.0; 5], 3));
    assert!(!numbered(&[1, 2, 3, 4], &[0.0; 6], 0));
    let labels = IntegerTargets::Labels { labels: &[1], classes: 2 };
    let data = Integers::new(&[3_i8, 4], shape, quantisation, labels).unwrap();
    let refused = data.read(1.into(), &mut [0.0_f32; 2], &mut Targets::labels(&mut [0])).unwrap_err();
    assert_eq!(refused.to_string(), "there is no such sample");
}

/// A sensor's words, from which the difference of two of them is learned.
#[test]
fn a_regression_is_learned_from_integers() {
    let key = Key::new(3, 0);
    let values: Vec<i16> = (0..600).map(|k| (key.bits(k) >> 16) as u16 as i16).collect();
    let scale = 1.0 / 32_768.0;
    let numbers: Vec<f32> =
        values.chunks_exact(3).map(|q| (f32::from(q[0]) - f32::from(q[2])) * scale).collect();
    let targets = IntegerTargets::Numbers { numbers: &numbers, per_sample: 1 };
    let quantisation = Quantisation { scale, zero: 0 };
    let data = Integers::new(&values, Shape::vector(3), quantisation, targets).unwrap();
    let network = OwnedNetwork::of_model(Model::Logistic, Dataset::<f32>::shape(&data)).unwrap();
    let config = RunConfig {
        dataset: DatasetName::Own,
        model: Model::Logistic,
        initial_batch: 8,
        max_batch: 200,
        sample_budget: 20_000,
        learning_rate: 0.1,
        ..RunConfig::default()
    };
    let mut run = LocalRun::<f32, _>::new(config, network, 200, PlainBackend).unwrap();
    while run.advance(&data).unwrap() != Advance::Finished {}
    let parameters = run.parameters();
    for (found, expected) in parameters.iter().zip([1.0, 0.0, -1.0, 0.0]) {
        assert!((found - expected).abs() < 0.02, "{parameters:?}");
    }
}
