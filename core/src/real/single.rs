//! `f32` for processors without double precision.

use core::fmt;
use core::iter::Sum;
use core::num::FpCategory;
use core::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Rem, RemAssign, Sub, SubAssign};

use num_traits::float::FloatCore;
use num_traits::{Num, One, ToPrimitive, Zero};

use super::{Pair, Real};

/// An `f32` whose sums are [`Pair`]s of `f32` instead of `f64`: for processors with instructions for single precision
/// alone, such as a Cortex-M4F, where a product and a sum take about 240 instructions in `f64`, and about 15 in pairs.
///
/// Networks train on it as on `f32`, in the same layers: activations and gradients have the same bits. Of squared norms and
/// scalar products, a product is rounded to `f32` before it is added, and the sum is compensated: n products pᵢ are summed to
/// within (2⁻²⁴ + (n/16)² 2⁻⁴⁷) Σ|pᵢ|, because 16 sums run side by side, where `f64` gives n 2⁻⁵³ Σ|pᵢ| and plain sums in `f32` up to n 2⁻²⁴ Σ|pᵢ|. A batch-size test
/// sees the noise of gradients, which is larger by orders of magnitude. Squares must stay in the range of `f32`: norms
/// between 10⁻¹⁹ and 10¹⁹, and between 10⁻⁹ and 10⁹ for tests with inner products, which square them again.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
#[repr(transparent)]
pub struct Single(pub f32);

macro_rules! forward {
    ($($operation:ident::$method:ident),+) => {
        $(impl $operation for Single {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self(self.0.$method(other.0))
            }
        })+
    };
}

forward!(Add::add, Sub::sub, Mul::mul, Div::div, Rem::rem);

macro_rules! forward_assign {
    ($($operation:ident::$method:ident),+) => {
        $(impl $operation for Single {
            #[inline(always)]
            fn $method(&mut self, other: Self) {
                self.0.$method(other.0);
            }
        })+
    };
}

forward_assign!(
    AddAssign::add_assign,
    SubAssign::sub_assign,
    MulAssign::mul_assign,
    DivAssign::div_assign,
    RemAssign::rem_assign
);

impl Neg for Single {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Sum for Single {
    fn sum<I: Iterator<Item = Self>>(values: I) -> Self {
        Self(values.map(|value| value.0).sum())
    }
}

impl fmt::Display for Single {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Zero for Single {
    fn zero() -> Self {
        Self(0.0)
    }

    fn is_zero(&self) -> bool {
        self.0 == 0.0
    }
}

impl One for Single {
    fn one() -> Self {
        Self(1.0)
    }
}

impl Num for Single {
    type FromStrRadixErr = <f32 as Num>::FromStrRadixErr;

    fn from_str_radix(text: &str, radix: u32) -> Result<Self, Self::FromStrRadixErr> {
        f32::from_str_radix(text, radix).map(Self)
    }
}

impl ToPrimitive for Single {
    fn to_i64(&self) -> Option<i64> {
        self.0.to_i64()
    }

    fn to_u64(&self) -> Option<u64> {
        self.0.to_u64()
    }

    fn to_f32(&self) -> Option<f32> {
        Some(self.0)
    }

    fn to_f64(&self) -> Option<f64> {
        Some(self.0.into())
    }
}

impl num_traits::NumCast for Single {
    fn from<T: ToPrimitive>(number: T) -> Option<Self> {
        number.to_f32().map(Self)
    }
}

macro_rules! constants {
    ($($name:ident),+) => {
        $(fn $name() -> Self {
            Self(<f32 as FloatCore>::$name())
        })+
    };
}

macro_rules! answers {
    ($($name:ident -> $answer:ty),+) => {
        $(#[inline(always)]
        fn $name(self) -> $answer {
            FloatCore::$name(self.0)
        })+
    };
}

macro_rules! functions {
    ($($trait:ident::$name:ident($($other:ident),*)),+) => {
        $(#[inline(always)]
        fn $name(self $(, $other: Self)*) -> Self {
            Self($trait::$name(self.0 $(, $other.0)*))
        })+
    };
}

impl FloatCore for Single {
    constants!(infinity, neg_infinity, nan, neg_zero, min_value, min_positive_value, epsilon, max_value);
    answers!(
        is_nan -> bool, is_infinite -> bool, is_finite -> bool, is_sign_negative -> bool, is_sign_positive -> bool,
        classify -> FpCategory, integer_decode -> (u64, i16, i8)
    );
    functions!(
        FloatCore::floor(),
        FloatCore::ceil(),
        FloatCore::round(),
        FloatCore::trunc(),
        FloatCore::abs(),
        FloatCore::min(other),
        FloatCore::max(other),
        FloatCore::to_degrees(),
        FloatCore::to_radians()
    );
}

impl Real for Single {
    type Sum = Pair;

    #[inline(always)]
    fn widen(self) -> Pair {
        Pair::new(self.0)
    }

    #[inline(always)]
    fn narrow(sum: Pair) -> Self {
        Self(sum.high())
    }

    fn of(x: f64) -> Self {
        Self(f32::of(x))
    }

    fn as_f64(self) -> f64 {
        self.0.into()
    }

    #[inline(always)]
    fn add_product(sum: &mut Pair, x: Self, y: Self) {
        sum.accumulate(x.0 * y.0);
    }

    functions!(
        Real::root(),
        Real::exponential(),
        Real::logarithm(),
        Real::hyperbolic_tangent(),
        Real::cosine(),
        Real::zero_below(least),
        Real::without_subnormal()
    );
}
