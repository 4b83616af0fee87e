//! The threads' engine gives the bits of core's own run, for any number of threads and every test; and it
//! leaves everything as it was when a step does not come about.

use std::num::NonZero;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use crate::support;
use adadagrad_core::backend::FastBackend;
use adadagrad_core::batch_test::{
    AnyTest, AugmentedTest, CoordinateNormTest, InnerProductTest, NormTest, OrthogonalityTest, WorkerNormTest,
};
use adadagrad_core::config::{Preset, RunConfig};
use adadagrad_core::controller::{AdAdaGrad, AnyController};
use adadagrad_core::dataset::{Dataset, ReadError, SampleShape, Targets, Visit};
use adadagrad_core::model::Model;
use adadagrad_core::optimizer::{Adam, AnyOptimizer};
use adadagrad_core::owned::threads::{ThreadsEngine, ThreadsError};
use adadagrad_core::owned::{
    ActivationCache, Advance, Control, Evaluation, LocalRun, OwnedNetwork, SharedDataset, SweepMemory,
};
use adadagrad_core::training::{Cut, Telemetry, Trainer};
use adadagrad_gpu::engine::EngineError;
use adadagrad_gpu::run::Run;
use adadagrad_tests::coloured::Coloured;

const SAMPLES: u32 = 300;

/// Batches from one part to several, across the end of a pass.
fn config(model: Model, test: Option<AnyTest>) -> RunConfig {
    let base = RunConfig {
        model,
        test,
        controller: AnyController::AdAdaGrad(AdAdaGrad { growth_cap: Some(3.0), ..AdAdaGrad::default() }),
        initial_batch: 30,
        min_batch: 30,
        max_batch: 270,
        sample_budget: 500,
        evaluate_every: 250,
        ..Preset::Quick.config()
    };
    if test.is_some() { base } else { RunConfig { initial_batch: 150, ..base.without_test() } }
}

fn tests() -> Vec<Option<AnyTest>> {
    vec![
        None,
        Some(AnyTest::Norm(NormTest { eta: 0.1, debiased: false })),
        Some(AnyTest::InnerProduct(InnerProductTest { theta: 0.1, leave_one_out: false })),
        Some(AnyTest::InnerProduct(InnerProductTest { theta: 0.1, leave_one_out: true })),
        Some(AnyTest::Orthogonality(OrthogonalityTest { nu: 0.1 })),
        Some(AnyTest::Augmented(AugmentedTest { theta: 0.1, nu: 0.1, leave_one_out: false })),
        Some(AnyTest::CoordinateNorm(CoordinateNormTest { eta: 0.2, quantile: 0.5 })),
        Some(AnyTest::WorkerNorm(WorkerNormTest { eta: 0.1, workers: 7 })),
    ]
}

fn run(config: RunConfig, training: &SharedDataset, threads: usize) -> Run<ThreadsEngine> {
    let trainer = Trainer::new(config, training.len()).unwrap();
    let threads = NonZero::new(threads).unwrap();
    Run::new(trainer, ThreadsEngine::new(&config, Arc::clone(training), threads).unwrap())
}

fn network_for(config: &RunConfig, training: &SharedDataset) -> OwnedNetwork {
    OwnedNetwork::of_model(config.model, training.shape()).unwrap()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// The whole run by core's own code.
fn reference(config: RunConfig, training: &SharedDataset) -> (Vec<Telemetry>, Vec<u32>, Evaluation) {
    let mut local =
        LocalRun::<f32, _>::new(config, network_for(&config, training), training.len(), FastBackend).unwrap();
    let mut telemetry = Vec::new();
    loop {
        match local.advance(&training.as_ref()).unwrap() {
            Advance::Working => {}
            Advance::Step(line) => telemetry.push(line),
            Advance::Finished => break,
        }
    }
    local.begin_evaluation(&training.as_ref());
    let evaluation = loop {
        if let Some(evaluation) = local.advance_evaluation(&training.as_ref()).unwrap() {
            break evaluation;
        }
    };
    (telemetry, bits(&local.parameters()), evaluation)
}

#[test]
fn networks_of_other_shapes_have_the_same_bits_too() {
    let training: SharedDataset = Arc::new(Coloured::cifar(1, 60, 7));
    let norm = Some(AnyTest::Norm(NormTest { eta: 0.1, debiased: false }));
    let inner = Some(AnyTest::InnerProduct(InnerProductTest { theta: 0.1, leave_one_out: false }));
    for (model, test) in [
        (Model::CifarCnn, inner),
        (Model::ResNet { depth: 8, width: 8 }, norm),
        (Model::ResNet { depth: 8, width: 4 }, inner),
        (Model::ResNet18 { width: 4 }, norm),
    ] {
        let config = RunConfig {
            initial_batch: 19,
            min_batch: 1,
            max_batch: 40,
            sample_budget: 50,
            evaluate_every: 1000,
            ..config(model, test)
        };
        let (telemetry, parameters, evaluation) = reference(config, &training);
        assert!(telemetry.len() > 1 && telemetry.iter().all(|line| line.loss.is_finite()), "{telemetry:?}");
        for threads in 1..=3 {
            let mut run = run(config, &training, threads);
            assert!(run.trainer().plan().unwrap().cut.parts() > 1, "{model} leaves threads without work");
            let mut lines = Vec::new();
            while let Some(line) = run.step(&training).unwrap() {
                lines.push(line.telemetry);
            }
            assert_eq!(lines, telemetry, "{model}, {threads} threads");
            assert_eq!(bits(&run.engine().parameters()), parameters, "{model}, {threads} threads");
            assert_eq!(run.engine_mut().evaluate(&training).unwrap().evaluation, evaluation, "{model}");
        }
    }
}

/// With another number of parts than the network's.
#[test]
fn the_number_of_parts_changes_the_bits_as_in_core_and_threads_do_not() {
    let training = support::images(SAMPLES, 1);
    let mut found = Vec::new();
    for parts in [0, 1, 3, 1024] {
        let config = config(Model::Cnn, tests()[1]);
        let config = RunConfig { parts, initial_batch: 40, min_batch: 40, sample_budget: 120, ..config };
        let (telemetry, parameters, _) = reference(config, &training);
        for threads in 1..=3 {
            let mut run = run(config, &training, threads);
            // The grain is eight samples.
            let expected = if parts == 0 { 5 } else { parts.min(5) };
            assert_eq!(run.trainer().plan().unwrap().cut.parts(), expected);
            let steps = std::iter::from_fn(|| run.step(&training).unwrap()).map(|line| line.telemetry);
            assert!(steps.eq(telemetry.iter().copied()), "{parts} parts, {threads} threads");
            assert_eq!(bits(&run.engine().parameters()), parameters, "{parts} parts, {threads} threads");
        }
        found.push(parameters);
    }
    assert!(found[0] == found[3] && found[0] != found[1] && found[1] != found[2]);
}

#[test]
fn the_bits_are_those_of_core_for_any_number_of_threads() {
    let training = support::images(SAMPLES, 1);
    for (index, test) in tests().into_iter().enumerate() {
        // A convolution takes long: with the norm test and the augmented one.
        let models = if [1, 5].contains(&index) {
            [Model::Logistic, Model::Cnn].as_slice()
        } else {
            &[Model::Logistic]
        };
        for &model in models {
            let config = config(model, test);
            let config =
                if model == Model::Cnn { RunConfig { sample_budget: 150, ..config } } else { config };
            let (telemetry, parameters, evaluation) = reference(config, &training);
            let largest = telemetry.iter().map(|line| line.samples).max().unwrap();
            assert!(largest > 64, "{test:?} never came to a second part: {largest}");
            for threads in 1..=3 {
                let mut run = run(config, &training, threads);
                let mut lines = Vec::new();
                while let Some(line) = run.step(&training).unwrap() {
                    lines.push(line);
                }
                let found: Vec<_> = lines.iter().map(|line| line.telemetry).collect();
                assert_eq!(found, telemetry, "{model:?}, {test:?}, {threads} threads");
                assert_eq!(
                    bits(&run.engine().parameters()),
                    parameters,
                    "{model:?}, {test:?}, {threads} threads"
                );
                let last = lines.last().unwrap();
                assert_eq!(last.accuracy, Some(evaluation.accuracy));
                assert_eq!(last.test_loss, Some(evaluation.loss));
            }
        }
    }
}

/// Threads keep some micro-batches of every part, core the first of the batch.
#[test]
fn what_is_kept_for_the_second_sweep_does_not_change_the_bits() {
    let training = support::images(1_000, 1);
    let batch = 1_000;
    let test = Some(AnyTest::InnerProduct(InnerProductTest::default()));
    let budget = u64::from(batch);
    let config = RunConfig {
        initial_batch: batch,
        max_batch: batch,
        sample_budget: budget,
        ..config(Model::Cnn, test)
    };
    let network = OwnedNetwork::of_model(Model::Cnn, SampleShape::MNIST).unwrap();
    let micro_batches = count_micro_batches(&network, batch);
    assert!(
        ActivationCache::<f32>::limit(network.view()) < micro_batches,
        "all {micro_batches} micro-batches are kept"
    );
    let (telemetry, parameters, _) = reference(config, &training);
    let mut run = run(config, &training, 2);
    assert_eq!(run.step(&training).unwrap().unwrap().telemetry, telemetry[0]);
    assert_eq!(bits(&run.engine().parameters()), parameters);
}

fn count_micro_batches(network: &OwnedNetwork, batch: u32) -> usize {
    let micro_batch = SweepMemory::<f32>::new(network.view()).unwrap().micro_batch();
    let cut = Cut::by_grain(network.grain(), batch, 0);
    cut.walk(0..cut.parts(), micro_batch).count()
}

#[test]
fn accuracy_is_measured_when_due() {
    let training = support::images(SAMPLES, 1);
    let mut run = run(config(Model::Logistic, None), &training, 2);
    let mut measured = Vec::new();
    while let Some(line) = run.step(&training).unwrap() {
        measured.push((line.telemetry.samples_seen, line.accuracy.is_some()));
    }
    assert_eq!(measured, [(150, false), (300, true), (450, false), (600, true)]);
    assert!(run.is_finished());
}

#[test]
fn the_confusion_matrix_counts_what_the_accuracy_says() {
    let training = support::images(SAMPLES, 1);
    let mut run = run(config(Model::MLP, None), &training, 2);
    while run.step(&training).unwrap().is_some() {}
    let evaluated = run.engine_mut().evaluate(&training).unwrap();
    let rows: Vec<_> = evaluated.confusion.rows().collect();
    let right: u32 = rows.iter().enumerate().map(|(class, row)| row[class]).sum();
    let all: u32 = rows.iter().flat_map(|row| row.iter()).sum();
    assert_eq!(all, SAMPLES);
    assert_eq!(f64::from(right) / f64::from(all), evaluated.evaluation.accuracy);
}

/// A data set that does something once, when it has been read so many times.
struct Trap<A> {
    images: SharedDataset,
    reads: AtomicU32,
    at: u32,
    act: A,
}

impl<A: Fn() -> Option<u32> + Send + Sync> Dataset<f32> for Trap<A> {
    fn len(&self) -> u32 {
        self.images.len()
    }

    fn shape(&self) -> SampleShape {
        self.images.shape()
    }

    fn read(&self, visit: Visit, input: &mut [f32], targets: &mut Targets<'_, f32>) -> Result<(), ReadError> {
        self.images.read(visit, input, targets)?;
        let is_now = self.reads.fetch_add(1, Ordering::Relaxed) == self.at;
        if let Some(label) = is_now.then(|| (self.act)()).flatten() {
            targets.labels.fill(label);
        }
        Ok(())
    }
}

fn trap(at: u32, act: impl Fn() -> Option<u32> + Send + Sync + 'static) -> SharedDataset {
    Arc::new(Trap { images: support::images(SAMPLES, 1), reads: AtomicU32::new(0), at, act })
}

/// A step that fails half-way, once, changes nothing, and is then made as if it had never failed.
fn is_redone(mut run: Run<ThreadsEngine>, fails: impl Fn(&EngineError) -> bool) {
    let (telemetry, parameters, _) = reference(*run.config(), &support::images(SAMPLES, 1));
    let test = support::images(50, 2);
    let (mut lines, mut failures) = (Vec::new(), 0);
    let state = |run: &Run<ThreadsEngine>| {
        (bits(&run.engine().parameters()), bits(&run.engine().memory()), *run.progress())
    };
    loop {
        let before = state(&run);
        match run.step(&test) {
            Ok(Some(line)) => lines.push(line.telemetry),
            Ok(None) => break,
            Err(error) => {
                assert!(fails(&error), "{error}");
                failures += 1;
                assert_eq!(before, state(&run));
                run.engine().control().go_on();
            }
        }
    }
    assert_eq!(failures, 1);
    assert_eq!(lines, telemetry);
    assert_eq!(bits(&run.engine().parameters()), parameters);
}

#[test]
fn a_step_is_cancelled_in_either_sweep() {
    let test = Some(AnyTest::Augmented(AugmentedTest { theta: 0.1, nu: 0.1, leave_one_out: false }));
    let config = RunConfig { optimizer: AnyOptimizer::Adam(Adam::default()), ..config(Model::MLP, test) };
    for threads in 1..=3 {
        // The first step has 30 samples in two sweeps, the second 90.
        for at in [70, 160] {
            // The engine makes its control, and the trap within its data wants it.
            let control = Arc::new(OnceLock::<Arc<Control>>::new());
            let seen = Arc::clone(&control);
            let training = trap(at, move || {
                seen.get().unwrap().cancel();
                None
            });
            let run = run(config, &training, threads);
            control.set(Arc::clone(run.engine().control())).unwrap();
            is_redone(run, |error| matches!(error, EngineError::Cancelled));
        }
    }
}

#[test]
fn a_thread_that_panics_is_an_error() {
    let config = config(Model::Logistic, Some(AnyTest::Norm(NormTest { eta: 0.1, debiased: false })));
    for threads in 1..=3 {
        let training = trap(100, || panic!("on purpose"));
        is_redone(run(config, &training, threads), |error| {
            matches!(error, EngineError::Threads(ThreadsError::Pool(_)))
                && error.to_string().contains("on purpose")
        });
    }
}

#[test]
fn a_wrong_label_is_an_error() {
    let config = config(Model::Logistic, Some(AnyTest::Norm(NormTest { eta: 0.1, debiased: false })));
    for threads in 1..=3 {
        let training = trap(100, || Some(10));
        is_redone(run(config, &training, threads), |error| error.to_string().contains("label 10"));
    }
}

#[test]
fn a_loss_that_is_no_number_is_refused_before_the_update() {
    let config = RunConfig { learning_rate: 1e30, ..config(Model::MLP, None) };
    let training = support::images(SAMPLES, 1);
    let mut run = run(config, &training, 2);
    let error = loop {
        match run.step(&training) {
            Ok(line) => assert!(line.is_some(), "the run must not end well"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, EngineError::Step(_)), "{error}");
    assert!(error.to_string().contains("not a finite number"));
}
