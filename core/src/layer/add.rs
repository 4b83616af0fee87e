use core::fmt;

use super::{Backward, Forward, Layer, ShapeError, Signature, Sizes};
use crate::real::Real;
use crate::shape::Shape;
use crate::vectors::on_vectors;

/// The sum of two inputs of one shape, value by value: a residual connection. Both may be the same node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Add;

impl Add {
    pub(crate) const fn sizes(self, input: Shape) -> Result<Sizes, ShapeError> {
        Ok(Sizes::without_parameters(input))
    }
}

impl Signature for Add {}

impl fmt::Display for Add {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("add")
    }
}

impl<F: Real> Layer<F> for Add {
    fn forward(&self, call: &Forward<'_, F>, y: &mut [F], _: &mut [F]) {
        let [first, second] = call.x;
        on_vectors(|| {
            for (y, (&first, &second)) in y.iter_mut().zip(first.iter().zip(second)) {
                *y = first + second;
            }
        });
    }

    fn input_gradient(&self, call: &Backward<'_, F>, dx: &mut [F], _: &mut [F]) {
        on_vectors(|| {
            for (dx, &dy) in dx.iter_mut().zip(call.dy) {
                *dx += dy;
            }
        });
    }
}
