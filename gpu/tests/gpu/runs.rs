//! Whole short runs: the same as the CPU engine's, and the same however far the device runs ahead.

use adadagrad_core::batch_test::{
    AnyTest, AugmentedTest, CoordinateNormTest, InnerProductTest, NormTest, OrthogonalityTest, WorkerNormTest,
};
use adadagrad_core::config::RunConfig;
use adadagrad_core::model::Model;
use adadagrad_core::optimizer::{
    AdaGrad, AdaGradNorm, Adam, AdamW, AnyOptimizer, Momentum, Nesterov, RmsProp, Sgd,
};
use adadagrad_core::training::{StepError, Telemetry};
use adadagrad_gpu::engine::{Engine, EngineError};

use super::{SAMPLES, bits, cpu, gpu, run, settled, short, steps, support};

#[test]
fn short_runs_agree_for_every_test() {
    let (training, test) = (support::images(SAMPLES, 3), support::images(100, 4));
    let tests = [
        None,
        Some(AnyTest::Norm(NormTest { eta: 0.5, debiased: false })),
        Some(AnyTest::InnerProduct(InnerProductTest { theta: 0.1, leave_one_out: true })),
        Some(AnyTest::Orthogonality(OrthogonalityTest { nu: 0.5 })),
        Some(AnyTest::Augmented(AugmentedTest { theta: 0.2, nu: 0.5, leave_one_out: false })),
        Some(AnyTest::CoordinateNorm(CoordinateNormTest { eta: 0.5, quantile: 0.25 })),
        Some(AnyTest::WorkerNorm(WorkerNormTest { eta: 0.5, workers: 4 })),
    ];
    for test_of_run in tests {
        let config = short(Model::MLP, test_of_run);
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

#[test]
fn a_cancelled_step_changes_nothing() {
    let (training, test) = (support::images(SAMPLES, 3), support::images(100, 4));
    let config = short(Model::MLP, Some(AnyTest::Norm(NormTest::default())));
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
fn steps_in_flight_change_nothing() {
    let (training, test) = (support::images(SAMPLES, 3), support::images(100, 4));
    for model in [Model::Logistic, Model::MLP] {
        let config = settled(model);
        let Some(engine) = gpu(&config, &training) else { return };
        let mut ahead = run(config, engine);
        let mut settling = run(config, gpu(&config, &training).unwrap());
        let mut furthest = 0;
        while let Some(line) = ahead.step(&test).unwrap() {
            furthest = furthest.max(ahead.engine().training().steps_ahead());
            assert_eq!(settling.step(&test).unwrap().unwrap().telemetry, line.telemetry);
            // A copy of the parameters must be that of the step: whatever is ahead of it is taken back.
            bits(&mut settling);
        }
        assert_eq!(furthest, 2, "the steps behind one are on their way before it is known");
        assert_eq!(bits(&mut ahead), bits(&mut settling), "{model:?}");
    }
}

#[test]
fn a_step_that_was_begun_with_the_wrong_batch_size_changes_nothing() {
    let (training, test) = (support::images(SAMPLES, 3), support::images(100, 4));
    // Thresholds under which a batch keeps its size for some steps, and then grows.
    let tests = [
        AnyTest::Norm(NormTest { eta: 0.5, debiased: false }),
        AnyTest::InnerProduct(InnerProductTest { theta: 0.2, leave_one_out: false }),
    ];
    for test_on in tests {
        let config = RunConfig { sample_budget: 2000, ..short(Model::MLP, Some(test_on)) };
        let Some(engine) = gpu(&config, &training) else { return };
        let mut ahead = run(config, engine);
        let mut held = run(config, gpu(&config, &training).unwrap());
        held.engine_mut().training_mut().hold(true);
        let [mut begun, mut given_up] = [0, 0];
        while let Some(line) = ahead.step(&test).unwrap() {
            let telemetry = line.telemetry;
            if ahead.engine().training().steps_ahead() > 0 {
                begun += 1;
                given_up += u32::from(telemetry.next_batch != telemetry.samples);
            }
            assert_eq!(held.step(&test).unwrap().unwrap().telemetry, telemetry);
            assert_eq!(held.engine().training().steps_ahead(), 0);
        }
        assert!(begun > 3 && given_up > 0, "{test_on:?}: {begun} steps begun, {given_up} given up");
        assert_eq!(bits(&mut ahead), bits(&mut held), "{test_on:?}");
    }
}

#[test]
fn a_step_that_is_not_finite_stops_the_steps_behind_it() {
    let (training, test) = (support::images(SAMPLES, 3), support::images(100, 4));
    let config = RunConfig {
        optimizer: AnyOptimizer::Sgd(Sgd { weight_decay: 0.0 }),
        learning_rate: 1e19,
        ..settled(Model::MLP)
    };
    let Some(engine) = gpu(&config, &training) else { return };
    let mut ahead = run(config, engine);
    let mut settling = run(config, gpu(&config, &training).unwrap());
    let mut copy = bits(&mut settling);
    loop {
        let (fast, slow) = (ahead.step(&test), settling.step(&test));
        match (fast, slow) {
            (Ok(Some(fast)), Ok(Some(slow))) => assert_eq!(fast.telemetry, slow.telemetry),
            (Err(EngineError::Step(fast)), Err(EngineError::Step(slow))) => {
                assert!(matches!(fast, StepError::NonFinite { .. }), "{fast}");
                assert_eq!(fast, slow);
                break;
            }
            other => panic!("{other:?}"),
        }
        copy = bits(&mut settling);
    }
    assert!(ahead.progress().steps > 0, "steps before it are made");
    assert_eq!(bits(&mut ahead), copy, "the parameters are those before the step");
}

#[test]
fn a_step_is_one_small_read_back() {
    let (training, test) = (support::images(SAMPLES, 3), support::images(100, 4));
    let config =
        RunConfig { initial_batch: 64, ..short(Model::Cnn, Some(AnyTest::Norm(NormTest::default()))) };
    let Some(engine) = gpu(&config, &training) else { return };
    let mut run = run(config, engine);
    run.step(&test).unwrap();
    // The copy of the parameters that is due every few seconds is another matter.
    bits(&mut run);
    let before = run.engine().training().gpu().traffic();
    let samples = run.step(&test).unwrap().unwrap().telemetry.samples;
    let after = run.engine().training().gpu().traffic();
    let micro_batches = u64::from(samples.div_ceil(run.engine().training().micro_batch()));
    assert_eq!(after.read_backs - before.read_backs, 1);
    // Six sums a micro-batch, and the square norm in 64 shares.
    assert_eq!(after.bytes_back - before.bytes_back, 4 * (6 * micro_batches + 64));
    // The micro-batches, and the update.
    assert_eq!(after.submissions - before.submissions, micro_batches + 1);
}
