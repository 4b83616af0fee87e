//! Gradients whose squares leave the range of `f32`, which is all that a device computes in.
//!
//! A squared norm is a square, and what the inner products' sums hold are fourth powers: for gradients of 1e-20 or 1e20
//! they are 0 or infinite. A batch whose sums show that is swept once more with the loss's gradient times 2ᵏ, which
//! multiplies all gradients by it, and the host divides the sums by 4ᵏ and 16ᵏ. A power of two changes no bit of what
//! fits anyway.
//!
//! Every batch is swept with k = 0 first. So ordinary steps are as they were, and what a batch says depends on nothing but
//! that batch: not on steps before it, nor on whether the run was resumed or the device had begun the next step already.

use adadagrad_core::real::power_of_two;

/// Sweeps of one batch, at most, beyond the first one: to find out how large its gradients are, and with that scale.
const MOST_MORE: u32 = 2;
/// k for gradients of which nothing is seen but that their squares are 0, or infinite. With it all that `f32` can hold
/// have squares within its range, and b · 2ᵏ is within it too, which the sum of gradients is divided by.
const BLIND: i32 = 90;

/// 2ᵏ, which the loss's gradient is multiplied by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LossScale {
    exponent: i32,
    /// Sweeps before this one.
    tries: u32,
}

/// A sum as the device left it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct DeviceSum {
    pub(super) value: f64,
    /// Products that it is made of, each of which may have been too small to be anything but 0.
    pub(super) products: f64,
}

impl DeviceSum {
    /// Whether it is finite, and what may have been lost of it is less than a rounding.
    fn is_in_range(self) -> bool {
        let lost = self.products * f64::from(f32::MIN_POSITIVE);
        self.value.is_finite() && self.value * f64::from(f32::EPSILON) >= lost
    }
}

impl LossScale {
    /// 2ᵏ.
    pub(super) fn factor(self) -> f32 {
        power_of_two(self.exponent)
    }

    /// k.
    pub(super) const fn exponent(self) -> i32 {
        self.exponent
    }

    /// What gradients in `f32` are multiplied by to be those without it.
    pub(super) fn unscale_value(self) -> f32 {
        power_of_two(-self.exponent)
    }

    /// What gradients, and their sums, are multiplied by to be those without it.
    pub(super) fn unscale(self) -> f64 {
        power_of_two(-self.exponent)
    }

    /// What squares of gradients, and their sums, are multiplied by to be those of unscaled ones.
    pub(super) fn unscale_squares(self) -> f64 {
        power_of_two(-2 * self.exponent)
    }

    /// The same for fourth powers.
    pub(super) fn unscale_fourth_powers(self) -> f64 {
        power_of_two(-4 * self.exponent)
    }

    /// The scale to sweep the batch with again, where its sums were not in range with this one. `mean_square`: about the
    /// square norm of a sample's gradient, as far as it is known.
    pub(super) fn better(self, mean_square: f64, mut sums: impl Iterator<Item = DeviceSum>) -> Option<Self> {
        if sums.all(DeviceSum::is_in_range) || self.tries == MOST_MORE {
            return None;
        }
        let exponent = if mean_square > 0.0 && mean_square.is_finite() {
            // To about 1, from which both ends of the range are far.
            let wanted = self.exponent - exponent_of(mean_square) / 2;
            wanted.clamp(-BLIND, BLIND)
        } else {
            // Blind is tried once.
            let blind = if mean_square == 0.0 { BLIND } else { -BLIND };
            if self.exponent == 0 { blind } else { return None }
        };
        (exponent != self.exponent).then_some(Self { exponent, tries: self.tries + 1 })
    }
}

/// ⌊log₂ x⌋ of what is neither 0 nor infinite.
fn exponent_of(x: f64) -> i32 {
    // Finite numbers have exponents between −1074 and 1023.
    #[allow(clippy::cast_possible_truncation)]
    let exponent = x.log2().floor() as i32;
    exponent
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// What a device makes of the squares of a batch's gradients of about `size`, where nothing but `f32` is at hand.
    fn swept(size: f64, scale: LossScale) -> f64 {
        #[allow(clippy::cast_possible_truncation)]
        let gradient = size as f32 * scale.factor();
        let square = gradient * gradient;
        f64::from(if square.is_subnormal() { 0.0 } else { square })
    }

    fn better(scale: LossScale, value: f64) -> Option<LossScale> {
        scale.better(value, [DeviceSum { value, products: 1e6 }].into_iter())
    }

    /// The scale that a batch ends with, and the sweeps that it takes.
    fn ends_with(size: f64) -> (LossScale, u32) {
        let (mut scale, mut sweeps) = (LossScale::default(), 1);
        while let Some(next) = better(scale, swept(size, scale)) {
            (scale, sweeps) = (next, sweeps + 1);
        }
        (scale, sweeps)
    }

    #[test]
    fn squares_of_all_gradients_that_f32_holds_are_found() {
        for exponent in -126..=127 {
            let size = 1.5 * 2.0_f64.powi(exponent);
            let (scale, sweeps) = ends_with(size);
            let found = swept(size, scale) * scale.unscale_squares();
            assert!((found / (size * size) - 1.0).abs() < 1e-6, "2^{exponent}: {found:e} with {scale:?}");
            assert!(sweeps <= 3, "2^{exponent} takes {sweeps} sweeps");
            if (-40..=60).contains(&exponent) {
                assert_eq!((scale, sweeps), (LossScale::default(), 1), "2^{exponent} is nothing unusual");
            }
        }
    }

    #[test]
    fn what_no_scale_can_help_ends() {
        assert_eq!(ends_with(0.0).1, 2, "a gradient of 0 is 0 with any scale");
        for value in [f64::NAN, f64::INFINITY] {
            let blind = better(LossScale::default(), value).unwrap();
            assert_eq!(blind.factor(), 2.0_f32.powi(-90));
            assert_eq!(better(blind, value), None, "{value}");
        }
    }

    #[test]
    fn powers_of_two_are_exact() {
        let scale = LossScale { exponent: -37, tries: 0 };
        let factor = f64::from(scale.factor());
        assert_eq!(factor * factor * scale.unscale_squares(), 1.0);
        assert_eq!(factor.powi(4) * scale.unscale_fourth_powers(), 1.0);
    }
}
