use core::fmt;

use super::{Backward, Forward, Layer, Place, ShapeError, Signature, Sizes};
use crate::backend::{Backend, gelu_argument};
use crate::real::Real;
use crate::shape::Shape;

/// The Gaussian error linear unit in its tanh form, ½ x (1 + tanh u) with u = √(2/π) (x + 0.044715 x³), value by value
/// (Hendrycks and Gimpel, arXiv 1606.08415).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gelu;

impl Gelu {
    pub(crate) const fn sizes(self, input: Shape) -> Result<Sizes, ShapeError> {
        Ok(Sizes::without_parameters(input))
    }
}

impl Signature for Gelu {}

impl fmt::Display for Gelu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GELU")
    }
}

/// tanh u, and du/dx.
fn tanh_of<F: Real>(x: F) -> (F, F) {
    let (u, slope) = gelu_argument(x);
    (u.hyperbolic_tangent(), slope)
}

impl<F: Real> Layer<F> for Gelu {
    fn forward(&self, call: &Forward<'_, F>, y: &mut [F], _: &mut [F]) {
        if let Some(kernels) = call.backend.kernels() {
            return (kernels.gelu.forward)(call.x[0], y);
        }
        for (y, &x) in y.iter_mut().zip(call.x[0]) {
            let (tanh, _) = tanh_of(x);
            *y = F::of(0.5) * x * (F::one() + tanh);
        }
    }

    fn can_overwrite(&self, backend: &dyn Backend<F>, _: Place, _: usize) -> bool {
        backend.kernels().is_some()
    }

    /// dx += dy (½ (1 + tanh u) + ½ x (1 − tanh² u) du/dx).
    fn input_gradient(&self, call: &Backward<'_, F>, dx: &mut [F], _: &mut [F]) {
        if let Some(kernels) = call.backend.kernels() {
            return (kernels.gelu.backward)(call.x[0], call.dy, dx, call.overwrites);
        }
        for ((dx, &dy), &x) in dx.iter_mut().zip(call.dy).zip(call.x[0]) {
            let (tanh, slope) = tanh_of(x);
            let derivative = F::of(0.5) * ((F::one() + tanh) + x * (F::one() - tanh * tanh) * slope);
            *dx += dy * derivative;
        }
    }
}
