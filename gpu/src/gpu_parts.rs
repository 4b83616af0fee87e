//! The parts of a batch on a GPU, for a rank of a cluster: [`PartDevice`] over a [`DeviceEngine`].
//!
//! Parameters, training memory and the step are the host's. A part depends on nothing else that the device holds, so a device
//! that is lost costs no more than the part that it was at: it is opened again, and the part is swept once more.

use std::sync::Arc;

use adadagrad_core::config::RunConfig;
use adadagrad_core::dataset::Targets;
use adadagrad_core::network::{Score, SweepError};
use adadagrad_core::optimizer::{AnyOptimizer, DecayOn, Sgd};
use adadagrad_core::owned::threads::{DevicePart, PartDevice, ThreadsError};
use adadagrad_core::owned::{OwnedNetwork, RunError, SharedDataset};
use adadagrad_core::statistics::{Inner, Needs, Statistics};
use adadagrad_core::training::Cut;
use pollster::block_on;

use crate::webgpu::{
    DeviceEngine, DeviceImages, DeviceOrder, Gpu, GpuError, MEMORY_BUDGET, Opening, PartSums, Samples,
    Scores, Work, most_samples,
};

/// How often a part is tried again after the device was lost or ran out of memory.
const TRIES: u32 = 4;

/// Opens a device, also after it was lost.
pub type Open = Box<dyn Fn() -> Opening + Send>;

/// Sweeps parts on a GPU. See the [module](self).
pub struct GpuParts {
    open: Open,
    /// Is called with a sentence for the user about each recovery.
    notice: fn(&str),
    network: OwnedNetwork,
    training: SharedDataset,
    needs: Needs,
    memory_budget: u64,
    micro_batch: u32,
    on_device: OnDevice,
}

/// What lives and dies with the device.
struct OnDevice {
    engine: DeviceEngine,
    training: DeviceImages,
    /// The data set that was evaluated last.
    evaluated: Option<(SharedDataset, DeviceImages)>,
    /// The parameters that it has.
    parameters: Vec<f32>,
}

impl GpuParts {
    /// For the batches of a run.
    ///
    /// # Errors
    /// When there is no device, it does not have enough memory, or it cannot run the network or read the data.
    pub fn new(
        config: &RunConfig,
        network: OwnedNetwork,
        training: SharedDataset,
        open: Open,
        memory_budget: Option<u64>,
        notice: fn(&str),
    ) -> Result<Self, GpuError> {
        let needs = of_parts(&config.needs());
        let memory_budget = memory_budget.unwrap_or(MEMORY_BUDGET);
        let gpu = block_on(open())?;
        let most = most_samples(&network, &gpu).min(training.len());
        let micro_batch = work(&network, needs, training.len()).micro_batch(&gpu, most, memory_budget)?;
        let on_device = OnDevice::new(gpu, &network, &training, needs, micro_batch)?;
        Ok(Self { open, notice, network, training, needs, memory_budget, micro_batch, on_device })
    }

    /// Tries something until it works or cannot.
    fn recovering<T>(
        &mut self,
        mut act: impl AsyncFnMut(&mut OnDevice) -> Result<T, GpuError>,
    ) -> Result<T, ThreadsError> {
        let mut tries = 0;
        loop {
            let error = match block_on(act(&mut self.on_device)) {
                Ok(value) => return Ok(value),
                Err(GpuError::Cancelled) => return Err(ThreadsError::Cancelled),
                Err(error) => error,
            };
            tries += 1;
            let next = match &error {
                GpuError::Lost(_) => "opening it again and repeating a part of the batch".to_owned(),
                GpuError::OutOfMemory if self.micro_batch > 1 => {
                    self.micro_batch /= 2;
                    format!("continuing with micro-batches of {} samples", self.micro_batch)
                }
                _ => return Err(device_error(error)),
            };
            if tries > TRIES {
                return Err(device_error(error));
            }
            (self.notice)(&format!("{error}; {next}"));
            self.reopen().map_err(device_error)?;
        }
    }

    fn reopen(&mut self) -> Result<(), GpuError> {
        let gpu = block_on((self.open)())?;
        self.rebuild(gpu)
    }

    fn rebuild(&mut self, gpu: Gpu) -> Result<(), GpuError> {
        let Self { network, training, needs, memory_budget, micro_batch, on_device, .. } = self;
        *micro_batch =
            work(network, *needs, training.len()).micro_batch(&gpu, *micro_batch, *memory_budget)?;
        *on_device = OnDevice::new(gpu, network, training, *needs, *micro_batch)?;
        Ok(())
    }

    /// An engine for other statistics, where they are asked for.
    fn ask_for(&mut self, needs: Needs) -> Result<(), ThreadsError> {
        if needs == self.needs {
            return Ok(());
        }
        self.needs = needs;
        let gpu = self.on_device.engine.gpu().clone();
        self.rebuild(gpu).map_err(device_error)
    }
}

impl OnDevice {
    fn new(
        gpu: Gpu,
        network: &OwnedNetwork,
        training: &SharedDataset,
        needs: Needs,
        micro_batch: u32,
    ) -> Result<Self, GpuError> {
        let images = DeviceImages::of_dataset(&gpu, &**training)?;
        let engine = DeviceEngine::new(gpu, &work(network, needs, training.len()), micro_batch)?;
        Ok(Self { engine, training: images, evaluated: None, parameters: Vec::new() })
    }

    /// Gives the device the parameters, unless it has them.
    fn set(&mut self, parameters: &[f32]) {
        let is_same = |(one, other): (&f32, &f32)| one.to_bits() == other.to_bits();
        if self.parameters.len() != parameters.len() || !self.parameters.iter().zip(parameters).all(is_same) {
            self.engine.write_parameters(parameters);
            self.parameters.clear();
            self.parameters.extend_from_slice(parameters);
        }
    }
}

impl PartDevice for GpuParts {
    fn accumulate(
        &mut self,
        part: &DevicePart<'_>,
        needs: &Needs,
        sums: &mut Statistics<'_, f32>,
    ) -> Result<(), ThreadsError> {
        self.ask_for(of_parts(needs))?;
        let PartSums { mut gradient_sum, mut second_moment, totals } =
            self.recovering(async |on_device| {
                on_device.set(part.parameters);
                let OnDevice { engine, training, .. } = on_device;
                engine.part_sums(&samples(part, training), part.control).await
            })?;
        let second_moment = if needs.moments() { &mut second_moment[..] } else { &mut [] };
        Ok(sums.merge(&Statistics::resume(totals, &mut gradient_sum, second_moment)?)?)
    }

    fn project(&mut self, part: &DevicePart<'_>, mean_gradient: &[f32]) -> Result<Inner<f64>, ThreadsError> {
        self.recovering(async |on_device| {
            on_device.set(part.parameters);
            let OnDevice { engine, training, .. } = on_device;
            engine.part_inner(&samples(part, training), mean_gradient, part.control).await
        })
    }

    fn evaluate(
        &mut self,
        part: &DevicePart<'_>,
        outputs: &mut dyn FnMut(&[u32], &[f32]),
    ) -> Result<Score<f64>, ThreadsError> {
        let Scores { outputs: scores, loss, correct } = self.recovering(async |on_device| {
            on_device.set(part.parameters);
            let OnDevice { engine, evaluated, .. } = on_device;
            let known = evaluated.take().filter(|(known, _)| Arc::ptr_eq(known, part.dataset));
            let images = match known {
                Some((_, images)) => images,
                None => DeviceImages::of_dataset(engine.gpu(), &**part.dataset)?,
            };
            let scores = engine.score_samples(&samples(part, &images), part.control).await;
            *evaluated = Some((Arc::clone(part.dataset), images));
            scores
        })?;
        let (network, mut visits) = (self.network.view(), part.visits);
        let (mut input, mut labels) =
            (vec![0.0; part.dataset.shape().input.len()], vec![0; network.positions()]);
        let of_sample = network.outputs();
        for (position, of_sample) in part.part.cut.part(part.part.index).zip(scores.chunks_exact(of_sample)) {
            let visit = visits.visit(position);
            part.dataset
                .read(visit, &mut input, &mut Targets::labels(&mut labels))
                .map_err(|error| RunError::Sweep(SweepError::Read { sample: visit.sample, error }))?;
            outputs(&labels, of_sample);
        }
        Ok(Score { loss, correct })
    }

    fn description(&self) -> String {
        let info = self.on_device.engine.gpu().info();
        format!("{} ({}), micro-batches of {}", info.name, info.backend, self.micro_batch)
    }
}

/// What the device computes of a part. Parts are compared, and coordinates reduced, by the host.
fn of_parts(needs: &Needs) -> Needs {
    let Needs { norms, inner, .. } = *needs;
    // Any quantile: it says that Σ gᵢ² is kept.
    Needs { norms, inner, coordinate_quantile: needs.moments().then_some(1.0), ..Needs::NONE }
}

/// The update is the host's: the device needs no training memory.
fn work(network: &OwnedNetwork, needs: Needs, samples: u32) -> Work<'_> {
    Work {
        optimizer: AnyOptimizer::Sgd(Sgd::default()),
        decay_on: DecayOn::All,
        network,
        needs,
        slots: 0,
        most_samples: samples,
        by_parts: true,
    }
}

fn samples<'a>(part: &DevicePart<'_>, images: &'a DeviceImages) -> Samples<'a> {
    let of_part = part.part.cut.part(part.part.index);
    let (order, start) = DeviceOrder::of(part.visits);
    let start = start + u64::from(of_part.start);
    let cut = Cut::new(of_part.end - of_part.start, 0);
    Samples { images, order, start, cut, before_step: None }
}

fn device_error(error: GpuError) -> ThreadsError {
    match error {
        GpuError::Cancelled => ThreadsError::Cancelled,
        error => ThreadsError::Device(error.to_string()),
    }
}
