use core::fmt;

use super::{Backward, Forward, Layer, ShapeError, Signature, Sizes};
use crate::real::{Real, count};
use crate::shape::Shape;

/// The mean of each channel: an image becomes a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GlobalAveragePool;

impl GlobalAveragePool {
    pub(crate) const fn sizes(self, input: Shape) -> Result<Sizes, ShapeError> {
        Ok(Sizes::without_parameters(Shape::vector(input.channels)))
    }
}

impl Signature for GlobalAveragePool {}

impl fmt::Display for GlobalAveragePool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("global average-pool")
    }
}

/// 1 / (H·W).
fn share<F: Real>(input: Shape) -> F {
    F::one() / count(input.plane() as u64)
}

impl<F: Real> Layer<F> for GlobalAveragePool {
    fn forward(&self, call: &Forward<'_, F>, y: &mut [F], _: &mut [F]) {
        let share: F = share(call.place.input);
        for (y, plane) in y.iter_mut().zip(call.x[0].chunks_exact(call.place.input.plane())) {
            *y = share * plane.iter().copied().sum();
        }
    }

    /// dx += dy / (H·W) all over the channel.
    fn input_gradient(&self, call: &Backward<'_, F>, dx: &mut [F], _: &mut [F]) {
        let share: F = share(call.place.input);
        for (&dy, plane) in call.dy.iter().zip(dx.chunks_exact_mut(call.place.input.plane())) {
            plane.iter_mut().for_each(|dx| *dx += dy * share);
        }
    }
}
