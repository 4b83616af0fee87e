//! `statistics.json`: what a batch's gradients say, the sizes required, and the next batch.

use adadagrad_core::batch_test::{AnyTest, NormTest, Required};
use adadagrad_core::controller::{AdAdaGrad, Limits};
use adadagrad_core::real::{Real, dot};
use adadagrad_core::statistics::{Evidence, Inner, Reason, Statistics};
use adadagrad_tests::compare::{Check, close, equal, holds};
use adadagrad_tests::engine::all_needs;
use adadagrad_tests::golden::{
    self, ControllerRow, Expected, Number, RequiredRow, StatisticsCase, StatisticsFile, batch_test,
};
use adadagrad_tests::rules::next_batch;

/// Relative rounding that the file's bounds allow for a sum.
pub(crate) const F64: f64 = 1e-12;
/// The same for `f32`.
pub(crate) const F32: f64 = 1e-5;

/// Everything that streaming the rows of a gradient matrix gives.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) evidence: Evidence<f64>,
    pub(crate) mean_gradient: Vec<f64>,
    pub(crate) square_norms: Vec<f64>,
    pub(crate) inner_products: Vec<f64>,
    pub(crate) coordinate_variances: Vec<Option<f64>>,
}

/// The rows of a gradient matrix; null is NaN.
pub(crate) fn rows<F: Real>(gradients: &[Vec<Number>]) -> Vec<Vec<F>> {
    let value = |&number: &Number| number.map_or_else(F::nan, F::of);
    gradients.iter().map(|row| row.iter().map(value).collect()).collect()
}

/// Streams the rows, then once more for the inner products.
pub(crate) fn measure<F: Real<Sum = f64>>(rows: &[Vec<F>], loss: f64) -> Measured {
    let width = rows[0].len();
    let (mut sums, mut moments) = (vec![F::zero(); width], vec![F::zero(); width]);
    let mut statistics = Statistics::new(&mut sums, &mut moments).unwrap();
    let square_norms = rows.iter().map(|row| statistics.push(row, loss).unwrap()).collect();
    let mut mean = vec![F::zero(); width];
    statistics.mean_gradient(&mut mean).unwrap();
    let mut inner = Inner::default();
    for row in rows {
        statistics.project(row, &mean, &mut inner).unwrap();
    }
    let coordinate_variances = (0..width).map(|d| statistics.coordinate_variance(d)).collect();
    Measured {
        evidence: statistics.evidence(&all_needs(), Some(inner)),
        mean_gradient: mean.iter().map(|x| x.as_f64()).collect(),
        square_norms,
        inner_products: rows.iter().map(|row| dot(row, &mean).unwrap()).collect(),
        coordinate_variances,
    }
}

/// A number against a file's: null must be NaN.
fn number(what: &str, found: f64, expected: Number, bound: f64) -> Check {
    match expected {
        Some(expected) => close(what, found, expected, bound),
        None => holds(found.is_nan(), || format!("{what} is {found}, but should not be a number")),
    }
}

/// A quantity against a file's: null must be undefined, for the file's reason.
pub(crate) fn quantity(
    what: &str,
    found: Result<f64, Reason>,
    expected: Number,
    reason: Option<&String>,
    bound: f64,
) -> Check {
    match (found, expected, reason) {
        (Ok(found), Some(expected), None) => close(what, found, expected, bound),
        (Err(found), None, Some(reason)) => {
            equal(&format!("reason of {what}"), &found, &golden::reason(reason))
        }
        _ => Err(format!("{what} is {found:?}, expected {expected:?} (reason {reason:?})")),
    }
}

/// The errors that sums may have, by the bounds of the files' description.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// Relative rounding.
    unit: f64,
    b: f64,
    /// S, or 0 where it is not a number (then nothing is compared with a bound of it).
    s: f64,
}

impl Bounds {
    fn new(unit: f64, samples: usize, s: Number) -> Self {
        Self { unit, b: samples as f64, s: s.unwrap_or(0.0) }
    }

    fn mean_norm(self) -> f64 {
        self.unit * self.s / self.b
    }

    fn squared_inner_products(self) -> f64 {
        self.unit * self.s.powi(2) / self.b
    }

    fn variance(self) -> f64 {
        self.unit * self.s / (self.b - 1.0)
    }

    fn variance_along(self) -> f64 {
        self.unit * self.s.powi(2) / (self.b * (self.b - 1.0))
    }

    /// The relative error of a division by n to some power. The files allow 1e-9 in f64; in f32 it follows
    /// from the bound of n.
    fn division(self, power: i32, n: f64) -> f64 {
        if self.unit <= F64 { 1e-9 } else { f64::from(power) * self.mean_norm() / n }
    }
}

/// What a required size and its threshold are compared with.
struct RequiredBounds<'a> {
    bounds: Bounds,
    expected: &'a Expected,
    /// Σᵢ gᵢⱼ² of each coordinate.
    coordinate_sums: &'a [f64],
}

impl RequiredBounds<'_> {
    /// The bound of T: its numerator's bound over its denominator, plus the division's.
    fn of(&self, test: &str, row: &RequiredRow, value: f64) -> f64 {
        let n = self.expected.n.unwrap();
        let (b, bounds) = (self.bounds.b, self.bounds);
        let along = |theta: f64| bounds.variance_along() / (theta * n).powi(2);
        let across = |nu: f64| bounds.variance() / (nu * nu * n);
        let (numerator, power) = match test {
            "norm" => (across(row.eta.unwrap()), 1),
            "orthogonality" => (across(row.nu.unwrap()), 1),
            "inner_product" => (along(row.theta.unwrap()), 2),
            "augmented" => (along(row.theta.unwrap()).max(across(row.nu.unwrap())), 2),
            "coordinate_norm" => (self.coordinates(b) / row.eta.unwrap().powi(2), 1),
            other => panic!("unknown test {other}"),
        };
        numerator + bounds.division(power, n) * value
    }

    /// The bound of the largest Varⱼ/ḡⱼ²: each numerator's over its denominator.
    fn coordinates(&self, b: f64) -> f64 {
        let means = self.expected.mean_gradient.iter().map(|mean| mean.unwrap());
        let each = means.zip(self.coordinate_sums).filter(|(mean, _)| *mean != 0.0);
        each.map(|(mean, sum)| {
            // In f32 the mean itself is rounded, by as much as its terms.
            let division = if self.bounds.unit <= F64 {
                0.0
            } else {
                2.0 * self.bounds.unit * (sum / b).sqrt() / mean.abs() * (sum / b) / mean.powi(2)
            };
            self.bounds.unit * sum / (b - 1.0) / mean.powi(2) + division
        })
        .fold(0.0, f64::max)
    }
}

/// Every number of `expected`, but the rivals'.
pub(crate) fn check_expected<F: Real<Sum = f64>>(
    measured: &Measured,
    rows: &[Vec<F>],
    expected: &Expected,
    unit: f64,
) -> Check {
    let Measured { evidence, .. } = measured;
    let bounds = Bounds::new(unit, rows.len(), expected.S);
    let reason = |field: &str| expected.reasons.get(field);
    let root_mean_square = (bounds.s / bounds.b).sqrt();
    equal("B", &(evidence.samples as usize), &rows.len())?;
    for (d, &mean) in expected.mean_gradient.iter().enumerate() {
        let size = rows.iter().map(|row| row[d].as_f64().abs()).fold(0.0, f64::max);
        number(&format!("mean_gradient[{d}]"), measured.mean_gradient[d], mean, unit * size)?;
    }
    for (i, &norm) in expected.per_sample_squared_norms.iter().flatten().enumerate() {
        let bound = unit * norm.unwrap_or(0.0);
        number(&format!("per_sample_squared_norms[{i}]"), measured.square_norms[i], norm, bound)?;
    }
    for (i, &product) in expected.per_sample_inner_products.iter().flatten().enumerate() {
        let bound = unit * measured.square_norms[i].sqrt() * root_mean_square;
        number(&format!("per_sample_inner_products[{i}]"), measured.inner_products[i], product, bound)?;
    }
    let coordinate_sums: Vec<f64> = (0..expected.mean_gradient.len())
        .map(|d| rows.iter().map(|row| row[d].as_f64().powi(2)).sum())
        .collect();
    for (d, &variance) in expected.coordinate_variances.iter().enumerate() {
        let what = format!("coordinate_variances[{d}]");
        match (measured.coordinate_variances[d], variance) {
            (Some(found), Some(expected)) => {
                // Beside a NaN there is no S, but the coordinate has its own sum.
                let bound = (unit * coordinate_sums[d] / (bounds.b - 1.0)).max(bounds.variance());
                close(&what, found, expected, bound)?;
            }
            (None, None) => {}
            (found, expected) => return Err(format!("{what} is {found:?}, expected {expected:?}")),
        }
    }
    let inner = evidence.inner.unwrap();
    number("n", evidence.mean_norm_sq, expected.n, bounds.mean_norm())?;
    number("S", evidence.sum_squared_norms.unwrap(), expected.S, unit * bounds.s)?;
    number("P2", inner.sum_squared_inner_products, expected.P2, bounds.squared_inner_products())?;
    quantity("v1", evidence.variance(), expected.v1, reason("v1"), bounds.variance())?;
    quantity("v_ip", evidence.variance_along(), expected.v_ip, reason("v_ip"), bounds.variance_along())?;
    quantity(
        "v_orth",
        evidence.variance_orthogonal(),
        expected.v_orth,
        reason("v_orth"),
        // P₂/n: what n is off by counts too, where the mean nearly cancels.
        bounds.variance() * if unit <= F64 { 1.0 } else { bounds.s / bounds.b / expected.n.unwrap_or(1.0) },
    )?;
    quantity("n_unb", evidence.debiased_norm_sq(), expected.n_unb, reason("n_unb"), bounds.mean_norm())?;
    let required_bounds = RequiredBounds { bounds, expected, coordinate_sums: &coordinate_sums };
    for (test, rows) in &expected.required {
        for row in rows {
            check_required(evidence, test, row, &required_bounds)?;
        }
    }
    for row in &expected.required["coordinate_norm"] {
        check_left_out(measured, row)?;
    }
    Ok(())
}

/// T, its ceiling, and the threshold that would just pass.
fn check_required(
    evidence: &Evidence<f64>,
    test: &str,
    row: &RequiredRow,
    required_bounds: &RequiredBounds<'_>,
) -> Check {
    let any = batch_test(test, row.eta, row.theta, row.nu);
    let (found, threshold) = (any.as_test().required(evidence), any.as_test().threshold(evidence));
    let given = [row.eta, row.theta, row.nu].into_iter().flatten().next().unwrap();
    let what = format!("required.{test} at {given}");
    let Some(value) = row.value else {
        let reason = golden::reason(row.reason.as_ref().unwrap());
        equal(&what, &found, &Required::Undefined(reason))?;
        return equal(&format!("threshold of {what}"), &threshold, &None);
    };
    let size = found.size().ok_or_else(|| format!("{what} is {found:?}, expected {value}"))?;
    let bound = required_bounds.of(test, row, value);
    close(&what, size, value, bound)?;
    if required_bounds.bounds.unit <= F64 {
        let ceiling = size.ceil().min(9_007_199_254_740_992.0);
        let (low, high) = (row.ceil_low.unwrap(), row.ceil_high.unwrap());
        holds(low <= ceiling && ceiling <= high, || {
            format!("ceiling of {what} is {ceiling}, expected {low} to {high}")
        })?;
    }
    // T falls with the square of the threshold, and at the threshold that just passes T = b.
    let b = evidence.batch();
    let squared = threshold.ok_or_else(|| format!("{what} has no threshold"))?.powi(2) * b / given.powi(2);
    close(&format!("threshold² b/given² of {what}"), squared, value, bound + 1e-15 * value)
}

/// The coordinates that have no say.
fn check_left_out(measured: &Measured, row: &RequiredRow) -> Check {
    let Some(left_out) = row.left_out else { return Ok(()) };
    let zero = |d: &usize| measured.mean_gradient[*d] == 0.0;
    let coordinates = || (0..measured.mean_gradient.len()).filter(zero);
    equal("left_out", &coordinates().count(), &left_out)?;
    let varies = |d: usize| measured.coordinate_variances[d].is_some_and(|variance| variance > 0.0);
    equal("literally_infinite", &Some(coordinates().any(varies)), &row.literally_infinite)
}

/// What the rivals' rules are made from. Their formulas are here until the rules are in the library.
fn check_rivals(case: &StatisticsCase, evidence: &Evidence<f64>, unit: f64) -> Check {
    let expected = &case.expected;
    let bounds = Bounds::new(unit, case.gradients.len(), expected.S);
    // B_simple is the size that the debiased norm test asks for at η = 1.
    let debiased = AnyTest::Norm(NormTest { eta: 1.0, debiased: true });
    match (debiased.as_test().required(evidence), expected.gns) {
        (Required::Size(found), Some(gns)) => {
            let n = expected.n_unb.unwrap();
            let bound = bounds.variance() / n + (bounds.division(1, n) + bounds.mean_norm() / n) * gns;
            close("gns", found, gns, bound)?;
        }
        (found, None) => {
            let reason = golden::reason(&expected.reasons["gns"]);
            equal("gns", &found, &Required::from(Err(reason)))?;
        }
        (found, expected) => return Err(format!("gns is {found:?}, expected {expected:?}")),
    }
    let n = evidence.mean_norm_sq;
    if let Some(diversity) = expected.dive_batch_diversity {
        let found = evidence.sum_squared_norms.unwrap() / (bounds.b.powi(2) * n);
        let bound = (unit + bounds.division(1, expected.n.unwrap())) * diversity;
        close("dive_batch_diversity", found, diversity, bound)?;
    }
    let xi = evidence.variance().map(|variance| variance * (bounds.b - 1.0) / bounds.b);
    quantity("cabs_xi", xi, expected.cabs_xi, expected.reasons.get("cabs_xi"), bounds.variance())?;
    if let Some(cabs) = expected.cabs {
        let bound = case.lr * bounds.variance() / case.loss + 1e-9 * cabs;
        close("cabs", case.lr * xi.unwrap() / evidence.loss, cabs, bound)?;
    }
    Ok(())
}

/// The controller's decision.
fn next(required: Required<f64>, row: &ControllerRow) -> u32 {
    let limits = Limits { min: row.min, max: row.max };
    next_batch(&AdAdaGrad::default(), row.current, limits, required)
}

fn required_of(number: Number) -> Required<f64> {
    number.map_or(Required::Undefined(Reason::ZeroMeanGradient), Required::Size)
}

fn check_controller(case: &StatisticsCase, evidence: &Evidence<f64>) -> Check {
    for (index, row) in case.controller.iter().enumerate() {
        let test = row.test.as_ref().unwrap();
        let threshold = &case.expected.required[test][row.threshold_index.unwrap()];
        let any = batch_test(test, threshold.eta, threshold.theta, threshold.nu);
        let found = next(any.as_test().required(evidence), row);
        let (low, high) = (row.next_low.unwrap(), row.next_high.unwrap());
        holds(low <= found && found <= high, || {
            format!("controller[{index}].next is {found}, expected {low} to {high}")
        })?;
        equal(
            &format!("controller[{index}].next from its T"),
            &next(required_of(row.required), row),
            &row.next,
        )?;
    }
    Ok(())
}

/// A whole case in one float type.
pub(crate) fn check_case<F: Real<Sum = f64>>(case: &StatisticsCase, unit: f64) -> Check {
    let rows = rows::<F>(&case.gradients);
    let measured = measure(&rows, case.loss);
    let named = |error: String| format!("{}: {error}", case.name);
    check_expected(&measured, &rows, &case.expected, unit).map_err(named)?;
    check_rivals(case, &measured.evidence, unit).map_err(named)?;
    close("loss", measured.evidence.loss, case.loss, 1e-12 * case.loss.abs()).map_err(named)?;
    if unit <= F64 {
        check_controller(case, &measured.evidence).map_err(named)?;
    }
    if case.exact_in_f64 {
        check_exact_zeros(&measured.evidence, &case.expected).map_err(named)?;
    }
    Ok(())
}

/// Where sums come out without rounding, zeros must be zeros.
fn check_exact_zeros(evidence: &Evidence<f64>, expected: &Expected) -> Check {
    let zeros = [
        ("n", Ok(evidence.mean_norm_sq), expected.n),
        ("v1", evidence.variance(), expected.v1),
        ("v_ip", evidence.variance_along(), expected.v_ip),
        ("v_orth", evidence.variance_orthogonal(), expected.v_orth),
    ];
    for (what, found, expected) in zeros {
        if expected == Some(0.0) {
            equal(what, &found, &Ok(0.0))?;
        }
    }
    Ok(())
}

/// Whether the files' description leaves a case out in `f32`: n² leaves its range, or everything cancels.
pub(crate) fn too_hard_for_f32(name: &str) -> bool {
    ["huge_", "tiny_", "large_mean", "nearly_cancelling"].iter().any(|part| name.contains(part))
}

pub(crate) fn file() -> StatisticsFile {
    golden::read("statistics.json")
}

#[test]
fn every_number_in_f64() -> Check {
    file().cases.iter().try_for_each(|case| check_case::<f64>(case, F64))
}

#[test]
fn every_number_in_f32() -> Check {
    let file = file();
    let cases = file.cases.iter().filter(|case| !too_hard_for_f32(&case.name));
    cases.into_iter().try_for_each(|case| check_case::<f32>(case, F32))
}

#[test]
fn the_controller_alone() -> Check {
    for (index, row) in file().controller_table.iter().enumerate() {
        equal(&format!("controller_table[{index}].next"), &next(required_of(row.required), row), &row.next)?;
    }
    Ok(())
}

#[test]
fn the_file_has_its_cases() {
    let file = file();
    assert!(file.cases.len() >= 31, "{} cases", file.cases.len());
    assert!(file.controller_table.len() >= 22);
    for case in &file.cases {
        assert_eq!(case.expected.required.len(), 5, "{}", case.name);
        assert!(!case.controller.is_empty(), "{}", case.name);
    }
}
