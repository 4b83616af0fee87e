//! A run that was stopped, saved and resumed is the same run, to the bit.

use std::num::NonZero;
use std::sync::Arc;

use crate::support;
use adadagrad_core::batch_test::{AnyTest, NormTest};
use adadagrad_core::config::{Preset, RunConfig};
use adadagrad_core::controller::{AdAdaGrad, AnyController};
use adadagrad_core::dataset::SampleShape;
use adadagrad_core::digest::Digest;
use adadagrad_core::model::Model;
use adadagrad_core::optimizer::{
    AdaGrad, AdaGradNorm, Adam, AdamW, AnyOptimizer, Momentum, Nesterov, RmsProp, Sgd,
};
use adadagrad_core::owned::checkpoint::{self, STATE_VERSION, State};
use adadagrad_core::owned::threads::ThreadsEngine;
use adadagrad_core::owned::{OwnedNetwork, SharedDataset};
use adadagrad_core::schedule::{Decay, Schedule};
use adadagrad_core::training::Trainer;
use adadagrad_gpu::engine::EngineError;
use adadagrad_gpu::run::Run;
use adadagrad_gpu::telemetry::Line;
use adadagrad_gpu::telemetry_file::{Resumed, TelemetryFile};

const OPTIMIZERS: usize = 8;

fn optimizer(index: usize) -> AnyOptimizer {
    let all: [AnyOptimizer; OPTIMIZERS] = [
        AnyOptimizer::Sgd(Sgd { weight_decay: 0.01 }),
        AnyOptimizer::Momentum(Momentum::default()),
        AnyOptimizer::Nesterov(Nesterov::default()),
        AnyOptimizer::AdaGrad(AdaGrad::default()),
        AnyOptimizer::AdaGradNorm(AdaGradNorm::default()),
        AnyOptimizer::RmsProp(RmsProp::default()),
        AnyOptimizer::Adam(Adam::default()),
        AnyOptimizer::AdamW(AdamW::default()),
    ];
    all[index]
}

fn config(optimizer: AnyOptimizer) -> RunConfig {
    RunConfig {
        model: Model::Logistic,
        optimizer,
        learning_rate: 0.01,
        schedule: Schedule { warm_up_samples: 500, decay: Decay::Cosine { final_fraction: 0.1 } },
        test: Some(AnyTest::Norm(NormTest { eta: 0.3, debiased: false })),
        controller: AnyController::AdAdaGrad(AdAdaGrad { growth_cap: Some(1.5), ..AdAdaGrad::default() }),
        initial_batch: 8,
        max_batch: 200,
        sample_budget: 2000,
        evaluate_every: 300,
        ..Preset::Quick.config()
    }
}

fn fresh(config: RunConfig, training: &SharedDataset) -> Run<ThreadsEngine> {
    let trainer = Trainer::new(config, training.len()).unwrap();
    let threads = NonZero::new(2).unwrap();
    Run::new(trainer, ThreadsEngine::new(&config, Arc::clone(training), threads).unwrap())
}

fn save(run: &Run<ThreadsEngine>, training: &SharedDataset) -> Vec<u8> {
    let state = State {
        version: STATE_VERSION,
        config: *run.config(),
        progress: *run.progress(),
        training_samples: training.len(),
        training_data: None,
        sample: None,
        network: None,
        encoding: None,
        vocabulary: None,
    };
    let network = OwnedNetwork::of_model(state.config.model, SampleShape::MNIST).unwrap();
    checkpoint::write(network.view(), &run.engine().parameters(), &run.engine().memory(), &state).unwrap()
}

fn resume(bytes: &[u8], training: &SharedDataset) -> Run<ThreadsEngine> {
    let checkpoint = checkpoint::read(bytes).unwrap();
    let &State { config, progress, .. } = checkpoint.state().unwrap();
    let network = OwnedNetwork::of_model(config.model, SampleShape::MNIST).unwrap();
    let slots = config.optimizer.as_optimizer::<f32>().slots();
    let mut engine = ThreadsEngine::new(&config, Arc::clone(training), NonZero::new(3).unwrap()).unwrap();
    let parameters = checkpoint.parameters(network.view()).unwrap();
    let memory = checkpoint.memory(network.view(), slots).unwrap();
    engine.restore(&parameters, Some(&memory)).unwrap();
    Run::new(Trainer::resume(config, training.len(), progress).unwrap(), engine)
}

/// All that does not hang on the clock.
fn timeless(line: Line) -> Line {
    Line { seconds: 0.0, ..line }
}

#[test]
fn a_resumed_run_is_the_same_run() {
    let (training, test) = (support::images(300, 1), support::images(100, 2));
    for optimizer in (0..OPTIMIZERS).map(optimizer) {
        let config = config(optimizer);
        let mut whole = fresh(config, &training);
        let mut expected = Vec::new();
        while let Some(line) = whole.step(&test).unwrap() {
            expected.push(timeless(line));
        }
        let end = save(&whole, &training);

        let mut run = fresh(config, &training);
        let mut found = Vec::new();
        while let Some(line) = run.step(&test).unwrap() {
            found.push(timeless(line));
            if found.len() % 3 == 0 && !run.is_finished() {
                // Stopped within the next step.
                run.engine().control().cancel();
                assert!(matches!(run.step(&test), Err(EngineError::Cancelled)));
                run = resume(&save(&run, &training), &training);
            }
        }
        assert!(expected.len() > 10, "{} steps", expected.len());
        assert_eq!(found, expected, "{optimizer:?}");
        assert!(end == save(&run, &training), "{optimizer:?}: the last checkpoints differ");
    }
}

#[test]
fn telemetry_goes_on_after_the_checkpoint_s_step() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.jsonl");
    let (training, test) = (support::images(300, 1), support::images(100, 2));
    let mut run = fresh(config(optimizer(3)), &training);
    let mut lines = Vec::new();
    let mut telemetry = TelemetryFile::open(&file).unwrap();
    telemetry.begin().unwrap();
    for _ in 0..5 {
        let line = run.step(&test).unwrap().unwrap();
        telemetry.push(&line).unwrap();
        lines.push(line);
    }
    drop(telemetry);
    let whole = std::fs::read_to_string(&file).unwrap();
    let read =
        |text: &str| text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Line>>();
    assert_eq!(read(&whole), lines);

    // A line that was not written to its end does not count.
    std::fs::write(&file, &whole[..whole.len() - 10]).unwrap();
    let resume = |step: usize| {
        let samples_seen = match step {
            0 => 0,
            step => lines.get(step - 1).map_or(u64::MAX, |line| line.telemetry.samples_seen),
        };
        let mut telemetry = TelemetryFile::open(&file).unwrap();
        let run = Resumed { step: step as u64, samples_seen, model: Model::Logistic };
        telemetry.resume(&run).map(|last| (telemetry, last))
    };
    let (mut telemetry, last) = resume(3).unwrap();
    assert_eq!(last, Some(3));
    telemetry.push(&lines[3]).unwrap();
    drop(telemetry);
    assert_eq!(read(&std::fs::read_to_string(&file).unwrap()), lines[..4]);
    assert_eq!(resume(9).unwrap().1, Some(4));
    assert_eq!(resume(0).unwrap().1, None);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "");

    // Another run's file is not continued.
    std::fs::write(&file, &whole).unwrap();
    let right = Resumed { step: 3, samples_seen: lines[2].telemetry.samples_seen, model: Model::Logistic };
    let own = Model::Own { digest: Digest([7; 32]) };
    for (run, expected) in [
        (Resumed { samples_seen: right.samples_seen + 1, ..right }, "line 3 belongs to another run: "),
        (Resumed { samples_seen: 9, ..right }, "line 2 belongs to another run: "),
        (Resumed { step: 2, samples_seen: 9999, ..right }, "line 2 belongs to another run: "),
        (
            Resumed { model: Model::MLP, ..right },
            "line 1 belongs to another run: trained the network logistic, but the checkpoint's run trains mlp",
        ),
        (Resumed { model: own, ..right }, "the checkpoint's run trains own-0707"),
    ] {
        let mut telemetry = TelemetryFile::open(&file).unwrap();
        let error = telemetry.resume(&run).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), whole, "the file was touched");
    }

    // Lines of earlier versions do not name the network.
    std::fs::write(&file, whole.replace(r#""model":"logistic","#, "")).unwrap();
    assert!(!std::fs::read_to_string(&file).unwrap().contains("logistic"));
    assert_eq!(TelemetryFile::open(&file).unwrap().resume(&right).unwrap(), Some(3));

    std::fs::write(&file, "{\"step\": 1, \"samples_seen\": 8}\nno telemetry\n").unwrap();
    let error = resume(3).unwrap_err().to_string();
    assert!(error.starts_with("line 2 is not valid telemetry"), "{error}");
    assert!(std::fs::read_to_string(&file).unwrap().contains("no telemetry"), "the file was touched");
}
