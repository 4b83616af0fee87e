//! The sums of a batch, with their memory.

use num_traits::Zero;

use super::error::RunError;
use super::statistics::OwnedStatistics;
use crate::real::{Real, square_norm};
use crate::statistics::{Evidence, Inner, LengthMismatch, Needs, Totals, check_length};
use crate::vectors::on_vectors;

/// The sums of a batch, whose parts are taken in order. The last part is added only when ḡ is computed: a batch of one
/// part needs no total, and every other saves one pass over memory.
#[derive(Clone, Debug)]
pub struct BatchSums<F: Real> {
    /// Of all parts but the last.
    total: OwnedStatistics<F::Sum>,
    last: OwnedStatistics<F>,
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
            last: OwnedStatistics::new(parameters, needs)?,
            sum_norm_sq: None,
        })
    }

    /// Starts another batch. `part` is swapped with the last one taken, whose memory is still in the nearest caches;
    /// clear it before adding to it.
    pub fn begin(&mut self, part: &mut OwnedStatistics<F>) {
        if part.gradient_sum.len() == self.last.gradient_sum.len() {
            core::mem::swap(&mut self.last, part);
        }
        // The first part's sums take the place of what is there.
        self.total.totals = Totals::default();
        self.last.totals = Totals::default();
        self.sum_norm_sq = None;
    }

    /// Takes the next of the batch's parts. Clear what it leaves in its place before adding to it.
    ///
    /// # Errors
    /// When it does not fit.
    pub fn take(&mut self, part: &mut OwnedStatistics<F>, needs: &Needs) -> Result<(), LengthMismatch> {
        let [expected, found] = [&self.last, &*part].map(|sums| sums.gradient_sum.len());
        check_length("the part's gradient", expected, found)?;
        part.close(needs)?;
        self.sum_norm_sq = None;
        self.add_last()?;
        core::mem::swap(&mut self.last, part);
        Ok(())
    }

    /// Writes ḡ as [`Statistics::mean_gradient`] does.
    ///
    /// # Errors
    /// When `mean` does not have D values, or there are no samples.
    pub fn mean_gradient(&mut self, mean: &mut [F]) -> Result<(), LengthMismatch> {
        let last = &self.last.gradient_sum;
        check_length("the mean gradient", last.len(), mean.len())?;
        let share = self.totals().share()?;
        let total = if self.has_total() { &*self.total.gradient_sum } else { &[] };
        self.sum_norm_sq = Some(mean_and_square_norm(total, last, share, mean));
        Ok(())
    }

    /// The batch's evidence, as [`Statistics::evidence`]. ‖ḡ‖² was computed with ḡ; if nobody asked for that, it costs
    /// another pass over memory.
    ///
    /// # Errors
    /// None in practice: the sums fit themselves.
    pub fn evidence(
        &mut self,
        needs: &Needs,
        inner: Option<Inner<F::Sum>>,
    ) -> Result<Evidence<F::Sum>, LengthMismatch> {
        let totals = self.totals();
        let sum_norm_sq = match self.sum_norm_sq {
            Some(norm) => norm,
            None => {
                self.add_last()?;
                if self.has_total() { square_norm(&self.total.gradient_sum) } else { F::Sum::zero() }
            }
        };
        let coordinate_ratio = match needs.coordinate_quantile {
            Some(quantile) => {
                self.add_last()?;
                self.total.with(|total| Ok::<_, LengthMismatch>(total.coordinate_ratio(quantile)))?
            }
            None => None,
        };
        Ok(totals.evidence(needs, sum_norm_sq, inner, coordinate_ratio))
    }

    fn totals(&self) -> Totals<F::Sum> {
        let mut totals = self.total.totals;
        totals.merge(&self.last.totals);
        totals
    }

    fn has_total(&self) -> bool {
        self.total.totals.samples > 0
    }

    /// Adds the last part to the total, where there is one.
    fn add_last(&mut self) -> Result<(), LengthMismatch> {
        if self.last.totals.samples > 0 {
            self.last.with(|last| self.total.with(|total| total.merge(last)))?;
            self.last.totals = Totals::default();
        }
        Ok(())
    }
}

/// Values whose sums stay in the nearest cache.
const BLOCK: usize = 1024;

/// Writes (total + last) · share, the total being empty where there is none, and gives ‖total + last‖², block by block:
/// one pass over memory.
fn mean_and_square_norm<F: Real>(total: &[F::Sum], last: &[F], share: F::Sum, mean: &mut [F]) -> F::Sum {
    let mut sums = [F::Sum::zero(); BLOCK];
    let mut totals = total.chunks(BLOCK);
    let mut norm = F::Sum::zero();
    for (last, mean) in last.chunks(BLOCK).zip(mean.chunks_mut(BLOCK)) {
        let sums = &mut sums[..last.len()];
        match totals.next() {
            None => on_vectors(|| {
                for (sum, &last) in sums.iter_mut().zip(last) {
                    *sum = last.widen();
                }
            }),
            Some(totals) => on_vectors(|| {
                for ((sum, &total), &last) in sums.iter_mut().zip(totals).zip(last) {
                    *sum = total + last.widen();
                }
            }),
        }
        norm += square_norm(sums);
        on_vectors(|| {
            for (mean, &sum) in mean.iter_mut().zip(&*sums) {
                *mean = F::narrow(sum * share);
            }
        });
    }
    norm
}
