//! The engine on CPU threads as an [`Engine`].

use std::sync::Arc;

use adadagrad_core::network::Grain;
use adadagrad_core::owned::threads::ThreadsEngine;
use adadagrad_core::owned::{Control, Evaluated, SharedDataset};
use adadagrad_core::statistics::{Evidence, Needs};
use adadagrad_core::training::{BatchOrder, Cut, Plan, Telemetry, Trainer};

use crate::engine::{Engine, EngineError, Snapshot};

impl Engine for ThreadsEngine {
    fn step(&mut self, trainer: &mut Trainer<f32>, plan: &Plan<f64>) -> Result<Telemetry, EngineError> {
        Ok(self.step(trainer, plan)?)
    }

    fn evidence(
        &mut self,
        cut: Cut,
        visits: BatchOrder,
        needs: &Needs,
    ) -> Result<Evidence<f64>, EngineError> {
        Ok(self.evidence(cut, visits, needs)?)
    }

    fn evaluate(&mut self, dataset: &SharedDataset) -> Result<Evaluated, EngineError> {
        Ok(self.evaluate(dataset)?)
    }

    fn snapshot(&mut self) -> Result<Snapshot<'_>, EngineError> {
        let [parameters, memory] = self.as_files_hold()?;
        Ok(Snapshot { parameters, memory })
    }

    fn restore(&mut self, parameters: &[f32], memory: Option<&[f32]>) -> Result<(), EngineError> {
        Ok(self.restore(parameters, memory)?)
    }

    fn positions(&self) -> usize {
        self.positions()
    }

    fn grain(&self) -> Grain {
        self.grain()
    }

    fn description(&self) -> String {
        let of_rank = match (self.device(), self.threads()) {
            (Some(device), _) => device.to_owned(),
            (None, 1) => "1 thread".to_owned(),
            (None, threads) => format!("{threads} threads"),
        };
        match self.ranks() {
            1 => of_rank,
            ranks => format!("{ranks} ranks with {of_rank} each"),
        }
    }

    fn control(&self) -> &Arc<Control> {
        self.control()
    }

    fn fast_ranks(&self) -> Option<u32> {
        self.adds_by_rank().then(|| u32::try_from(self.ranks()).unwrap_or(u32::MAX))
    }
}
