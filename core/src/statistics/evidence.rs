use super::{Inner, Parts, Reason};
use crate::noise_scale::{MeasuredNoise, Noise, Sensor};
use crate::real::{Real, count};

/// The gradient statistics of one batch: plain numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Evidence<S> {
    /// b.
    pub samples: u32,
    /// Number of correct answers: one for each sample, or for each position of a sequence.
    pub correct: u32,
    /// Mean loss in nats.
    pub loss: S,
    /// n = ‖ḡ‖².
    pub mean_norm_sq: S,
    /// S = Σ sᵢ.
    pub sum_squared_norms: Option<S>,
    /// The result of the second sweep.
    pub inner: Option<Inner<S>>,
    /// The quantile of Varⱼ/ḡⱼ² that [`Needs::coordinate_quantile`](super::Needs::coordinate_quantile) requested; coordinates with ḡⱼ = 0 are left out,
    /// and if there are no others the ratio is `None`.
    pub coordinate_ratio: Option<S>,
    /// The parts' means.
    pub parts: Option<Parts<S>>,
    /// Noise and signal by the sensors that [`Needs::sensors`](super::Needs::sensors) requested, or why there are none; the plain ones are not
    /// here, see [`Self::noise`].
    pub measured_noise: MeasuredNoise<S>,
    /// ‖Σ gᵢ‖² over the epoch so far, this batch included.
    pub epoch_norm_sq: Option<S>,
}

impl<S: Real> Evidence<S> {
    /// Fraction of the answers that are correct, where a sample has one at each of `positions` positions.
    #[must_use]
    pub fn accuracy(&self, positions: usize) -> f64 {
        f64::from(self.correct) / (f64::from(self.samples) * count::<f64>(positions.max(1) as u64))
    }

    /// v = Σ‖gᵢ − ḡ‖²/(b − 1) = (S − b n)/(b − 1), the trace of the sample covariance. Rounding below 0 is
    /// clamped.
    ///
    /// # Errors
    /// Why it is undefined.
    pub fn variance(&self) -> Result<S, Reason> {
        let sum = self.sum_squared_norms.ok_or(Reason::MissingEvidence)?;
        self.sample_variance(sum - self.batch() * self.mean_norm_sq)
    }

    /// The sample variance of the pᵢ: (P₂ − b n²)/(b − 1), the spread *along* ḡ.
    ///
    /// # Errors
    /// Why it is undefined.
    pub fn variance_along(&self) -> Result<S, Reason> {
        let inner = self.inner.ok_or(Reason::MissingEvidence)?;
        self.sample_variance(inner.sum_squared_inner_products - self.batch() * self.mean_norm_sq.squared())
    }

    /// Σ‖gᵢ − (pᵢ/n) ḡ‖²/(b − 1) = (S − P₂/n)/(b − 1), the spread *across* ḡ.
    ///
    /// # Errors
    /// Why it is undefined.
    pub fn variance_orthogonal(&self) -> Result<S, Reason> {
        let sum = self.sum_squared_norms.ok_or(Reason::MissingEvidence)?;
        let inner = self.inner.ok_or(Reason::MissingEvidence)?;
        let (sum, squares) = (self.finite(sum)?, self.finite(inner.sum_squared_inner_products)?);
        self.sample_variance(sum - squares / self.nonzero_norm()?)
    }

    /// The sample variance of the leave-one-out inner products qᵢ = (b pᵢ − sᵢ)/(b − 1), which are
    /// ⟨gᵢ, mean of the others⟩.
    ///
    /// # Errors
    /// Why it is undefined.
    pub fn variance_leave_one_out(&self) -> Result<S, Reason> {
        let inner = self.inner.ok_or(Reason::MissingEvidence)?;
        let sum = self.sum_squared_norms.ok_or(Reason::MissingEvidence)?;
        let b = self.batch();
        let along = self.variance_along()?;
        let covariance = (inner.sum_norm_inner_products - sum * self.mean_norm_sq) / (b - S::one());
        let of_norms = (inner.sum_squared_square_norms - sum.squared() / b) / (b - S::one());
        let spread = b.squared() * along - (b + b) * covariance + of_norms;
        self.sample_variance(spread / (b - S::one()))
    }

    /// n − v/b, unbiased for the squared norm of the true gradient. May be negative.
    ///
    /// # Errors
    /// Why it is undefined.
    pub fn debiased_norm_sq(&self) -> Result<S, Reason> {
        Ok(self.noise(Sensor::Plain)?.signal)
    }

    /// v estimated from the J parts' means alone: Σⱼ mⱼ‖gⱼ − ḡ‖²/(J − 1), unbiased.
    ///
    /// # Errors
    /// Why it is undefined.
    pub fn worker_variance(&self) -> Result<S, Reason> {
        let parts = self.parts.ok_or(Reason::MissingEvidence)?;
        let between = parts.sum_squared_means - self.batch() * self.mean_norm_sq;
        if !between.is_finite() {
            return Err(Reason::NonFinite);
        }
        self.several_samples()?;
        self.nonzero_norm()?;
        if parts.count < 2 {
            return Err(Reason::SingleWorker);
        }
        Ok(between.max(S::zero()) / count(u64::from(parts.count - 1)))
    }

    /// Noise and signal, whose ratio is the gradient noise scale.
    ///
    /// # Errors
    /// Why they are undefined.
    pub fn noise(&self, sensor: Sensor) -> Result<Noise<S>, Reason> {
        if sensor == Sensor::Plain {
            return sensor.noise(self.samples, [self.variance()?, self.mean_norm_sq]);
        }
        self.measured_noise.get(sensor).unwrap_or(Err(Reason::MissingEvidence))
    }

    /// The cosine between the mean gradients of two halves: ⟨g₁, g₂⟩/(‖g₁‖ ‖g₂‖).
    ///
    /// # Errors
    /// Why it is undefined.
    pub fn cosine_of_halves(&self) -> Result<S, Reason> {
        let parts = self.parts.ok_or(Reason::MissingEvidence)?;
        let (samples, first) = parts.first;
        let second = parts.sum_squared_means - first;
        self.finite(second)?;
        match parts.count {
            0 | 1 => return Err(Reason::SingleWorker),
            2 => {}
            _ => return Err(Reason::MissingEvidence),
        }
        let of_first: S = count(samples.into());
        let of_second = self.batch() - of_first;
        // ‖Σ gᵢ‖² = ‖A₁‖² + ‖A₂‖² + 2 ⟨A₁, A₂⟩, with ‖Aⱼ‖² = mⱼ·(mⱼ ‖gⱼ‖²).
        let [first, second] = [of_first * first, of_second * second];
        let product = (self.batch().squared() * self.mean_norm_sq - first - second) / (S::one() + S::one());
        let norms = first.max(S::zero()).root() * second.max(S::zero()).root();
        let cosine = product / norms;
        if norms > S::zero() && cosine.is_finite() { Ok(cosine) } else { Err(Reason::ZeroMeanGradient) }
    }

    /// b as a float.
    #[must_use]
    pub fn batch(&self) -> S {
        count(u64::from(self.samples))
    }

    /// n, where it can be divided by.
    pub(crate) fn nonzero_norm(&self) -> Result<S, Reason> {
        if !self.mean_norm_sq.is_finite() {
            Err(Reason::NonFinite)
        } else if self.mean_norm_sq > S::zero() {
            Ok(self.mean_norm_sq)
        } else {
            Err(Reason::ZeroMeanGradient)
        }
    }

    /// `Ok` where a sample variance is defined.
    fn several_samples(&self) -> Result<(), Reason> {
        if self.samples < 2 { Err(Reason::SingleSample) } else { Ok(()) }
    }

    /// A sum, where a sample variance can be made from it.
    fn finite(&self, sum: S) -> Result<S, Reason> {
        if !sum.is_finite() || !self.mean_norm_sq.is_finite() {
            return Err(Reason::NonFinite);
        }
        self.several_samples()?;
        Ok(sum)
    }

    /// A centred sum of squares over b − 1, held at 0 from below.
    fn sample_variance(&self, centred_sum: S) -> Result<S, Reason> {
        Ok(self.finite(centred_sum)?.max(S::zero()) / (self.batch() - S::one()))
    }
}
