//! Lost devices, exhausted memory, and GPUs that do not come back.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use adadagrad_core::batch_test::{AnyTest, NormTest};
use adadagrad_core::config::RunConfig;
use adadagrad_core::model::Model;
use adadagrad_core::optimizer::{AnyOptimizer, DecayOn, Momentum};
use adadagrad_core::owned::{OwnedNetwork, SharedDataset};
use adadagrad_core::sequences::Sequences;
use adadagrad_core::training::{Telemetry, Trainer};
use adadagrad_gpu::engine::Engine;
use adadagrad_gpu::fallback::FallbackEngine;
use adadagrad_gpu::gpu::GpuEngine;
use adadagrad_gpu::run::Run;
use adadagrad_gpu::webgpu::{Gpu, GpuError, Opening, Options, Patience};
use adadagrad_tests::mnist::network;

use super::{SAMPLES, bits, gpu, gpu_with, quiet, run, settled, short, steps, support};

#[test]
fn a_lost_device_costs_nothing_and_the_same_run_gives_the_same_bits() {
    static NOTICES: AtomicUsize = AtomicUsize::new(0);
    let count = |_: &str| {
        NOTICES.fetch_add(1, Ordering::Relaxed);
    };
    let (training, test) = (support::images(SAMPLES, 3), support::images(100, 4));
    let config = short(Model::MLP, Some(AnyTest::Norm(NormTest { eta: 0.5, debiased: false })));
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
fn a_device_lost_at_any_moment_costs_nothing() {
    let (training, test) = (support::images(SAMPLES, 3), support::images(100, 4));
    let config = RunConfig { sample_budget: 3000, ..settled(Model::MLP) };
    let Some(engine) = gpu(&config, &training) else { return };
    let mut whole = run(config, engine);
    let lines = steps(&mut whole, &test);
    let reference = bits(&mut whole);
    for attempt in 0..6 {
        let mut broken = run(config, gpu(&config, &training).unwrap());
        let device = broken.engine().training().gpu().clone();
        // Wherever the run is by then: inside a submission, a read-back, or between two steps.
        let vandal = thread::spawn(move || {
            thread::sleep(Duration::from_millis(7 * attempt));
            device.destroy();
        });
        assert_eq!(steps(&mut broken, &test), lines, "after {attempt}");
        vandal.join().unwrap();
        assert_eq!(bits(&mut broken), reference, "after {attempt}");
    }
}

/// The settings that a run goes on with after five steps.
fn retuned(config: RunConfig) -> RunConfig {
    let test = Some(AnyTest::Norm(NormTest { eta: 0.3, debiased: false }));
    RunConfig { learning_rate: config.learning_rate / 4.0, test, max_batch: 60, ..config }
}

#[test]
fn settings_change_between_two_steps_whatever_is_on_its_way_or_lost() {
    let (training, test) = (support::images(SAMPLES, 3), support::images(100, 4));
    let test_on = Some(AnyTest::Norm(NormTest { eta: 0.1, debiased: false }));
    let config = RunConfig { test: test_on, sample_budget: 600, ..settled(Model::MLP) };
    // Held back before, or with steps on their way that have to be given up; and lost at any step.
    let outcome = |held: bool, lost_before: Option<usize>| {
        let mut run = run(config, gpu(&config, &training)?);
        let mut lines = Vec::new();
        for step in 0.. {
            run.engine_mut().training_mut().hold(held && (2..=5).contains(&step));
            if step == 5 {
                assert_eq!(run.engine().training().steps_ahead() == 0, held, "step {step}");
                run.retune(retuned(config)).unwrap();
            }
            if Some(step) == lost_before {
                run.engine().training().gpu().destroy();
            }
            match run.step(&test).unwrap() {
                Some(line) => lines.push(line.telemetry),
                None => break,
            }
        }
        Some((lines, bits(&mut run)))
    };
    let Some(reference) = outcome(true, None) else { return };
    let (lines, _) = &reference;
    assert!((lines[4].learning_rate / lines[5].learning_rate - 4.0).abs() < 1e-12);
    assert!(lines.len() > 7 && lines.last().unwrap().samples == 60, "the batch did not grow");
    assert!(outcome(false, None).as_ref() == Some(&reference));
    for lost_before in [4, 5, 6, lines.len() - 1] {
        assert!(outcome(true, Some(lost_before)).as_ref() == Some(&reference), "lost before {lost_before}");
        assert!(
            outcome(false, Some(lost_before)).as_ref() == Some(&reference),
            "lost before {lost_before}, not held"
        );
    }
}

#[test]
fn a_snapshot_between_any_two_steps_is_where_the_run_stands() {
    let (training, test) = (support::images(SAMPLES, 3), support::images(100, 4));
    let config = settled(Model::Logistic);
    let Some(engine) = gpu(&config, &training) else { return };
    let mut whole = run(config, engine);
    let lines = steps(&mut whole, &test);
    let reference = bits(&mut whole);
    for stop in [0, 1, 4, 7] {
        let mut run = run(config, gpu(&config, &training).unwrap());
        for _ in 0..stop {
            run.step(&test).unwrap();
        }
        let progress = *run.progress();
        let snapshot = run.engine_mut().snapshot().unwrap();
        let (parameters, memory) = (snapshot.parameters.to_vec(), snapshot.memory.to_vec());
        let mut engine = gpu(&config, &training).unwrap();
        engine.restore(&parameters, Some(&memory)).unwrap();
        let mut resumed = Run::new(Trainer::resume(config, SAMPLES, progress).unwrap(), engine);
        assert_eq!(steps(&mut resumed, &test), lines[stop..], "after {stop} steps");
        assert_eq!(bits(&mut resumed), reference, "after {stop} steps");
        assert_eq!(steps(&mut run, &test), lines[stop..], "the run itself goes on");
        assert_eq!(bits(&mut run), reference);
    }
}

/// Collects what the user is told.
fn listener() -> (Arc<Mutex<Vec<String>>>, impl Fn(&str) + 'static) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let ear = Arc::clone(&told);
    (told, move |text: &str| ear.lock().unwrap().push(text.to_owned()))
}

#[test]
fn exhausted_memory_halves_the_micro_batch_and_the_run_goes_on() {
    let (training, test) = (support::images(SAMPLES, 3), support::images(100, 4));
    let config = short(Model::MLP, Some(AnyTest::Norm(NormTest { eta: 0.5, debiased: false })));
    let (told, notice) = listener();
    let Some(engine) = gpu_with(&config, &training, Options::of_adapter(None, notice)) else { return };
    let planned = engine.training().micro_batch();
    let mut halved = run(config, engine);
    let mut whole = run(config, gpu(&config, &training).unwrap());
    let mut step = 0;
    while let Some(line) = whole.step(&test).unwrap() {
        if step == 1 {
            halved.engine().training().gpu().exhaust();
        }
        let same = halved.step(&test).unwrap().unwrap().telemetry;
        assert_eq!((same.samples, same.next_batch), (line.telemetry.samples, line.telemetry.next_batch));
        step += 1;
    }
    assert!(step > 2);
    assert_eq!(halved.engine().training().micro_batch(), planned / 2);
    let told = told.lock().unwrap().join("\n");
    assert!(told.contains(&format!("continuing with micro-batches of {} samples", planned / 2)), "{told}");
}

/// Whether threads take over and repeat the steps since the last copy: all of them, or fewer where the machine was so
/// slow that a copy was due on the way.
fn repeats_at_most(steps: usize, told: &str) -> bool {
    let (_, rest) = told.rsplit_once("continuing on CPU threads and repeating ").unwrap_or_default();
    rest.split(' ').next().and_then(|number| number.parse().ok()).is_some_and(|found: usize| found <= steps)
}

/// Opens a device the first time, and finds none any more.
fn opens_once() -> Box<dyn Fn() -> Opening> {
    let opened = AtomicUsize::new(0);
    Box::new(move || -> Opening {
        let is_first = opened.fetch_add(1, Ordering::Relaxed) == 0;
        Box::pin(async move {
            if is_first { Gpu::open(None).await } else { Err(GpuError::NoAdapter("it was unplugged".into())) }
        })
    })
}

#[test]
fn a_gpu_that_does_not_come_back_hands_the_run_to_the_threads() {
    static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let tell = |text: &str| TOLD.lock().unwrap().push(text.to_owned());
    let (training, test) = (support::images(SAMPLES, 3), support::images(100, 4));
    let config = short(Model::MLP, Some(AnyTest::Norm(NormTest { eta: 0.5, debiased: false })));
    let Some(engine) = gpu(&config, &training) else { return };
    let mut whole = run(config, engine);
    let lines = steps(&mut whole, &test);
    for lost_before in [0, 1, lines.len() - 1] {
        let options = Options { open: opens_once(), ..Options::of_adapter(None, quiet) };
        let threads = NonZero::new(2).unwrap();
        let images = Arc::clone(&training);
        let engine = FallbackEngine::new(&config, network(&config), images, options, threads, tell).unwrap();
        let mut broken = run(config, engine);
        for (step, line) in lines.iter().enumerate() {
            if step == lost_before {
                broken.engine().gpu().unwrap().training().gpu().destroy();
            }
            let same = broken.step(&test).unwrap().unwrap().telemetry;
            assert_eq!((same.samples, same.next_batch), (line.samples, line.next_batch), "step {step}");
            assert!(
                (same.loss - line.loss).abs() <= 1e-3 * line.loss,
                "step {step}: {} {}",
                same.loss,
                line.loss
            );
        }
        assert!(broken.engine().gpu().is_none());
        let told = std::mem::take(&mut *TOLD.lock().unwrap()).join("\n");
        assert!(told.contains("it was unplugged") && repeats_at_most(lost_before, &told), "{told}");
    }
}

/// As many sequences of eight tokens, each token a step of one or two from the last.
fn text(samples: u32, seed: u32) -> SharedDataset {
    const VOCABULARY: u32 = 11;
    let (mut token, mut random) = (0, seed);
    let tokens: Vec<u32> = (0..=8 * samples)
        .map(|_| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            token = (token + 1 + (random >> 31)) % VOCABULARY;
            token
        })
        .collect();
    Arc::new(Sequences::<Vec<u32>, u32>::new(tokens, 8, VOCABULARY).unwrap())
}

/// A transformer some of whose steps are clipped, and whose matrices alone decay.
fn clipped_and_decaying() -> RunConfig {
    RunConfig {
        optimizer: AnyOptimizer::Momentum(Momentum { weight_decay: 0.1, ..Momentum::default() }),
        learning_rate: 0.1,
        decay_on: DecayOn::Matrices,
        clip_norm: 1.2,
        sample_budget: 300,
        ..short(
            Model::Transformer { layers: 1, heads: 2, width: 16 },
            Some(AnyTest::Norm(NormTest { eta: 0.5, debiased: false })),
        )
    }
}

fn is_close(one: &Telemetry, other: &Telemetry) -> bool {
    (one.samples, one.next_batch) == (other.samples, other.next_batch)
        && (one.loss - other.loss).abs() <= 1e-3 * other.loss
}

/// Whether the device comes back, or threads make the rest.
#[test]
fn clipping_and_the_decay_of_matrices_outlive_a_device() {
    let (training, test) = (text(SAMPLES, 3), text(100, 4));
    let config = clipped_and_decaying();
    let whole = |config: RunConfig| {
        let mut whole = run(config, gpu(&config, &training)?);
        Some((steps(&mut whole, &test), bits(&mut whole)))
    };
    let Some((lines, reference)) = whole(config) else { return };
    let is_clipped = |line: &&Telemetry| line.mean_norm_sq.sqrt() > config.clip_norm;
    let clipped = lines.iter().filter(is_clipped).count();
    assert!((1..lines.len()).contains(&clipped), "{clipped} of {} steps are clipped", lines.len());
    // What a run does that has forgotten one of them.
    let forgetful = [RunConfig { clip_norm: 0.0, ..config }, RunConfig { decay_on: DecayOn::All, ..config }];
    for config in forgetful {
        let (others, parameters) = whole(config).unwrap();
        assert!(parameters != reference);
        assert!(!lines.iter().zip(&others).all(|(line, other)| is_close(other, line)), "{config:?}");
    }
    for lost_before in 0..lines.len() {
        let mut broken = run(config, gpu(&config, &training).unwrap());
        for (step, line) in lines.iter().enumerate() {
            if step == lost_before {
                broken.engine().training().gpu().destroy();
            }
            assert_eq!(broken.step(&test).unwrap().unwrap().telemetry, *line, "lost before {lost_before}");
        }
        assert!(bits(&mut broken) == reference, "lost before {lost_before}");
    }
    for lost_before in [0, 1, lines.len() / 2] {
        let network = OwnedNetwork::of_model(config.model, training.shape()).unwrap();
        let (options, threads) =
            (Options { open: opens_once(), ..Options::of_adapter(None, quiet) }, NonZero::<usize>::MIN);
        let engine =
            FallbackEngine::new(&config, network, Arc::clone(&training), options, threads, quiet).unwrap();
        let mut broken = run(config, engine);
        for (step, line) in lines.iter().enumerate() {
            if step == lost_before {
                broken.engine().gpu().unwrap().training().gpu().destroy();
            }
            let same = broken.step(&test).unwrap().unwrap().telemetry;
            assert!(is_close(&same, line), "lost before {lost_before}: {same:?} and {line:?}");
        }
        assert!(broken.engine().gpu().is_none());
    }
}

#[test]
fn a_gpu_that_never_answers_hands_the_run_to_the_threads() {
    static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let tell = |text: &str| TOLD.lock().unwrap().push(text.to_owned());
    let (training, test) = (support::images(SAMPLES, 3), support::images(100, 4));
    let config = short(Model::MLP, Some(AnyTest::Norm(NormTest { eta: 0.5, debiased: false })));
    let Some(engine) = gpu(&config, &training) else { return };
    let mut whole = run(config, engine);
    let lines = steps(&mut whole, &test);
    // Not waited for at all; and for so short a time that the driver itself says that it is over.
    for (limit, silent_before) in [(Duration::ZERO, 0), (Duration::ZERO, 2), (Duration::from_nanos(100), 1)] {
        let images = Arc::clone(&training);
        let options = Options::of_adapter(None, tell);
        let engine =
            FallbackEngine::new(&config, network(&config), images, options, NonZero::new(2).unwrap(), tell)
                .unwrap();
        let mut broken = run(config, engine);
        for (step, line) in lines.iter().enumerate() {
            if step == silent_before {
                let gpu = broken.engine().gpu().unwrap().training().gpu();
                gpu.set_patience(Patience { answer: limit, ..Patience::of_adapter(true) });
            }
            let same = broken.step(&test).unwrap().unwrap().telemetry;
            assert_eq!((same.samples, same.next_batch), (line.samples, line.next_batch), "step {step}");
        }
        assert!(broken.engine().gpu().is_none());
        assert_eq!(broken.progress().samples_seen, whole.progress().samples_seen);
        let told = std::mem::take(&mut *TOLD.lock().unwrap());
        assert_eq!(told.len(), 1, "it is not tried again: {told:?}");
        let beginning = "the GPU has not answered for 0 seconds; ";
        assert!(told[0].starts_with(beginning) && repeats_at_most(silent_before, &told[0]), "{told:?}");
    }
}

#[test]
fn a_gpu_that_is_lost_and_then_never_opened_is_not_tried_again() {
    static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let tell = |text: &str| TOLD.lock().unwrap().push(text.to_owned());
    let (training, test) = (support::images(SAMPLES, 3), support::images(100, 4));
    let config = settled(Model::Logistic);
    if gpu(&config, &training).is_none() {
        return;
    }
    for error in [GpuError::Silent { seconds: 30 }, GpuError::Validation("JsValue(OperationError)".into())] {
        let opened = Arc::new(AtomicUsize::new(0));
        let (count, refusal) = (Arc::clone(&opened), error.clone());
        let open = move || -> Opening {
            let (is_first, refusal) = (count.fetch_add(1, Ordering::Relaxed) == 0, refusal.clone());
            Box::pin(async move { if is_first { Gpu::open(None).await } else { Err(refusal) } })
        };
        let options = Options { open: Box::new(open), ..Options::of_adapter(None, quiet) };
        let (images, threads) = (Arc::clone(&training), NonZero::new(2).unwrap());
        let engine = FallbackEngine::new(&config, network(&config), images, options, threads, tell).unwrap();
        let mut broken = run(config, engine);
        broken.step(&test).unwrap();
        broken.engine().gpu().unwrap().training().gpu().destroy();
        assert_eq!(steps(&mut broken, &test).len(), 9, "the run is whole");
        assert_eq!(opened.load(Ordering::Relaxed), 2);
        let told = std::mem::take(&mut *TOLD.lock().unwrap()).join("\n");
        assert!(told.starts_with(&error.to_string()) && !told.contains("JsValue"), "{told}");
    }
}

#[test]
fn an_unknown_adapter_is_named() {
    let training = support::images(20, 3);
    let config = RunConfig { max_batch: 20, ..short(Model::Logistic, None) };
    let error =
        GpuEngine::new(&config, training, Options::of_adapter(Some("no such adapter"), quiet)).unwrap_err();
    assert!(error.to_string().contains("no such adapter"), "{error}");
}
