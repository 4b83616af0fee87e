//! GELU in `f32`: ½ x (1 + tanh u) = x σ(2u), with one exponential and one quotient for each value.

use super::exponential::exponential;
use super::gelu_argument;
use crate::vectors::on_vectors;

/// y.
pub(super) fn forward(x: &[f32], y: &mut [f32]) {
    on_vectors(|| {
        for (y, &x) in y.iter_mut().zip(x) {
            let (sigmoid, _) = sigmoid_of(2.0 * gelu_argument(x).0);
            *y = x * sigmoid;
        }
    });
}

/// dx += dy (σ(2u) + x σ'(2u) 2 du/dx), or = if it overwrites.
pub(super) fn backward(x: &[f32], dy: &[f32], dx: &mut [f32], overwrites: bool) {
    on_vectors(|| {
        for ((dx, &dy), &x) in dx.iter_mut().zip(dy).zip(x) {
            let (u, slope) = gelu_argument(x);
            let (sigmoid, derivative) = sigmoid_of(2.0 * u);
            let old = if overwrites { 0.0 } else { *dx };
            *dx = old + dy * (sigmoid + x * derivative * (2.0 * slope));
        }
    });
}

/// σ(z) = 1/(1 + exp(−z)) and σ' = σ(z) σ(−z), from exp(−|z|): nothing is subtracted, so that both keep their relative
/// precision where they are small.
#[inline(always)]
fn sigmoid_of(z: f32) -> (f32, f32) {
    let e = exponential(-z.abs());
    let inverse = 1.0 / (1.0 + e);
    let smaller = e * inverse;
    (if z < 0.0 { smaller } else { inverse }, smaller * inverse)
}

#[cfg(test)]
mod tests {
    use std::vec;
    use std::vec::Vec;

    use super::{backward, forward};

    /// y/x and dy/dx in `f64`.
    fn exact(x: f64) -> (f64, f64) {
        let [scale, cubic] = [(2.0 / core::f64::consts::PI).sqrt(), 0.044_715];
        let z = 2.0 * scale * x * (1.0 + cubic * x * x);
        let (sigmoid, slope) = (1.0 / (1.0 + (-z).exp()), 2.0 * scale * (1.0 + 3.0 * cubic * x * x));
        (sigmoid, sigmoid + x * sigmoid * (1.0 - sigmoid) * slope)
    }

    /// z = 2u has a relative error of at most five roundings, so that exp(−|z|) has one of 5 |z| 2⁻²⁴ more than its own of 2⁻²²,
    /// and σ one of three more roundings. σ' loses twice that, and is multiplied by |x du/dx| ≤ 3 |z|.
    #[test]
    fn both_passes_are_within_their_bounds() {
        let unit = 2.0_f64.powi(-24);
        let inputs: Vec<f32> = (-9_000..9_000).map(|k| k as f32 * 1.234e-3).collect();
        let mut outputs = vec![f32::NAN; inputs.len()];
        forward(&inputs, &mut outputs);
        let mut gradient = vec![0.5; inputs.len()];
        backward(&inputs, &vec![1.0; inputs.len()], &mut gradient, false);
        let mut alone = vec![f32::NAN; inputs.len()];
        backward(&inputs, &vec![1.0; inputs.len()], &mut alone, true);
        assert!(gradient.iter().zip(alone).all(|(&sum, alone)| sum == 0.5 + alone));
        for ((&x, y), dx) in inputs.iter().zip(outputs).zip(gradient) {
            let (x, y, dx) = (f64::from(x), f64::from(y), f64::from(dx) - 0.5);
            let (sigmoid, derivative) = exact(x);
            let z = 2.0 * 0.8 * x.abs() * (1.0 + 0.045 * x * x);
            let relative = (5.0 * z + 4.0 + 4.0) * unit;
            // The exponential is 0 where it would be subnormal, about.
            let below = 2.0 * x.abs() * f64::from(f32::MIN_POSITIVE);
            assert!((y - x * sigmoid).abs() <= relative * (x * sigmoid).abs() + below, "{x}: {y}");
            let share = 3.0 * z * sigmoid * (1.0 - sigmoid);
            let bound = relative * sigmoid + 2.0 * (relative + 4.0 * unit) * share + 2.0 * unit;
            assert!((dx - derivative).abs() <= bound, "{x}: {dx}, not {derivative}");
        }
    }

    #[test]
    fn what_is_special_stays_so() {
        let mut y = [0.0; 4];
        forward(&[f32::NAN, f32::INFINITY, 1e30, -1e19], &mut y);
        assert!(y[0].is_nan());
        assert_eq!(y[1..], [f32::INFINITY, 1e30, 0.0]);
    }
}
