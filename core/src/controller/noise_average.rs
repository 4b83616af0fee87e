//! The gradient noise scale, smoothed.

use crate::moving_average::moving_average;
use crate::noise_scale::{Noise, Sensor};
use crate::real::Real;
use crate::statistics::{Evidence, Reason};

/// Running averages of noise and signal. Their ratio is the smoothed noise scale: a ratio of averages, because an
/// average of ratios is dominated by the batches whose signal is nearly 0. Both start at 0; a correction for that would
/// cancel.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct NoiseAverage<S> {
    /// Of the noise: for the plain sensor v.
    pub noise: S,
    /// Of the signal: for the plain sensor n − v/b. May be negative.
    pub signal: S,
}

#[cfg(feature = "serde")]
crate::fields::required_settings!(NoiseAverage<f64> { noise, signal });

impl<S: Real> NoiseAverage<S> {
    /// The averages with another batch, of which `ema` of what they were is kept.
    ///
    /// # Errors
    /// Why this batch has no noise or no signal.
    pub fn with(self, evidence: &Evidence<S>, sensor: Sensor, ema: f64) -> Result<Self, Reason> {
        let Noise { noise, signal } = evidence.noise(sensor)?;
        let next = Self {
            noise: moving_average(self.noise, noise, ema),
            signal: moving_average(self.signal, signal, ema),
        };
        if next.noise.is_finite() && next.signal.is_finite() { Ok(next) } else { Err(Reason::NonFinite) }
    }

    /// Average noise over average signal.
    ///
    /// # Errors
    /// [`Reason::NonPositiveDebiasedNorm`] where the signal is not positive.
    pub fn scale(self) -> Result<S, Reason> {
        if self.signal > S::zero() {
            Ok(self.noise / self.signal)
        } else {
            Err(Reason::NonPositiveDebiasedNorm)
        }
    }
}
