//! Ratios of running averages.

use crate::moving_average::moving_average;
use crate::noise_scale::{Noise, Sensor};
use crate::real::Real;
use crate::statistics::{Evidence, Reason};

/// Running averages of a numerator and a denominator. Their ratio is smoother than an average of ratios, which is dominated
/// by the batches whose denominator is nearly 0. Both start at 0; a correction for that would cancel.
///
/// For a noise scale, the numerator is the noise (v for the plain one), and the denominator is the signal, n − v/b,
/// which may be negative.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RatioAverage<S> {
    /// The average of the numerators.
    pub numerator: S,
    /// The average of the denominators.
    pub denominator: S,
}

#[cfg(feature = "serde")]
crate::fields::required_settings!(RatioAverage<f64> { numerator, denominator });

impl<S: Real> RatioAverage<S> {
    /// The averages after another fraction; they decay by the factor `keep`.
    ///
    /// # Errors
    /// [`Reason::NonFinite`] where they would not be finite.
    pub fn with(self, [numerator, denominator]: [S; 2], keep: f64) -> Result<Self, Reason> {
        let next = Self {
            numerator: moving_average(self.numerator, numerator, keep),
            denominator: moving_average(self.denominator, denominator, keep),
        };
        if next.numerator.is_finite() && next.denominator.is_finite() {
            Ok(next)
        } else {
            Err(Reason::NonFinite)
        }
    }

    /// The same with a batch's noise scale.
    ///
    /// # Errors
    /// Why this batch has no noise or no signal.
    pub fn with_noise(self, evidence: &Evidence<S>, sensor: Sensor, keep: f64) -> Result<Self, Reason> {
        let Noise { noise, signal } = evidence.noise(sensor)?;
        self.with([noise, signal], keep)
    }

    /// Average numerator over average denominator.
    ///
    /// # Errors
    /// [`Reason::NonPositiveDebiasedNorm`] where the denominator is not positive.
    pub fn ratio(self) -> Result<S, Reason> {
        if self.denominator > S::zero() {
            Ok(self.numerator / self.denominator)
        } else {
            Err(Reason::NonPositiveDebiasedNorm)
        }
    }
}
