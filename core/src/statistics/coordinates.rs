//! Σᵢ gᵢⱼ² of every coordinate: kept in range by a power of two, and what is computed from it.

use num_traits::{One, Zero, float::FloatCore};

use super::{Needs, Reason, Statistics};
use crate::noise_scale::{Noise, Sensor, preconditioned, sign};
use crate::real::{Real, count, exponent_of, power_of_two, square_norm};

impl<F: Real> Statistics<'_, F> {
    pub(super) fn push_squares_of_layers(&mut self, layers: &[&[F]]) {
        if self.second_moment.is_empty() {
            return;
        }
        let gradient = || layers.iter().flat_map(|layer| layer.iter());
        let largest = gradient().fold(F::zero(), |largest, g| largest.max(g.abs()));
        let scale = power_of_two::<F>(self.exponent_for(largest));
        for (sum, &g) in self.second_moment.iter_mut().zip(gradient()) {
            *sum += (scale * g).squared();
        }
    }

    /// k, for which squares of gradients of about `largest`, times 2ᵏ, neither overflow nor underflow beside those that
    /// the second moment holds already, which is brought to the same exponent. 0 wherever that serves: and a power of two
    /// changes no bit of what fits anyway.
    pub(crate) fn exponent_for(&mut self, largest: F) -> i32 {
        let present = self.totals.moment_exponent;
        if largest.is_zero() || !largest.is_finite() {
            return present;
        }
        let exponent = exponent_of(largest);
        let scaled = exponent.saturating_add(present);
        let is_too_small = scaled < -COMFORTABLE && self.second_moment.iter().all(F::is_zero);
        if scaled > COMFORTABLE || is_too_small {
            self.rescale(comfortable_exponent(largest));
        }
        self.totals.moment_exponent
    }

    /// Brings the second moment to another exponent: a smaller one, or any where it is 0.
    pub(super) fn rescale(&mut self, exponent: i32) {
        if exponent < self.totals.moment_exponent {
            // Twice, because the factor's square may have left the range of the type.
            let factor = power_of_two::<F>(exponent.saturating_sub(self.totals.moment_exponent));
            self.second_moment.iter_mut().for_each(|sum| *sum = *sum * factor * factor);
        }
        self.totals.moment_exponent = exponent;
    }

    /// Varⱼ = (Σᵢ gᵢⱼ² − b ḡⱼ²)/(b − 1), where the second moment is kept, b ≥ 2, and the sums and the variance are finite.
    #[must_use]
    pub fn coordinate_variance(&self, coordinate: usize) -> Option<F::Sum> {
        let (variance, _) = self.scaled_variance(coordinate)?;
        let unscale = power_of_two::<F::Sum>(self.totals.moment_exponent.saturating_neg());
        Some(variance * unscale * unscale).filter(|variance| variance.is_finite())
    }

    /// Noise and signal by a sensor that looks at coordinates, where the second moment is kept. `divisor` is dⱼ of the
    /// preconditioned one, which others do not call; `None` where the optimizer has none.
    ///
    /// # Errors
    /// Why they are undefined.
    pub fn noise(
        &self,
        sensor: Sensor,
        divisor: impl Fn(usize) -> Option<F::Sum>,
    ) -> Result<Noise<F::Sum>, Reason> {
        let samples = self.totals.samples;
        if samples == 1 {
            return Err(Reason::SingleSample);
        }
        if sensor != Sensor::Plain && self.second_moment.len() != self.gradient_sum.len() || samples == 0 {
            return Err(Reason::MissingEvidence);
        }
        let b: F::Sum = count(samples.into());
        let mean = |coordinate: usize| self.gradient_sum[coordinate].widen() / b;
        let variance = |coordinate| self.coordinate_variance(coordinate).unwrap_or_else(F::Sum::nan);
        let coordinates = 0..self.gradient_sum.len();
        let sums = match sensor {
            Sensor::Plain => {
                let needs = Needs { norms: true, ..Needs::NONE };
                return self
                    .totals
                    .evidence(&needs, square_norm(self.gradient_sum), None, None)
                    .noise(sensor);
            }
            Sensor::Sign => sign(coordinates.map(|coordinate| [variance(coordinate), mean(coordinate)])),
            Sensor::Preconditioned => {
                if coordinates.clone().any(|coordinate| divisor(coordinate).is_none()) {
                    return Err(Reason::MissingEvidence);
                }
                let row = |coordinate| Some([variance(coordinate), mean(coordinate), divisor(coordinate)?]);
                preconditioned(coordinates.filter_map(row))
            }
        };
        sensor.noise(samples, sums)
    }

    /// Varⱼ and ḡⱼ of gradients times 2ᵏ.
    fn scaled_variance(&self, coordinate: usize) -> Option<(F::Sum, F::Sum)> {
        let second_moment = self.second_moment.get(coordinate)?.widen();
        let b: F::Sum = count(u64::from(self.totals.samples));
        let scale = power_of_two::<F::Sum>(self.totals.moment_exponent);
        let mean = self.gradient_sum.get(coordinate)?.widen() / b * scale;
        let centred_sum = second_moment - b * mean.squared();
        (self.totals.samples >= 2 && centred_sum.is_finite())
            .then(|| (centred_sum.max(F::Sum::zero()) / (b - F::Sum::one()), mean))
    }

    /// The nearest-rank quantile of Varⱼ/ḡⱼ² over the coordinates with ḡⱼ ≠ 0; the maximum for
    /// `quantile` = 1 and above, the minimum for 0 and below. `None` for fewer than two samples. Overwrites the second
    /// moment (it is the scratch memory). NaN when a coordinate is not finite, or the quantile is NaN.
    pub fn coordinate_ratio(&mut self, quantile: f64) -> Option<F::Sum> {
        if self.totals.samples < 2 {
            return None;
        }
        if quantile.is_nan() {
            return Some(F::Sum::nan());
        }
        let b: F::Sum = count(u64::from(self.totals.samples));
        let mut kept = 0;
        // The slices are public, and need not be equally long any more.
        for coordinate in 0..self.second_moment.len().min(self.gradient_sum.len()) {
            let mean = self.gradient_sum[coordinate].widen() / b;
            if !(self.second_moment[coordinate].is_finite() && mean.is_finite()) {
                return Some(F::Sum::nan());
            }
            let (variance, mean) = self.scaled_variance(coordinate)?;
            if !mean.is_zero() {
                // Dividing twice: the square of a small mean may underflow.
                self.second_moment[kept] = F::narrow(variance / mean / mean);
                kept += 1;
            }
        }
        if kept == 0 {
            return None;
        }
        let kept_ratios = &mut self.second_moment[..kept];
        let rank = nearest_rank(quantile, kept);
        let (_, ratio, _) = kept_ratios
            .select_nth_unstable_by(rank, |x, y| x.partial_cmp(y).unwrap_or(core::cmp::Ordering::Equal));
        Some(ratio.widen())
    }
}

/// Exponents of two between which squares, and sums of 2³² of them, are far from the ends of `f32`.
const COMFORTABLE: i32 = 40;

/// k, for which squares of gradients of about `largest`, times 2ᵏ, are far from the ends of their type: 0 wherever that
/// serves.
pub(crate) fn comfortable_exponent<F: Real>(largest: F) -> i32 {
    if largest.is_zero() || !largest.is_finite() {
        return 0;
    }
    let exponent = exponent_of(largest);
    let most = i32::from(F::max_value().integer_decode().1);
    if exponent.abs() <= COMFORTABLE { 0 } else { (-exponent).clamp(-most, most) }
}

/// The 0-based nearest rank ⌈q·k⌉ − 1 of `k` sorted values.
fn nearest_rank(quantile: f64, k: usize) -> usize {
    // k is a number of parameters, far below 2⁵³; the product is between 0 and k.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let rank = num_traits::float::FloatCore::ceil(quantile * k as f64) as usize;
    rank.clamp(1, k) - 1
}
