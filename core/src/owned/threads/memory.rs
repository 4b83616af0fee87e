//! How much memory the engine takes, known before it is allocated.

use std::num::NonZero;

use super::engine::ThreadsEngine;
use crate::config::RunConfig;
use crate::dataset::Visit;
use crate::network::{Network, WorkspaceLen};
use crate::owned::cluster::Reduction;
use crate::owned::sweep_memory::micro_batch;
use crate::owned::{ActivationCache, OwnedNetwork};
use crate::statistics::Needs;
use crate::training::Cut;

/// Sums of parts that a batch's own memory holds beside its total.
const PARTS_OF_BATCH: u64 = 2;

impl ThreadsEngine {
    /// The largest number of bytes that an engine of [`Self::of_network`] takes, for batches that are cut like this at
    /// most and the statistics `needs`; without batches, for evaluations alone. The copies of parameters and memory in
    /// the order of files ([`Self::as_files_hold`]) are not included. The largest `u64` if the number does not fit.
    #[must_use]
    pub fn memory_bytes(
        config: &RunConfig,
        network: &OwnedNetwork,
        needs: &Needs,
        largest: Option<Cut>,
        threads: NonZero<usize>,
    ) -> u64 {
        Self::memory_bytes_of_rank(config, network, needs, largest, threads, (1, Reduction::Exact))
    }

    /// The same of each of `ranks` engines of [`Self::of_cluster`]. With D parameters, R ranks and P parts, a rank holds
    ///
    /// ⌈P/R⌉·4D bytes of the sums of its own parts, (1 − 1/R) times as many of what it sends, and as many of what it receives.
    ///
    /// [`Reduction::Fast`] holds one sum instead of ⌈P/R⌉. Twice as much where a test looks at coordinates. None of it
    /// depends on the samples of the batch, once there are P parts.
    #[must_use]
    pub fn memory_bytes_of_rank(
        config: &RunConfig,
        network: &OwnedNetwork,
        needs: &Needs,
        largest: Option<Cut>,
        threads: NonZero<usize>,
        (ranks, reduction): (usize, Reduction),
    ) -> u64 {
        let view = network.view();
        let (parameters, slots) = (view.parameters() as u64, config.slots() as u64);
        let ranks = ranks.max(1) as u64;
        let sums = largest.map_or(0, |cut| {
            let sums = SumsOf { parameters, has_moments: needs.moments(), parts: cut.parts().into() };
            match reduction {
                _ if ranks == 1 => sums.alone(threads),
                Reduction::Exact => sums.exact(ranks),
                Reduction::Fast => sums.fast(threads, ranks),
            }
        });
        // The parameters themselves and ḡ, and the training memory.
        let vectors = parameters.saturating_mul(bytes::<f32>(slots + 2));
        let workspace = workspace_bytes(view);
        let kept = largest.filter(|_| needs.inner).map_or(0, |cut| kept_micro_batches(view, cut, ranks));
        let workspaces = (threads.get() as u64).saturating_add(kept);
        vectors.saturating_add(sums).saturating_add(workspaces.saturating_mul(workspace))
    }
}

/// What the sums of a batch depend on.
#[derive(Clone, Copy)]
struct SumsOf {
    parameters: u64,
    /// Σ gᵢ² beside Σ gᵢ.
    has_moments: bool,
    parts: u64,
}

impl SumsOf {
    fn vectors(self) -> u64 {
        if self.has_moments { 2 } else { 1 }
    }

    /// Bytes of several sums in one float type, over all or some of the parameters.
    fn several<T>(self, sums: u64, parameters: u64) -> u64 {
        parameters.saturating_mul(bytes::<T>(sums.saturating_mul(self.vectors())))
    }

    /// Of an engine that adds the parts as they come.
    fn alone(self, threads: NonZero<usize>) -> u64 {
        // No more parts are on their way at a time.
        let window = (threads.get() as u64).saturating_mul(2);
        let parts = PARTS_OF_BATCH + self.parts.min(window);
        let total = self.several::<f64>(1, self.parameters);
        total.saturating_add(self.several::<f32>(parts, self.parameters))
    }

    /// Of a rank that keeps its parts for all to add.
    fn exact(self, ranks: u64) -> u64 {
        let own = self.parts.div_ceil(ranks);
        self.several::<f32>(own, self.parameters).saturating_add(self.exchanged(own, ranks))
    }

    /// Of a rank that adds its parts, and keeps the sum.
    fn fast(self, threads: NonZero<usize>, ranks: u64) -> u64 {
        let own = Self { parts: self.parts.div_ceil(ranks), ..self }.alone(threads);
        own.saturating_add(self.several::<f32>(1, self.parameters)).saturating_add(self.exchanged(1, ranks))
    }

    /// What is exchanged, and the sums of the own slice of the parameters, where each rank has `own` sums.
    fn exchanged(self, own: u64, ranks: u64) -> u64 {
        let slice = self.parameters.div_ceil(ranks);
        // Its slices of ḡ with the norms of blocks, or of the moments, come into the same memory.
        let gathered = if self.has_moments { bytes::<f64>(2) } else { bytes::<f32>(1) + 1 };
        let gathered = slice.saturating_mul(gathered);
        let slices = self.several::<f32>(own, slice);
        let sent = slices.saturating_mul(ranks - 1);
        let received = slices.max(gathered).saturating_mul(ranks - 1).saturating_add(gathered);
        let fold = self.several::<f64>(1, slice);
        let parts = self.several::<f32>(1 + PARTS_OF_BATCH, slice);
        let moments = if self.has_moments { self.several::<f64>(1, self.parameters) } else { 0 };
        // What is gathered, and with its header.
        let message = gathered.saturating_mul(2);
        [sent, received, fold, parts, moments, message].into_iter().fold(0, u64::saturating_add)
    }
}

const fn bytes<T>(values: u64) -> u64 {
    values.saturating_mul(size_of::<T>() as u64)
}

/// Of a micro-batch's working memory.
fn workspace_bytes(network: Network<'_>) -> u64 {
    let WorkspaceLen { values, sums, visits, labels } = network.workspace(micro_batch(network));
    bytes::<f32>(values as u64)
        .saturating_add(bytes::<f64>(sums as u64))
        .saturating_add(bytes::<Visit>(visits as u64))
        .saturating_add(bytes::<u32>(labels as u64))
}

/// Micro-batches of a rank's own parts that are kept from the first sweep of a batch to the second.
fn kept_micro_batches(network: Network<'_>, cut: Cut, ranks: u64) -> u64 {
    // Each part may end with a short one.
    let own = u64::from(cut.samples()).div_ceil(ranks);
    let all = own / micro_batch(network) as u64 + u64::from(cut.parts()).div_ceil(ranks);
    all.min(ActivationCache::<f32>::limit(network) as u64)
}
