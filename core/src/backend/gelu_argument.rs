use crate::real::Real;

/// √(2/π), and the factor of x³.
const SCALE: f64 = 0.797_884_560_802_865_4;
const CUBIC: f64 = 0.044_715;

/// u = √(2/π) (x + 0.044715 x³) of GELU in its tanh form, and du/dx.
#[inline(always)]
pub(crate) fn gelu_argument<F: Real>(x: F) -> (F, F) {
    let [scale, cubic] = [SCALE, CUBIC].map(F::of);
    let square = x * x;
    let u = scale * x * (F::one() + cubic * square);
    (u, scale * (F::one() + F::of(3.0) * cubic * square))
}
