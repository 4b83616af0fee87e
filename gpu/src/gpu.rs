//! The engine on a GPU, natively: [`crate::webgpu`] with waiting, and with a way back when the device is lost.
//!
//! Every few seconds parameters and optimizer memory are copied back. When the device is lost, it is opened
//! again, given the last copy, and the steps made since are made again with the scalars that the trainer
//! decided then: the trainer never notices. When it runs out of memory, the micro-batch is halved.

use std::sync::Arc;
use std::time::{Duration, Instant};

use adadagrad_core::config::RunConfig;
use adadagrad_core::cut::Cut;
use adadagrad_core::local::{Evaluation, OwnedNetwork};
use adadagrad_core::network::{Model, initialise};
use adadagrad_core::optimizer::StepScalars;
use adadagrad_core::statistics::{Evidence, Needs};
use adadagrad_core::trainer::{Plan, Telemetry, Trainer};

use crate::dataset::SharedDataset;
use crate::engine::{Confusion, Control, Engine, EngineError, Evaluated, Snapshot, Visit, check_lengths};
use crate::webgpu::{DeviceEngine, DeviceImages, DeviceOrder, Gpu, GpuError, Scores, is_software};

/// How old a copy may become. A lost device costs at most the steps since.
const COPY_EVERY: Duration = Duration::from_secs(3);
/// How often a step is tried again after the device was lost or ran out of memory.
const TRIES: u32 = 4;
/// Samples in a micro-batch, before device memory asks for fewer: enough to fill a large GPU, and on a
/// software adapter few enough that a dispatch takes well under a second.
const HARDWARE_BATCH: u32 = 1024;
const SOFTWARE_BATCH: u32 = 64;

/// Training on a GPU. See the [module](self).
pub struct GpuEngine {
    adapter: Option<String>,
    config: RunConfig,
    network: OwnedNetwork,
    training: SharedDataset,
    on_device: OnDevice,
    /// The last copy of parameters and optimizer memory.
    parameters: Vec<f32>,
    memory: Vec<f32>,
    copied: Instant,
    /// The steps made since.
    since: Vec<Made>,
    micro_batch: u32,
    control: Arc<Control>,
    notice: fn(&str),
}

impl std::fmt::Debug for GpuEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "GpuEngine {{ {} }}", self.description())
    }
}

/// What lives and dies with the device.
struct OnDevice {
    engine: DeviceEngine,
    training: DeviceImages,
    needs: Needs,
    /// The data set that was scored last.
    scored: Option<(SharedDataset, DeviceImages)>,
}

/// A step as it was made.
#[derive(Clone, Copy, Debug)]
struct Made {
    seed: u64,
    start: u64,
    cut: Cut,
    scalars: StepScalars<f32>,
}

impl GpuEngine {
    /// An engine for the settings' model and optimizer on the adapter whose name contains `adapter` (or the
    /// fastest), with parameters drawn from the settings' seed. What a user should know of its way back from
    /// trouble goes to `notice`.
    ///
    /// # Errors
    /// When there is no such adapter, or the data set is not one of bytes.
    pub fn new(
        config: &RunConfig,
        training: SharedDataset,
        adapter: Option<&str>,
        notice: fn(&str),
    ) -> Result<Self, EngineError> {
        let network = OwnedNetwork::of_model(config.model)?;
        let optimizer = config.optimizer.as_optimizer::<f32>();
        let len = network.view().parameters();
        let mut parameters = vec![0.0; len];
        let mut memory = vec![0.0; optimizer.slots() * len];
        initialise(network.view(), config.seed, &mut parameters)?;
        optimizer.start(&mut memory);
        let gpu = pollster::block_on(Gpu::open(adapter))?;
        let micro_batch = if is_software(gpu.info()) { SOFTWARE_BATCH } else { HARDWARE_BATCH };
        let needs = config.test.map_or(Needs::default(), |test| test.as_test::<f64>().needs());
        let micro_batch = fitting_batch(&gpu, &network, micro_batch.min(training.len()));
        let on_device = OnDevice::new(gpu, config, &network, &training, needs, micro_batch)?;
        on_device.engine.write(&parameters, &memory);
        Ok(Self {
            adapter: adapter.map(str::to_owned),
            config: *config,
            network,
            training,
            on_device,
            parameters,
            memory,
            copied: Instant::now(),
            since: Vec::new(),
            micro_batch,
            control: Arc::default(),
            notice,
        })
    }

    /// The device.
    #[must_use]
    pub const fn gpu(&self) -> &Gpu {
        self.on_device.engine.gpu()
    }

    /// Samples in a micro-batch.
    #[must_use]
    pub const fn micro_batch(&self) -> u32 {
        self.micro_batch
    }

    /// Bytes of device memory in use, data sets left out.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.on_device.engine.memory_bytes()
    }

    /// Tries something until it works or cannot: a lost device is opened again, and one without memory is
    /// given smaller micro-batches.
    fn with_recovery<T>(
        &mut self,
        mut act: impl FnMut(&mut Self) -> Result<T, GpuError>,
    ) -> Result<T, EngineError> {
        let mut tries = 0;
        loop {
            let error = match act(self) {
                Ok(value) => return Ok(value),
                Err(GpuError::Cancelled) => return Err(EngineError::Cancelled),
                Err(error) => error,
            };
            tries += 1;
            if tries > TRIES || !self.can_recover(&error) {
                return Err(error.into());
            }
            if let Err(error) = self.reopen() {
                if tries == TRIES {
                    return Err(error.into());
                }
                (self.notice)(&format!("{error}; trying again"));
            }
        }
    }

    /// Says what will be done about an error, if something can be.
    fn can_recover(&mut self, error: &GpuError) -> bool {
        match error {
            GpuError::Lost(_) => {
                let steps = self.since.len();
                (self.notice)(&format!("{error}; opening it again and repeating {steps} steps"));
                true
            }
            GpuError::OutOfMemory if self.micro_batch > 1 => {
                self.micro_batch /= 2;
                let micro_batch = self.micro_batch;
                (self.notice)(&format!("{error}; going on with micro-batches of {micro_batch} samples"));
                true
            }
            _ => false,
        }
    }

    /// Opens the device anew, gives it the last copy and makes the steps since then again.
    fn reopen(&mut self) -> Result<(), GpuError> {
        let gpu = pollster::block_on(Gpu::open(self.adapter.as_deref()))?;
        let needs = self.on_device.needs;
        self.on_device =
            OnDevice::new(gpu, &self.config, &self.network, &self.training, needs, self.micro_batch)?;
        self.on_device.engine.write(&self.parameters, &self.memory);
        for &Made { seed, start, cut, scalars } in &self.since {
            self.on_device.evidence(DeviceOrder::Shuffled(seed), start, cut, |_| true)?;
            self.on_device.engine.update(&scalars, cut.samples());
        }
        Ok(())
    }

    /// Copies parameters and optimizer memory back.
    fn copy_back(&mut self) -> Result<(), GpuError> {
        (self.parameters, self.memory) = pollster::block_on(self.on_device.engine.read())?;
        self.since.clear();
        self.copied = Instant::now();
        Ok(())
    }

    /// Makes the engine ready for other evidence, with parameters and memory as they are.
    fn ask_for(&mut self, needs: &Needs) -> Result<(), GpuError> {
        if self.on_device.needs == *needs {
            return Ok(());
        }
        self.copy_back()?;
        self.on_device.needs = *needs;
        let gpu = self.on_device.engine.gpu().clone();
        let engine =
            device_engine(gpu, &self.config, &self.network, &self.training, *needs, self.micro_batch)?;
        engine.write(&self.parameters, &self.memory);
        self.on_device.engine = engine;
        Ok(())
    }
}

impl OnDevice {
    fn new(
        gpu: Gpu,
        config: &RunConfig,
        network: &OwnedNetwork,
        training: &SharedDataset,
        needs: Needs,
        micro_batch: u32,
    ) -> Result<Self, GpuError> {
        let images = DeviceImages::of_dataset(&gpu, &**training)?;
        let engine = device_engine(gpu, config, network, training, needs, micro_batch)?;
        Ok(Self { engine, training: images, needs, scored: None })
    }

    fn evidence(
        &mut self,
        order: DeviceOrder,
        start: u64,
        cut: Cut,
        watch: impl FnMut(u32) -> bool,
    ) -> Result<Evidence<f64>, GpuError> {
        pollster::block_on(self.engine.evaluate(&self.training, order, start, cut, watch))
    }

    fn score(&mut self, dataset: &SharedDataset) -> Result<Scores, GpuError> {
        let known = self.scored.take().filter(|(known, _)| Arc::ptr_eq(known, dataset));
        let images = match known {
            Some((_, images)) => images,
            None => DeviceImages::of_dataset(self.engine.gpu(), &**dataset)?,
        };
        let scores = pollster::block_on(self.engine.score(&images));
        self.scored = Some((Arc::clone(dataset), images));
        scores
    }
}

fn device_engine(
    gpu: Gpu,
    config: &RunConfig,
    network: &OwnedNetwork,
    training: &SharedDataset,
    needs: Needs,
    micro_batch: u32,
) -> Result<DeviceEngine, GpuError> {
    let tape = Model::nodes(config.model);
    DeviceEngine::new(gpu, tape, network.view(), config, needs, micro_batch, training.len())
}

/// The largest micro-batch, up to `most`, of which no buffer is larger than the device binds.
fn fitting_batch(gpu: &Gpu, network: &OwnedNetwork, most: u32) -> u32 {
    let widest = network.view().nodes().iter().map(|node| node.output.len().max(node.input.len())).max();
    let bytes = 4 * widest.unwrap_or(1).max(1) as u64;
    u32::try_from(gpu.largest_binding() / bytes).unwrap_or(u32::MAX).clamp(1, most)
}

impl Engine for GpuEngine {
    fn step(&mut self, trainer: &mut Trainer<f32>, plan: &Plan<f64>) -> Result<Telemetry, EngineError> {
        let seed = trainer.config().seed;
        let control = Arc::clone(&self.control);
        control.begin();
        let evidence = self.with_recovery(|engine| {
            engine.ask_for(&plan.needs)?;
            engine.on_device.evidence(DeviceOrder::Shuffled(seed), plan.start, plan.cut, |samples| {
                control.add(samples.into());
                !control.is_cancelled()
            })
        })?;
        let pending = trainer.weigh(plan, &evidence)?;
        let made = Made { seed, start: plan.start, cut: plan.cut, scalars: pending.scalars };
        self.on_device.engine.update(&made.scalars, made.cut.samples());
        // From here on the step counts: should the device be lost now, it is among those made again.
        self.since.push(made);
        let telemetry = trainer.commit(pending);
        if self.copied.elapsed() >= COPY_EVERY {
            self.with_recovery(Self::copy_back)?;
        }
        Ok(telemetry)
    }

    fn evidence(&mut self, cut: Cut, visit: Visit, needs: &Needs) -> Result<Evidence<f64>, EngineError> {
        let (order, start) = match visit {
            Visit::Shuffled { order, start } => (DeviceOrder::Shuffled(order.seed()), start),
            Visit::InFileOrder { start } => (DeviceOrder::File, start.into()),
        };
        let control = Arc::clone(&self.control);
        control.begin();
        self.with_recovery(|engine| {
            engine.ask_for(needs)?;
            engine.on_device.evidence(order, start, cut, |samples| {
                control.add(samples.into());
                !control.is_cancelled()
            })
        })
    }

    fn evaluate(&mut self, dataset: &SharedDataset) -> Result<Evaluated, EngineError> {
        let scores = self.with_recovery(|engine| engine.on_device.score(dataset))?;
        let classes = self.network.view().classes();
        let mut confusion = Confusion::new(classes);
        let mut image = vec![0.0; dataset.input_len()];
        for (sample, outputs) in (0..).zip(scores.outputs.chunks_exact(classes)) {
            confusion.add(dataset.read(sample, &mut image), outputs);
        }
        let samples = f64::from(dataset.len());
        let accuracy = f64::from(scores.correct) / samples;
        Ok(Evaluated { evaluation: Evaluation { loss: scores.loss / samples, accuracy }, confusion })
    }

    fn snapshot(&mut self) -> Result<Snapshot<'_>, EngineError> {
        self.with_recovery(Self::copy_back)?;
        Ok(Snapshot { parameters: &self.parameters, memory: &self.memory })
    }

    fn restore(&mut self, parameters: &[f32], memory: Option<&[f32]>) -> Result<(), EngineError> {
        check_lengths(&self.parameters, parameters, &self.memory, memory)?;
        self.with_recovery(Self::copy_back)?;
        self.parameters.copy_from_slice(parameters);
        if let Some(memory) = memory {
            self.memory.copy_from_slice(memory);
        }
        self.on_device.engine.write(&self.parameters, &self.memory);
        Ok(())
    }

    fn control(&self) -> &Arc<Control> {
        &self.control
    }

    fn description(&self) -> String {
        let info = self.gpu().info();
        format!("{} by {}, micro-batches of {}", info.name, info.backend, self.micro_batch)
    }
}
