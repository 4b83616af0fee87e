//! Gradient statistics of a batch: accumulate, merge, summarise.
//!
//! Letters, here and everywhere: b samples, D parameters, per-sample gradients gᵢ of the *unscaled*
//! per-sample loss, their mean ḡ, sᵢ = ‖gᵢ‖², pᵢ = ⟨gᵢ, ḡ⟩.

use core::fmt;

use num_traits::{One, Zero, float::FloatCore};

mod made_elsewhere;

pub use self::made_elsewhere::{EvidenceError, Part};
pub use crate::length::LengthMismatch;
pub(crate) use crate::length::{check_least, check_length};
use crate::noise_scale::{MeasuredNoise, Noise, Sensor, Sensors, preconditioned, sign};
use crate::real::{Real, count, dot_of_equals, exponent_of, power_of_two, square_norm};
use crate::vectors::on_vectors;

/// What a batch-size test or a controller asks an engine to compute beyond loss and mean gradient. An engine computes
/// no more than this.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Needs {
    /// Σ sᵢ: free with the backward pass.
    pub norms: bool,
    /// Σ pᵢ², Σ sᵢpᵢ and Σ sᵢ²: a second sweep over the batch, because ḡ must be known first.
    pub inner: bool,
    /// Σᵢ gᵢⱼ² for every coordinate, reduced to this quantile of Varⱼ/ḡⱼ²: one buffer of D values.
    pub coordinate_quantile: Option<f64>,
    /// The batch is to be cut into at least this many parts, and their means compared.
    pub parts: u32,
    /// The batch is to be cut into exactly two halves, and their means compared.
    pub halves: bool,
    /// The sensors of the noise scale in addition to the plain one, from Σᵢ gᵢⱼ² for every coordinate: one buffer of D
    /// values.
    pub sensors: Sensors,
    /// Σ gᵢ over an epoch: one more slot of D values in the training memory.
    pub epoch: bool,
    /// Batches that can be extended before their step.
    pub extends: bool,
    /// How long steps take.
    pub step_time: bool,
    /// The gradient is summed as if no statistics were requested, and the statistics come from a separate backward
    /// pass: sums of samples' gradients are rounded in another order.
    pub apart: bool,
}

impl Needs {
    /// Nothing beyond loss and mean gradient.
    pub const NONE: Self = Self {
        norms: false,
        inner: false,
        coordinate_quantile: None,
        parts: 0,
        halves: false,
        sensors: Sensors::of(Sensor::Plain),
        epoch: false,
        extends: false,
        step_time: false,
        apart: false,
    };

    /// Σ sᵢ, as the norm test asks for.
    pub const NORMS: Self = Self { norms: true, ..Self::NONE };

    /// The needs of both. If both need a quantile, that of the first is used.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            norms: self.norms || other.norms,
            inner: self.inner || other.inner,
            coordinate_quantile: self.coordinate_quantile.or(other.coordinate_quantile),
            parts: self.parts.max(other.parts),
            halves: self.halves || other.halves,
            sensors: self.sensors.and(other.sensors),
            epoch: self.epoch || other.epoch,
            extends: self.extends || other.extends,
            step_time: self.step_time || other.step_time,
            apart: self.apart || other.apart,
        }
    }

    /// Whether Σᵢ gᵢⱼ² is needed for every coordinate.
    #[must_use]
    pub const fn moments(&self) -> bool {
        self.coordinate_quantile.is_some() || !self.sensors.is_empty()
    }

    /// Whether the means of parts are compared.
    #[must_use]
    pub const fn compares_parts(&self) -> bool {
        self.parts > 0 || self.halves
    }

    /// The smallest batch for which this can be computed. A batch of one sample could never grow.
    #[must_use]
    pub const fn least_batch(&self) -> u32 {
        if self.compares_samples() { 2 } else { 1 }
    }

    /// Whether a sample variance is needed: a single sample has none.
    #[must_use]
    pub const fn compares_samples(&self) -> bool {
        self.norms || self.inner || self.compares_parts() || self.moments()
    }
}

/// Why a quantity has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Reason {
    /// A gradient holds a NaN or an infinity, or a sum has left the range of its type.
    NonFinite,
    /// A single sample has no sample variance.
    SingleSample,
    /// ḡ = 0, and the quantity divides by its norm.
    ZeroMeanGradient,
    /// n − v/b ≤ 0: the noise dominates.
    NonPositiveDebiasedNorm,
    /// A single worker (or part) has no variance between workers.
    SingleWorker,
    /// The engine did not compute the statistics that this needs.
    MissingEvidence,
    /// No batch size is large enough.
    Unbounded,
    /// The loss is not positive, and the quantity divides by it.
    NonPositiveLoss,
    /// Too few steps were timed.
    NoStepTimes,
    /// The rule decides at other steps.
    OtherSteps,
    /// The run's coupling leaves no β for a batch of the size that the rule chose.
    NoBetaLeft,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NonFinite => "a gradient is not finite",
            Self::SingleSample => "a single sample has no variance",
            Self::ZeroMeanGradient => "the mean gradient is zero",
            Self::NonPositiveDebiasedNorm => "the gradient noise exceeds the gradient",
            Self::SingleWorker => "a single worker has no variance between workers",
            Self::MissingEvidence => "the required statistics were not computed",
            Self::Unbounded => "no batch size is large enough",
            Self::NonPositiveLoss => "the loss is not positive",
            Self::NoStepTimes => "too few steps were timed",
            Self::OtherSteps => "the rule decides at other steps",
            Self::NoBetaLeft => "the coupling leaves no β for a batch of that size",
        })
    }
}

/// Sums over the inner products pᵢ = ⟨gᵢ, ḡ⟩ of a batch, gathered in a second sweep.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Inner<S> {
    /// P₂ = Σ pᵢ².
    pub sum_squared_inner_products: S,
    /// Σ sᵢ pᵢ.
    pub sum_norm_inner_products: S,
    /// Σ sᵢ².
    pub sum_squared_square_norms: S,
}

impl<S: Real> Inner<S> {
    /// Adds one sample by its sᵢ and pᵢ.
    pub fn add(&mut self, square_norm: S, inner_product: S) {
        self.sum_squared_inner_products += inner_product.squared();
        self.sum_norm_inner_products += square_norm * inner_product;
        self.sum_squared_square_norms += square_norm.squared();
    }

    /// Adds the sums of another part of the same batch (taken with the same ḡ).
    pub fn merge(&mut self, part: &Self) {
        self.sum_squared_inner_products += part.sum_squared_inner_products;
        self.sum_norm_inner_products += part.sum_norm_inner_products;
        self.sum_squared_square_norms += part.sum_squared_square_norms;
    }
}

/// The means of the parts that a batch was cut into.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Parts<S> {
    /// J.
    pub count: u32,
    /// Σⱼ mⱼ ‖gⱼ‖² over parts of mⱼ samples with mean gradient gⱼ.
    pub sum_squared_means: S,
    /// m₁ and m₁ ‖g₁‖² of the first part: with two parts, the rest belongs to the other one.
    pub first: (u32, S),
}

impl<S: Real> Parts<S> {
    /// A single part, by the number of its samples and ‖Σ gᵢ‖².
    pub(crate) fn of_one(samples: u32, sum_norm_sq: S) -> Self {
        let squared_mean = sum_norm_sq / count(samples.max(1).into());
        Self { count: 1, sum_squared_means: squared_mean, first: (samples, squared_mean) }
    }

    /// Adds the part that follows, by the number of its samples and ‖Σ gᵢ‖².
    pub fn push(&mut self, samples: u32, sum_norm_sq: S) {
        self.merge(&Self::of_one(samples, sum_norm_sq));
    }

    /// Adds the parts that follow.
    fn merge(&mut self, next: &Self) {
        if self.count == 0 {
            self.first = next.first;
        }
        self.count = self.count.saturating_add(next.count);
        self.sum_squared_means += next.sum_squared_means;
    }
}

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
    /// The quantile of Varⱼ/ḡⱼ² that [`Needs::coordinate_quantile`] requested; coordinates with ḡⱼ = 0 are left out,
    /// and if there are no others the ratio is `None`.
    pub coordinate_ratio: Option<S>,
    /// The parts' means.
    pub parts: Option<Parts<S>>,
    /// Noise and signal by the sensors that [`Needs::sensors`] requested, or why there are none; the plain ones are not
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

/// The sums of [`Statistics`] that are plain numbers, which can be sent between threads.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Totals<S> {
    /// Samples accumulated.
    pub samples: u32,
    /// How many of them were classified correctly.
    pub correct: u32,
    /// Sum of the losses in nats.
    pub loss: S,
    /// Σ sᵢ.
    pub sum_squared_norms: S,
    /// Parts closed so far.
    pub parts: Parts<S>,
    /// k, where the second moment holds Σ (2ᵏ gᵢ)²: 0 unless such squares would leave the range of their type.
    pub moment_exponent: i32,
}

impl<S: Real> Totals<S> {
    /// Adds another part's sums. The second moments' exponents are [`Statistics::merge`]'s. Counts stay at 2³² − 1 where
    /// they would exceed it.
    pub fn merge(&mut self, part: &Self) {
        self.samples = self.samples.saturating_add(part.samples);
        self.correct = self.correct.saturating_add(part.correct);
        self.loss += part.loss;
        self.sum_squared_norms += part.sum_squared_norms;
        self.parts.merge(&part.parts);
    }

    /// 1/b.
    pub(crate) fn share(&self) -> Result<S, LengthMismatch> {
        check_some_samples(self.samples)?;
        Ok(S::one() / count(u64::from(self.samples)))
    }

    /// What they say with ‖Σ gᵢ‖² and what else was computed: only what `needs` names. Sensors of noise and the epoch's
    /// norm are not among it, for they take the optimizer's memory.
    #[must_use]
    pub fn evidence(
        &self,
        needs: &Needs,
        sum_norm_sq: S,
        inner: Option<Inner<S>>,
        coordinate_ratio: Option<S>,
    ) -> Evidence<S> {
        // Of no sample, sums and means are 0.
        let b = count(u64::from(self.samples.max(1)));
        Evidence {
            samples: self.samples,
            correct: self.correct,
            loss: self.loss / b,
            mean_norm_sq: sum_norm_sq / b / b,
            sum_squared_norms: needs.norms.then_some(self.sum_squared_norms),
            inner,
            coordinate_ratio,
            parts: needs.compares_parts().then_some(self.parts),
            measured_noise: MeasuredNoise::default(),
            epoch_norm_sq: None,
        }
    }
}

/// `Ok` where means over a batch are defined.
///
/// # Errors
/// When it is empty.
pub fn check_some_samples(samples: u32) -> Result<(), LengthMismatch> {
    check_length("the batch", 1, samples.min(1) as usize)
}

/// The sums over a batch, or a part of it, that every test is computed from. They merge exactly: the sums of two
/// parts add up to those of the whole, up to rounding.
///
/// Memory: the caller's D values for Σ gᵢ, and D more for Σ gᵢ² where a test asks for coordinates. Rounding:
/// with each sum over b values kept in the type of relative precision ε, `mean_norm_sq` is exact to about
/// 2bε·S/b and `variance` to about bε·S/(b − 1) in the worst case, with √b instead of b for random
/// rounding errors.
///
/// ```
/// use adadagrad_core::statistics::{Needs, Statistics};
///
/// let mut sums = [0.0_f64; 2];
/// let mut statistics = Statistics::new(&mut sums, &mut [])?;
/// statistics.push(&[1.0, 2.0], 0.3)?;
/// statistics.push(&[3.0, 2.0], 0.5)?;
/// let evidence = statistics.evidence(&Needs { norms: true, ..Needs::NONE }, None);
/// assert_eq!(evidence.mean_norm_sq, 8.0);
/// assert_eq!(evidence.variance(), Ok(2.0));
/// # Ok::<(), adadagrad_core::statistics::LengthMismatch>(())
/// ```
#[derive(Debug)]
pub struct Statistics<'a, F: Real> {
    /// The sums that are plain numbers.
    pub totals: Totals<F::Sum>,
    /// Σ gᵢ.
    pub gradient_sum: &'a mut [F],
    /// Σ gᵢ², coordinate by coordinate, scaled by [`Totals::moment_exponent`]; empty when no test asks for it.
    pub second_moment: &'a mut [F],
}

impl<'a, F: Real> Statistics<'a, F> {
    /// Starts from zero in the caller's memory: D values, and D or none for the second moment.
    ///
    /// # Errors
    /// When the second moment is neither empty nor as long as the gradient.
    pub fn new(gradient_sum: &'a mut [F], second_moment: &'a mut [F]) -> Result<Self, LengthMismatch> {
        let mut statistics = Self::resume(Totals::default(), gradient_sum, second_moment)?;
        statistics.clear();
        Ok(statistics)
    }

    /// Continues from sums taken earlier.
    ///
    /// # Errors
    /// When the second moment is neither empty nor as long as the gradient.
    pub fn resume(
        totals: Totals<F::Sum>,
        gradient_sum: &'a mut [F],
        second_moment: &'a mut [F],
    ) -> Result<Self, LengthMismatch> {
        if !second_moment.is_empty() {
            check_length("the second moment", gradient_sum.len(), second_moment.len())?;
        }
        Ok(Self { totals, gradient_sum, second_moment })
    }

    /// Sets all sums to zero.
    pub fn clear(&mut self) {
        self.totals = Totals::default();
        self.gradient_sum.fill(F::zero());
        self.second_moment.fill(F::zero());
    }

    /// Adds one sample by its whole gradient, for your own models. Returns sᵢ.
    ///
    /// # Errors
    /// When the gradient does not have D values.
    pub fn push(&mut self, gradient: &[F], loss: F::Sum) -> Result<F::Sum, LengthMismatch> {
        check_length("the gradient", self.gradient_sum.len(), gradient.len())?;
        let norm = square_norm(gradient);
        self.totals.samples = self.totals.samples.saturating_add(1);
        self.totals.loss += loss;
        self.totals.sum_squared_norms += norm;
        for (sum, &g) in self.gradient_sum.iter_mut().zip(gradient) {
            *sum += g;
        }
        self.push_squares_of_layers(&[gradient]);
        Ok(norm)
    }

    fn push_squares_of_layers(&mut self, layers: &[&[F]]) {
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
    fn rescale(&mut self, exponent: i32) {
        if exponent < self.totals.moment_exponent {
            // Twice, because the factor's square may have left the range of the type.
            let factor = power_of_two::<F>(exponent.saturating_sub(self.totals.moment_exponent));
            self.second_moment.iter_mut().for_each(|sum| *sum = *sum * factor * factor);
        }
        self.totals.moment_exponent = exponent;
    }

    /// Takes the mean of what was accumulated as that of one part. Once, after the last sample: later ones would be
    /// missing in it.
    pub(crate) fn close_part(&mut self) {
        if self.totals.samples > 0 {
            self.totals.parts = Parts::of_one(self.totals.samples, square_norm(self.gradient_sum));
        }
    }

    /// Adds another part of the same batch. Merge parts in a fixed order to get the same bits. The first
    /// part's sums replace the current ones.
    ///
    /// # Errors
    /// When the two are not over the same number of parameters.
    pub fn merge<G: Real<Sum = F::Sum>>(&mut self, part: &Statistics<'_, G>) -> Result<(), LengthMismatch> {
        check_length("the part's gradient", self.gradient_sum.len(), part.gradient_sum.len())?;
        check_length("the part's second moment", self.second_moment.len(), part.second_moment.len())?;
        let exponent = part.totals.moment_exponent;
        if self.totals.samples == 0 {
            set(self.gradient_sum, part.gradient_sum);
            set(self.second_moment, part.second_moment);
            self.totals.moment_exponent = exponent;
        } else {
            add_into(self.gradient_sum, part.gradient_sum);
            // To the exponent of the larger squares.
            self.rescale(self.totals.moment_exponent.min(exponent));
            let factor =
                power_of_two::<F::Sum>(self.totals.moment_exponent.saturating_sub(exponent)).squared();
            if factor == F::Sum::one() {
                add_into(self.second_moment, part.second_moment);
            } else {
                for (sum, &square) in self.second_moment.iter_mut().zip(&*part.second_moment) {
                    *sum += F::narrow(square.widen() * factor);
                }
            }
        }
        self.totals.merge(&part.totals);
        Ok(())
    }

    /// Writes ḡ = (1/b) Σ gᵢ.
    ///
    /// # Errors
    /// When `mean` does not have D values, or there are no samples; then nothing is written.
    pub fn mean_gradient<G: Real<Sum = F::Sum>>(&self, mean: &mut [G]) -> Result<(), LengthMismatch> {
        check_length("the mean gradient", self.gradient_sum.len(), mean.len())?;
        let share = self.totals.share()?;
        on_vectors(|| {
            for (mean, &sum) in mean.iter_mut().zip(&*self.gradient_sum) {
                *mean = G::narrow(sum.widen() * share);
            }
        });
        Ok(())
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

    /// What has been accumulated, as plain numbers: only what `needs` names, so that what was not computed
    /// cannot be mistaken for a value. A quantile over coordinates overwrites the second moment.
    pub fn evidence(&mut self, needs: &Needs, inner: Option<Inner<F::Sum>>) -> Evidence<F::Sum> {
        let coordinate_ratio = needs.coordinate_quantile.and_then(|quantile| self.coordinate_ratio(quantile));
        self.totals.evidence(needs, square_norm(self.gradient_sum), inner, coordinate_ratio)
    }

    /// The inner product of a sample's gradient with ḡ, and its squared norm, added to `inner`: the second
    /// sweep for your own models.
    ///
    /// # Errors
    /// When one of the two does not have D values.
    pub fn project(
        &self,
        gradient: &[F],
        mean_gradient: &[F],
        inner: &mut Inner<F::Sum>,
    ) -> Result<(), LengthMismatch> {
        check_length("the gradient", self.gradient_sum.len(), gradient.len())?;
        check_length("the mean gradient", self.gradient_sum.len(), mean_gradient.len())?;
        inner.add(square_norm(gradient), dot_of_equals(gradient, mean_gradient));
        Ok(())
    }
}

fn set<F: Real, G: Real<Sum = F::Sum>>(sums: &mut [F], part: &[G]) {
    on_vectors(|| {
        for (sum, &value) in sums.iter_mut().zip(part) {
            *sum = F::narrow(value.widen());
        }
    });
}

fn add_into<F: Real, G: Real<Sum = F::Sum>>(sums: &mut [F], part: &[G]) {
    on_vectors(|| {
        for (sum, &value) in sums.iter_mut().zip(part) {
            *sum += F::narrow(value.widen());
        }
    });
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
