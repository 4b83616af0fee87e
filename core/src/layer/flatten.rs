use core::fmt;

use super::{Backward, Forward, Layer, ShapeError, Signature, Sizes};
use crate::real::Real;
use crate::shape::Shape;

/// Channels, rows, columns → one vector, in this order: no value moves. [`crate::network::Network::place`] gives it its
/// input's own place, so that neither pass is ever called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flatten;

impl Flatten {
    pub(crate) const fn sizes(self, input: Shape) -> Result<Sizes, ShapeError> {
        match input.checked_len() {
            Some(len) => Ok(Sizes::without_parameters(Shape::vector(len))),
            None => Err(ShapeError::TooLarge),
        }
    }
}

impl Signature for Flatten {}

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
