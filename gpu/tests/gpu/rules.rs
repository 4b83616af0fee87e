//! Every rule of batch-size control on a GPU: what it asks a batch for, whole runs beside the CPU's, and the same bits
//! whatever is on its way or lost.

use std::collections::HashSet;

use adadagrad_core::batch_test::{AnyTest, CoordinateNormTest, NormTest, WorkerNormTest};
use adadagrad_core::config::{Preset, RunConfig};
use adadagrad_core::controller::{
    Accordion, AnyController, BigBatch, Constant, DiveBatch, GradientNoiseScale, SimiGrad,
};
use adadagrad_core::dataset::SampleShape;
use adadagrad_core::model::Model;
use adadagrad_core::network::{Grain, initialise};
use adadagrad_core::noise_scale::{Noise, Sensor};
use adadagrad_core::observe::{MOST_OBSERVED, Observe, Quantity};
use adadagrad_core::optimizer::{AdaGrad, AdaGradNorm, Adam, AdamW, AnyOptimizer, DecayOn, Sgd, Shared};
use adadagrad_core::owned::{Control, OwnedNetwork};
use adadagrad_core::shuffle::Order;
use adadagrad_core::statistics::{Evidence, Needs, Parts, Reason, Statistics, Totals};
use adadagrad_core::training::{BatchOrder, Cut, Telemetry, Trainer};
use adadagrad_gpu::engine::Engine;
use adadagrad_gpu::webgpu::{DeviceEngine, DeviceImages, DeviceOrder, Options, Samples, Work};
use adadagrad_tests::rules::every_rule;
use pollster::block_on;

use super::{SAMPLES, SEED, bits, cpu, gpu, gpu_with, quiet, run, steps, support};

/// An optimizer that a rule can go with. Where a second moment is nearly 0, a small ε would make large numbers of the
/// rounding of small ones.
fn optimizer(rule: &AnyController) -> AnyOptimizer {
    match (rule.needs().sensors.preconditioned, rule) {
        (true, _) => AnyOptimizer::Adam(Adam { epsilon: 1e-3, ..Adam::default() }),
        (_, AnyController::Cabs(_) | AnyController::BigBatch(_)) => AnyOptimizer::Sgd(Sgd::default()),
        _ => AnyOptimizer::AdaGrad(AdaGrad { initial_accumulator: 0.1, ..AdaGrad::default() }),
    }
}

fn config(controller: AnyController) -> RunConfig {
    RunConfig {
        model: Model::Logistic,
        optimizer: optimizer(&controller),
        learning_rate: 0.02,
        test: controller.uses_test().then_some(AnyTest::Norm(NormTest { eta: 0.5, debiased: true })),
        controller,
        initial_batch: 6,
        min_batch: 1,
        max_batch: 80,
        sample_budget: 1000,
        evaluate_every: 400,
        seed: SEED,
        ..Preset::Quick.config()
    }
}

/// A run step by step on the engine itself, with a clock that tells the same to all.
fn told<E: Engine>(config: RunConfig, engine: &mut E) -> Vec<Telemetry> {
    let mut trainer = Trainer::new(config, SAMPLES).unwrap().with_grain(engine.grain());
    let step = || {
        let plan = trainer.plan()?;
        let telemetry = engine.step(&mut trainer, &plan).unwrap();
        trainer.measured(telemetry.samples, 0.02 + 0.001 * f64::from(telemetry.samples));
        Some(telemetry)
    };
    std::iter::from_fn(step).collect()
}

/// A run on both engines, with the same sizes and nearly the same numbers; the GPU's parameters and steps. `None` without a
/// GPU.
fn beside_the_cpu(config: RunConfig) -> Option<(Vec<f32>, Vec<Telemetry>)> {
    let training = support::images(SAMPLES, 3);
    let rule = config.controller;
    let mut on_gpu = gpu(&config, &training)?;
    let mut on_cpu = cpu(&config, &training);
    let (of_gpu, of_cpu) = (told(config, &mut on_gpu), told(config, &mut on_cpu));
    let batches = |lines: &[Telemetry]| lines.iter().map(|line| line.samples).collect::<Vec<_>>();
    assert_eq!(batches(&of_gpu), batches(&of_cpu), "{rule:?}");
    for (gpu, cpu) in of_gpu.iter().zip(&of_cpu) {
        assert_eq!(gpu.reasons, cpu.reasons, "{rule:?}");
        assert_eq!(gpu.samples_seen, cpu.samples_seen, "{rule:?}");
        assert!((gpu.learning_rate - cpu.learning_rate).abs() <= 1e-9 * cpu.learning_rate, "{rule:?}");
        assert!((gpu.loss - cpu.loss).abs() <= 1e-3 * cpu.loss, "{rule:?}: {gpu:?} {cpu:?}");
    }
    let gpu = on_gpu.snapshot().unwrap();
    let cpu = on_cpu.snapshot().unwrap();
    assert_eq!(gpu.memory.len(), config.slots() * gpu.parameters.len(), "{rule:?}");
    for (gpu, cpu) in [(gpu.parameters, cpu.parameters), (gpu.memory, cpu.memory)] {
        assert_eq!(gpu.len(), cpu.len(), "{rule:?}");
        // Of the largest: an epoch's sum is one of many gradients.
        let largest = cpu.iter().fold(0.01, |largest: f32, value| largest.max(value.abs()));
        let worst = gpu.iter().zip(cpu).map(|(gpu, cpu)| (gpu - cpu).abs()).fold(0.0, f32::max);
        assert!(worst <= 2e-3 * largest, "{rule:?}: {worst} of {largest}");
    }
    let parameters = on_gpu.snapshot().unwrap().parameters.to_vec();
    Some((parameters, of_gpu))
}

#[test]
fn every_rule_makes_the_cpus_run() {
    let mut changed = 0;
    for rule in every_rule() {
        let Some((_, steps)) = beside_the_cpu(config(rule)) else { return };
        changed += u32::from(steps.iter().any(|line| line.samples != steps[0].samples));
    }
    assert!(changed >= 15, "only {changed} rules changed the batch");
}

#[test]
fn clipping_and_decay_on_matrices_make_the_cpus_run() {
    let adamw = AnyOptimizer::AdamW(AdamW { weight_decay: 2.0, epsilon: 1e-3, ..AdamW::default() });
    let norm = AnyOptimizer::AdaGradNorm(AdaGradNorm::default());
    let dive = AnyController::DiveBatch(DiveBatch { every_epochs: 1, ..DiveBatch::default() });
    let sgd = AnyOptimizer::Sgd(Sgd { weight_decay: 0.5 });
    let mut found = Vec::new();
    for (optimizer, controller) in [
        (adamw, AnyController::Constant(Constant {})),
        (norm, AnyController::Constant(Constant {})),
        (sgd, dive),
    ] {
        for (decay_on, clip_norm) in [(DecayOn::All, 0.0), (DecayOn::Matrices, 0.0), (DecayOn::All, 0.3)] {
            let config =
                RunConfig { optimizer, decay_on, clip_norm, sample_budget: 500, ..config(controller) };
            let Some((parameters, steps)) = beside_the_cpu(config) else { return };
            assert!(steps.iter().any(|step| step.mean_norm_sq > 0.09), "some are clipped");
            found.push(parameters);
        }
    }
    // AdaGrad-Norm has no weight decay.
    for (k, parameters) in found.iter().enumerate().filter(|(k, _)| k % 3 > 0) {
        assert_eq!(*parameters == found[k - k % 3], k == 4, "{k}");
    }
}

/// Rules whose steps need what others do not: halves, coordinates, an epoch's sum, more samples.
fn special() -> Vec<RunConfig> {
    let noise = |sensor| {
        let rule = GradientNoiseScale { sensor, ema: 0.5, ..GradientNoiseScale::default() };
        config(AnyController::GradientNoiseScale(rule))
    };
    let dive = DiveBatch { every_epochs: 1, scale_learning_rate: true, ..DiveBatch::default() };
    let big = AnyController::BigBatch(BigBatch { growth: 0.2 });
    let extending = RunConfig { learning_rate: 0.5, initial_batch: 4, ..config(big) };
    let workers = AnyTest::WorkerNorm(WorkerNormTest { eta: 0.5, workers: 3 });
    vec![
        config(AnyController::SimiGrad(SimiGrad { target: 0.3 })),
        noise(Sensor::Preconditioned),
        noise(Sensor::Sign),
        RunConfig { optimizer: AnyOptimizer::Sgd(Sgd::default()), ..config(AnyController::DiveBatch(dive)) },
        config(AnyController::DiveBatch(dive)),
        config(AnyController::Accordion(Accordion { small: 9, large: 45, threshold: 0.5 })),
        extending,
        RunConfig { test: Some(workers), min_batch: 4, ..extending },
    ]
    .into_iter()
    .map(|config| RunConfig { sample_budget: 700, ..config })
    .collect()
}

#[test]
fn rules_keep_their_bits_whatever_is_on_its_way_or_lost() {
    let (training, test) = (support::images(SAMPLES, 3), support::images(100, 4));
    let (mut ahead, mut extended) = (0, 0);
    for config in special() {
        let rule = config.controller;
        let Some(engine) = gpu(&config, &training) else { return };
        let mut whole = run(config, engine);
        let mut lines = Vec::new();
        while let Some(line) = whole.step(&test).unwrap() {
            ahead = ahead.max(whole.engine().training().steps_ahead());
            lines.push(line.telemetry);
        }
        let grows = |pair: &[Telemetry]| rule.needs().extends && pair[1].samples > pair[0].next_batch;
        extended += lines.windows(2).filter(|pair| grows(pair)).count();
        let reference = bits(&mut whole);
        // Held back, so that no step is begun before the one before it is known.
        let mut held = run(config, gpu(&config, &training).unwrap());
        held.engine_mut().training_mut().hold(true);
        assert_eq!(steps(&mut held, &test), lines, "{rule:?}, held");
        assert_eq!(bits(&mut held), reference, "{rule:?}, held");
        // Copied back after every step, which takes back what is ahead of it.
        let mut settling = run(config, gpu(&config, &training).unwrap());
        for line in &lines {
            assert_eq!(settling.step(&test).unwrap().unwrap().telemetry, *line, "{rule:?}, settling");
            bits(&mut settling);
        }
        assert_eq!(bits(&mut settling), reference, "{rule:?}, settling");
        let last = lines.len() - 1;
        for lost_before in [last / 2, last] {
            let mut broken = run(config, gpu(&config, &training).unwrap());
            for (step, line) in lines.iter().enumerate() {
                if step == lost_before {
                    broken.engine().training().gpu().destroy();
                }
                let found = broken.step(&test).unwrap().unwrap().telemetry;
                assert_eq!(found, *line, "{rule:?}, lost before step {lost_before}");
            }
            assert_eq!(bits(&mut broken), reference, "{rule:?}, lost before step {lost_before}");
        }
    }
    assert!(ahead > 0, "no step was submitted ahead");
    assert!(extended > 2, "only {extended} batches were extended");
}

/// Far more than the network's own number.
#[test]
fn a_test_compares_as_many_parts_as_the_settings_allow() {
    let training = support::images(SAMPLES, 3);
    let workers = AnyTest::WorkerNorm(WorkerNormTest { eta: 0.5, workers: 3 });
    let parts = SAMPLES / 2;
    let [initial_batch, min_batch, max_batch] = [SAMPLES; 3];
    let constant = config(AnyController::Constant(Constant {}));
    let config = RunConfig { test: Some(workers), parts, initial_batch, min_batch, max_batch, ..constant };
    let Some(mut on_gpu) = gpu(&config, &training) else { return };
    let mut on_cpu = cpu(&config, &training);
    let engines: [&mut dyn Engine; 2] = [&mut on_gpu, &mut on_cpu];
    let found = engines.map(|engine| {
        let grain = Grain { samples: 1, ..engine.grain() };
        let mut trainer = Trainer::new(config, SAMPLES).unwrap().with_grain(grain);
        let plan = trainer.plan().unwrap();
        assert_eq!(plan.cut.parts(), parts);
        engine.step(&mut trainer, &plan).unwrap().worker_variance.unwrap()
    });
    let [of_gpu, of_cpu] = found;
    assert!((of_gpu - of_cpu).abs() <= 1e-4 * of_cpu, "{of_gpu} {of_cpu}");
}

/// What is observed takes memory, so that micro-batches may be smaller than without; its sizes are the CPU's all the same.
#[test]
fn every_observed_quantity_is_the_cpus() {
    let training = support::images(SAMPLES, 3);
    let names: Vec<_> = Quantity::all().map(Quantity::name).collect();
    let (mut sizes, mut smaller) = (HashSet::new(), 0);
    for names in names.chunks(MOST_OBSERVED) {
        // Two parts, which parts' tests need; a quantile at which no coordinate's mean is nearly 0.
        let config = RunConfig {
            test: Some(AnyTest::CoordinateNorm(CoordinateNormTest { eta: 0.5, quantile: 0.5 })),
            optimizer: AnyOptimizer::Adam(Adam { epsilon: 1e-3, ..Adam::default() }),
            observe: names.join(" ").parse().unwrap(),
            initial_batch: 200,
            max_batch: 200,
            ..config(AnyController::Constant(Constant {}))
        };
        let budgeted = |config: &RunConfig, memory_budget| {
            gpu_with(config, &training, Options { memory_budget, ..Options::of_adapter(None, quiet) })
        };
        // A byte less than the whole batch takes.
        let Some(whole) = budgeted(&config, None) else { return };
        let budget = Some(whole.training().memory_bytes() - 1);
        let mut on_gpu = budgeted(&config, budget).unwrap();
        let without =
            budgeted(&RunConfig { observe: Observe::NONE, ..config.without_test() }, budget).unwrap();
        smaller += u32::from(on_gpu.training().micro_batch() < without.training().micro_batch());
        let mut on_cpu = cpu(&config, &training);
        for (gpu, cpu) in told(config, &mut on_gpu).iter().zip(told(config, &mut on_cpu)) {
            for (gpu, cpu) in gpu.observed.rows().iter().zip(cpu.observed.rows()) {
                let name = cpu.quantity.name();
                if OF_PARTS.contains(&name) {
                    assert_eq!((gpu.quantity, gpu.reason), (cpu.quantity, Some(Reason::MissingEvidence)));
                    continue;
                }
                assert_eq!((gpu.quantity, gpu.reason), (cpu.quantity, cpu.reason), "{name}");
                // A noise scale divides by a difference, and coordinates are single numbers.
                let bound =
                    if name.starts_with("noise_scale") || name == "coordinate_norm" { 2e-2 } else { 2e-3 };
                for (gpu, cpu) in [(gpu.size, cpu.size), (gpu.smoothed, cpu.smoothed)] {
                    assert_eq!(gpu.is_some(), cpu.is_some(), "{name}: {gpu:?} {cpu:?}");
                    if let (Some(gpu), Some(cpu)) = (gpu, cpu) {
                        assert!((gpu - cpu).abs() <= bound * cpu.abs(), "{name}: {gpu} {cpu}");
                        sizes.insert(name);
                    }
                }
            }
        }
    }
    assert!(smaller > 0, "the budget leaves all micro-batches as large as without");
    let missing: Vec<_> = names.into_iter().filter(|name| !sizes.contains(name)).collect();
    // DiveBatch waits for the end of more epochs, and the cost-aware rule for times: they give the same reasons.
    assert_eq!(missing, ["worker_norm", "dive_batch", "cost_aware", "simi_grad"], "no size");
}

/// A GPU computes no parts for what is only observed: they would change the order of the run's sums.
const OF_PARTS: [&str; 2] = ["worker_norm", "simi_grad"];

#[test]
fn an_extended_batch_is_measured_when_it_passes_the_place() {
    let (training, test) = (support::images(SAMPLES, 3), support::images(100, 4));
    let rule = AnyController::BigBatch(BigBatch { growth: 0.4 });
    let config = RunConfig { evaluate_every: 50, ..config(rule) };
    let Some(engine) = gpu(&config, &training) else { return };
    let mut run = run(config, engine);
    let mut due = 0;
    while let Some(line) = run.step(&test).unwrap() {
        let Telemetry { samples_seen, samples, .. } = line.telemetry;
        let passes = samples_seen / 50 != (samples_seen - u64::from(samples)) / 50;
        assert_eq!(line.accuracy.is_some(), passes || samples_seen >= config.sample_budget);
        due += u32::from(passes);
    }
    assert!(due > 5, "{due}");
}

#[test]
fn halves_are_the_cpus() {
    let training = support::images(SAMPLES, 3);
    let constant = config(AnyController::Constant(Constant {}));
    let needs = Needs { halves: true, norms: true, ..Needs::NONE };
    let mut compared = 0;
    for model in [Model::Logistic, Model::MLP] {
        let config = RunConfig { model, ..constant };
        let Some(mut gpu) = gpu(&config, &training) else { return };
        let mut cpu = cpu(&config, &training);
        for batch in [1, 2, 3, 64, 129] {
            let visits =
                BatchOrder::Shuffled { order: Order::new(SAMPLES, SEED), start: u64::from(SAMPLES) - 2 };
            let of_gpu = gpu.evidence(Cut::halves(batch), visits, &needs).unwrap();
            let of_cpu = cpu.evidence(Cut::halves(batch), visits, &needs).unwrap();
            assert_eq!(super::parity::difference(&of_gpu, &of_cpu), None, "{batch}");
            let [of_gpu, of_cpu] = [of_gpu, of_cpu].map(|evidence: Evidence<f64>| {
                let Parts { count, first: (samples, first), .. } = evidence.parts.unwrap();
                (count, samples, first, evidence.cosine_of_halves())
            });
            assert_eq!((of_gpu.0, of_gpu.1), (of_cpu.0, of_cpu.1), "{batch}");
            assert!((of_gpu.2 - of_cpu.2).abs() <= 1e-4 * of_cpu.2, "{batch}: {of_gpu:?} {of_cpu:?}");
            match (of_gpu.3, of_cpu.3) {
                (Ok(gpu), Ok(cpu)) => assert!((gpu - cpu).abs() <= 1e-3, "{batch}: {gpu} {cpu}"),
                (gpu, cpu) => assert_eq!(gpu, cpu, "{batch}"),
            }
            compared += u32::from(of_cpu.3.is_ok());
        }
    }
    assert_eq!(compared, 8);
}

/// Noise by coordinates and an epoch's norm are those that the core makes of the sums that lie on the device.
#[test]
fn what_depends_on_the_training_memory_is_the_cores() {
    let Some(device) = support::device() else { return };
    let network = OwnedNetwork::of_model(Model::Logistic, SampleShape::MNIST).unwrap();
    let len = network.view().parameters();
    let mut parameters = vec![0.0; len];
    initialise(network.view(), SEED, &mut parameters).unwrap();
    let training = support::images(SAMPLES, 3);
    let shared = Shared { steps: 4, ..Shared::default() };
    let adagrad = AnyOptimizer::AdaGrad(AdaGrad::default());
    let adam = AnyOptimizer::Adam(Adam::default());
    for (sensor, optimizer) in [
        (Sensor::Preconditioned, adagrad),
        (Sensor::Preconditioned, adam),
        (Sensor::Sign, AnyOptimizer::Sgd(Sgd::default())),
    ] {
        let own = optimizer.as_optimizer::<f64>().slots();
        let memory: Vec<f32> = (0..(own + 1) * len).map(|k| (k % 97) as f32 / 970.0 + 1e-3).collect();
        let needs = Needs { epoch: true, ..sensor.needs() };
        let work = Work {
            optimizer,
            decay_on: DecayOn::All,
            network: &network,
            needs,
            slots: own + 1,
            most_samples: SAMPLES,
            by_parts: false,
        };
        let mut engine = DeviceEngine::new(device.clone(), &work, 64).unwrap();
        engine.write(&parameters, &memory);
        let images = DeviceImages::of_dataset(engine.gpu(), &*training).unwrap();
        let mut ask = |batch: u32, before_step| {
            let (order, cut) = (DeviceOrder::Shuffled(SEED), Cut::new(batch, 0));
            let samples = Samples { images: &images, order, start: 7, cut, before_step };
            let flight = block_on(engine.submit(&samples, true, &Control::default())).unwrap();
            let evidence = *block_on(engine.evidence(flight)).unwrap().evidence();
            (evidence, block_on(engine.left()).unwrap())
        };
        for batch in [1, 2, 130] {
            let (evidence, mut left) = ask(batch, Some(shared));
            let totals = Totals { samples: batch, ..Totals::default() };
            let sums = Statistics::resume(totals, &mut left.gradient_sum, &mut left.second_moment).unwrap();
            let preconditioner = optimizer.as_optimizer::<f32>().preconditioner(&shared);
            let divisor = |coordinate: usize| {
                let preconditioner = preconditioner?;
                Some(preconditioner.divisor(memory[preconditioner.slot * len + coordinate].into()))
            };
            let expected = sums.noise(sensor, divisor);
            let found = evidence.measured_noise.get(sensor).unwrap();
            match (found, expected) {
                (Ok(found), Ok(expected)) => {
                    let Noise { noise, signal } = expected;
                    // What rounding leaves of the difference of two sums; its root is larger.
                    let bound = if sensor == Sensor::Sign { 2e-2 } else { 1e-3 };
                    assert!((found.noise - noise).abs() <= bound * noise, "{found:?} {expected:?}");
                    let of_signal = signal.abs() + noise / f64::from(batch);
                    assert!((found.signal - signal).abs() <= 1e-3 * of_signal, "{found:?} {expected:?}");
                }
                (found, expected) => assert_eq!(found, expected, "{batch}"),
            }
            let epoch = memory[own * len..].iter().zip(&*left.gradient_sum);
            let expected: f64 = epoch.map(|(&sum, &g)| (f64::from(sum) + f64::from(g)).powi(2)).sum();
            let found = evidence.epoch_norm_sq.unwrap();
            assert!((found - expected).abs() <= 1e-5 * expected, "{found} {expected}");
        }
        let (evidence, _) = ask(8, None);
        assert_eq!((evidence.measured_noise.get(sensor), evidence.epoch_norm_sq), (None, None), "no step");
    }
}
