//! A number with what a device may get wrong of it.

use std::fmt;
use std::ops::{Add, Div, Mul, Neg, Sub};

use super::POISON;

/// One rounding of an `f32`, twice what IEEE 754 asks for.
const EPSILON: f64 = f32::EPSILON as f64;
/// Devices may take numbers as small as these for 0.
const TINY: f64 = f32::MIN_POSITIVE as f64;

/// An exact value, and the bound of the error of a computation in `f32` that gives it. Arithmetic on it carries
/// the errors of its operands on and adds what WGSL allows the operation itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Approx {
    value: f64,
    error: f64,
}

impl Approx {
    /// A place that must not be written.
    pub(super) const UNTOUCHED: Self = Self { value: f64::NAN, error: 0.0 };

    pub(super) const fn exact(value: f64) -> Self {
        Self { value, error: 0.0 }
    }

    pub(super) fn of(value: f32) -> Self {
        Self::exact(value.into())
    }

    pub(super) const fn new(value: f64, error: f64) -> Self {
        Self { value, error }
    }

    /// A constant, rounded once.
    pub(super) fn rounded_once(value: f64) -> Self {
        Self::rounded(value, 0.0, 1.0)
    }

    /// The value in the devices' type.
    #[allow(clippy::cast_possible_truncation)]
    pub(super) const fn narrow(self) -> f32 {
        self.value as f32
    }

    /// Whether the value is above 0.
    pub(super) fn is_positive(self) -> bool {
        self.value > 0.0
    }

    /// Between −limit and limit.
    pub(super) fn clamp(self, limit: f64) -> Self {
        Self { value: self.value.clamp(-limit, limit), ..self }
    }

    /// Terms summed up in any order.
    pub(super) fn sum(terms: impl IntoIterator<Item = Self>) -> Self {
        let (mut value, mut error, mut size, mut count) = (0.0, 0.0, 0.0, 0.0);
        for term in terms {
            value += term.value;
            error += term.error;
            size += term.value.abs() + term.error;
            count += 1.0;
        }
        Self { value, error: error + count * EPSILON * size }
    }

    /// Σ a b in any order.
    pub(super) fn dot(terms: impl IntoIterator<Item = (Self, Self)>) -> Self {
        Self::sum(terms.into_iter().map(|(a, b)| a * b))
    }

    /// Rounded once more, and by `units` roundings.
    fn rounded(value: f64, error: f64, units: f64) -> Self {
        Self { value, error: error + units * EPSILON * (value.abs() + error) + TINY }
    }

    pub(super) fn exp(self) -> Self {
        let value = self.value.exp();
        Self::rounded(value, value * self.error.exp_m1(), 3.0 + 2.0 * self.value.abs())
    }

    pub(super) fn ln(self) -> Self {
        // WGSL: 2⁻²¹ absolutely near 1, else 3 units.
        let error = self.error / (self.value - self.error) + 2.0_f64.powi(-21);
        Self::rounded(self.value.ln(), error, 3.0)
    }

    pub(super) fn abs(self) -> Self {
        Self { value: self.value.abs(), ..self }
    }

    /// √x of what is not negative but for its error.
    pub(super) fn root(self) -> Self {
        let value = self.value.sqrt();
        let below = value - (self.value - self.error).max(0.0).sqrt();
        // WGSL: 1/(1/√x), with 2 units and 2.5.
        Self::rounded(value, below.max((self.value + self.error).sqrt() - value), 5.0)
    }

    /// 1/√x.
    pub(super) fn inverse_root(self) -> Self {
        let error = 0.5 * self.error * (self.value - self.error).powf(-1.5);
        // WGSL: 2 units.
        Self::rounded(self.value.sqrt().recip(), error, 2.0)
    }

    pub(super) fn tanh(self) -> Self {
        // WGSL allows 10⁻⁵ absolutely.
        Self::rounded(self.value.tanh(), self.error + 1e-5, 1.0)
    }

    pub(super) fn relu(self) -> Self {
        Self { value: self.value.max(0.0), error: self.error }
    }

    /// How much of the error that is allowed a value has; more than 1, or NaN, where it is wrong.
    pub(super) fn share(self, found: f32) -> f64 {
        if self.value.is_nan() {
            return if found.to_bits() == POISON { 0.0 } else { f64::INFINITY };
        }
        let difference = (f64::from(found) - self.value).abs();
        if difference == 0.0 { 0.0 } else { difference / self.error }
    }
}

impl fmt::Display for Approx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.value.is_nan() {
            return f.write_str("the previous value");
        }
        write!(f, "{:e} ± {:e}", self.value, self.error)
    }
}

impl Add for Approx {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self::rounded(self.value + other.value, self.error + other.error, 1.0)
    }
}

impl Neg for Approx {
    type Output = Self;
    fn neg(self) -> Self {
        Self { value: -self.value, ..self }
    }
}

impl Sub for Approx {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Approx {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let error =
            self.value.abs() * other.error + other.value.abs() * self.error + self.error * other.error;
        Self::rounded(self.value * other.value, error, 1.0)
    }
}

impl Div for Approx {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        let error = (self.error + value.abs() * other.error) / (other.value.abs() - other.error);
        // WGSL: 2.5 units.
        Self::rounded(value, error, 3.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_holds_what_f32_gives_and_not_much_more() {
        let [a, b] = [1.1_f32, 3.3_f32].map(Approx::of);
        for (approx, found) in [(a + b, 1.1_f32 + 3.3), (a * b, 1.1 * 3.3), (a / b, 1.1 / 3.3)] {
            assert!(approx.share(found) <= 1.0);
            assert!(approx.share(found * 1.000_001) > 1.0);
        }
        assert!(a.share(f32::NAN).is_nan());
        assert!(
            [0.0, f32::NAN]
                .map(|found| Approx::UNTOUCHED.share(found))
                .iter()
                .all(|share| share.is_infinite())
        );
        assert!(Approx::UNTOUCHED.share(f32::from_bits(POISON)) <= 1.0);
    }
}
