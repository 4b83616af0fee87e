//! Settings that change while a run goes on: which may, from when on, and that nothing else comes of it.

use adadagrad_core::backend::PlainBackend;
use adadagrad_core::batch_test::{AnyTest, NormTest, OrthogonalityTest};
use adadagrad_core::config::{DatasetName, RetuneError, RunConfig};
use adadagrad_core::controller::{AdAdaGrad, AnyController, Constant};
use adadagrad_core::model::Model;
use adadagrad_core::optimizer::{AnyOptimizer, Sgd};
use adadagrad_core::owned::{Advance, LocalRun};
use adadagrad_core::schedule::{Decay, Schedule};
use adadagrad_core::text::TextSettings;
use adadagrad_core::training::{Decided, Telemetry, Trainer};
use adadagrad_tests::compare::fingerprint;
use adadagrad_tests::mnist::network;
use adadagrad_tests::thresholds::scaled;

use crate::determinism::{Images, run_configs};

const SAMPLES: u32 = 90;

type Run = LocalRun<f32, PlainBackend>;

/// All that may change, changed.
fn changed(config: RunConfig) -> RunConfig {
    let controller = match config.controller {
        AnyController::AdAdaGrad(_) => {
            AnyController::AdAdaGrad(AdAdaGrad { growth_cap: Some(1.5), ..AdAdaGrad::default() })
        }
        other => other,
    };
    RunConfig {
        learning_rate: config.learning_rate / 3.0,
        schedule: Schedule { warm_up_samples: 0, decay: Decay::Cosine { final_fraction: 0.5 } },
        test: config.test.map(|test| scaled(test, 2.0)),
        controller,
        min_batch: 6,
        max_batch: 60,
        sample_budget: 500,
        evaluate_every: 77,
        ..config
    }
}

fn step(run: &mut Run, images: &Images) -> Option<Telemetry> {
    loop {
        match run.advance(images).unwrap() {
            Advance::Working => {}
            Advance::Step(telemetry) => return Some(telemetry),
            Advance::Finished => return None,
        }
    }
}

fn rest(mut run: Run, images: &Images) -> (Vec<Telemetry>, [u64; 2]) {
    let steps = std::iter::from_fn(|| step(&mut run, images)).collect();
    (steps, [fingerprint(&run.parameters()), fingerprint(&run.memory())])
}

#[test]
fn a_retuned_run_is_the_one_that_goes_on_with_the_new_settings() {
    let images = Images::new(SAMPLES);
    for config in run_configs() {
        let mut run = Run::new(config, network(&config), SAMPLES, PlainBackend).unwrap();
        for _ in 0..3 {
            step(&mut run, &images).unwrap();
        }
        let mut progress = *run.progress();
        progress.next_batch = progress.next_batch.clamp(6, 60);
        let trainer = Trainer::resume(changed(config), SAMPLES, progress).unwrap();
        let fresh = Run::resume(
            trainer,
            network(trainer.config()),
            PlainBackend,
            &run.parameters(),
            &run.memory(),
            [],
        )
        .unwrap();
        run.retune(changed(config)).unwrap();
        assert_eq!(run.trainer().config(), &changed(config));
        let (steps, prints) = rest(run, &images);
        assert_eq!((steps.clone(), prints), rest(fresh, &images), "{config:?}");
        assert!(steps.len() > 2 && steps.iter().all(|step| (6..=60).contains(&step.samples)), "{config:?}");
        let first = steps[0].learning_rate / config.learning_rate;
        assert!(first < 1.0 / 3.0 && first > 1.0 / 6.0, "{config:?}: {first}");
    }
}

#[test]
fn a_step_under_way_begins_again_with_the_new_settings() {
    let images = Images::new(SAMPLES);
    for config in run_configs() {
        let mut run = Run::new(config, network(&config), SAMPLES, PlainBackend).unwrap();
        step(&mut run, &images).unwrap();
        let mut at_once = Run::resume(
            *run.trainer(),
            network(run.trainer().config()),
            PlainBackend,
            &run.parameters(),
            &run.memory(),
            [],
        )
        .unwrap();
        at_once.retune(changed(config)).unwrap();
        assert_eq!(run.advance(&images).unwrap(), Advance::Working);
        assert!(run.is_inside_step());
        run.retune(changed(config)).unwrap();
        assert!(!run.is_inside_step());
        assert_eq!(rest(run, &images), rest(at_once, &images), "{config:?}");
    }
}

#[test]
fn steps_that_are_made_again_keep_their_scalars() {
    let images = Images::new(SAMPLES);
    for config in run_configs() {
        let mut run = Run::new(config, network(&config), SAMPLES, PlainBackend).unwrap();
        step(&mut run, &images).unwrap();
        let copy = (run.parameters(), run.memory());
        let mut since = Vec::new();
        for _ in 0..2 {
            let (trainer, plan) = (*run.trainer(), run.trainer().plan().unwrap());
            let telemetry = step(&mut run, &images).unwrap();
            let optimizer = config.optimizer.as_optimizer::<f32>();
            let (_, scalars) =
                optimizer.prepare(&trainer.progress().shared, plan.learning_rate, telemetry.mean_norm_sq);
            since.push(Decided { plan, scalars });
        }
        run.retune(changed(config)).unwrap();
        let mut taken = Run::resume(
            *run.trainer(),
            network(run.trainer().config()),
            PlainBackend,
            &copy.0,
            &copy.1,
            since,
        )
        .unwrap();
        // Also where more settings come while they are made again.
        taken.advance(&images).unwrap();
        taken.retune(changed(config)).unwrap();
        assert!(taken.is_repeating());
        assert_eq!(rest(taken, &images), rest(run, &images), "{config:?}");
    }
}

#[test]
fn what_may_not_change_is_named_and_nothing_changes() {
    let base = run_configs()[0];
    let mut trainer = Trainer::<f32>::new(base, SAMPLES).unwrap();
    let norm = NormTest { eta: 0.5, debiased: false };
    let others = [
        ("version", RunConfig { version: 2, ..base }),
        ("dataset", RunConfig { dataset: DatasetName::Own, ..base }),
        ("text", RunConfig { text: TextSettings { context: 8, ..base.text }, ..base }),
        ("model", RunConfig { model: Model::MLP, ..base }),
        ("optimizer", RunConfig { optimizer: AnyOptimizer::Sgd(Sgd { weight_decay: 0.1 }), ..base }),
        ("test", RunConfig { test: Some(AnyTest::Norm(NormTest { debiased: true, ..norm })), ..base }),
        ("test", RunConfig { test: Some(AnyTest::Orthogonality(OrthogonalityTest { nu: 0.5 })), ..base }),
        ("test", RunConfig { test: None, ..base }),
        ("controller", RunConfig { controller: AnyController::Constant(Constant {}), ..base }),
        ("initial_batch", RunConfig { initial_batch: 5, ..base }),
        ("seed", RunConfig { seed: 3, ..base }),
    ];
    for (field, other) in others {
        let refused = trainer.retune(other).unwrap_err();
        assert_eq!(refused, RetuneError::Fixed { field });
        assert_eq!(
            refused.to_string(),
            format!("{field} cannot change during a run: start a new run to change it")
        );
    }
    let switched_on = trainer_without_test().retune(RunConfig { test: base.test, ..base.without_test() });
    assert_eq!(switched_on, Err(RetuneError::Fixed { field: "test" }));
    let refused = trainer.retune(RunConfig { learning_rate: -1.0, ..base }).unwrap_err();
    assert!(refused.to_string().starts_with("learning_rate is -1, but must be"), "{refused}");
    let refused = trainer.retune(RunConfig { max_batch: SAMPLES + 1, ..base }).unwrap_err();
    assert!(refused.to_string().starts_with("max_batch is 91, but must be from 1 to 90"), "{refused}");
    assert_eq!(trainer.config(), &base);
    assert_eq!(trainer.progress(), Trainer::<f32>::new(base, SAMPLES).unwrap().progress());
}

fn trainer_without_test() -> Trainer<f32> {
    Trainer::new(run_configs()[0].without_test(), SAMPLES).unwrap()
}

#[test]
fn limits_that_leave_the_first_batch_outside_are_no_obstacle_later() {
    let base = run_configs()[0];
    let narrow = RunConfig { min_batch: 20, ..base };
    assert!(Trainer::<f32>::new(narrow, SAMPLES).is_err(), "a run cannot begin with 4");
    let mut trainer = Trainer::<f32>::new(base, SAMPLES).unwrap();
    trainer.retune(narrow).unwrap();
    assert_eq!(trainer.plan().unwrap().cut.samples(), 20);
    let progress = adadagrad_core::training::Progress { steps: 1, samples_seen: 4, ..*trainer.progress() };
    assert_eq!(Trainer::<f32>::resume(narrow, SAMPLES, progress).unwrap().progress(), &progress);
}
