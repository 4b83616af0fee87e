//! What holds for every batch-size test, in the degenerate cases above all. A new test is a row, and so is a
//! new case.

use adadagrad_core::batch_test::{
    AnyTest, AugmentedTest, BatchTest, CoordinateNormTest, InnerProductTest, NormTest, OrthogonalityTest,
    Required, WorkerNormTest,
};
use adadagrad_core::controller::{AdAdaGrad, Limits};
use adadagrad_core::real::{Real, dot, square_norm};
use adadagrad_core::statistics::{Evidence, Inner, Needs, Reason, Statistics};
use adadagrad_tests::rules::next_batch;

/// A test by name, and whether it divides by the debiased norm.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) test: AnyTest,
    pub(crate) debiased: bool,
}

pub(crate) fn rows() -> Vec<Row> {
    let row = |name, test, debiased| Row { name, test, debiased };
    let inner = |leave_one_out| AnyTest::InnerProduct(InnerProductTest { theta: 0.3, leave_one_out });
    let augmented = |leave_one_out| AnyTest::Augmented(AugmentedTest { theta: 0.4, nu: 1.5, leave_one_out });
    let coordinates = |quantile| AnyTest::CoordinateNorm(CoordinateNormTest { eta: 0.6, quantile });
    vec![
        row("norm", AnyTest::Norm(NormTest { eta: 0.5, debiased: false }), false),
        row("norm, debiased", AnyTest::Norm(NormTest { eta: 0.5, debiased: true }), true),
        row("inner product", inner(false), false),
        row("inner product, leave one out", inner(true), true),
        row("orthogonality", AnyTest::Orthogonality(OrthogonalityTest { nu: 2.0 }), false),
        row("augmented", augmented(false), false),
        // Its orthogonality half divides by n itself.
        row("augmented, leave one out", augmented(true), true),
        row("coordinates", coordinates(1.0), false),
        row("coordinates, relaxed", coordinates(0.5), false),
        row("workers", AnyTest::WorkerNorm(WorkerNormTest { eta: 0.5, workers: 2 }), false),
    ]
}

/// The evidence of some gradients, each its own part, in `f64`: what `needs` names.
pub(crate) fn evidence<F: Real<Sum = f64>>(gradients: &[Vec<F>], needs: &Needs) -> Evidence<f64> {
    let width = gradients[0].len();
    let (mut sums, mut moments) = (vec![0.0; width], vec![0.0; width]);
    let mut total = Statistics::<f64>::new(&mut sums, &mut moments).unwrap();
    for gradient in gradients {
        let (mut sums, mut moments) = (vec![F::zero(); width], vec![F::zero(); width]);
        let mut part = Statistics::<F>::new(&mut sums, &mut moments).unwrap();
        part.push(gradient, 1.0).unwrap();
        total.merge(&part.into_part()).unwrap();
    }
    let mut mean = vec![F::zero(); width];
    total.mean_gradient(&mut mean).unwrap();
    let mut inner = Inner::default();
    for gradient in gradients {
        inner.add(square_norm(gradient), dot(gradient, &mean).unwrap());
    }
    total.evidence(needs, needs.inner.then_some(inner))
}

/// What the test itself says it needs.
pub(crate) fn own_evidence<F: Real<Sum = f64>>(test: &AnyTest, gradients: &[Vec<F>]) -> Evidence<f64> {
    evidence(gradients, &BatchTest::<f64>::needs(test.as_test()))
}

/// What a degenerate batch must come to.
#[derive(Clone, Copy, Debug)]
enum Want {
    Undefined(Reason),
    /// Unbounded for the debiased tests, undefined for the others.
    UnboundedIfDebiased(Reason),
    /// Unbounded for the debiased tests, a size for the others.
    UnboundedIfDebiasedElseSize,
    Size(f64),
}

struct Case {
    name: &'static str,
    gradients: Vec<Vec<f64>>,
    want: Want,
}

fn cases() -> Vec<Case> {
    use Reason::{NonFinite, SingleSample, ZeroMeanGradient};
    let case = |name, gradients: &[[f64; 3]], want| Case {
        name,
        gradients: gradients.iter().map(|row| row.to_vec()).collect(),
        want,
    };
    let (nan, infinite) = (f64::NAN, f64::INFINITY);
    vec![
        case("one sample", &[[1.0, 2.0, 3.0]], Want::Undefined(SingleSample)),
        case("one zero sample", &[[0.0; 3]], Want::Undefined(SingleSample)),
        case("a NaN", &[[1.0, 2.0, 3.0], [1.0, nan, 3.0]], Want::Undefined(NonFinite)),
        case("one sample, a NaN", &[[1.0, nan, 3.0]], Want::Undefined(NonFinite)),
        case("an infinity", &[[1.0, 2.0, 3.0], [1.0, infinite, 3.0]], Want::Undefined(NonFinite)),
        case("one sample, infinite", &[[infinite, 2.0, 3.0]], Want::Undefined(NonFinite)),
        case(
            "infinities that cancel",
            &[[infinite, 2.0, 3.0], [-infinite, 2.0, 3.0]],
            Want::Undefined(NonFinite),
        ),
        case("all zero", &[[0.0; 3]; 4], Want::UnboundedIfDebiased(ZeroMeanGradient)),
        case("opposite", &[[1.0, 2.0, 3.0], [-1.0, -2.0, -3.0]], Want::UnboundedIfDebiased(ZeroMeanGradient)),
        case("equal", &[[1.5, -2.0, 0.25]; 4], Want::Size(0.0)),
        case("two equal", &[[1.5, 0.0, 0.25]; 2], Want::Size(0.0)),
        // n = 1/16, v/b = 8: far more noise than gradient.
        case(
            "noise dominates",
            &[[4.25, 4.0, 0.0], [-3.75, 4.0, 0.0], [4.25, -4.0, 0.0], [-3.75, -4.0, 0.0]],
            Want::UnboundedIfDebiasedElseSize,
        ),
    ]
}

#[test]
fn every_test_on_every_degenerate_case() {
    for Row { name, test, debiased } in rows() {
        for Case { name: case, gradients, want } in cases() {
            let evidence = own_evidence(&test, &gradients);
            let (found, threshold) =
                (test.as_test().required(&evidence), test.as_test().threshold(&evidence));
            let expected = match want {
                Want::Undefined(reason) => Required::Undefined(reason),
                Want::Size(size) => Required::Size(size),
                Want::UnboundedIfDebiased(_) | Want::UnboundedIfDebiasedElseSize
                    if debiased && !matches!(test, AnyTest::Augmented(_)) =>
                {
                    Required::Unbounded
                }
                // What is undefined wins over what is unbounded, and the second half is undefined at n = 0.
                Want::UnboundedIfDebiased(reason) => Required::Undefined(reason),
                Want::UnboundedIfDebiasedElseSize if debiased => Required::Unbounded,
                Want::UnboundedIfDebiasedElseSize => {
                    let size = found.size().unwrap_or(f64::NAN);
                    assert!(size.is_finite() && size > 0.0, "{name} on {case}: {found:?}");
                    found
                }
            };
            assert_eq!(found, expected, "{name} on {case}");
            assert_eq!(threshold.is_some(), found.size().is_some(), "{name} on {case}: {threshold:?}");
        }
    }
}

/// The next batch in the degenerate cases: undefined keeps the size, unbounded goes to the maximum.
#[test]
fn the_controller_on_every_degenerate_case() {
    let limits = Limits { min: 2, max: 1000 };
    for Row { name, test, .. } in rows() {
        for Case { name: case, gradients, .. } in cases() {
            let evidence = own_evidence(&test, &gradients);
            let required = test.as_test().required(&evidence);
            let decide = |growth_cap| {
                let rule = AdAdaGrad { growth_cap, ..AdAdaGrad::default() };
                next_batch(&rule, 10, limits, required)
            };
            let (free, capped) = (decide(None), decide(Some(1.5)));
            match required {
                Required::Undefined(_) => assert_eq!((free, capped), (10, 10), "{name} on {case}"),
                Required::Unbounded => assert_eq!((free, capped), (1000, 15), "{name} on {case}"),
                Required::Size(_) => assert!(free >= 10 && (10..=15).contains(&capped), "{name} on {case}"),
            }
        }
    }
}

/// Evidence that was not computed is never mistaken for a value.
#[test]
fn missing_evidence_is_named() {
    let gradients = vec![vec![1.0, 2.0], vec![2.0, 1.0], vec![0.5, 0.5]];
    for Row { name, test, .. } in rows() {
        let nothing = evidence(&gradients, &Needs::NONE);
        let missing = Required::Undefined(Reason::MissingEvidence);
        assert_eq!(test.as_test().required(&nothing), missing, "{name}");
        assert_eq!(test.as_test().threshold(&nothing), None, "{name}");
        // Each single need that is left out must show.
        let needs = BatchTest::<f64>::needs(test.as_test());
        for without in [
            Needs { inner: false, ..needs },
            Needs { coordinate_quantile: None, ..needs },
            Needs { parts: 0, ..needs },
            Needs { norms: false, ..needs },
        ] {
            if without != needs {
                let found = test.as_test().required(&evidence(&gradients, &without));
                assert_eq!(found, missing, "{name} with no more than {without:?}");
            }
        }
    }
}

/// What a test says it needs is all that it looks at.
#[test]
fn needs_are_enough() {
    let gradients =
        vec![vec![1.0, 2.0, 0.5], vec![2.0, 1.0, 0.25], vec![1.5, 0.5, 0.75], vec![1.0, 1.0, 1.0]];
    for Row { name, test, .. } in rows() {
        let needs = BatchTest::<f64>::needs(test.as_test());
        let quantile = needs.coordinate_quantile.or(Some(0.3));
        let all = Needs { norms: true, inner: true, coordinate_quantile: quantile, parts: 4, ..Needs::NONE };
        let own = test.as_test().required(&evidence(&gradients, &needs));
        assert_eq!(own, test.as_test().required(&evidence(&gradients, &all)), "{name}");
        assert!(own.size().is_some_and(|size| size > 0.0), "{name}: {own:?}");
    }
}

/// Scaling the gradients by a power of two is exact, and no required size may change by a bit: the tests
/// have no scale of their own. `f64` leaves its range where n² does.
#[test]
fn required_sizes_have_no_scale() {
    let gradients = [[1.0, 2.0, 0.5], [2.0, 1.0, 0.25], [1.5, 0.5, 0.75], [1.25, 1.0, 1.0]];
    let scaled = |exponent: i32| -> Vec<Vec<f64>> {
        gradients.iter().map(|row| row.iter().map(|g| g * 2_f64.powi(exponent)).collect()).collect()
    };
    for Row { name, test, .. } in rows() {
        let plain = test.as_test().required(&own_evidence(&test, &scaled(0)));
        let threshold = test.as_test().threshold(&own_evidence(&test, &scaled(0)));
        for exponent in [-200, -60, -1, 1, 60, 200] {
            let evidence = own_evidence(&test, &scaled(exponent));
            assert_eq!(test.as_test().required(&evidence), plain, "{name} at 2^{exponent}");
            assert_eq!(test.as_test().threshold(&evidence), threshold, "{name} at 2^{exponent}");
        }
        // In f32, whose sums are f64: down to where single squares leave f32's range.
        for exponent in [-60, 60] {
            let rows: Vec<Vec<f32>> =
                scaled(exponent).iter().map(|row| row.iter().map(|&g| g as f32).collect()).collect();
            let found = test.as_test().required(&own_evidence(&test, &rows));
            assert_eq!(found, plain, "{name} at 2^{exponent} in f32");
        }
    }
}

/// Where gradients leave the range of the type, a test says so and never gives a NaN as a size.
#[test]
fn huge_gradients_never_give_a_nan() {
    for exponent in [260, 300, 500, 600, 1000] {
        let scale = 2_f64.powi(exponent);
        let gradients = vec![vec![scale, 2.0 * scale], vec![2.0 * scale, scale], vec![scale, scale]];
        for Row { name, test, .. } in rows() {
            match test.as_test().required(&own_evidence(&test, &gradients)) {
                Required::Size(size) => assert!(size >= 0.0, "{name} at 2^{exponent}: {size}"),
                Required::Undefined(reason) => {
                    assert_eq!(reason, Reason::NonFinite, "{name} at 2^{exponent}")
                }
                Required::Unbounded => panic!("{name} at 2^{exponent} is unbounded"),
            }
        }
    }
}

/// Thresholds scale sizes: T falls with the square of the threshold, and a threshold so small that T leaves
/// the range still means "as large as can be".
#[test]
fn tiny_thresholds_go_to_the_maximum() {
    let gradients = vec![vec![1.0, 2.0], vec![2.0, 1.0], vec![0.5, 1.0]];
    let tiny = f64::MIN_POSITIVE;
    let tests = [
        AnyTest::Norm(NormTest { eta: tiny, debiased: false }),
        AnyTest::InnerProduct(InnerProductTest { theta: tiny, leave_one_out: false }),
        AnyTest::Orthogonality(OrthogonalityTest { nu: tiny }),
        AnyTest::Augmented(AugmentedTest { theta: tiny, nu: 1.0, leave_one_out: false }),
        AnyTest::CoordinateNorm(CoordinateNormTest { eta: tiny, quantile: 1.0 }),
        AnyTest::WorkerNorm(WorkerNormTest { eta: tiny, workers: 3 }),
    ];
    for test in tests {
        let evidence = own_evidence(&test, &gradients);
        let required = test.as_test().required(&evidence);
        assert_eq!(required, Required::Unbounded, "{test:?}");
        let limits = Limits { min: 2, max: 77 };
        let rule = AdAdaGrad::default();
        assert_eq!(next_batch(&rule, 3, limits, required), 77, "{test:?}");
    }
}

#[test]
fn of_two_requirements_the_larger_counts() {
    use Required::{Size, Unbounded, Undefined};
    let undefined = Undefined(Reason::SingleSample);
    let table: [(Required<f64>, Required<f64>, Required<f64>); 6] = [
        (Size(2.0), Size(3.0), Size(3.0)),
        (Size(3.0), Size(2.0), Size(3.0)),
        (Size(3.0), Unbounded, Unbounded),
        (Unbounded, Unbounded, Unbounded),
        (Size(3.0), undefined, undefined),
        (Unbounded, undefined, undefined),
    ];
    for (a, b, expected) in table {
        assert_eq!(a.max(b), expected);
        assert_eq!(b.max(a), expected);
    }
}

/// A NaN handed to the controller as a size keeps the batch.
#[test]
fn the_controller_takes_any_number() {
    let limits = Limits { min: 2, max: 100 };
    let table = [
        (f64::NAN, 7),
        (f64::NEG_INFINITY, 7),
        (-1.0, 7),
        (-0.0, 7),
        (6.999, 7),
        (7.0, 7),
        (7.000_001, 8),
        (99.5, 100),
        (4_294_967_295.5, 100),
        (f64::MAX, 100),
        (f64::INFINITY, 100),
    ];
    for (size, expected) in table {
        let rule = AdAdaGrad::default();
        assert_eq!(next_batch(&rule, 7, limits, Required::Size(size)), expected, "{size}");
    }
}

/// The coordinate-wise test does not depend on the unit of the loss, though squares of such gradients leave `f32`: not
/// in one part, and not in several of different sizes.
#[test]
fn tiny_and_huge_gradients_keep_the_coordinate_test() {
    let rows = [[1.0_f32, -2.0, 0.5], [1.5, -1.0, 0.25], [0.5, -2.5, 0.75], [1.25, -1.5, 0.0]];
    let ratio = |scale: f32, cut: usize| {
        let (mut sums, mut moments) = ([0.0_f64; 3], [0.0_f64; 3]);
        let mut total = Statistics::<f64>::new(&mut sums, &mut moments).unwrap();
        for rows in [&rows[..cut], &rows[cut..]] {
            let (mut sums, mut moments) = ([0.0_f32; 3], [0.0_f32; 3]);
            let mut part = Statistics::<f32>::new(&mut sums, &mut moments).unwrap();
            for row in rows {
                part.push(&row.map(|g| g * scale), 0.0).unwrap();
            }
            total.merge(&part).unwrap();
        }
        let variances = [0, 1, 2].map(|j| total.coordinate_variance(j).unwrap() / f64::from(scale).powi(2));
        (total.coordinate_ratio(1.0).unwrap(), variances)
    };
    let expected = ratio(1.0, 4);
    assert!(expected.0 > 0.1, "{expected:?}");
    for exponent in [-140, -120, -100, -64, -41, 41, 64, 100, 120] {
        for cut in [0, 1, 2, 4] {
            assert_eq!(ratio(2.0_f64.powi(exponent) as f32, cut), expected, "2^{exponent}, cut at {cut}");
        }
    }
    // A first sample without a gradient, or with a smaller one.
    let (mut sums, mut moments) = ([0.0_f32; 1], [0.0_f32; 1]);
    let mut statistics = Statistics::<f32>::new(&mut sums, &mut moments).unwrap();
    for g in [0.0, 1e-30, 3e-30, 1e25, 3e25] {
        statistics.push(&[g], 0.0).unwrap();
    }
    let mean = 4e25 / 5.0;
    let expected = (1e50 + 9e50 - 5.0 * mean * mean) / 4.0 / mean / mean;
    let found = statistics.coordinate_ratio(1.0).unwrap();
    assert!((found / expected - 1.0).abs() < 1e-5, "{found} in place of {expected}");
}
