//! The engine on a GPU, natively: [`Training`] with waiting.

use std::sync::Arc;
use std::time::Instant;

use adadagrad_core::config::RunConfig;
use adadagrad_core::network::Grain;
use adadagrad_core::owned::{Control, Evaluated, OwnedNetwork, SharedDataset};
use adadagrad_core::statistics::{Evidence, Needs};
use adadagrad_core::training::{BatchOrder, Cut, Plan, Telemetry, Trainer};
use pollster::block_on;

use crate::engine::{Engine, EngineError, Snapshot};
use crate::webgpu::{Options, Training};

/// Training on a GPU. See the [module](self).
#[derive(Debug)]
pub struct GpuEngine {
    training: Training,
}

impl GpuEngine {
    /// An engine for the settings' model and optimizer, with parameters drawn from the settings' seed.
    ///
    /// # Errors
    /// Those of [`Training::open`].
    pub fn new(config: &RunConfig, images: SharedDataset, options: Options) -> Result<Self, EngineError> {
        Ok(Self { training: block_on(Training::open(config, images, options))? })
    }

    /// The same for any network.
    ///
    /// # Errors
    /// Those of [`Training::open`].
    pub fn of_network(
        config: &RunConfig,
        network: OwnedNetwork,
        images: SharedDataset,
        options: Options,
    ) -> Result<Self, EngineError> {
        Ok(Self { training: block_on(Training::of_network(config, network, images, options))? })
    }

    /// The training that it waits for.
    #[must_use]
    pub const fn training(&self) -> &Training {
        &self.training
    }

    /// The same, mutably.
    pub const fn training_mut(&mut self) -> &mut Training {
        &mut self.training
    }
}

impl Engine for GpuEngine {
    fn step(&mut self, trainer: &mut Trainer<f32>, plan: &Plan<f64>) -> Result<Telemetry, EngineError> {
        let begun = Instant::now();
        let telemetry = block_on(self.training.step(trainer, plan))?;
        trainer.measured(telemetry.samples, begun.elapsed().as_secs_f64());
        Ok(telemetry)
    }

    fn evidence(
        &mut self,
        cut: Cut,
        visits: BatchOrder,
        needs: &Needs,
    ) -> Result<Evidence<f64>, EngineError> {
        block_on(self.training.evidence(cut, visits, needs))
    }

    fn evaluate(&mut self, dataset: &SharedDataset) -> Result<Evaluated, EngineError> {
        block_on(self.training.evaluate(dataset))
    }

    fn snapshot(&mut self) -> Result<Snapshot<'_>, EngineError> {
        block_on(self.training.snapshot())
    }

    fn restore(&mut self, parameters: &[f32], memory: Option<&[f32]>) -> Result<(), EngineError> {
        block_on(self.training.restore(parameters, memory))
    }

    fn positions(&self) -> usize {
        self.training.positions()
    }

    fn grain(&self) -> Grain {
        self.training.grain()
    }

    fn control(&self) -> &Arc<Control> {
        self.training.control()
    }

    fn description(&self) -> String {
        self.training.description()
    }
}
