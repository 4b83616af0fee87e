//! Sums in pairs of `f32`: almost the precision of `f64`, on processors that have no instructions for it.

use core::cmp::Ordering;
use core::fmt;
use core::iter::Sum;
use core::num::FpCategory;
use core::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Rem, RemAssign, Sub, SubAssign};

use num_traits::float::FloatCore;
use num_traits::{Num, One, ToPrimitive, Zero};

use super::Real;

/// The sum of two `f32`, of which the lower is at most half a unit in the last place of the upper: 48 bits, in the
/// range of `f32`. Sums, products and quotients are exact to about 2⁻⁴⁶ of the result (T. J. Dekker, A Floating-Point
/// Technique for Extending the Available Precision, 1971), where neither they nor their lower halves leave the range of
/// normal `f32`: squares of what is below 10⁻¹³ keep only the upper half's precision. Functions that are rarely needed
/// are computed in `f64`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pair {
    high: f32,
    low: f32,
}

impl Pair {
    /// A value of one `f32`.
    #[must_use]
    pub const fn new(value: f32) -> Self {
        Self { high: value, low: 0.0 }
    }

    /// The nearest `f32`.
    #[must_use]
    pub const fn high(self) -> f32 {
        self.high
    }

    /// high + low where the first is the larger, or infinite, or not a number.
    #[inline]
    fn renormalised(high: f32, low: f32) -> Self {
        let sum = high + low;
        if sum.is_finite() { Self { high: sum, low: low - (sum - high) } } else { Self::new(sum) }
    }

    /// Adds a number: what rounding takes from the upper half goes to the lower one. It is brought below half a unit in the
    /// last place only by the next sum of pairs, which saves half of the additions in a loop (A. Neumaier's summation).
    #[inline(always)]
    pub(super) fn accumulate(&mut self, x: f32) {
        let (sum, error) = two_sum(self.high, x);
        self.high = sum;
        self.low += error;
    }

    /// By way of `f64`.
    fn by_f64(self, function: impl FnOnce(f64) -> f64) -> Self {
        Self::of(function(self.as_f64()))
    }
}

/// x + y, and what rounding took from it, exactly (D. E. Knuth).
#[inline(always)]
fn two_sum(x: f32, y: f32) -> (f32, f32) {
    let sum = x + y;
    let of_y = sum - x;
    (sum, (x - (sum - of_y)) + (y - of_y))
}

/// x y, and what rounding took from it: exactly where neither is beyond 2¹¹⁵ and the product is not tiny; otherwise 0.
#[inline]
fn two_product(x: f32, y: f32) -> (f32, f32) {
    let product = x * y;
    let ([x_high, x_low], [y_high, y_low]) = (halves(x), halves(y));
    let error = ((x_high * y_high - product) + x_high * y_low + x_low * y_high) + x_low * y_low;
    (product, if error.is_finite() { error } else { 0.0 })
}

/// Two halves of 12 bits each (G. W. Veltkamp).
#[inline(always)]
fn halves(x: f32) -> [f32; 2] {
    let moved = 4097.0 * x;
    let high = moved - (moved - x);
    [high, x - high]
}

impl Add for Pair {
    type Output = Self;

    #[inline]
    fn add(self, other: Self) -> Self {
        let (high, error) = two_sum(self.high, other.high);
        if !high.is_finite() {
            return Self::new(high);
        }
        let (low, error_of_low) = two_sum(self.low, other.low);
        let sum = Self::renormalised(high, error + low);
        Self::renormalised(sum.high, sum.low + error_of_low)
    }
}

impl Mul for Pair {
    type Output = Self;

    #[inline]
    fn mul(self, other: Self) -> Self {
        let (high, error) = two_product(self.high, other.high);
        if !high.is_finite() {
            return Self::new(high);
        }
        Self::renormalised(high, error + (self.high * other.low + self.low * other.high))
    }
}

impl Div for Pair {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        let first = self.high / other.high;
        if !first.is_finite() || !other.high.is_finite() {
            return Self::new(first);
        }
        let rest = self - other * Self::new(first);
        let second = rest.high / other.high;
        let third = (rest - other * Self::new(second)).high / other.high;
        Self::renormalised(first, second) + Self::new(third)
    }
}

impl Neg for Pair {
    type Output = Self;

    fn neg(self) -> Self {
        Self { high: -self.high, low: -self.low }
    }
}

impl Sub for Pair {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Rem for Pair {
    type Output = Self;

    fn rem(self, other: Self) -> Self {
        self.by_f64(|x| x % other.as_f64())
    }
}

macro_rules! assign {
    ($($operation:ident::$method:ident by $by:tt),+) => {
        $(impl $operation for Pair {
            fn $method(&mut self, other: Self) {
                *self = *self $by other;
            }
        })+
    };
}

assign! {
    AddAssign::add_assign by +, SubAssign::sub_assign by -, MulAssign::mul_assign by *,
    DivAssign::div_assign by /, RemAssign::rem_assign by %
}

impl PartialOrd for Pair {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match self.high.partial_cmp(&other.high) {
            Some(Ordering::Equal) => self.low.partial_cmp(&other.low),
            unequal => unequal,
        }
    }
}

impl Sum for Pair {
    fn sum<I: Iterator<Item = Self>>(values: I) -> Self {
        values.fold(Self::default(), Add::add)
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_f64().fmt(f)
    }
}

impl Zero for Pair {
    fn zero() -> Self {
        Self::default()
    }

    fn is_zero(&self) -> bool {
        self.high == 0.0
    }
}

impl One for Pair {
    fn one() -> Self {
        Self::new(1.0)
    }
}

impl Num for Pair {
    type FromStrRadixErr = <f64 as Num>::FromStrRadixErr;

    fn from_str_radix(text: &str, radix: u32) -> Result<Self, Self::FromStrRadixErr> {
        f64::from_str_radix(text, radix).map(Self::of)
    }
}

impl ToPrimitive for Pair {
    fn to_i64(&self) -> Option<i64> {
        self.as_f64().to_i64()
    }

    fn to_u64(&self) -> Option<u64> {
        self.as_f64().to_u64()
    }

    fn to_f64(&self) -> Option<f64> {
        Some(self.as_f64())
    }
}

impl num_traits::NumCast for Pair {
    fn from<T: ToPrimitive>(number: T) -> Option<Self> {
        number.to_f64().map(Self::of)
    }
}

impl FloatCore for Pair {
    fn infinity() -> Self {
        Self::new(f32::INFINITY)
    }

    fn neg_infinity() -> Self {
        Self::new(f32::NEG_INFINITY)
    }

    fn nan() -> Self {
        Self::new(f32::NAN)
    }

    fn neg_zero() -> Self {
        Self { high: -0.0, low: -0.0 }
    }

    fn min_value() -> Self {
        Self::new(f32::MIN)
    }

    fn min_positive_value() -> Self {
        Self::new(f32::MIN_POSITIVE)
    }

    /// 2⁻⁴⁶.
    fn epsilon() -> Self {
        Self::new(1.0 / 70_368_744_177_664.0)
    }

    fn max_value() -> Self {
        Self::new(f32::MAX)
    }

    fn is_nan(self) -> bool {
        self.high.is_nan()
    }

    fn is_finite(self) -> bool {
        self.high.is_finite()
    }

    fn is_infinite(self) -> bool {
        self.high.is_infinite()
    }

    fn is_sign_negative(self) -> bool {
        self.high.is_sign_negative()
    }

    fn is_sign_positive(self) -> bool {
        self.high.is_sign_positive()
    }

    fn classify(self) -> FpCategory {
        self.high.classify()
    }

    fn to_degrees(self) -> Self {
        self.by_f64(f64::to_degrees)
    }

    fn to_radians(self) -> Self {
        self.by_f64(f64::to_radians)
    }

    fn integer_decode(self) -> (u64, i16, i8) {
        self.as_f64().integer_decode()
    }
}

impl Real for Pair {
    type Sum = Self;

    fn widen(self) -> Self {
        self
    }

    fn narrow(sum: Self) -> Self {
        sum
    }

    #[allow(clippy::cast_possible_truncation, reason = "the rest is the lower half")]
    fn of(x: f64) -> Self {
        let high = x as f32;
        if high.is_finite() { Self { high, low: (x - f64::from(high)) as f32 } } else { Self::new(high) }
    }

    fn as_f64(self) -> f64 {
        f64::from(self.high) + f64::from(self.low)
    }

    /// √x, to about 2⁻⁴⁶: a step of Newton's method.
    fn root(self) -> Self {
        let first = self.high.root();
        if self.high <= 0.0 || !first.is_finite() {
            return Self::new(first);
        }
        let (square, error) = two_product(first, first);
        let rest = self - Self { high: square, low: error };
        Self::renormalised(first, rest.high / (first + first))
    }

    fn exponential(self) -> Self {
        self.by_f64(Real::exponential)
    }

    fn logarithm(self) -> Self {
        self.by_f64(Real::logarithm)
    }

    fn hyperbolic_tangent(self) -> Self {
        self.by_f64(Real::hyperbolic_tangent)
    }

    fn cosine(self) -> Self {
        self.by_f64(Real::cosine)
    }
}
