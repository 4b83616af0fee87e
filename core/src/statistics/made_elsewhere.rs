//! Evidence and sums from the numbers of other programs.

use core::fmt;
use core::ops::Deref;

use super::{Evidence, Inner, LengthMismatch, Parts, Statistics, check_length};
use crate::real::{Real, count, square_norm};
use crate::settings::Short;

/// Why numbers cannot be those of a batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum EvidenceError {
    /// A batch without samples, or a part of one.
    NoSamples,
    /// A number is negative, infinite or NaN.
    NotANorm {
        /// Which.
        what: &'static str,
        /// What it is.
        found: f64,
    },
    /// Σ‖gᵢ‖² is less than b‖ḡ‖², which no gradients give.
    SumTooSmall {
        /// What was given for Σ‖gᵢ‖².
        sum: f64,
        /// b‖ḡ‖².
        least: f64,
    },
    /// A number that no gradients give together with the others.
    OutOfRange {
        /// Which.
        what: &'static str,
        /// What it is.
        found: f64,
        /// The smallest that gradients give, and why.
        least: (f64, &'static str),
        /// The largest, and why.
        most: (f64, &'static str),
    },
    /// A slice has the wrong length.
    Length(LengthMismatch),
}

impl fmt::Display for EvidenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSamples => f.write_str("a batch, and each of its parts, has at least one sample"),
            Self::NotANorm { what, found } => {
                write!(f, "{what} is {}, but must be a number of at least 0", Short(*found))
            }
            Self::SumTooSmall { sum, least } => write!(
                f,
                "the sum of the squared norms is {}, but cannot be less than samples × ‖mean gradient‖² = {}: give \
                 the sum over the samples, not their mean, and do not divide the gradients by the batch size",
                Short(*sum),
                Short(*least)
            ),
            Self::OutOfRange { what, found, least: (least, why_least), most: (most, why_most) } => {
                write!(f, "{what} is {}, but cannot be ", Short(*found))?;
                if found < least {
                    write!(f, "less than {why_least} = {}", Short(*least))
                } else {
                    write!(f, "more than {why_most} = {}", Short(*most))
                }
            }
            Self::Length(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for EvidenceError {}

impl From<LengthMismatch> for EvidenceError {
    fn from(error: LengthMismatch) -> Self {
        Self::Length(error)
    }
}

/// What Σ‖gᵢ‖² may lack of b‖ḡ‖² by rounding in other programs' `f32`.
const ROUNDING: f64 = 1e-3;

fn checked<S: Real>(what: &'static str, found: S) -> Result<S, EvidenceError> {
    if found.is_finite() && found >= S::zero() {
        Ok(found)
    } else {
        Err(EvidenceError::NotANorm { what, found: found.as_f64() })
    }
}

/// A number between two bounds, up to rounding in other programs' `f32`.
fn within<S: Real>(
    what: &'static str,
    found: S,
    (least, why_least): (S, &'static str),
    (most, why_most): (S, &'static str),
) -> Result<S, EvidenceError> {
    let slack = S::of(ROUNDING);
    if found >= least * (S::one() - slack) && found <= most * (S::one() + slack) {
        return Ok(found);
    }
    let (least, most) = ((least.as_f64(), why_least), (most.as_f64(), why_most));
    Err(EvidenceError::OutOfRange { what, found: found.as_f64(), least, most })
}

impl<S: Real> Evidence<S> {
    /// From b, n = ‖ḡ‖² and S = Σ‖gᵢ‖².
    ///
    /// ```
    /// use adadagrad_core::statistics::Evidence;
    ///
    /// let evidence = Evidence::from_norms(64, 0.25, 80.0)?;
    /// assert_eq!(evidence.variance(), Ok((80.0 - 64.0 * 0.25) / 63.0));
    /// let mean = Evidence::from_norms(64, 0.25, 80.0 / 64.0).unwrap_err();
    /// assert!(mean.to_string().contains("not their mean"));
    /// # Ok::<(), adadagrad_core::statistics::EvidenceError>(())
    /// ```
    ///
    /// # Errors
    /// When no gradients give such numbers.
    pub fn from_norms(samples: u32, mean_norm_sq: S, sum_squared_norms: S) -> Result<Self, EvidenceError> {
        if samples == 0 {
            return Err(EvidenceError::NoSamples);
        }
        let mean_norm_sq = checked("‖mean gradient‖²", mean_norm_sq)?;
        let sum = checked("the sum of the squared norms", sum_squared_norms)?;
        let evidence = Self { samples, mean_norm_sq, sum_squared_norms: Some(sum), ..Self::default() };
        let least = evidence.batch() * mean_norm_sq;
        if sum < least * S::of(1.0 - ROUNDING) {
            return Err(EvidenceError::SumTooSmall { sum: sum.as_f64(), least: least.as_f64() });
        }
        Ok(evidence)
    }

    /// From the mean gradients of the parts of a batch, each with the number of its samples, as data-parallel workers
    /// have them: enough for [`WorkerNormTest`](crate::batch_test::WorkerNormTest), and with two parts for
    /// [`SimiGrad`](crate::controller::SimiGrad).
    ///
    /// ```
    /// use adadagrad_core::statistics::Evidence;
    ///
    /// let evidence: Evidence<f64> = Evidence::from_parts(&[(2, &[1.0, 0.0][..]), (2, &[0.0, 1.0])])?;
    /// assert_eq!(evidence.mean_norm_sq, 0.5);
    /// assert_eq!(evidence.worker_variance(), Ok(2.0));
    /// # Ok::<(), adadagrad_core::statistics::EvidenceError>(())
    /// ```
    ///
    /// # Errors
    /// When a part has no samples or another number of values than the first, or a value is not finite.
    pub fn from_parts<F: Real<Sum = S>>(parts: &[(u32, &[F])]) -> Result<Self, EvidenceError> {
        let len = parts.first().ok_or(EvidenceError::NoSamples)?.1.len();
        let mut merged = Parts::default();
        let mut samples = 0_u32;
        for &(of_part, mean) in parts {
            check_length("a part's mean gradient", len, mean.len())?;
            if of_part == 0 {
                return Err(EvidenceError::NoSamples);
            }
            samples = samples.saturating_add(of_part);
            let m: S = count(of_part.into());
            merged.merge(&Parts::of_one(of_part, m.squared() * square_norm(mean)));
        }
        let b: S = count(samples.into());
        let mean_of = |coordinate: usize| {
            parts.iter().map(|&(m, mean)| count::<S>(m.into()) * mean[coordinate].widen()).sum::<S>() / b
        };
        let mean_norm_sq = checked("‖mean gradient‖²", (0..len).map(|j| mean_of(j).squared()).sum())?;
        Ok(Self { samples, mean_norm_sq, parts: Some(merged), ..Self::default() })
    }

    /// The same from norms: for each part its samples and ‖gⱼ‖², and n = ‖ḡ‖² of the whole batch.
    ///
    /// # Errors
    /// When a part has no samples, a number is not a squared norm, or no parts have such a mean: n is at most the mean of the
    /// ‖gⱼ‖², each counted by its samples.
    pub fn from_part_norms(mean_norm_sq: S, parts: &[(u32, S)]) -> Result<Self, EvidenceError> {
        let mut merged = Parts::default();
        let mut samples = 0_u32;
        for &(of_part, norm) in parts {
            if of_part == 0 {
                return Err(EvidenceError::NoSamples);
            }
            samples = samples.saturating_add(of_part);
            let norm = checked("a part's ‖mean gradient‖²", norm)?;
            merged.merge(&Parts::of_one(of_part, count::<S>(of_part.into()).squared() * norm));
        }
        if samples == 0 {
            return Err(EvidenceError::NoSamples);
        }
        let most = merged.sum_squared_means / count(samples.into());
        let mean_norm_sq = within(
            "‖mean gradient‖²",
            checked("‖mean gradient‖²", mean_norm_sq)?,
            (S::zero(), "0"),
            (most, "the mean over the samples of their parts' ‖mean gradient‖²"),
        )?;
        Ok(Self { samples, mean_norm_sq, parts: Some(merged), ..Self::default() })
    }

    /// The same with the sums of a second sweep, pᵢ = ⟨gᵢ, ḡ⟩. A sum that is not known may be NaN, except P₂: a test that needs it
    /// has no size then.
    ///
    /// ```
    /// use adadagrad_core::statistics::{Evidence, Inner};
    ///
    /// let evidence = Evidence::from_norms(64, 0.25, 80.0)?;
    /// let unknown = Inner { sum_norm_inner_products: f64::NAN, sum_squared_square_norms: f64::NAN, ..Inner::default() };
    /// assert!(evidence.with_inner(Inner { sum_squared_inner_products: 8.0, ..unknown }).is_ok());
    /// // Divided by the number of samples, by mistake.
    /// let error = evidence.with_inner(Inner { sum_squared_inner_products: 8.0 / 64.0, ..unknown }).unwrap_err();
    /// assert!(error.to_string().contains("cannot be less than samples × ‖mean gradient‖⁴ = 4"));
    /// # Ok::<(), adadagrad_core::statistics::EvidenceError>(())
    /// ```
    ///
    /// # Errors
    /// When no gradients give such sums: b n² ≤ P₂ ≤ n S, and Σ sᵢ² is between S²/b and S².
    pub fn with_inner(self, inner: Inner<S>) -> Result<Self, EvidenceError> {
        let (b, n) = (self.batch(), self.mean_norm_sq);
        within(
            "the sum of the squared inner products",
            checked("the sum of the squared inner products", inner.sum_squared_inner_products)?,
            (b * n.squared(), "samples × ‖mean gradient‖⁴"),
            (
                self.sum_squared_norms.map_or_else(S::infinity, |sum| n * sum),
                "‖mean gradient‖² × the sum of the squared norms",
            ),
        )?;
        if let Some(sum) = self.sum_squared_norms.filter(|_| !inner.sum_squared_square_norms.is_nan()) {
            within(
                "the sum of the norms' fourth powers",
                checked("the sum of the norms' fourth powers", inner.sum_squared_square_norms)?,
                (sum.squared() / b, "the sum of the squared norms, squared, over samples"),
                (sum.squared(), "the sum of the squared norms, squared"),
            )?;
        }
        Ok(Self { inner: Some(inner), ..self })
    }

    /// The same with the batch's mean loss, which some rules need.
    #[must_use]
    pub fn with_loss(self, loss: S) -> Self {
        Self { loss, ..self }
    }
}

/// The sums over one part of a batch, to be merged with others. Nothing can be added to them any more: the part's mean
/// is taken.
#[derive(Debug)]
pub struct Part<'a, F: Real>(Statistics<'a, F>);

impl<'a, F: Real> Deref for Part<'a, F> {
    type Target = Statistics<'a, F>;

    fn deref(&self) -> &Statistics<'a, F> {
        &self.0
    }
}

impl<'a, F: Real> Statistics<'a, F> {
    /// Declares what was accumulated to be one part of a batch, whose mean the worker-gradient test compares with those
    /// of the others: [`Self::merge`] all of them. Costs one pass over D.
    #[must_use]
    pub fn into_part(mut self) -> Part<'a, F> {
        self.close_part();
        Part(self)
    }

    /// Adds one sample by its gradient in the form of other frameworks, one slice per layer. Returns sᵢ.
    ///
    /// # Errors
    /// When the layers do not have D values together; then nothing has changed.
    pub fn push_layers(&mut self, layers: &[&[F]], loss: F::Sum) -> Result<F::Sum, LengthMismatch> {
        self.check_layers(layers)?;
        let mut norm = F::Sum::default();
        let mut offset = 0;
        for layer in layers {
            norm += square_norm(layer);
            let sums = &mut self.gradient_sum[offset..offset + layer.len()];
            for (sum, &g) in sums.iter_mut().zip(*layer) {
                *sum += g;
            }
            offset += layer.len();
        }
        self.push_squares_of_layers(layers);
        self.totals.samples = self.totals.samples.saturating_add(1);
        self.totals.loss += loss;
        self.totals.sum_squared_norms += norm;
        Ok(norm)
    }

    /// Adds several samples by their mean gradient, one slice per layer, their squared norms sᵢ and the sum of their
    /// losses: for frameworks that give the samples' norms but not their gradients.
    ///
    /// # Errors
    /// When the layers do not have D values together, there are no samples, a second moment is kept, which norms do not
    /// give, or no gradients have such norms and such a mean; then nothing has changed.
    pub fn push_mean(
        &mut self,
        mean_gradient: &[&[F]],
        square_norms: &[F::Sum],
        losses: F::Sum,
    ) -> Result<(), EvidenceError> {
        self.check_layers(mean_gradient)?;
        check_length("the batch", 1, square_norms.len().min(1))?;
        check_length("the second moment", 0, self.second_moment.len())?;
        let samples = u32::try_from(square_norms.len()).unwrap_or(u32::MAX);
        for &norm in square_norms {
            checked("a sample's squared norm", norm)?;
        }
        let sum: F::Sum = square_norms.iter().copied().sum();
        let mean_norm_sq = mean_gradient.iter().map(|layer| square_norm(layer)).sum();
        Evidence::from_norms(samples, mean_norm_sq, sum)?;
        let b: F::Sum = count(samples.into());
        let mean = mean_gradient.iter().flat_map(|layer| layer.iter());
        for (sum, &g) in self.gradient_sum.iter_mut().zip(mean) {
            *sum = F::narrow(sum.widen() + b * g.widen());
        }
        self.totals.samples = self.totals.samples.saturating_add(samples);
        self.totals.loss += losses;
        self.totals.sum_squared_norms += sum;
        Ok(())
    }

    /// ḡ in the memory of Σ gᵢ, which saves D values.
    ///
    /// # Errors
    /// When there are no samples.
    pub fn into_mean_gradient(self) -> Result<&'a mut [F], LengthMismatch> {
        let share = self.totals.share()?;
        for value in &mut *self.gradient_sum {
            *value = F::narrow(value.widen() * share);
        }
        Ok(self.gradient_sum)
    }

    fn check_layers(&self, layers: &[&[F]]) -> Result<(), LengthMismatch> {
        let len = layers.iter().map(|layer| layer.len()).sum();
        check_length("the gradient", self.gradient_sum.len(), len)
    }
}
