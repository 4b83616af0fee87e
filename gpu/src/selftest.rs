//! Tests a GPU: whether every kernel is correct on it, which variants are fast, and how fast training is. The result is
//! one report, which the owner of the GPU can send.

use std::sync::Arc;
use std::time::{Duration, Instant};

use adadagrad_core::config::{Preset, RunConfig};
use adadagrad_core::controller::{AnyController, Constant};
use adadagrad_core::dataset::{Dataset, ReadError, SampleShape, Targets, Visit};
use adadagrad_core::model::Model;
use adadagrad_core::owned::SharedDataset;
use adadagrad_core::training::Trainer;
use pollster::block_on;
use serde::Serialize;

use crate::engine::EngineError;
use crate::webgpu::parity::{Bench, Check, cases};
use crate::webgpu::{
    Gpu, GpuError, KernelTime, Opening, Options, Profile, Training, Trial, Variant, Variants, is_software,
    try_variants,
};

/// Raised when a field changes its meaning.
const VERSION: u32 = 1;
/// Time for each model and batch size; at least two steps are made.
const ENOUGH: Duration = Duration::from_millis(300);
/// Images to draw from, and the largest batch.
const SAMPLES: u32 = 16_384;

/// All results.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    version: u32,
    /// The program's.
    program_version: &'static str,
    /// The device.
    pub adapter: Adapter,
    /// By kernel and variant.
    pub checks: Vec<Checked>,
    /// Variants by time.
    pub trial: Trial,
    /// Those that were chosen, and used below.
    pub variants: Variants,
    /// By model and batch size.
    pub throughput: Vec<Throughput>,
    /// Time of the whole.
    pub seconds: f64,
}

impl Report {
    /// Whether every kernel gave what the reference gives.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.checks.iter().all(|checked| checked.failures.is_empty())
    }
}

/// What the adapter reports about itself.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "named as WebGPU names them")]
pub struct Adapter {
    pub name: String,
    pub kind: String,
    pub is_software: bool,
    pub backend: String,
    pub driver: String,
    pub driver_info: String,
    pub vendor: u32,
    pub device: u32,
    pub has_timestamps: bool,
    pub max_storage_buffer_binding_size: u64,
    pub max_buffer_size: u64,
    pub max_storage_buffers_per_shader_stage: u32,
    pub max_compute_workgroup_storage_size: u32,
    pub max_compute_invocations_per_workgroup: u32,
    pub min_subgroup_size: u32,
    pub max_subgroup_size: u32,
}

impl Adapter {
    fn of(gpu: &Gpu) -> Self {
        let (info, limits) = (gpu.info().clone(), gpu.limits());
        Self {
            is_software: is_software(&info),
            kind: format!("{:?}", info.device_type),
            name: info.name,
            backend: info.backend.to_string(),
            driver: info.driver,
            driver_info: info.driver_info,
            vendor: info.vendor,
            device: info.device,
            has_timestamps: gpu.has_timestamps(),
            max_storage_buffer_binding_size: limits.max_storage_buffer_binding_size,
            max_buffer_size: limits.max_buffer_size,
            max_storage_buffers_per_shader_stage: limits.max_storage_buffers_per_shader_stage,
            max_compute_workgroup_storage_size: limits.max_compute_workgroup_storage_size,
            max_compute_invocations_per_workgroup: limits.max_compute_invocations_per_workgroup,
            min_subgroup_size: info.subgroup_min_size,
            max_subgroup_size: info.subgroup_max_size,
        }
    }
}

/// The cases of one kernel in one variant.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Checked {
    /// The entry point.
    pub kernel: String,
    /// Its variant, if the kernel has variants.
    pub variant: Option<Variant>,
    /// Cases run.
    pub cases: u32,
    /// Values compared.
    pub values: usize,
    /// The largest difference, as a fraction of the allowed one.
    pub worst: f64,
    /// Descriptions of wrong results.
    pub failures: Vec<String>,
}

/// How fast one model trains at one batch size.
#[derive(Clone, Debug, Serialize)]
pub struct Throughput {
    /// The model.
    pub model: Model,
    /// Samples of a step, with the norm test's statistics.
    pub batch: u32,
    /// Steps timed.
    pub steps: u32,
    /// By the wall clock.
    pub samples_per_second: f64,
    /// Fraction of the time in which kernels ran, while each was timed; if there are timestamps.
    pub busy: Option<f64>,
    /// Billions of operations per second, by the wall clock.
    pub gflops: Option<f64>,
    /// Kernels, the slowest first.
    pub kernels: Vec<KernelTime>,
}

/// Tests the adapter whose name contains `adapter`, or the fastest. `progress` is called with a message when a part
/// begins.
///
/// # Errors
/// When there is no such adapter, or it fails in another way than by wrong numbers.
pub fn run(adapter: Option<&str>, progress: &dyn Fn(&str)) -> Result<Report, EngineError> {
    let begin = Instant::now();
    let gpu = block_on(Gpu::open(adapter))?;
    progress(&format!("Checking every kernel on {} ({}) …", gpu.info().name, gpu.info().backend));
    let checks = check(&gpu)?;
    progress("Timing the variants …");
    let trial = block_on(try_variants(&gpu))?;
    let variants = trial.variants(gpu.variants());
    let mut throughput = Vec::new();
    for model in Model::MNIST {
        progress(&format!("Training the model {} …", model));
        throughput.extend(measure(adapter, variants, model, is_software(gpu.info()))?);
    }
    Ok(Report {
        version: VERSION,
        program_version: env!("CARGO_PKG_VERSION"),
        adapter: Adapter::of(&gpu),
        checks,
        trial,
        variants,
        throughput,
        seconds: begin.elapsed().as_secs_f64(),
    })
}

/// Runs every case, and sums up by kernel and variant.
fn check(gpu: &Gpu) -> Result<Vec<Checked>, GpuError> {
    let bench = Bench::new(gpu.clone());
    let mut checks: Vec<Checked> = Vec::new();
    for case in cases() {
        let Check { kernel, variant, shape, values, worst, failure } = block_on(bench.run(&case))?;
        let known = checks.iter().position(|checked| checked.kernel == kernel && checked.variant == variant);
        let place = known.unwrap_or_else(|| {
            checks.push(Checked { kernel: kernel.to_owned(), variant, ..Checked::default() });
            checks.len() - 1
        });
        let checked = &mut checks[place];
        checked.cases += 1;
        checked.values += values;
        checked.worst = checked.worst.max(worst);
        checked.failures.extend(failure.map(|failure| format!("{shape}: {failure}")));
    }
    Ok(checks)
}

/// Batch sizes: how well a device is used at each. A software adapter is soon used well, and takes a minute for a large batch.
const fn batches(model: Model, is_software: bool) -> &'static [u32] {
    match (model, is_software) {
        (Model::Cnn, true) => &[16, 64],
        (_, true) => &[16, 64, 256, 1024],
        (_, false) => &[16, 64, 256, 1024, 4096, SAMPLES],
    }
}

fn measure(
    adapter: Option<&str>,
    variants: Variants,
    model: Model,
    is_software: bool,
) -> Result<Vec<Throughput>, EngineError> {
    let images: SharedDataset = Arc::new(Noise);
    let profile = Profile::default();
    let mut plain = Steps::new(adapter, variants, model, &images, None)?;
    let mut profiled = Steps::new(adapter, variants, model, &images, Some(profile.clone()))?;
    let has_timestamps = profiled.training.gpu().has_timestamps();
    let mut rows = Vec::new();
    for &batch in batches(model, is_software) {
        // The first step compiles as well.
        let steps = enough(plain.time(batch, 1)?);
        let seconds = plain.time(batch, steps)?;
        let samples_per_second = f64::from(steps) * f64::from(batch) / seconds;
        let mut row = Throughput {
            model,
            batch,
            steps,
            samples_per_second,
            busy: None,
            gflops: None,
            kernels: Vec::new(),
        };
        if has_timestamps {
            profiled.time(batch, 1)?;
            profile.clear();
            let wall = profiled.time(batch, steps)?;
            row.kernels = profile.times();
            row.busy = Some(row.kernels.iter().map(|time| time.seconds).sum::<f64>() / wall);
            let operations: u64 = row.kernels.iter().map(|time| time.cost.operations).sum();
            row.gflops = Some(operations as f64 / seconds / 1e9);
        }
        rows.push(row);
    }
    Ok(rows)
}

/// Steps to time, when one takes so many seconds.
fn enough(seconds: f64) -> u32 {
    // Saturates.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let steps = (ENOUGH.as_secs_f64() / seconds) as u32;
    steps.clamp(2, 1000)
}

/// Steps of one model at any batch size.
struct Steps {
    training: Training,
    config: RunConfig,
}

impl Steps {
    fn new(
        adapter: Option<&str>,
        variants: Variants,
        model: Model,
        images: &SharedDataset,
        profile: Option<Profile>,
    ) -> Result<Self, EngineError> {
        let config = RunConfig {
            model,
            controller: AnyController::Constant(Constant {}),
            ..Preset::PaperCnn.config()
        };
        let adapter = adapter.map(str::to_owned);
        let open = move || -> Opening {
            let (adapter, profile) = (adapter.clone(), profile.clone());
            Box::pin(async move {
                let gpu = Gpu::open(adapter.as_deref()).await?.with_variants(variants);
                Ok(match profile {
                    Some(profile) => gpu.with_profile(profile),
                    None => gpu,
                })
            })
        };
        let options = Options { open: Box::new(open), memory_budget: None, notice: Box::new(|_| {}) };
        let training = block_on(Training::open(&config, Arc::clone(images), options))?;
        Ok(Self { training, config })
    }

    /// So many steps and their time. The run ends with them, so that nothing is submitted ahead in vain.
    fn time(&mut self, batch: u32, steps: u32) -> Result<f64, EngineError> {
        let sample_budget = u64::from(steps) * u64::from(batch);
        let config = RunConfig { initial_batch: batch, max_batch: batch, sample_budget, ..self.config };
        let mut trainer =
            Trainer::new(config, SAMPLES).map_err(|error| GpuError::Unsupported(error.to_string()))?;
        let begin = Instant::now();
        while let Some(plan) = trainer.plan() {
            block_on(self.training.step(&mut trainer, &plan))?;
        }
        block_on(self.training.gpu().idle())?;
        Ok(begin.elapsed().as_secs_f64())
    }
}

/// Images without meaning: the time does not depend on what is in them.
#[derive(Debug)]
struct Noise;

impl Dataset<f32> for Noise {
    fn len(&self) -> u32 {
        SAMPLES
    }

    fn shape(&self) -> SampleShape {
        SampleShape::MNIST
    }

    fn read(
        &self,
        Visit { sample: index, .. }: Visit,
        input: &mut [f32],
        targets: &mut Targets<'_, f32>,
    ) -> Result<(), ReadError> {
        for (k, value) in (0_u32..).zip(input) {
            let byte = (index.wrapping_mul(31).wrapping_add(k).wrapping_mul(2_654_435_761) >> 24) as u8;
            *value = f32::from(byte) / 255.0;
        }
        targets.labels.fill(index % SampleShape::MNIST.classes);
        Ok(())
    }
}
