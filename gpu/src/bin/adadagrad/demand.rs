//! Whether this machine's memory holds what a command is about to compute.

use std::num::NonZero;

use adadagrad_core::config::RunConfig;
use adadagrad_core::owned::OwnedNetwork;
use adadagrad_core::owned::cluster::Reduction;
use adadagrad_core::owned::threads::ThreadsEngine;
use adadagrad_core::statistics::Needs;
use adadagrad_core::training::Cut;
use adadagrad_gpu::memory::{self, NotEnoughMemory};

use crate::arguments::Device;
use crate::job;

/// Copies of parameters and optimizer memory that a checkpoint is written from, beside the engine's own: the bytes of its
/// tensors, and those of the file.
const COPIES_OF_CHECKPOINT: u64 = 2;
/// Copies that an engine on a GPU has in the machine's memory: the last one, the one on its way from the device, and what
/// the driver makes of the latter.
const COPIES_OF_GPU_ENGINE: u64 = 3;

/// What decides how much memory an engine takes beside its network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Demand {
    /// What batches are asked for.
    pub(crate) needs: Needs,
    /// The largest batch, where there are others than evaluations.
    pub(crate) largest: Option<Cut>,
    /// Whether checkpoints are written.
    pub(crate) is_saved: bool,
    /// How the ranks of a cluster add.
    pub(crate) reduction: Reduction,
}

impl Demand {
    /// Of a run of these settings over `samples` training samples.
    pub(crate) fn of_run(
        config: &RunConfig,
        network: &OwnedNetwork,
        samples: u32,
        reduction: Reduction,
    ) -> Self {
        let needs = config.needs();
        let largest = Cut::of_run(config, network.grain(), config.max_batch.min(samples));
        Self { needs, largest: Some(largest), is_saved: true, reduction }
    }

    /// Refuses what the machine cannot hold, before any of it is allocated. `auto` must be decided, or counts as a GPU,
    /// which takes less of this memory.
    ///
    /// # Errors
    /// How much is needed, how much there is, and what would take less.
    pub(crate) fn check(
        &self,
        device: Device,
        threads: NonZero<usize>,
        config: &RunConfig,
        network: &OwnedNetwork,
    ) -> Result<(), String> {
        let Err(error) = memory::check(self.bytes(device, threads, config, network)) else { return Ok(()) };
        let NotEnoughMemory { available, .. } = error;
        let with_one = self.bytes(device, NonZero::<usize>::MIN, config, network);
        let (on, advice) = match device {
            Device::Cpu if with_one <= available => {
                (format!(" on {threads} threads"), "choose a smaller network, or --threads 1")
            }
            Device::Cpu if threads.get() > 1 => {
                (format!(" on {threads} threads"), "choose a smaller network")
            }
            _ => (String::new(), "choose a smaller network"),
        };
        Err(format!("the model {} is too large for this machine{on}: {error}; {advice}", config.model))
    }

    fn bytes(
        &self,
        device: Device,
        threads: NonZero<usize>,
        config: &RunConfig,
        network: &OwnedNetwork,
    ) -> u64 {
        let vectors = 1 + config.slots() as u64;
        let copy = (network.view().parameters() as u64)
            .saturating_mul(vectors)
            .saturating_mul(size_of::<f32>() as u64);
        let (engine, copies) = match device {
            Device::Gpu | Device::Auto if job::ranks() == 1 => {
                (copy.saturating_mul(COPIES_OF_GPU_ENGINE), COPIES_OF_CHECKPOINT)
            }
            // A rank adds up here what its GPU has swept.
            Device::Cpu | Device::Gpu | Device::Auto => {
                let threads = if device == Device::Cpu { threads } else { NonZero::<usize>::MIN };
                let peers = (job::ranks(), self.reduction);
                let engine = ThreadsEngine::memory_bytes_of_rank(
                    config,
                    network,
                    &self.needs,
                    self.largest,
                    threads,
                    peers,
                );
                // Files hold the weights in another order: one more.
                (engine, COPIES_OF_CHECKPOINT + 1)
            }
        };
        let of_rank = engine.saturating_add(if self.is_saved { copy.saturating_mul(copies) } else { 0 });
        // Those of a cluster that share this machine.
        of_rank.saturating_mul(job::ranks_of_machine() as u64)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that meets the unexpected should stop there")]

    use adadagrad_core::controller::{AnyController, DiveBatch, GradientNoiseScale};
    use adadagrad_core::dataset::SampleShape;
    use adadagrad_core::noise_scale::Sensor;

    use super::*;

    #[test]
    fn what_a_rule_keeps_counts_too() {
        let network = OwnedNetwork::of_model(RunConfig::default().model, SampleShape::MNIST).unwrap();
        let bytes = |controller| {
            let config = RunConfig { controller, ..RunConfig::default() };
            let demand = Demand::of_run(&config, &network, 60_000, Reduction::Exact);
            [Device::Cpu, Device::Gpu]
                .map(|device| demand.bytes(device, NonZero::<usize>::MIN, &config, &network))
        };
        let without = bytes(RunConfig::default().controller);
        let moments = GradientNoiseScale { sensor: Sensor::Sign, ..GradientNoiseScale::default() };
        assert!(bytes(AnyController::GradientNoiseScale(moments))[0] > without[0]);
        let epoch = bytes(AnyController::DiveBatch(DiveBatch::default()));
        assert!(epoch[0] > without[0] && epoch[1] > without[1]);
    }
}
