use crate::real::Real;
use crate::reason::Reason;

/// Noise and signal of a batch's gradients.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Noise<S> {
    /// At least 0.
    pub noise: S,
    /// An estimate that noise can make negative, except for signs.
    pub signal: S,
}

impl<S: Real> Noise<S> {
    /// The noise scale, noise/signal.
    ///
    /// # Errors
    /// Where the signal is not positive: [`Reason::NonPositiveDebiasedNorm`].
    pub fn scale(self) -> Result<S, Reason> {
        if self.signal > S::zero() {
            Ok(self.noise / self.signal)
        } else {
            Err(Reason::NonPositiveDebiasedNorm)
        }
    }

    /// The noise scale of signs, whose signal is not debiased.
    ///
    /// # Errors
    /// Where the signal is 0: [`Reason::ZeroMeanGradient`].
    pub fn sign_scale(self) -> Result<S, Reason> {
        self.scale().map_err(|_| Reason::ZeroMeanGradient)
    }
}

/// The sums of [`Sensor::Preconditioned`](super::Sensor::Preconditioned), over variances, means and divisors.
pub(crate) fn preconditioned<S: Real>(coordinates: impl Iterator<Item = [S; 3]>) -> [S; 2] {
    let (mut noise, mut square) = (S::zero(), S::zero());
    for [variance, mean, divisor] in coordinates {
        // One division after the other: the square of a small divisor may underflow.
        noise += variance / divisor / divisor;
        square += (mean / divisor).squared();
    }
    [noise, square]
}

/// The sums of [`Sensor::Sign`](super::Sensor::Sign), over variances and means.
pub(crate) fn sign<S: Real>(coordinates: impl Iterator<Item = [S; 2]>) -> [S; 2] {
    let (mut noise, mut signal) = (S::zero(), S::zero());
    for [variance, mean] in coordinates {
        noise += variance.root();
        signal += mean.abs();
    }
    [noise, signal]
}
