//! A short trial of the expensive kernels' variants on the current adapter.
//!
//! Each runs the same small problem a few times, timed by the wall clock.
//!
//! A run on a software adapter begins without it: in a browser compiling everything takes seconds there, and the
//! fastest are known ([`Variants::untried`]). The self-test tries them nevertheless, but no tiles for convolutions once
//! they have lost for dense layers: it is the barriers that are slow.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use web_time::Instant;

use super::convolution::FusedConv2d;
use super::device::{Gpu, GpuError, is_software};
use super::kernel::Dispatch;
use super::layers::SLICE;
use super::product::FusedProduct;
use super::uniforms::{Batch, Conv2d, Product};
use super::variants::{self, Heavy, Sum, Variant, Variants};

/// Raised when variants change so that an earlier choice means nothing any more.
const VERSION: u32 = 2;
/// Runs beyond the first, which compiles; the fastest counts.
const RUNS: u32 = 5;
/// Of the images that the CNN's second convolution sees.
const SIDE: u32 = 14;
/// How much slower than the fastest so far a first run may be to be given others.
const HOPELESS: f64 = 2.0;

/// One variant's time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Timing {
    /// The kernel.
    pub kernel: Heavy,
    /// How it computed.
    pub variant: Variant,
    /// Seconds of one dispatch.
    pub seconds: f64,
    /// Billions of operations per second.
    pub gflops: f64,
}

/// The result of a trial.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trial {
    /// In the order in which they were tried; variants without a chance were not tried.
    pub timings: Vec<Timing>,
    /// Time of the whole trial, compiling included.
    pub seconds: f64,
}

/// The variants that a trial chose, and for which device. Remembered, it saves the trial, and the same run gives
/// the same bits again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    version: u32,
    adapter: String,
    /// What was chosen.
    pub variants: Variants,
}

impl Choice {
    /// For this device.
    #[must_use]
    pub fn new(gpu: &Gpu, variants: Variants) -> Self {
        Self { version: VERSION, adapter: adapter_key(gpu.info()), variants }
    }

    /// Whether it was made for the same adapter as another.
    #[must_use]
    pub fn is_for_the_adapter_of(&self, other: &Self) -> bool {
        self.adapter == other.adapter
    }

    /// Whether it was made for this device, by this version of the kernels.
    #[must_use]
    pub fn fits(&self, gpu: &Gpu) -> bool {
        self.version == VERSION && self.adapter == adapter_key(gpu.info())
    }
}

/// Identifies an adapter: name, backend and driver.
#[must_use]
pub fn adapter_key(info: &wgpu::AdapterInfo) -> String {
    format!("{} | {} | {} {}", info.name, info.backend, info.driver, info.driver_info)
}

impl Trial {
    /// The fastest of each kernel.
    #[must_use]
    pub fn variants(&self, untried: Variants) -> Variants {
        Heavy::ALL.into_iter().fold(untried, |variants, kernel| match self.fastest(kernel) {
            Some(timing) => variants.with(kernel, timing.variant),
            None => variants,
        })
    }

    fn fastest(&self, kernel: Heavy) -> Option<&Timing> {
        let of_kernel = self.timings.iter().filter(|timing| timing.kernel == kernel);
        of_kernel.min_by(|a, b| a.seconds.total_cmp(&b.seconds))
    }
}

/// The device with the variants that are fastest on it: the remembered ones if they are for this device, else those of
/// a trial, or on a software adapter the known ones, which the caller may remember.
///
/// # Errors
/// When the device is lost or refused something.
pub async fn choose(gpu: Gpu, remembered: Option<&Choice>) -> Result<(Gpu, Choice), GpuError> {
    let choice = match remembered.filter(|choice| choice.fits(&gpu)) {
        Some(choice) => choice.clone(),
        None if is_software(gpu.info()) => Choice::new(&gpu, gpu.variants()),
        None => Choice::new(&gpu, try_variants(&gpu).await?.variants(gpu.variants())),
    };
    Ok((gpu.with_variants(choice.variants), choice))
}

/// Tries the variants.
///
/// # Errors
/// When the device is lost or refused something.
pub async fn try_variants(gpu: &Gpu) -> Result<Trial, GpuError> {
    let begin = Instant::now();
    let mut trial = Trial { timings: Vec::new(), seconds: 0.0 };
    let problem = Problem::new(gpu);
    for kernel in Heavy::ALL {
        // The likely winner comes first, so that hopeless ones are known as such.
        for &variant in kernel.variants() {
            if problem.is_software && !trial.is_worth_trying(kernel, variant) {
                continue;
            }
            let dispatch = problem.dispatch(gpu, kernel, variant);
            let best = trial.fastest(kernel).map_or(f64::INFINITY, |timing| timing.seconds);
            let seconds = fastest_run(gpu, &dispatch, problem.repeats(), best).await?;
            let gflops = dispatch.cost().operations as f64 / seconds / 1e9;
            trial.timings.push(Timing { kernel, variant, seconds, gflops });
        }
    }
    trial.seconds = begin.elapsed().as_secs_f64();
    Ok(trial)
}

impl Trial {
    /// Whether tiles have a chance where those of dense layers were as slow as they were.
    fn is_worth_trying(&self, kernel: Heavy, variant: Variant) -> bool {
        let timings = self.timings.iter().filter(|timing| timing.kernel == Heavy::Product);
        let tiles = timings.clone().find(|timing| timing.variant == Variant::Tiles);
        let best = self.fastest(Heavy::Product);
        let tiles_lose = tiles.zip(best).is_some_and(|(tiles, best)| tiles.seconds > 1.5 * best.seconds);
        match variant {
            Variant::Plain | Variant::Wide => true,
            Variant::Tiles => matches!(kernel, Heavy::Product | Heavy::Sums) || !tiles_lose,
            Variant::LargeTiles => !tiles_lose,
        }
    }
}

async fn fastest_run(gpu: &Gpu, dispatch: &Dispatch, repeats: u32, best: f64) -> Result<f64, GpuError> {
    // Compiles, and touches the memory.
    run(gpu, dispatch, 1).await?;
    let mut fastest = run(gpu, dispatch, repeats).await?;
    for _ in 1..RUNS {
        if fastest.as_secs_f64() < HOPELESS * best * f64::from(repeats) {
            fastest = fastest.min(run(gpu, dispatch, repeats).await?);
        }
    }
    Ok(fastest.as_secs_f64() / f64::from(repeats))
}

async fn run(gpu: &Gpu, dispatch: &Dispatch, repeats: u32) -> Result<Duration, GpuError> {
    let mut commands = gpu.commands();
    let begin = Instant::now();
    commands.run((0..repeats).map(|_| dispatch));
    let submission = commands.submit();
    gpu.finished(submission).await?;
    Ok(begin.elapsed())
}

/// The layers that take most of the time: the MLP's first, and the CNN's second convolution.
struct Problem {
    is_software: bool,
    product: FusedProduct,
    conv: FusedConv2d,
    inputs: wgpu::Buffer,
    parameters: wgpu::Buffer,
    outputs: wgpu::Buffer,
    slices: wgpu::Buffer,
    tiles: wgpu::Buffer,
    nothing: wgpu::Buffer,
}

impl Problem {
    fn new(gpu: &Gpu) -> Self {
        let is_software = is_software(gpu.info());
        // Enough to keep a large GPU busy, and few enough that a software adapter takes milliseconds.
        let [rows, samples] = if is_software { [128, 4] } else { [1024, 256] };
        let (columns, inner) = (128, 784);
        // The forward pass adds to C, so that all variants read what they write.
        let block = Product {
            rows,
            columns,
            inner,
            a_row: inner,
            a_inner: 1,
            b_inner: 1,
            b_column: inner,
            c_row: columns,
            ..Product::default()
        };
        let product = FusedProduct { block, adds: true, ..FusedProduct::default() };
        let outputs = 32;
        let block = Conv2d {
            samples,
            channels: 16,
            height: SIDE,
            width: SIDE,
            outputs,
            out_height: SIDE,
            out_width: SIDE,
            kernel: 5,
            stride: 1,
            padding: 2,
            slice: SLICE,
            ..Conv2d::default()
        };
        let conv = FusedConv2d { block, has_bias: true, adds: false };
        let layer = outputs * (16 * 25 + 1);
        let values = |planes: u32| samples * planes * SIDE * SIDE;
        let buffer = |words: u32| gpu.storage("trial", words as usize);
        Self {
            is_software,
            product,
            conv,
            // The input gradient reads output gradients in the place of inputs.
            inputs: buffer(values(outputs).max(rows * inner)),
            parameters: buffer(layer.max(columns * inner)),
            outputs: buffer(values(outputs).max(rows * columns)),
            slices: buffer(samples.div_ceil(SLICE) * layer),
            tiles: buffer(samples * variants::most_gradient_tiles(&conv)),
            nothing: buffer(1),
        }
    }

    /// Dispatches in a row: on hardware one alone would be mostly the way there.
    const fn repeats(&self) -> u32 {
        if self.is_software { 1 } else { 8 }
    }

    fn dispatch(&self, gpu: &Gpu, kernel: Heavy, variant: Variant) -> Dispatch {
        let kernels = gpu.kernels();
        let Self { product, conv, inputs, parameters, outputs, slices, tiles, nothing, .. } = self;
        let bindings = [(1, inputs), (2, parameters), (3, outputs)];
        match kernel {
            Heavy::Product => kernels.launch(gpu, &variants::product(variant, product), product, &bindings),
            Heavy::Sums => {
                let batch = Batch {
                    samples: product.block.rows,
                    capacity: product.block.rows,
                    inputs: product.block.inner,
                    outputs: product.block.columns,
                    ..Batch::default()
                };
                let bindings = [(1, inputs), (2, outputs), (3, tiles)];
                kernels.launch(
                    gpu,
                    &variants::sums(variant, Sum::DenseNorms, product.block.rows),
                    &batch,
                    &bindings,
                )
            }
            Heavy::Conv2dForward => {
                kernels.launch(gpu, &variants::conv2d_forward(variant, conv), conv, &bindings)
            }
            Heavy::Conv2dInputGradient => {
                kernels.launch(gpu, &variants::conv2d_input_gradient(variant, conv), conv, &bindings)
            }
            Heavy::Conv2dWeightGradient => {
                let sink_stride = variants::gradient_tiles(variant, conv);
                let conv = FusedConv2d { block: Conv2d { sink_stride, ..conv.block }, ..*conv };
                let bindings =
                    [(1, inputs), (2, parameters), (3, slices), (4, outputs), (5, tiles), (6, nothing)];
                kernels.launch(gpu, &variants::conv2d_weight_gradient(variant, &conv), &conv, &bindings)
            }
        }
    }
}
