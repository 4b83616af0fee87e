//! How much memory the engine takes, known before it is allocated.

use std::num::NonZero;

use super::engine::ThreadsEngine;
use crate::config::RunConfig;
use crate::dataset::Visit;
use crate::network::{Network, WorkspaceLen};
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
        let view = network.view();
        let parameters = view.parameters() as u64;
        let slots = config.slots() as u64;
        // Of each of the sums: Σ gᵢ, and where it is asked for Σ gᵢ².
        let vectors = if needs.moments() { 2 } else { 1 };
        let sums = largest.map_or(0, |cut| {
            // No more parts are on their way at a time.
            let window = (threads.get() as u64).saturating_mul(2);
            let parts = PARTS_OF_BATCH + u64::from(cut.parts()).min(window);
            bytes::<f64>(vectors).saturating_add(bytes::<f32>(parts * vectors))
        });
        // The parameters themselves and ḡ, and the training memory.
        let per_parameter = bytes::<f32>(slots + 2).saturating_add(sums);
        let workspace = workspace_bytes(view);
        let kept = largest.filter(|_| needs.inner).map_or(0, |cut| kept_micro_batches(view, cut));
        let workspaces = (threads.get() as u64).saturating_add(kept);
        parameters.saturating_mul(per_parameter).saturating_add(workspaces.saturating_mul(workspace))
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

/// Micro-batches that are kept from the first sweep of a batch to the second.
fn kept_micro_batches(network: Network<'_>, cut: Cut) -> u64 {
    // Each part may end with a short one.
    let all = u64::from(cut.samples()) / micro_batch(network) as u64 + u64::from(cut.parts());
    all.min(ActivationCache::<f32>::limit(network) as u64)
}
