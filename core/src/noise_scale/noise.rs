use crate::real::Real;
use crate::statistics::Reason;

/// Noise and signal of a batch's gradients.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Noise<S> {
    /// At least 0.
    pub noise: S,
    /// An estimate that noise can make negative, but for signs.
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

    /// That of signs, whose signal is not debiased.
    ///
    /// # Errors
    /// Where the signal is 0: [`Reason::ZeroMeanGradient`].
    pub fn sign_scale(self) -> Result<S, Reason> {
        self.scale().map_err(|_| Reason::ZeroMeanGradient)
    }
}

/// Of variances, means and divisors, coordinate by coordinate.
pub(crate) fn preconditioned<S: Real>(b: S, coordinates: impl Iterator<Item = [S; 3]>) -> Noise<S> {
    let (mut noise, mut square) = (S::zero(), S::zero());
    for [variance, mean, divisor] in coordinates {
        // One division after the other: the square of a small divisor may underflow.
        noise += variance / divisor / divisor;
        square += (mean / divisor).squared();
    }
    Noise { noise, signal: square - noise / b }
}

/// Of variances and means, coordinate by coordinate.
pub(crate) fn sign<S: Real>(coordinates: impl Iterator<Item = [S; 2]>) -> Noise<S> {
    let (mut noise, mut signal) = (S::zero(), S::zero());
    for [variance, mean] in coordinates {
        noise += variance.root();
        signal += mean.abs();
    }
    Noise { noise: noise.squared(), signal: signal.squared() }
}
