//! Sums in pairs of `f32`: how exact they are, and that training with them is training.

use adadagrad_core::backend::PlainBackend;
use adadagrad_core::batch_test::{AnyTest, NormTest};
use adadagrad_core::config::{DatasetName, RunConfig};
use adadagrad_core::dataset::SampleShape;
use adadagrad_core::model::Model;
use adadagrad_core::network::Shape;
use adadagrad_core::owned::{Advance, LocalRun, OwnedNetwork};
use adadagrad_core::random::Key;
use adadagrad_core::real::{Pair, Real, Single, dot, power_of_two, square_norm};
use adadagrad_core::training::Telemetry;
use adadagrad_tests::table::{Table, uniform};

/// Numbers of every size that squares leave room for, as pairs with both halves in use, and as `f64`.
fn pairs(seed: u64) -> impl Iterator<Item = (Pair, f64)> {
    let numbers = uniform(Key::new(seed, 0), 4000, 1.0);
    (0_i32..).zip(numbers).map(|(k, number)| {
        // More digits than one `f32` has.
        let pair = Pair::of(number * 0.7 * 2.0_f64.powi(k % 61 - 30));
        (pair, pair.as_f64())
    })
}

/// What every float of the core can do.
fn is_infinite<F: Real>(x: F) -> bool {
    x.is_infinite()
}

fn is_nan<F: Real>(x: F) -> bool {
    x.is_nan()
}

fn larger<F: Real>(x: F, y: F) -> F {
    x.max(y)
}

/// ε, the largest number, infinity and NaN.
fn constants<F: Real>() -> [F; 4] {
    [F::epsilon(), F::max_value(), F::infinity(), F::nan()]
}

fn apart(found: Pair, expected: f64, of: f64) -> f64 {
    (found.as_f64() - expected).abs() / of
}

#[test]
fn arithmetic_is_almost_that_of_f64() {
    let bound = 4.0 * constants::<Pair>()[0].as_f64();
    let (mut worst_sum, mut worst_product, mut worst_quotient, mut worst_root) = (0.0_f64, 0.0, 0.0, 0.0);
    for ((x, wide_x), (y, wide_y)) in pairs(1).zip(pairs(2)) {
        let of_sum = wide_x.abs().max(wide_y.abs());
        worst_sum = apart(x + y, wide_x + wide_y, of_sum).max(worst_sum);
        worst_sum = apart(x - y, wide_x - wide_y, of_sum).max(worst_sum);
        worst_product = apart(x * y, wide_x * wide_y, (wide_x * wide_y).abs()).max(worst_product);
        worst_quotient = apart(x / y, wide_x / wide_y, (wide_x / wide_y).abs()).max(worst_quotient);
        let root = wide_x.abs().sqrt();
        worst_root = apart(larger(x, -x).root(), root, root).max(worst_root);
        assert_eq!(x.partial_cmp(&y), wide_x.partial_cmp(&wide_y));
        assert_eq!(larger(x, y).as_f64(), wide_x.max(wide_y));
    }
    for worst in [worst_sum, worst_product, worst_quotient, worst_root] {
        assert!(worst < bound, "{worst_sum:e} {worst_product:e} {worst_quotient:e} {worst_root:e}");
    }
    // The lower halves do matter: without them the errors would be those of `f32`.
    let far = pairs(1).filter(|(x, wide)| f64::from(x.high()) != *wide).count();
    assert!(far > 3000, "{far}");
}

#[test]
fn what_leaves_the_range_is_infinite_and_not_a_number_stays_one() {
    let [_, most, infinity, nan] = constants::<Pair>();
    let [zero, one] = [0.0, 1.0].map(Pair::new);
    for infinite in [most + most, most * most, one / zero, infinity + one, infinity * one] {
        assert!(is_infinite(infinite) && infinite.as_f64() > 0.0, "{infinite:?}");
    }
    for none in [zero / zero, infinity - infinity, nan + one, nan * zero] {
        assert!(is_nan(none), "{none:?}");
    }
    assert_eq!(one / infinity, zero);
    assert_eq!((most * Pair::new(0.5)).as_f64(), f64::from(f32::MAX) / 2.0);
    for k in [-120, -40, 0, 1, 90, 127] {
        assert_eq!(power_of_two::<Pair>(k).as_f64(), 2.0_f64.powi(k));
    }
}

/// Σ xⱼ² and Σ xⱼ yⱼ in pairs against `f64`: the error of rounding each product and hardly more, however many there are.
/// Sums in plain `f32` are off by far more.
#[test]
fn sums_of_products_have_the_error_that_the_documentation_states() {
    for len in [1, 15, 16, 17, 2410, 100_000] {
        let [x, y] = [3, 4].map(|seed| {
            let values = uniform(Key::new(seed, 0), len, 1.0);
            values.into_iter().map(|value| value as f32).collect::<Vec<f32>>()
        });
        let [singles, others] = [&x, &y].map(|values| values.iter().copied().map(Single).collect::<Vec<_>>());
        let products = || x.iter().zip(&y).map(|(&x, &y)| f64::from(x) * f64::from(y));
        let bound = 2.0_f64.powi(-24) + (len as f64 / 16.0).powi(2) * 2.0_f64.powi(-47);
        let expected = square_norm(&x);
        let error = (square_norm(&singles).as_f64() - expected).abs() / expected;
        assert!(error <= bound, "{len}: {error:e}");
        let found = dot(&singles, &others).unwrap().as_f64();
        let of_sizes: f64 = products().map(f64::abs).sum();
        let error = (found - products().sum::<f64>()).abs() / of_sizes;
        assert!(error <= bound, "{len}: {error:e}");
    }
    // A million equal squares, whose errors all have one sign: pairs lose less than a ten-millionth, a plain sum a thousandth.
    let values = vec![Single(0.1); 1 << 20];
    let square = f64::from(0.1_f32 * 0.1_f32);
    let expected = square * f64::from(1 << 20);
    let found = square_norm(&values).as_f64();
    assert!((found / expected - 1.0).abs() < 1e-7, "{found} {expected}");
    let plain: f32 = values.iter().fold(0.0, |sum, value| sum + value.0 * value.0);
    assert!((f64::from(plain) / expected - 1.0).abs() > 1e-3, "{plain} {expected}");
}

fn run<F: Real>() -> (Vec<Telemetry>, Vec<f64>) {
    let table = Table::random(7, 300, 12, 4);
    let network =
        OwnedNetwork::of_model(Model::Mlp { hidden: 9 }, SampleShape::floats(Shape::vector(12), 4)).unwrap();
    let config = RunConfig {
        dataset: DatasetName::Own,
        model: Model::Mlp { hidden: 9 },
        test: Some(AnyTest::Norm(NormTest { eta: 0.8, debiased: false })),
        learning_rate: 0.05,
        initial_batch: 8,
        max_batch: 300,
        sample_budget: 5000,
        ..RunConfig::default()
    };
    let mut run = LocalRun::<F, _>::new(config, network, 300, PlainBackend).unwrap();
    let mut steps = Vec::new();
    loop {
        match run.advance(&table).unwrap() {
            Advance::Step(telemetry) => steps.push(telemetry),
            Advance::Working => {}
            Advance::Finished => return (steps, run.parameters().iter().map(|p| p.as_f64()).collect()),
        }
    }
}

/// Batches are the same size, and what the test sees differs by less than a millionth.
#[test]
fn a_run_with_pairs_makes_the_steps_of_a_run_with_f64() {
    let (wide, parameters) = run::<f32>();
    let (pairs, of_pairs) = run::<Single>();
    assert_eq!(pairs.len(), wide.len());
    assert!(wide.iter().any(|step| step.samples > 30), "batches grow");
    for (pairs, wide) in pairs.iter().zip(&wide) {
        assert_eq!((pairs.samples, pairs.next_batch), (wide.samples, wide.next_batch));
        for (found, expected) in [
            (pairs.loss, wide.loss),
            (pairs.mean_norm_sq, wide.mean_norm_sq),
            (pairs.variance.unwrap(), wide.variance.unwrap()),
        ] {
            assert!((found / expected - 1.0).abs() < 1e-6, "step {}: {found} {expected}", wide.step);
        }
    }
    let largest = parameters.iter().fold(0.0_f64, |largest, p| largest.max(p.abs()));
    for (found, expected) in of_pairs.iter().zip(&parameters) {
        assert!((found - expected).abs() < 1e-6 * largest, "{found} {expected}");
    }
}
