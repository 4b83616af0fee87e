use core::fmt;

use super::{Backward, Forward, Layer, ShapeError, Signature, Sizes};
use crate::real::Real;
use crate::shape::Shape;
use crate::vectors::on_vectors;

/// max(x, 0), value by value; its derivative at 0 is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relu;

impl Relu {
    pub(crate) const fn sizes(self, input: Shape) -> Result<Sizes, ShapeError> {
        Ok(Sizes::without_parameters(input))
    }
}

impl Signature for Relu {}

impl fmt::Display for Relu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReLU")
    }
}

impl<F: Real> Layer<F> for Relu {
    /// y = max(x, 0). A NaN stays a NaN, so that it reaches the loss and is noticed.
    fn forward(&self, call: &Forward<'_, F>, y: &mut [F], _: &mut [F]) {
        on_vectors(|| {
            for (y, &x) in y.iter_mut().zip(call.x[0]) {
                *y = if x < F::zero() { F::zero() } else { x };
            }
        });
    }

    /// dx += dy where y > 0.
    fn input_gradient(&self, call: &Backward<'_, F>, dx: &mut [F], _: &mut [F]) {
        on_vectors(|| {
            for ((dx, &dy), &y) in dx.iter_mut().zip(call.dy).zip(call.y) {
                *dx += if y > F::zero() { dy } else { F::zero() };
            }
        });
    }
}
