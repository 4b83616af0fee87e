//! How threads and part workers sweep a part of a batch: the same micro-batches in the same order, so the same bits.

use super::{ActivationCache, OwnedStatistics, RunError, SweepMemory};
use crate::backend::Backend;
use crate::dataset::{Dataset, Visit};
use crate::network::Network;
use crate::real::Real;
use crate::statistics::{Inner, Needs};
use crate::training::MicroBatch;

/// What one part is swept with.
pub(super) struct PartSweep<'a, F: Real, B> {
    pub(super) network: Network<'a>,
    pub(super) backend: B,
    /// For the micro-batches that are not kept.
    pub(super) memory: &'a mut SweepMemory<F>,
    pub(super) parameters: &'a [F],
}

impl<F: Real, B: Backend<F> + Copy> PartSweep<'_, F, B> {
    /// Adds the part's sums to `sums`, and keeps in `cache` what there is room for. `visit`: the sample at a position of
    /// the batch.
    pub(super) fn accumulate<E: From<RunError>>(
        self,
        micro_batches: impl Iterator<Item = Result<MicroBatch, E>>,
        dataset: &dyn Dataset<F>,
        mut visit: impl FnMut(u32) -> Visit,
        needs: &Needs,
        cache: &mut ActivationCache<F>,
        sums: &mut OwnedStatistics<F>,
    ) -> Result<(), E> {
        for (index, micro_batch) in micro_batches.enumerate() {
            let samples = micro_batch?.positions.map(&mut visit);
            let memory = cache.fill(self.network, index).unwrap_or(&mut *self.memory);
            let mut sweep = memory.sweep(self.network, self.backend).map_err(RunError::from)?;
            sums.with::<_, RunError>(|sums| {
                Ok(sweep.accumulate(self.parameters, dataset, samples, needs, sums)?)
            })?;
        }
        Ok(())
    }

    /// The part's inner products with ḡ, from `cache` as far as the first sweep filled it with the same parameters.
    pub(super) fn project<E: From<RunError>>(
        self,
        micro_batches: impl Iterator<Item = Result<MicroBatch, E>>,
        dataset: &dyn Dataset<F>,
        mut visit: impl FnMut(u32) -> Visit,
        mean_gradient: &[F],
        mut cache: Option<&mut ActivationCache<F>>,
    ) -> Result<Inner<F::Sum>, E> {
        let mut inner = Inner::default();
        for (index, micro_batch) in micro_batches.enumerate() {
            let positions = micro_batch?.positions;
            let kept = cache.as_mut().and_then(|cache| cache.get(index));
            let is_kept = kept.is_some();
            let memory = kept.unwrap_or(&mut *self.memory);
            let mut sweep = memory.sweep(self.network, self.backend).map_err(RunError::from)?;
            let projected = if is_kept {
                sweep.project_from_cache(self.parameters, mean_gradient, positions.len(), &mut inner)
            } else {
                let samples = positions.map(&mut visit);
                sweep.project(self.parameters, mean_gradient, dataset, samples, &mut inner)
            };
            projected.map_err(RunError::from)?;
        }
        Ok(inner)
    }
}
