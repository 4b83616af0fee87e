//! Batches far larger than a micro-batch, within default limits and within a budget.

use adadagrad_core::config::{Preset, RunConfig};
use adadagrad_core::model::Model;
use adadagrad_core::shuffle::Order;
use adadagrad_core::statistics::{Evidence, Needs};
use adadagrad_core::training::{BatchOrder, Cut, Trainer};
use adadagrad_gpu::engine::{Engine, EngineError};
use adadagrad_gpu::gpu::GpuEngine;
use adadagrad_gpu::webgpu::{GpuError, Options};

use super::{SEED, cpu, gpu, gpu_with, quiet, support};

/// As many as MNIST has.
const LEN: u32 = 60_000;

fn whole_batch(model: Model) -> RunConfig {
    RunConfig { model, seed: SEED, initial_batch: LEN, max_batch: LEN, ..Preset::PaperCnn.config() }
}

fn assert_close(gpu: f64, cpu: f64, relative: f64, what: &str) {
    assert!((gpu - cpu).abs() <= relative * cpu.abs(), "{what}: {gpu} on the GPU, {cpu} on the CPU");
}

/// S and the loss are sums of positive terms: rounding is the only difference.
fn assert_same(gpu: &Evidence<f64>, cpu: &Evidence<f64>) {
    assert_eq!(gpu.samples, cpu.samples);
    assert_close(gpu.loss, cpu.loss, 1e-5, "loss");
    assert_close(gpu.sum_squared_norms.unwrap(), cpu.sum_squared_norms.unwrap(), 1e-4, "S");
    assert_close(gpu.mean_norm_sq, cpu.mean_norm_sq, 1e-3, "n");
}

#[test]
fn a_step_with_60_000_samples_runs_whole() {
    let training = support::images(LEN, 3);
    let config = whole_batch(Model::Logistic);
    let Some(mut gpu) = gpu(&config, &training) else { return };
    let mut cpu = cpu(&config, &training);
    let mut trainers = [(); 2].map(|()| Trainer::new(config, LEN).unwrap());
    let plan = trainers[0].plan().unwrap();
    assert_eq!(plan.cut.samples(), LEN);
    let of_gpu = gpu.step(&mut trainers[0], &plan).unwrap();
    let of_cpu = cpu.step(&mut trainers[1], &plan).unwrap();
    assert_close(of_gpu.loss, of_cpu.loss, 1e-5, "loss");
    assert_close(of_gpu.variance.unwrap(), of_cpu.variance.unwrap(), 1e-4, "v");
    assert_eq!((of_gpu.next_batch, of_gpu.samples_seen), (LEN, u64::from(LEN)));
    let bytes = gpu.training().memory_bytes();
    assert!(bytes < 16 << 20, "{bytes} bytes: the batch must not be in memory");
}

#[test]
fn the_cnn_is_planned_for_60_000_samples_and_its_first_and_last_micro_batches_run() {
    let training = support::images(LEN, 3);
    let config = whole_batch(Model::Cnn);
    let Some(mut gpu) = gpu(&config, &training) else { return };
    let micro_batch = gpu.training().micro_batch();
    let bytes = gpu.training().memory_bytes();
    println!("the CNN at b = {LEN}: micro-batches of {micro_batch}, {bytes} bytes of device memory");
    assert!(bytes <= 1 << 30, "{bytes} bytes");
    let mut cpu = cpu(&config, &training);
    let last = (LEN - 1) / micro_batch * micro_batch;
    for (start, samples) in [(0, micro_batch.min(64)), (last, LEN - last)] {
        let visit = BatchOrder::Shuffled { order: Order::new(LEN, SEED), start: start.into() };
        let needs = Needs { norms: true, ..Needs::NONE };
        let of_gpu = gpu.evidence(Cut::new(samples, 0), visit, &needs).unwrap();
        assert_same(&of_gpu, &cpu.evidence(Cut::new(samples, 0), visit, &needs).unwrap());
    }
}

#[test]
fn a_budget_makes_smaller_micro_batches_with_the_same_sums() {
    /// Parameters, memory and gradients of 101,770 values each, and room for few samples.
    const BUDGET: u64 = 1_400_000;
    let training = support::images(300, 3);
    let config = RunConfig { model: Model::MLP, seed: SEED, ..Preset::PaperCnn.config() };
    let Some(mut roomy) = gpu(&config, &training) else { return };
    let options = Options { memory_budget: Some(BUDGET), ..Options::of_adapter(None, quiet) };
    let mut tight = gpu_with(&config, &training, options).unwrap();
    assert!(tight.training().memory_bytes() <= BUDGET);
    assert!(tight.training().micro_batch() < roomy.training().micro_batch());
    let needs = Needs { norms: true, inner: true, ..Needs::NONE };
    let visit = BatchOrder::InFileOrder { start: 0 };
    let [of_tight, of_roomy] =
        [&mut tight, &mut roomy].map(|engine| engine.evidence(Cut::new(300, 0), visit, &needs).unwrap());
    assert_same(&of_tight, &of_roomy);
}

#[test]
fn a_budget_without_room_for_one_sample_is_refused_in_words() {
    let training = support::images(20, 3);
    let config = RunConfig { model: Model::Cnn, ..Preset::PaperCnn.config() };
    let Some(_) = gpu(&config, &training) else { return };
    let options = Options { memory_budget: Some(100_000), ..Options::of_adapter(None, quiet) };
    let error = GpuEngine::new(&config, training, options).unwrap_err();
    assert!(matches!(error, EngineError::Gpu(GpuError::Budget { .. })));
    assert!(error.to_string().starts_with("a single sample needs"), "{error}");
}

/// Dispatches are kept for some sizes of micro-batches only.
#[test]
fn any_number_of_batch_sizes_may_follow_each_other() {
    let training = support::images(60, 3);
    let config = RunConfig { model: Model::Logistic, seed: SEED, ..Preset::PaperCnn.config() };
    let Some(mut gpu) = gpu(&config, &training) else { return };
    let mut cpu = cpu(&config, &training);
    let needs = Needs { norms: true, ..Needs::NONE };
    let visit = BatchOrder::InFileOrder { start: 0 };
    for samples in (1..=40).chain([60, 1, 40]) {
        let of_gpu = gpu.evidence(Cut::new(samples, 0), visit, &needs).unwrap();
        assert_same(&of_gpu, &cpu.evidence(Cut::new(samples, 0), visit, &needs).unwrap());
    }
}
