//! ReLU and tanh: value by value, and their derivatives from the outputs.

use crate::real::Real;

/// y = max(x, 0). A NaN stays a NaN, so that it reaches the loss and is noticed.
pub(super) fn relu<F: Real>(x: &[F], y: &mut [F]) {
    for (y, &x) in y.iter_mut().zip(x) {
        *y = if x < F::zero() { F::zero() } else { x };
    }
}

/// dx += dy where y > 0.
pub(super) fn relu_backward<F: Real>(y: &[F], dy: &[F], dx: &mut [F]) {
    for ((dx, &dy), &y) in dx.iter_mut().zip(dy).zip(y) {
        *dx += if y > F::zero() { dy } else { F::zero() };
    }
}

/// y = tanh x.
pub(super) fn tanh<F: Real>(x: &[F], y: &mut [F]) {
    for (y, &x) in y.iter_mut().zip(x) {
        *y = x.hyperbolic_tangent();
    }
}

/// dx += dy (1 − y²).
pub(super) fn tanh_backward<F: Real>(y: &[F], dy: &[F], dx: &mut [F]) {
    for ((dx, &dy), &y) in dx.iter_mut().zip(dy).zip(y) {
        *dx += dy * (F::one() - y * y);
    }
}
