use num_traits::One;

use super::{Evidence, Inner, LengthMismatch, Needs, Parts, Totals, check_length};
use crate::real::{Real, dot_of_equals, power_of_two, square_norm};
use crate::vectors::on_vectors;

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
