//! Several seeds of a run, and whether two runs differ.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// The mean of a figure over the seeds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Mean {
    pub(crate) mean: f64,
    /// Of the mean; NaN for a single seed.
    pub(crate) standard_error: f64,
    count: f64,
}

impl Mean {
    #[allow(clippy::cast_precision_loss)]
    pub(crate) fn of(values: &[f64]) -> Self {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Self { mean, standard_error: (squares / (count - 1.0) / count).sqrt(), count }
    }

    /// Welch's t-test: how likely means at least this far apart are, if both figures had the same expectation. None
    /// where a figure has a single seed, or none of them varies.
    ///
    /// t = (m₁ − m₂)/√(s₁² + s₂²) with standard errors s, and (s₁² + s₂²)²/(s₁⁴/(k₁−1) + s₂⁴/(k₂−1)) degrees of freedom
    /// (Welch 1947).
    pub(crate) fn same_expectation(&self, other: &Self) -> Option<f64> {
        let [one, two] = [self, other].map(|mean| mean.standard_error.powi(2));
        let both = one + two;
        let freedom = both.powi(2) / (one.powi(2) / (self.count - 1.0) + two.powi(2) / (other.count - 1.0));
        let distribution =
            StudentsT::new(0.0, 1.0, freedom).ok().filter(|_| both > 0.0 && freedom.is_finite())?;
        let t = (self.mean - other.mean).abs() / both.sqrt();
        Some(2.0 * distribution.cdf(-t))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_and_welchs_test_as_r_computes_them() {
        // t.test(c(1, 2, 3, 4), c(2, 4, 6, 8)): t = -1.7321, df = 4.4118, p-value = 0.1516.
        let [one, two] = [&[1.0, 2.0, 3.0, 4.0], &[2.0, 4.0, 6.0, 8.0]].map(|values| Mean::of(values));
        assert!((one.mean - 2.5).abs() < 1e-12 && (one.standard_error - 0.645_497_224).abs() < 1e-8);
        let p = one.same_expectation(&two).expect("both vary");
        assert!((p - 0.151_580_5).abs() < 1e-7, "{p}");
        assert_eq!(one.same_expectation(&one).map(|p| (p * 1e9).round()), Some(1e9));
    }

    #[test]
    fn nothing_is_told_of_a_single_seed_or_of_equal_values() {
        let one = Mean::of(&[1.0]);
        assert!(one.standard_error.is_nan());
        assert_eq!(one.same_expectation(&Mean::of(&[1.0, 2.0])), None);
        let equal = Mean::of(&[1.0, 1.0]);
        assert_eq!(equal.same_expectation(&Mean::of(&[2.0, 2.0])), None);
    }
}
