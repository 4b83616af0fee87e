//! The sums of a batch, with their memory.

use num_traits::Zero;

use super::error::RunError;
use super::statistics::OwnedStatistics;
use crate::noise_scale::{Noise, Sensor};
use crate::real::{Real, square_norm};
use crate::statistics::{Evidence, Inner, LengthMismatch, Needs, Reason, Totals, check_length};
use crate::vectors::on_vectors;

/// The sums of a batch, whose parts are taken in order. The last two are added only when ḡ is computed: a batch of up to
/// two parts needs no total, which is twice as long, and every other saves two passes over memory.
#[derive(Clone, Debug)]
pub struct BatchSums<F: Real> {
    /// Of all parts but the last two.
    total: OwnedStatistics<F::Sum>,
    /// The last but one, and the last. What has no samples is not to be read.
    parts: [OwnedStatistics<F>; 2],
    /// ‖Σ gᵢ‖², once ḡ is known.
    sum_norm_sq: Option<F::Sum>,
}

impl<F: Real> BatchSums<F> {
    /// No sums yet, over `parameters` parameters, with the memory for `needs`.
    ///
    /// # Errors
    /// When there is not that much memory.
    pub fn new(parameters: usize, needs: &Needs) -> Result<Self, RunError> {
        Ok(Self {
            total: OwnedStatistics::new(parameters, needs)?,
            parts: [OwnedStatistics::new(parameters, needs)?, OwnedStatistics::new(parameters, needs)?],
            sum_norm_sq: None,
        })
    }

    /// For the sums of batches that are taken elsewhere ([`Self::set_total`]): without memory for parts.
    pub(super) fn of_total(parameters: usize, needs: &Needs) -> Result<Self, RunError> {
        Ok(Self { total: OwnedStatistics::new(parameters, needs)?, ..Self::new(0, needs)? })
    }

    /// Starts another batch. `part` is swapped with the last one taken, whose memory is still in the nearest caches;
    /// clear it before adding to it.
    pub fn begin(&mut self, part: &mut OwnedStatistics<F>) {
        let [_, last] = &mut self.parts;
        if part.gradient_sum.len() == last.gradient_sum.len() {
            core::mem::swap(last, part);
        }
        // The first part's sums take the place of what is there.
        self.total.totals = Totals::default();
        for part in &mut self.parts {
            part.totals = Totals::default();
        }
        self.sum_norm_sq = None;
    }

    /// Takes the next of the batch's parts. Clear what it leaves in its place before adding to it.
    ///
    /// # Errors
    /// When it does not fit.
    pub fn take(&mut self, part: &mut OwnedStatistics<F>, needs: &Needs) -> Result<(), LengthMismatch> {
        part.close(needs)?;
        self.take_closed(part)
    }

    /// Takes the next part, whose mean was compared where it was summed.
    pub(super) fn take_closed(&mut self, part: &mut OwnedStatistics<F>) -> Result<(), LengthMismatch> {
        let [expected, found] = [&self.parts[1], &*part].map(|sums| sums.gradient_sum.len());
        check_length("the part's gradient", expected, found)?;
        self.sum_norm_sq = None;
        self.add_part(0)?;
        let [earlier, last] = &mut self.parts;
        core::mem::swap(earlier, last);
        core::mem::swap(last, part);
        Ok(())
    }

    /// Writes ḡ as [`Statistics::mean_gradient`](crate::statistics::Statistics::mean_gradient) does.
    ///
    /// # Errors
    /// When `mean` does not have D values, or there are no samples.
    pub fn mean_gradient(&mut self, mean: &mut [F]) -> Result<(), LengthMismatch> {
        let mut norm = F::Sum::zero();
        self.mean_gradient_by_blocks(mean, |of_block| norm += of_block)?;
        self.sum_norm_sq = Some(norm);
        Ok(())
    }

    /// The same for sums over some of the parameters: gives ‖Σ gᵢ‖² of each [`BLOCK`], which add up in their order.
    pub(super) fn mean_gradient_by_blocks(
        &mut self,
        mean: &mut [F],
        block_norm: impl FnMut(F::Sum),
    ) -> Result<(), LengthMismatch> {
        check_length("the mean gradient", self.total.gradient_sum.len(), mean.len())?;
        let share = self.totals().share()?;
        let total = if self.has_total() { &*self.total.gradient_sum } else { &[] };
        let parts = self.parts.each_ref();
        let parts = parts.map(|part| if part.totals.samples > 0 { &*part.gradient_sum } else { &[] });
        mean_and_square_norms(total, parts, share, mean, block_norm);
        Ok(())
    }

    /// The plain sums of a whole batch, as they were taken elsewhere. Those over coordinates are written to
    /// [`Self::whole`].
    pub(super) fn set_total(&mut self, totals: Totals<F::Sum>, sum_norm_sq: F::Sum) {
        for part in &mut self.parts {
            part.totals = Totals::default();
        }
        self.sum_norm_sq = Some(sum_norm_sq);
        self.total.totals = totals;
    }

    /// The sums of all parts.
    pub(super) fn whole(&mut self) -> Result<&mut OwnedStatistics<F::Sum>, LengthMismatch> {
        self.add_parts()?;
        Ok(&mut self.total)
    }

    /// The batch's evidence, as [`Statistics::evidence`](crate::statistics::Statistics::evidence). ‖ḡ‖² was computed with
    /// ḡ; without a call of [`Self::mean_gradient`] it costs another pass over memory.
    ///
    /// # Errors
    /// None in practice: all sums have the same length.
    pub fn evidence(
        &mut self,
        needs: &Needs,
        inner: Option<Inner<F::Sum>>,
    ) -> Result<Evidence<F::Sum>, LengthMismatch> {
        let totals = self.totals();
        let sum_norm_sq = match self.sum_norm_sq {
            Some(norm) => norm,
            None => {
                self.add_parts()?;
                if self.has_total() { square_norm(&self.total.gradient_sum) } else { F::Sum::zero() }
            }
        };
        let coordinate_ratio = match needs.coordinate_quantile {
            Some(quantile) => {
                self.add_parts()?;
                self.total.with(|total| Ok::<_, LengthMismatch>(total.coordinate_ratio(quantile)))?
            }
            None => None,
        };
        Ok(totals.evidence(needs, sum_norm_sq, inner, coordinate_ratio))
    }

    /// Noise and signal, as [`Statistics::noise`](crate::statistics::Statistics::noise). Call it before
    /// [`Self::evidence`], which may need the memory of the second moment.
    ///
    /// # Errors
    /// None in practice: all sums have the same length.
    pub fn noise(
        &mut self,
        sensor: Sensor,
        divisor: impl Fn(usize) -> Option<F::Sum>,
    ) -> Result<Result<Noise<F::Sum>, Reason>, LengthMismatch> {
        self.add_parts()?;
        self.total.with(|total| Ok(total.noise(sensor, divisor)))
    }

    pub(super) fn totals(&self) -> Totals<F::Sum> {
        let mut totals = self.total.totals;
        for part in &self.parts {
            totals.merge(&part.totals);
        }
        totals
    }

    fn has_total(&self) -> bool {
        self.total.totals.samples > 0
    }

    /// Adds the parts that are not in the total yet.
    fn add_parts(&mut self) -> Result<(), LengthMismatch> {
        self.add_part(0)?;
        self.add_part(1)
    }

    /// Adds one of them, where there is one.
    fn add_part(&mut self, index: usize) -> Result<(), LengthMismatch> {
        let part = &mut self.parts[index];
        if part.totals.samples > 0 {
            part.with(|part| self.total.with(|total| total.merge(part)))?;
            part.totals = Totals::default();
        }
        Ok(())
    }
}

/// Values whose sums stay in the nearest cache.
pub(super) const BLOCK: usize = 1024;

/// Writes (total + parts) · share, each being empty where there is none, and gives ‖total + parts‖² of each block: one pass
/// over memory.
fn mean_and_square_norms<F: Real>(
    total: &[F::Sum],
    parts: [&[F]; 2],
    share: F::Sum,
    mean: &mut [F],
    mut block_norm: impl FnMut(F::Sum),
) {
    let mut sums = [F::Sum::zero(); BLOCK];
    let mut total = total.chunks(BLOCK);
    let mut parts = parts.map(|part| part.chunks(BLOCK));
    for mean in mean.chunks_mut(BLOCK) {
        let sums = &mut sums[..mean.len()];
        let mut is_begun = false;
        if let Some(total) = total.next() {
            sums.copy_from_slice(total);
            is_begun = true;
        }
        for part in parts.iter_mut().filter_map(Iterator::next) {
            if is_begun {
                on_vectors(|| {
                    for (sum, &part) in sums.iter_mut().zip(part) {
                        *sum += part.widen();
                    }
                });
            } else {
                on_vectors(|| {
                    for (sum, &part) in sums.iter_mut().zip(part) {
                        *sum = part.widen();
                    }
                });
            }
            is_begun = true;
        }
        block_norm(square_norm(sums));
        on_vectors(|| {
            for (mean, &sum) in mean.iter_mut().zip(&*sums) {
                *mean = F::narrow(sum * share);
            }
        });
    }
}
