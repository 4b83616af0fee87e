//! What is observed while another rule decides.

use std::sync::Arc;

use adadagrad_core::backend::{FastBackend, PlainBackend};
use adadagrad_core::batch_test::{AnyTest, BatchTest, NormTest};
use adadagrad_core::config::{LARGEST_EXACT, Preset, RunConfig};
use adadagrad_core::controller::{AdAdaGrad, AnyController, BigBatch, Constant};
use adadagrad_core::model::Model;
use adadagrad_core::noise_scale::{MeasuredNoise, Noise, Sensor};
use adadagrad_core::observe::{EMA, MOST_OBSERVED, Observe, Quantity};
use adadagrad_core::optimizer::AnyOptimizer;
use adadagrad_core::owned::{Advance, LocalRun, SharedDataset};
use adadagrad_core::random::Key;
use adadagrad_core::settings::Choices;
use adadagrad_core::statistics::{Evidence, Needs, Reason};
use adadagrad_core::training::{Telemetry, Trainer};
use adadagrad_tests::compare::fingerprint;
use adadagrad_tests::mnist::network;
use adadagrad_tests::rules::on_threads;

use crate::determinism::{Images, run};
use crate::part_workers::shared;
use crate::rules::{SAMPLES, through_file, through_text};

fn config(observe: &str) -> RunConfig {
    RunConfig {
        model: Model::Logistic,
        optimizer: AnyOptimizer::named("adagrad").unwrap(),
        test: None,
        controller: AnyController::Constant(Constant {}),
        observe: observe.parse().unwrap(),
        initial_batch: 40,
        min_batch: 1,
        max_batch: 80,
        sample_budget: 400,
        ..Preset::Quick.config()
    }
}

/// All names, in lists of as many as a run takes.
fn all() -> Vec<String> {
    let names: Vec<_> = Quantity::all().map(Quantity::name).filter(|&name| name != "adadagrad").collect();
    names.chunks(MOST_OBSERVED).map(|names| names.join(" ")).collect()
}

fn finish(config: RunConfig, every: Option<u64>) -> (Vec<Telemetry>, u64, String) {
    let images = Images::new(SAMPLES);
    let mut run = LocalRun::<f32, _>::new(config, network(&config), SAMPLES, PlainBackend).unwrap();
    let mut steps = Vec::new();
    loop {
        match run.advance(&images).unwrap() {
            Advance::Working => {}
            Advance::Finished => break,
            Advance::Step(step) => {
                steps.push(step);
                if every.is_some_and(|every| step.step % every == 0) {
                    run = through_file(config, &run);
                }
            }
        }
    }
    let progress = serde_json::to_string(&through_text(run.progress())).unwrap();
    (steps, fingerprint(&run.parameters()), progress)
}

/// Whatever is observed, whatever decides, and on every model: the parameters have the same bits.
#[test]
fn observing_changes_no_bit() {
    let own = [
        (None, AnyController::Constant(Constant {})),
        (
            Some(AnyTest::Norm(NormTest { eta: 0.5, debiased: false })),
            AnyController::AdAdaGrad(AdAdaGrad::default()),
        ),
    ];
    for model in [Model::Logistic, Model::Cnn, Model::Mlp { hidden: 16 }] {
        for (test, controller) in own {
            let base =
                RunConfig { model, test, controller, initial_batch: 20, sample_budget: 200, ..config("") };
            let (plain, bits, _) = finish(base, None);
            let fast = run(base, FastBackend, |_, _| {});
            for list in all() {
                let observing = RunConfig { observe: list.parse().unwrap(), ..base };
                let (steps, found, _) = finish(observing, None);
                assert_eq!(found, bits, "{model} with {list}");
                let sizes =
                    |steps: &[Telemetry]| steps.iter().map(|step| step.next_batch).collect::<Vec<_>>();
                assert_eq!(sizes(&steps), sizes(&plain), "{model} with {list}");
                assert_eq!(run(observing, FastBackend, |_, _| {}).1, fast.1, "{model} with {list}");
            }
        }
    }
}

/// A run that is resumed after every step, one on threads and one shared among workers observe the same.
#[test]
fn observing_repeats_to_the_bit() {
    let training: SharedDataset = Arc::new(Images::new(SAMPLES));
    for (index, list) in (0..).zip(all()) {
        // Measured times repeat nothing.
        let config = config(&list.replace("cost_aware", ""));
        let straight = finish(config, None);
        assert_eq!(straight, finish(config, Some(1)), "{list}");
        assert!(straight.2.contains("observed"), "{list}");
        let alone = run(config, PlainBackend, |_, _| {});
        assert_eq!(shared(config, PlainBackend, Key::new(11, index)), alone, "{list}");
        let mut local = LocalRun::<f32, _>::new(config, network(&config), SAMPLES, FastBackend).unwrap();
        let (mut engine, mut trainer) = on_threads(&config, network(&config), &training);
        let images = Images::new(SAMPLES);
        while let Some(plan) = trainer.plan() {
            let found = engine.step(&mut trainer, &plan).unwrap();
            let expected = loop {
                if let Advance::Step(step) = local.advance(&images).unwrap() {
                    break step;
                }
            };
            assert_eq!(found, expected, "{list}");
        }
    }
}

/// Sizes are those of the formulas, smoothed as ratios of averages.
#[test]
fn sizes_are_smoothed_as_ratios_of_averages() {
    let config = RunConfig {
        sample_budget: LARGEST_EXACT,
        ..config("norm noise_scale noise_scale_sign cabs big_batch simi_grad dive_batch")
    };
    let mut trainer = Trainer::<f32>::new(config, SAMPLES).unwrap();
    let (mut norm, mut plain, mut sign) = ([0.0; 2], [0.0; 2], [0.0; 2]);
    let add = |average: &mut [f64; 2], fraction: [f64; 2]| {
        *average = [0, 1].map(|k| EMA * average[k] + (1.0 - EMA) * fraction[k]);
        average[0] / average[1]
    };
    for step in 1..=20_u32 {
        let plan = trainer.plan().unwrap();
        let n = 0.5 + f64::from(step % 5);
        let noise = Noise { noise: f64::from(step), signal: 3.0 };
        let evidence = Evidence {
            loss: 2.0,
            measured_noise: MeasuredNoise::default().with(Sensor::Sign, Ok(noise)),
            ..Evidence::from_norms(40, n, 40.0 * n + 39.0 * 7.0).unwrap()
        };
        let pending = trainer.weigh(&plan, &evidence).unwrap();
        let telemetry = trainer.commit(pending);
        assert_eq!(telemetry.next_batch, 40);
        let found = |name: &str| *telemetry.observed.of(Quantity::named(name).unwrap()).unwrap();
        let near = |found: Option<f64>, expected: f64| {
            let found = found.unwrap_or(f64::NAN);
            assert!(
                (found - expected).abs() <= 1e-9 * expected.abs(),
                "step {step}: {found}, not {expected}"
            );
        };
        let v = evidence.variance().unwrap();
        near(found("norm").size, BatchTest::<f64>::required(&NormTest::default(), &evidence).size().unwrap());
        near(found("norm").smoothed, add(&mut norm, [v / 0.01, n]));
        near(found("big_batch").size, v / n);
        assert!(found("cabs").size.is_some());
        let scale = found("noise_scale");
        let smoothed = add(&mut plain, [v, n - v / 40.0]);
        near(scale.smoothed, smoothed);
        near(scale.size, v / (n - v / 40.0));
        near(found("noise_scale_sign").smoothed, add(&mut sign, [f64::from(step), 3.0]));
        assert_eq!(found("simi_grad").reason, Some(Reason::MissingEvidence));
        assert_eq!(found("simi_grad").smoothed, None);
        assert!(matches!(found("dive_batch").reason, Some(Reason::OtherSteps | Reason::MissingEvidence)));
    }
    // In files by name, and read as written.
    let plan = trainer.plan().unwrap();
    let evidence = Evidence { loss: 1.0, ..Evidence::from_norms(40, 1.0, 79.0).unwrap() };
    let pending = trainer.weigh(&plan, &evidence).unwrap();
    let telemetry = trainer.commit(pending);
    let text = serde_json::to_string(&telemetry).unwrap();
    assert!(text.contains(r#""observed":{"norm":{"size":"#), "{text}");
    assert_eq!(serde_json::from_str::<Telemetry>(&text).unwrap(), telemetry);
}

/// Nobody asks for evidence: none is computed.
#[test]
fn a_constant_batch_that_observes_nothing_asks_for_nothing() {
    let config = config("");
    assert_eq!(config.needs(), Needs::NONE);
    assert_eq!(self::config("norm").needs(), Needs { apart: true, ..Needs::NORMS });
    for step in finish(config, None).0 {
        let evidence = [
            step.sum_squared_norms,
            step.variance,
            step.variance_along,
            step.variance_orthogonal,
            step.coordinate_ratio,
            step.worker_variance,
            step.required,
            step.wanted,
        ];
        assert_eq!(evidence, [None; 8]);
    }
}

/// An observed test or rule that is the run's own has the run's settings; Big Batch extends nothing.
#[test]
fn what_is_observed_has_the_run_s_settings_where_it_is_the_run_s() {
    let test = NormTest { eta: 0.5, debiased: false };
    let config = RunConfig {
        test: Some(AnyTest::Norm(test)),
        controller: AnyController::AdAdaGrad(AdAdaGrad { growth_cap: Some(1.5), ..AdAdaGrad::default() }),
        ..config("norm adadagrad big_batch")
    };
    let (steps, _, _) = finish(config, None);
    for step in steps {
        let found = |name: &str| *step.observed.of(Quantity::named(name).unwrap()).unwrap();
        assert_eq!(found("norm").size, step.required);
        assert_eq!(found("adadagrad").size, step.wanted);
        assert!(found("big_batch").size.is_some());
    }
}

#[test]
fn lists_that_make_no_sense_are_refused() {
    for (text, expected) in [
        (
            "norm cab",
            "entry 2 is not the name of a test, a noise scale or a rule; valid names: norm, inner_product, ",
        ),
        ("constant", "entry 1 is a constant batch, for which there is no size to report; valid names: "),
        ("norm,cabs,norm", "entry 3 is the same as one before it"),
        (
            "norm inner_product orthogonality augmented coordinate_norm worker_norm noise_scale cabs linear",
            "more than 8 entries",
        ),
    ] {
        let error = text.parse::<Observe>().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let refuse = |config: RunConfig, expected: &str| {
        let error = config.validate(SAMPLES).unwrap_err().to_string();
        assert!(error.starts_with("observe does not fit: ") && error.contains(expected), "{error}");
    };
    refuse(config("adadagrad"), "observe a test");
    let sgd = AnyOptimizer::named("sgd").unwrap();
    refuse(
        RunConfig { optimizer: sgd, ..config("noise_scale_preconditioned") },
        "keeps squares of gradients",
    );
    let big = AnyController::BigBatch(BigBatch::default());
    refuse(RunConfig { controller: big, ..config("inner_product") }, "extends batches");
    assert_eq!(RunConfig { controller: big, ..config("norm cabs noise_scale") }.validate(SAMPLES), Ok(()));
    // A single sample has no variance, but only what decides may ask for two.
    let single = RunConfig { initial_batch: 1, ..config("norm") };
    let (steps, _, _) = finish(RunConfig { sample_budget: 3, ..single }, None);
    assert!(steps.iter().all(|step| step.samples == 1));
    assert_eq!(steps[0].observed.rows()[0].reason, Some(Reason::SingleSample));
}
