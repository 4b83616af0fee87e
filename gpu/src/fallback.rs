//! The GPU as long as it works, then CPU threads: the run continues in either case.

use std::fmt;
use std::num::NonZero;
use std::sync::Arc;

use adadagrad_core::config::RunConfig;
use adadagrad_core::network::Grain;
use adadagrad_core::owned::threads::ThreadsEngine;
use adadagrad_core::owned::{Control, Evaluated, OwnedNetwork, SharedDataset};
use adadagrad_core::statistics::{Evidence, Needs};
use adadagrad_core::training::{BatchOrder, Cut, Plan, Telemetry, Trainer};

use crate::engine::{Engine, EngineError, Snapshot};
use crate::gpu::GpuEngine;
use crate::memory;
use crate::webgpu::{GpuError, Options};

/// A GPU engine with threads to fall back on. A GPU that cannot continue (lost and not to be opened again, no memory
/// for a single sample, a refused command) is given up: threads take its last copy of parameters and optimizer memory,
/// repeat the steps since then with the batches and scalars that were decided, and continue.
pub struct FallbackEngine {
    computing: Computing,
    config: RunConfig,
    network: OwnedNetwork,
    images: SharedDataset,
    threads: NonZero<usize>,
    notice: fn(&str),
}

enum Computing {
    Gpu(Box<GpuEngine>),
    Threads(Box<ThreadsEngine>),
}

impl fmt::Debug for FallbackEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FallbackEngine {{ {} }}", self.description())
    }
}

impl FallbackEngine {
    /// Begins on the GPU.
    ///
    /// # Errors
    /// When it cannot be opened, because the user asked for it.
    pub fn new(
        config: &RunConfig,
        network: OwnedNetwork,
        images: SharedDataset,
        options: Options,
        threads: NonZero<usize>,
        notice: fn(&str),
    ) -> Result<Self, EngineError> {
        let engine = GpuEngine::of_network(config, network.clone(), Arc::clone(&images), options)?;
        let computing = Computing::Gpu(Box::new(engine));
        Ok(Self { computing, config: *config, network, images, threads, notice })
    }

    /// The GPU, unless it was given up.
    #[must_use]
    pub fn gpu(&self) -> Option<&GpuEngine> {
        match &self.computing {
            Computing::Gpu(engine) => Some(engine),
            Computing::Threads(_) => None,
        }
    }

    fn engine(&self) -> &dyn Engine {
        match &self.computing {
            Computing::Gpu(engine) => &**engine,
            Computing::Threads(engine) => &**engine,
        }
    }

    fn engine_mut(&mut self) -> &mut dyn Engine {
        match &mut self.computing {
            Computing::Gpu(engine) => &mut **engine,
            Computing::Threads(engine) => &mut **engine,
        }
    }

    /// Does something, with threads where the GPU cannot.
    fn falling_back<T>(
        &mut self,
        mut act: impl FnMut(&mut dyn Engine) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        match act(self.engine_mut()) {
            Err(EngineError::Gpu(error)) => {
                self.give_up(&error)?;
                act(self.engine_mut())
            }
            other => other,
        }
    }

    fn give_up(&mut self, error: &GpuError) -> Result<(), EngineError> {
        let Computing::Gpu(gpu) = &self.computing else { return Ok(()) };
        let snapshot = gpu.training().run_snapshot();
        let steps = snapshot.since.len();
        (self.notice)(&format!("{error}; continuing on CPU threads and repeating {steps} steps"));
        let (images, control) = (Arc::clone(&self.images), Arc::clone(gpu.control()));
        let network = self.network.clone();
        let needs = self.config.needs();
        let batch = self.config.max_batch.min(self.images.len());
        let largest = Some(Cut::of_run(&self.config, network.grain(), batch));
        memory::check(ThreadsEngine::memory_bytes(&self.config, &network, &needs, largest, self.threads))?;
        let mut engine = ThreadsEngine::of_network(&self.config, network, images, self.threads, control)?;
        engine.restore(&snapshot.parameters, Some(&snapshot.memory))?;
        for step in &snapshot.since {
            engine.repeat(&self.config, step)?;
        }
        self.computing = Computing::Threads(Box::new(engine));
        Ok(())
    }
}

impl Engine for FallbackEngine {
    fn step(&mut self, trainer: &mut Trainer<f32>, plan: &Plan<f64>) -> Result<Telemetry, EngineError> {
        self.falling_back(|engine| engine.step(trainer, plan))
    }

    fn evidence(
        &mut self,
        cut: Cut,
        visits: BatchOrder,
        needs: &Needs,
    ) -> Result<Evidence<f64>, EngineError> {
        self.falling_back(|engine| engine.evidence(cut, visits, needs))
    }

    fn evaluate(&mut self, dataset: &SharedDataset) -> Result<Evaluated, EngineError> {
        self.falling_back(|engine| engine.evaluate(dataset))
    }

    fn snapshot(&mut self) -> Result<Snapshot<'_>, EngineError> {
        self.falling_back(|engine| engine.snapshot().map(|_| ()))?;
        self.engine_mut().snapshot()
    }

    fn restore(&mut self, parameters: &[f32], memory: Option<&[f32]>) -> Result<(), EngineError> {
        self.falling_back(|engine| engine.restore(parameters, memory))
    }

    fn control(&self) -> &Arc<Control> {
        self.engine().control()
    }

    fn positions(&self) -> usize {
        self.network.view().positions()
    }

    fn grain(&self) -> Grain {
        self.network.grain()
    }

    fn description(&self) -> String {
        self.engine().description()
    }
}
