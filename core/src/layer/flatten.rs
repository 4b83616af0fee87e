use core::fmt;

use super::{Backward, Forward, Layer, ShapeError, Signature};
use crate::real::Real;
use crate::shape::Shape;

/// Channels, rows, columns → one vector, in this order: no value moves. [`crate::network::Network::place`] gives it its
/// input's own place, so that neither pass is ever called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flatten;

impl Signature for Flatten {
    fn output(&self, input: Shape) -> Result<Shape, ShapeError> {
        Ok(Shape::vector(input.checked_len().ok_or(ShapeError::TooLarge)?))
    }
}

impl fmt::Display for Flatten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("flatten")
    }
}

impl<F: Real> Layer<F> for Flatten {
    fn forward(&self, call: &Forward<'_, F>, y: &mut [F], _: &mut [F]) {
        y.copy_from_slice(call.x[0]);
    }

    fn input_gradient(&self, call: &Backward<'_, F>, dx: &mut [F], _: &mut [F]) {
        for (dx, &dy) in dx.iter_mut().zip(call.dy) {
            *dx += dy;
        }
    }
}
