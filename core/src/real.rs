//! The float types that everything here is generic over.

mod pair;
mod single;

pub use pair::Pair;
pub use single::Single;

use core::fmt::{Debug, Display};
use core::iter::Sum;
use num_traits::float::FloatCore;
use num_traits::{NumAssign, Zero};

use crate::length::{LengthMismatch, check_length};
use crate::vectors::{Work, on_vectors};

/// A float type to train in: `f32`, `f64`, [`Single`], or your own.
///
/// Elementary functions call `libm` directly and not the methods of `num_traits::Float`: those silently
/// become the standard library's as soon as any crate of the build enables `num-traits/std`, and then a
/// host would compute other bits than the target. What comes from [`FloatCore`] here (`abs`, `ceil`,
/// `is_finite`, …) is exact on both.
pub trait Real: FloatCore + NumAssign + Sum + Debug + Display + Default + Send + Sync + 'static {
    /// The wider type that sums over samples and coordinates are kept in.
    type Sum: Real<Sum = Self::Sum>;

    /// Converts, exactly where this type is not wider than its sums.
    fn widen(self) -> Self::Sum;
    /// Rounds a sum to this type.
    fn narrow(sum: Self::Sum) -> Self;
    /// The nearest value to `x`.
    fn of(x: f64) -> Self;
    /// Converts to `f64`, exactly for `f32` and `f64`.
    fn as_f64(self) -> f64;

    /// Adds x·y to a sum of a scalar product.
    #[inline(always)]
    fn add_product(sum: &mut Self::Sum, x: Self, y: Self) {
        *sum += x.widen() * y.widen();
    }

    /// √x, correctly rounded.
    fn root(self) -> Self;
    /// eˣ.
    fn exponential(self) -> Self;
    /// Natural logarithm.
    fn logarithm(self) -> Self;
    /// Hyperbolic tangent.
    fn hyperbolic_tangent(self) -> Self;
    /// Cosine of an angle in radians.
    fn cosine(self) -> Self;

    /// xⁿ by repeated squaring: the same bits on every platform.
    fn power(self, mut exponent: u64) -> Self {
        let (mut result, mut base) = (Self::one(), self);
        while exponent > 0 {
            if exponent & 1 == 1 {
                result *= base;
            }
            base *= base;
            exponent >>= 1;
        }
        result
    }

    /// x, or 0 where |x| < `least`; a NaN stays a NaN. Without a branch, so that loops of it can use vectors.
    #[inline(always)]
    fn zero_below(self, least: Self) -> Self {
        if (self < least) & (self > -least) { Self::zero() } else { self }
    }

    /// x, or 0 if it is subnormal; a NaN stays a NaN.
    #[inline(always)]
    fn without_subnormal(self) -> Self {
        self.zero_below(Self::min_positive_value())
    }

    /// x².
    fn squared(self) -> Self {
        self * self
    }
}

macro_rules! real {
    ($float:ty, $root:path, $exp:path, $log:path, $tanh:path, $cos:path) => {
        impl Real for $float {
            type Sum = f64;

            fn widen(self) -> f64 {
                self.into()
            }
            #[allow(clippy::cast_possible_truncation, trivial_numeric_casts)]
            fn narrow(sum: f64) -> Self {
                sum as Self
            }
            #[allow(clippy::cast_possible_truncation, trivial_numeric_casts)]
            fn of(x: f64) -> Self {
                x as Self
            }
            fn as_f64(self) -> f64 {
                self.into()
            }
            #[inline(always)]
            fn zero_below(self, least: Self) -> Self {
                if <$float>::abs(self) < least { 0.0 } else { self }
            }
            #[inline(always)]
            fn without_subnormal(self) -> Self {
                // By its exponent alone: one instruction of most machines' vectors.
                if self.to_bits() & <$float>::INFINITY.to_bits() == 0 { 0.0 } else { self }
            }

            fn root(self) -> Self {
                // Both are rounded correctly: the same bits, but only one has instructions for vectors.
                #[cfg(feature = "std")]
                return self.sqrt();
                #[cfg(not(feature = "std"))]
                $root(self)
            }
            fn exponential(self) -> Self {
                $exp(self)
            }
            fn logarithm(self) -> Self {
                $log(self)
            }
            fn hyperbolic_tangent(self) -> Self {
                $tanh(self)
            }
            fn cosine(self) -> Self {
                $cos(self)
            }
        }
    };
}

real!(f32, libm::sqrtf, libm::expf, libm::logf, libm::tanhf, libm::cosf);
real!(f64, libm::sqrt, libm::exp, libm::log, libm::tanh, libm::cos);

/// A count as a float.
pub(crate) fn count<S: Real>(n: u64) -> S {
    // Counts here stay far below 2⁵³, so the conversion is exact.
    #[allow(clippy::cast_precision_loss)]
    S::of(n as f64)
}

/// 2ᵏ, exactly as far as the type has it; beyond that 0 or infinite.
#[must_use]
pub fn power_of_two<F: Real>(exponent: i32) -> F {
    F::of(if exponent < 0 { 0.5 } else { 2.0 }).power(exponent.unsigned_abs().into())
}

/// e, where |x| is between 2ᵉ and 2ᵉ⁺¹, for what is neither 0 nor infinite.
pub(crate) fn exponent_of<F: Real>(x: F) -> i32 {
    let (mantissa, exponent, _) = x.integer_decode();
    i32::from(exponent) + 63 - mantissa.leading_zeros().cast_signed()
}

/// Running sums of a scalar product: vectors of them, and more than one, because each addition waits for the last.
const LANES: usize = 16;

/// Rows whose running sums are added up side by side, because each of those additions waits for the last, too. A
/// microcontroller does one after the other anyway, and has little stack.
pub(crate) const ROWS: usize = if cfg!(feature = "std") { 4 } else { 1 };

/// Σ xⱼ² in the wider type, several running sums at a time so that the compiler may use vectors; the order
/// of additions is fixed.
pub fn square_norm<F: Real>(values: &[F]) -> F::Sum {
    on_vectors(SquareNorm { values })
}

/// Σ xⱼ yⱼ in the wider type, in a fixed order.
///
/// # Errors
/// When one is longer than the other.
pub fn dot<F: Real>(x: &[F], y: &[F]) -> Result<F::Sum, LengthMismatch> {
    check_length("the second factor", x.len(), y.len())?;
    Ok(dot_of_equals(x, y))
}

/// The same for what is known to be equally long.
pub(crate) fn dot_of_equals<F: Real>(x: &[F], y: &[F]) -> F::Sum {
    on_vectors(Dot { x, y })
}

/// [`square_norm`] of up to [`ROWS`] rows of `len` values each, with the same bits in less time; 0 for rows that are
/// not there. For use within [`on_vectors`].
#[inline(always)]
pub(crate) fn square_norms<F: Real>(rows: &[F], len: usize) -> [F::Sum; ROWS] {
    let mut lanes = [[F::Sum::zero(); LANES]; ROWS];
    let mut tails = [F::Sum::zero(); ROWS];
    for ((lanes, tail), row) in lanes.iter_mut().zip(&mut tails).zip(rows.chunks_exact(len.max(1))) {
        (*lanes, *tail) = running_sums(row, row);
    }
    added_up(&lanes, tails)
}

struct SquareNorm<'a, F> {
    values: &'a [F],
}

impl<F: Real> Work for SquareNorm<'_, F> {
    type Output = F::Sum;

    #[inline(always)]
    fn run(self) -> F::Sum {
        // Here the compiler sees that both factors are the same, and loads and widens them once.
        Dot { x: self.values, y: self.values }.run()
    }
}

struct Dot<'a, F> {
    x: &'a [F],
    y: &'a [F],
}

impl<F: Real> Work for Dot<'_, F> {
    type Output = F::Sum;

    #[inline(always)]
    fn run(self) -> F::Sum {
        let (lanes, tail) = running_sums(self.x, self.y);
        let [dot] = added_up(&[lanes], [tail]);
        dot
    }
}

/// The running sums of a scalar product, and the sum over what is left beyond whole vectors of them.
#[inline(always)]
fn running_sums<F: Real>(x: &[F], y: &[F]) -> ([F::Sum; LANES], F::Sum) {
    let mut lanes = [F::Sum::zero(); LANES];
    let (x_blocks, y_blocks) = (x.chunks_exact(LANES), y.chunks_exact(LANES));
    let mut tail = F::Sum::zero();
    for (&x, &y) in x_blocks.remainder().iter().zip(y_blocks.remainder()) {
        F::add_product(&mut tail, x, y);
    }
    for (a, b) in x_blocks.zip(y_blocks) {
        for (lane, (&x, &y)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            F::add_product(lane, x, y);
        }
    }
    (lanes, tail)
}

/// What running sums amount to: those of one row in order, those of different rows side by side.
#[inline(always)]
fn added_up<S: Real, const N: usize>(lanes: &[[S; LANES]; N], tails: [S; N]) -> [S; N] {
    let mut totals = [S::zero(); N];
    for lane in 0..LANES {
        for (total, lanes) in totals.iter_mut().zip(lanes) {
            *total += lanes[lane];
        }
    }
    for (total, tail) in totals.iter_mut().zip(tails) {
        *total += tail;
    }
    totals
}
