//! Working memory for sweeps, and how many samples it takes at a time.

use std::vec::Vec;

use super::error::RunError;
use super::zeros::zeros;
use crate::backend::Backend;
use crate::dataset::Visit;
use crate::network::{Grain, Network, Sweep, Workspace};
use crate::real::Real;
use crate::statistics::LengthMismatch;

/// Values that a micro-batch may take: with `f32` 4 MiB, of which fused layers touch so little that it stays in
/// a core's own cache.
const WORKING_SET: usize = 1 << 20;

/// The micro-batch that suits a network: as small a part as its batches are cut into, and larger if it still takes little
/// memory. What is done for the weights, such as reading them, is done once for all of its samples.
pub(super) fn micro_batch(network: Network<'_>) -> usize {
    let part = Grain::of_cost(network.flops(), network.parameters()).samples as usize;
    network.micro_batch(WORKING_SET).max(part)
}

/// Working memory for sweeps over micro-batches.
#[derive(Debug)]
pub struct SweepMemory<F: Real> {
    micro_batch: usize,
    values: Vec<F>,
    sums: Vec<F::Sum>,
    visits: Vec<Visit>,
    labels: Vec<u32>,
}

impl<F: Real> SweepMemory<F> {
    /// Memory for the micro-batch that suits the network.
    ///
    /// # Errors
    /// When there is not that much memory.
    pub fn new(network: Network<'_>) -> Result<Self, RunError> {
        let micro_batch = micro_batch(network);
        let len = network.workspace(micro_batch);
        Ok(Self {
            micro_batch,
            values: zeros(len.values)?,
            sums: zeros(len.sums)?,
            visits: zeros(len.visits)?,
            labels: zeros(len.labels)?,
        })
    }

    /// Samples in a micro-batch.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)]
    pub fn micro_batch(&self) -> u32 {
        self.micro_batch as u32
    }

    /// The engine in this memory.
    ///
    /// # Errors
    /// When the memory was made for another network.
    pub fn sweep<'a, M: Backend<F> + Copy>(
        &'a mut self,
        network: Network<'a>,
        product: M,
    ) -> Result<Sweep<'a, F, M>, LengthMismatch> {
        let Self { micro_batch, values, sums, visits, labels } = self;
        Sweep::new(network, product, *micro_batch, Workspace { values, sums, visits, labels })
    }
}
