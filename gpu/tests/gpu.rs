//! The GPU engine against the CPU's, on whatever adapter there is: a visible skip without one, a failure when
//! `REQUIRE_GPU=1`.
#![allow(clippy::unwrap_used)]

mod support;

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use adadagrad_core::batch_test::{
    AnyTest, AugmentedTest, CoordinateNormTest, InnerProductTest, NormTest, WorkerNormTest,
};
use adadagrad_core::config::{Preset, RunConfig};
use adadagrad_core::controller::{AdAdaGrad, AnyController};
use adadagrad_core::cut::Cut;
use adadagrad_core::network::Model;
use adadagrad_core::optimizer::{
    AdaGrad, AdaGradNorm, Adam, AdamW, AnyOptimizer, Momentum, Nesterov, RmsProp, Sgd,
};
use adadagrad_core::shuffle::Order;
use adadagrad_core::statistics::{Evidence, Needs};
use adadagrad_core::trainer::{Telemetry, Trainer};
use adadagrad_gpu::cpu::ThreadsEngine;
use adadagrad_gpu::dataset::SharedDataset;
use adadagrad_gpu::engine::{Engine, EngineError, Visit};
use adadagrad_gpu::gpu::GpuEngine;
use adadagrad_gpu::run::Run;
use adadagrad_gpu::webgpu::{GpuError, Options};

const SAMPLES: u32 = 300;
const SEED: u64 = 5;

fn quiet(_: &str) {}

/// The engine, or `None` with a word about it where there is no adapter.
fn gpu(config: &RunConfig, training: &SharedDataset) -> Option<GpuEngine> {
    match GpuEngine::new(config, Arc::clone(training), Options::of_adapter(None, quiet)) {
        Ok(engine) => Some(engine),
        Err(EngineError::Gpu(GpuError::NoAdapter(why))) => {
            assert!(std::env::var("REQUIRE_GPU").as_deref() != Ok("1"), "no GPU adapter: {why}");
            eprintln!("skipped: no GPU adapter: {why}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn cpu(config: &RunConfig, training: &SharedDataset) -> ThreadsEngine {
    ThreadsEngine::new(config, Arc::clone(training), NonZero::new(2).unwrap()).unwrap()
}

/// Two sums over K terms in `f32`, in different orders, differ by about ε√K of what is summed; 64 is room for
/// the several sums that one number goes through.
fn bound(terms: f64) -> f64 {
    64.0 * f64::from(f32::EPSILON) * terms.sqrt()
}

/// What differs by more than the bound; NaN differs.
fn difference(gpu: &Evidence<f64>, cpu: &Evidence<f64>) -> Option<String> {
    // The longest sums run over the CNN's 28 × 28 positions and 400 taps.
    let relative = bound(800.0);
    let largest = cpu.sum_squared_norms.unwrap_or(cpu.mean_norm_sq * cpu.batch());
    let scale = largest / cpu.batch();
    let inner = |evidence: &Evidence<f64>| evidence.inner.map(|inner| inner.sum_squared_inner_products);
    let rows = [
        ("samples", Some(gpu.samples.into()), Some(cpu.samples.into()), 0.0),
        ("correct", Some(gpu.correct.into()), Some(cpu.correct.into()), 0.0),
        ("loss", Some(gpu.loss), Some(cpu.loss), relative * cpu.loss),
        ("n", Some(gpu.mean_norm_sq), Some(cpu.mean_norm_sq), relative * scale),
        ("S", gpu.sum_squared_norms, cpu.sum_squared_norms, relative * largest),
        ("P2", inner(gpu), inner(cpu), relative * largest * scale),
        ("ratio", gpu.coordinate_ratio, cpu.coordinate_ratio, 0.02 * cpu.coordinate_ratio.unwrap_or(0.0)),
        (
            "parts",
            gpu.parts.map(|parts| parts.sum_squared_means),
            cpu.parts.map(|parts| parts.sum_squared_means),
            relative * largest,
        ),
    ];
    rows.into_iter().find_map(|(name, gpu, cpu, bound)| {
        let same = match (gpu, cpu) {
            (Some(gpu), Some(cpu)) => (gpu - cpu).abs() <= bound,
            (None, None) => true,
            _ => false,
        };
        (!same).then(|| format!("{name}: {gpu:?} on the GPU, {cpu:?} on the CPU, {bound:e} allowed"))
    })
}

#[test]
fn evidence_is_the_cpus_for_every_model_and_batch() {
    let training = support::images(SAMPLES, 3);
    // Everything at once: norms, inner products, coordinates, parts.
    let all = Needs { norms: true, inner: true, coordinate_quantile: Some(0.5), parts: 3 };
    for model in Model::ALL {
        let config = RunConfig { model, seed: SEED, ..Preset::PaperCnn.config() };
        let Some(mut gpu) = gpu(&config, &training) else { return };
        let mut cpu = cpu(&config, &training);
        let batches: &[u32] = if model == Model::Cnn { &[2, 3, 65] } else { &[2, 3, 63, 64, 65, 300] };
        for &batch in batches {
            for needs in [all, Needs { parts: 0, coordinate_quantile: None, ..all }] {
                let cut = Cut::new(batch, needs.parts);
                // Across the end of a pass.
                let visit =
                    Visit::Shuffled { order: Order::new(SAMPLES, SEED), start: u64::from(SAMPLES) - 2 };
                let of_gpu = gpu.evidence(cut, visit, &needs).unwrap();
                let of_cpu = cpu.evidence(cut, visit, &needs).unwrap();
                assert_eq!(difference(&of_gpu, &of_cpu), None, "{model:?}, {batch} samples, {needs:?}");
                let dropped = Evidence { loss: of_gpu.loss * 0.99, ..of_gpu };
                assert!(difference(&dropped, &of_cpu).is_some(), "the comparison sees what is wrong");
            }
        }
        let in_file_order = Visit::InFileOrder { start: 7 };
        let of_gpu = gpu.evidence(Cut::new(20, 0), in_file_order, &Needs::default()).unwrap();
        let of_cpu = cpu.evidence(Cut::new(20, 0), in_file_order, &Needs::default()).unwrap();
        assert_eq!(difference(&of_gpu, &of_cpu), None, "{model:?} in file order");
    }
}

fn short(model: Model, test: Option<AnyTest>) -> RunConfig {
    let base = RunConfig {
        model,
        test,
        controller: AnyController::AdAdaGrad(AdAdaGrad { growth_cap: Some(3.0) }),
        initial_batch: 20,
        max_batch: 200,
        sample_budget: 400,
        seed: SEED,
        ..Preset::Quick.config()
    };
    if test.is_some() { base } else { base.without_test() }
}

fn steps<E: Engine>(run: &mut Run<E>, test: &SharedDataset) -> Vec<Telemetry> {
    std::iter::from_fn(|| run.step(test).unwrap().map(|line| line.telemetry)).collect()
}

fn run<E: Engine>(config: RunConfig, engine: E) -> Run<E> {
    Run::new(Trainer::new(config, SAMPLES).unwrap(), engine)
}

#[test]
fn short_runs_agree_for_every_test() {
    let (training, test) = (support::images(SAMPLES, 3), support::images(100, 4));
    let tests = [
        None,
        Some(AnyTest::Norm(NormTest { eta: 0.5, debiased: false })),
        Some(AnyTest::InnerProduct(InnerProductTest { theta: 0.1, leave_one_out: true })),
        Some(AnyTest::Augmented(AugmentedTest { theta: 0.2, nu: 0.5, leave_one_out: false })),
        Some(AnyTest::CoordinateNorm(CoordinateNormTest { eta: 0.5, quantile: 0.25 })),
        Some(AnyTest::WorkerNorm(WorkerNormTest { eta: 0.5, workers: 4 })),
    ];
    for test_of_run in tests {
        let config = short(Model::Mlp, test_of_run);
        let Some(engine) = gpu(&config, &training) else { return };
        let mut on_gpu = run(config, engine);
        let mut on_cpu = run(config, cpu(&config, &training));
        let (of_gpu, of_cpu) = (steps(&mut on_gpu, &test), steps(&mut on_cpu, &test));
        let batches = |lines: &[Telemetry]| lines.iter().map(|line| line.samples).collect::<Vec<_>>();
        assert_eq!(batches(&of_gpu), batches(&of_cpu), "{test_of_run:?}");
        let (last_gpu, last_cpu) = (of_gpu.last().unwrap(), of_cpu.last().unwrap());
        assert!((last_gpu.loss - last_cpu.loss).abs() <= 1e-3 * last_cpu.loss, "{last_gpu:?} {last_cpu:?}");
        let of_gpu = on_gpu.engine_mut().evaluate(&test).unwrap();
        let of_cpu = on_cpu.engine_mut().evaluate(&test).unwrap();
        assert!((of_gpu.evaluation.loss - of_cpu.evaluation.loss).abs() <= 1e-3 * of_cpu.evaluation.loss);
        assert_eq!(of_gpu.confusion.rows().flatten().sum::<u32>(), 100);
    }
}

#[test]
fn every_optimizer_makes_the_cpus_step() {
    let (training, test) = (support::images(SAMPLES, 3), support::images(100, 4));
    let optimizers = [
        AnyOptimizer::Sgd(Sgd { weight_decay: 0.01 }),
        AnyOptimizer::Momentum(Momentum { weight_decay: 0.01, ..Momentum::default() }),
        AnyOptimizer::Nesterov(Nesterov { weight_decay: 0.01, ..Nesterov::default() }),
        AnyOptimizer::AdaGrad(AdaGrad { initial_accumulator: 0.1, weight_decay: 0.01, ..AdaGrad::default() }),
        AnyOptimizer::AdaGradNorm(AdaGradNorm::default()),
        AnyOptimizer::RmsProp(RmsProp { epsilon: 1e-3, weight_decay: 0.01, ..RmsProp::default() }),
        AnyOptimizer::Adam(Adam { epsilon: 1e-4, weight_decay: 0.01, ..Adam::default() }),
        AnyOptimizer::AdamW(AdamW { epsilon: 1e-4, ..AdamW::default() }),
    ];
    // Where a second moment is nearly 0, a small ε would make a large step of the rounding of a small gradient.
    for optimizer in optimizers {
        let config =
            RunConfig { optimizer, learning_rate: 0.01, sample_budget: 60, ..short(Model::Logistic, None) };
        let Some(engine) = gpu(&config, &training) else { return };
        let mut on_gpu = run(config, engine);
        let mut on_cpu = run(config, cpu(&config, &training));
        assert_eq!(steps(&mut on_gpu, &test).len(), 3);
        steps(&mut on_cpu, &test);
        let gpu = on_gpu.engine_mut().snapshot().unwrap();
        let cpu = on_cpu.engine_mut().snapshot().unwrap();
        for (gpu, cpu) in [(gpu.parameters, cpu.parameters), (gpu.memory, cpu.memory)] {
            assert_eq!(gpu.len(), cpu.len());
            for (gpu, cpu) in gpu.iter().zip(cpu) {
                assert!((gpu - cpu).abs() <= 2e-4 * cpu.abs().max(0.01), "{optimizer:?}: {gpu} {cpu}");
            }
        }
    }
}

fn bits(run: &mut Run<GpuEngine>) -> [Vec<u32>; 2] {
    let snapshot = run.engine_mut().snapshot().unwrap();
    [snapshot.parameters, snapshot.memory].map(|values| values.iter().map(|value| value.to_bits()).collect())
}

#[test]
fn a_lost_device_costs_nothing_and_the_same_run_gives_the_same_bits() {
    static NOTICES: AtomicUsize = AtomicUsize::new(0);
    let count = |_: &str| {
        NOTICES.fetch_add(1, Ordering::Relaxed);
    };
    let (training, test) = (support::images(SAMPLES, 3), support::images(100, 4));
    let config = short(Model::Mlp, Some(AnyTest::Norm(NormTest { eta: 0.5, debiased: false })));
    let Some(engine) = gpu(&config, &training) else { return };
    let mut whole = run(config, engine);
    let lines = steps(&mut whole, &test);
    let reference = bits(&mut whole);
    // At different moments each time: before any step, after some, right before the last.
    for lost_before in 0..lines.len() {
        let engine =
            GpuEngine::new(&config, Arc::clone(&training), Options::of_adapter(None, count)).unwrap();
        let mut broken = run(config, engine);
        for (step, line) in lines.iter().enumerate() {
            if step == lost_before {
                broken.engine().training().gpu().destroy();
            }
            assert_eq!(broken.step(&test).unwrap().unwrap().telemetry, *line);
        }
        assert_eq!(bits(&mut broken), reference);
    }
    assert!(NOTICES.load(Ordering::Relaxed) >= lines.len(), "each loss is told");
}

#[test]
fn a_cancelled_step_changes_nothing() {
    let (training, test) = (support::images(SAMPLES, 3), support::images(100, 4));
    let config = short(Model::Mlp, Some(AnyTest::Norm(NormTest::default())));
    let Some(engine) = gpu(&config, &training) else { return };
    let mut run = run(config, engine);
    run.step(&test).unwrap();
    let before = (bits(&mut run), *run.progress());
    run.engine().control().cancel();
    assert!(matches!(run.step(&test), Err(EngineError::Cancelled)));
    assert_eq!((bits(&mut run), *run.progress()), before);
    run.engine().control().go_on();
    assert!(run.step(&test).unwrap().is_some());
}

#[test]
fn an_unknown_adapter_is_named() {
    let training = support::images(20, 3);
    let config = RunConfig { max_batch: 20, ..short(Model::Logistic, None) };
    let error =
        GpuEngine::new(&config, training, Options::of_adapter(Some("no such adapter"), quiet)).unwrap_err();
    assert!(error.to_string().contains("no such adapter"), "{error}");
}
