use core::fmt;

use super::{Backward, Forward, Layer, ShapeError, Signature, Sizes};
use crate::real::Real;
use crate::shape::Shape;

/// Hyperbolic tangent, value by value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tanh;

impl Tanh {
    pub(crate) const fn sizes(self, input: Shape) -> Result<Sizes, ShapeError> {
        Ok(Sizes::without_parameters(input))
    }
}

impl Signature for Tanh {}

impl fmt::Display for Tanh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tanh")
    }
}

impl<F: Real> Layer<F> for Tanh {
    fn forward(&self, call: &Forward<'_, F>, y: &mut [F], _: &mut [F]) {
        for (y, &x) in y.iter_mut().zip(call.x[0]) {
            *y = x.hyperbolic_tangent();
        }
    }

    /// dx += dy (1 − y²).
    fn input_gradient(&self, call: &Backward<'_, F>, dx: &mut [F], _: &mut [F]) {
        for ((dx, &dy), &y) in dx.iter_mut().zip(call.dy).zip(call.y) {
            *dx += dy * (F::one() - y * y);
        }
    }
}
