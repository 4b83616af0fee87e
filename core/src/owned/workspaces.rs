//! Where runs, threads and part workers sweep micro-batches.

use super::{ActivationCache, SweepMemory};
use crate::backend::Backend;
use crate::network::{Network, Sweep, SweepError};
use crate::real::Real;
use crate::training::Workspaces;

/// Memory for one micro-batch, and for those that are kept from a first sweep to the second.
pub(super) struct CachingWorkspaces<'a, F: Real, B> {
    pub(super) network: Network<'a>,
    pub(super) backend: B,
    /// For the micro-batches that are not kept.
    pub(super) memory: &'a mut SweepMemory<F>,
    /// In a second sweep: filled by the first one, with the same parameters. `None`: nothing is kept.
    pub(super) cache: Option<&'a mut ActivationCache<F>>,
}

impl<F: Real, B: Backend<F> + Copy> Workspaces<F> for CachingWorkspaces<'_, F, B> {
    type Backend = B;

    fn micro_batch(&self) -> u32 {
        self.memory.micro_batch()
    }

    fn once<T>(
        &mut self,
        act: impl FnOnce(&mut Sweep<'_, F, B>) -> Result<T, SweepError>,
    ) -> Result<T, SweepError> {
        act(&mut self.memory.sweep(self.network, self.backend)?)
    }

    fn first<T>(
        &mut self,
        index: usize,
        act: impl FnOnce(&mut Sweep<'_, F, B>) -> Result<T, SweepError>,
    ) -> Result<T, SweepError> {
        let kept = self.cache.as_mut().and_then(|cache| cache.fill(self.network, index));
        act(&mut kept.unwrap_or(self.memory).sweep(self.network, self.backend)?)
    }

    fn second<T>(
        &mut self,
        index: usize,
        act: impl FnOnce(&mut Sweep<'_, F, B>, bool) -> Result<T, SweepError>,
    ) -> Result<T, SweepError> {
        let kept = self.cache.as_mut().and_then(|cache| cache.get(index));
        let is_kept = kept.is_some();
        act(&mut kept.unwrap_or(self.memory).sweep(self.network, self.backend)?, is_kept)
    }
}
