//! What a change of the batch size does to learning rate and β of a run.

use std::sync::Arc;

use adadagrad_core::backend::{FastBackend, PlainBackend};
use adadagrad_core::config::{LARGEST_EXACT, Preset, RunConfig};
use adadagrad_core::controller::{
    AdaBatch, AnyController, BigBatch, Cabs, Constant, DiveBatch, Seesaw, Smith, Stages,
};
use adadagrad_core::coupling::{Coupled, Coupling};
use adadagrad_core::model::Model;
use adadagrad_core::optimizer::{Adam, AdamW, AnyOptimizer, Betas, Sgd, Shared};
use adadagrad_core::owned::{Advance, LocalRun, SharedDataset};
use adadagrad_core::random::Key;
use adadagrad_core::settings::{Choices, Settings};
use adadagrad_core::statistics::{Evidence, Reason};
use adadagrad_core::training::{Telemetry, Trainer};
use adadagrad_tests::compare::fingerprint;
use adadagrad_tests::mnist::network;
use adadagrad_tests::rules::on_threads;

use crate::determinism::{Images, run};
use crate::part_workers::shared;
use crate::rules::{SAMPLES, through_file, through_text};

const ADAM: AnyOptimizer =
    AnyOptimizer::Adam(Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 });

/// Batches of 4, then 16, then 8.
fn config(coupling: Coupling, optimizer: AnyOptimizer) -> RunConfig {
    RunConfig {
        model: Model::Logistic,
        optimizer,
        learning_rate: 0.01,
        test: None,
        controller: AnyController::Stages(Stages { schedule: "0:4 12:16 60:8".parse().unwrap() }),
        coupling,
        initial_batch: 4,
        min_batch: 1,
        max_batch: 80,
        sample_budget: LARGEST_EXACT,
        ..Preset::Quick.config()
    }
}

fn steps(trainer: &mut Trainer<f32>, steps: u32) -> Vec<Telemetry> {
    let step = |_| {
        let plan = trainer.plan().unwrap();
        let b = plan.cut.samples();
        let evidence = Evidence { loss: 1.0, ..Evidence::from_norms(b, 1.0, 2.0 * f64::from(b)).unwrap() };
        let pending = trainer.weigh(&plan, &evidence).unwrap();
        trainer.commit(pending)
    };
    (0..steps).map(step).collect()
}

#[test]
fn learning_rate_and_betas_are_those_of_the_formula() {
    for coupling in Coupling::ALL {
        let mut trainer = Trainer::<f32>::new(config(coupling, ADAM), SAMPLES).unwrap();
        let found = steps(&mut trainer, 12);
        assert_eq!(found.iter().map(|step| step.samples).collect::<Vec<_>>()[..7], [4, 4, 4, 16, 16, 16, 8]);
        let mut expected = Coupled { learning_rate: 0.01, beta1: 0.9, beta2: 0.999 };
        let mut before = 4;
        for step in found {
            if step.samples != before {
                expected = coupling.follow(expected, before, step.samples).unwrap();
            }
            before = step.samples;
            let near = |found: f64, expected: f64| {
                assert!((found - expected).abs() <= 1e-15, "{coupling:?}: {step:?}")
            };
            near(step.learning_rate, expected.learning_rate);
            if coupling.changes_betas() {
                assert_eq!(
                    [step.beta1, step.beta2],
                    [Some(expected.beta1), Some(expected.beta2)],
                    "{coupling:?}"
                );
            } else {
                assert_eq!([step.beta1, step.beta2], [None, None], "{coupling:?}");
            }
        }
        let betas = trainer.progress().shared.betas;
        assert_eq!(betas.is_some(), coupling.changes_betas());
    }
}

/// Of a constant gradient, bias-corrected averages are the gradient itself, whatever β were.
#[test]
fn bias_correction_is_exact_while_betas_change() {
    for rule in [ADAM, AnyOptimizer::AdamW(AdamW { weight_decay: 0.0, ..AdamW::default() })] {
        let rule = rule.as_optimizer::<f64>();
        let (mut shared, mut x, mut memory) = (Shared::default(), [1.0_f64], [0.0; 2]);
        for step in 0..60_u64 {
            if step == 7 || step == 20 {
                let [beta1, beta2] = if step == 7 { [0.5, 0.99] } else { [0.95, 0.9] };
                let [product1, product2] =
                    shared.betas.map_or([0.9_f64.powi(7), 0.999_f64.powi(7)], |betas: Betas<f64>| {
                        [betas.product1 * 0.5_f64.powi(13), betas.product2 * 0.99_f64.powi(13)]
                    });
                shared.betas = Some(Betas { beta1, beta2, product1, product2, since: step });
            }
            let (next, scalars) = rule.prepare(&shared, 0.01, 1.0);
            let before = x[0];
            rule.update(&scalars, &mut x, &[0.25], &mut memory).unwrap();
            let moved = before - x[0];
            assert!((moved - 0.01 * 0.25 / (0.25 + 1e-8)).abs() < 1e-14, "{step}: {moved}");
            shared = next;
            let preconditioner = rule.preconditioner(&shared).unwrap();
            // Of one parameter, each slot has one value.
            let divisor = preconditioner.divisor(memory[preconditioner.slot]);
            assert!((divisor - 0.25 - 1e-8).abs() < 1e-14, "{step}: {divisor}");
        }
    }
}

/// A run that is resumed from a checkpoint after every step, one on threads and one shared among workers end with the
/// same bits; and not with those of another coupling.
#[test]
fn coupled_runs_repeat_to_the_bit() {
    let images = Images::new(SAMPLES);
    let training: SharedDataset = Arc::new(Images::new(SAMPLES));
    let mut ends = Vec::new();
    for (index, coupling) in (0..).zip(Coupling::ALL) {
        let config = RunConfig { sample_budget: 200, ..config(coupling, ADAM) };
        let finish = |is_resumed: bool| {
            let mut run = LocalRun::<f32, _>::new(config, network(&config), SAMPLES, PlainBackend).unwrap();
            loop {
                match run.advance(&images).unwrap() {
                    Advance::Working => {}
                    Advance::Finished => {
                        return (through_text(run.progress()), fingerprint(&run.parameters()));
                    }
                    Advance::Step(_) if is_resumed => run = through_file(config, &run),
                    Advance::Step(_) => {}
                }
            }
        };
        let straight = finish(false);
        assert_eq!(straight, finish(true), "{coupling:?}");
        let alone = run(config, PlainBackend, |_, _| {});
        assert_eq!(shared(config, PlainBackend, Key::new(9, index)), alone, "{coupling:?}");
        let mut local = LocalRun::<f32, _>::new(config, network(&config), SAMPLES, FastBackend).unwrap();
        let (mut engine, mut trainer) = on_threads(&config, network(&config), &training);
        while let Some(plan) = trainer.plan() {
            engine.step(&mut trainer, &plan).unwrap();
        }
        while !matches!(local.advance(&images).unwrap(), Advance::Finished) {}
        assert_eq!(fingerprint(&engine.parameters()), fingerprint(&local.parameters()), "{coupling:?}");
        ends.push(straight.1);
    }
    ends.sort();
    ends.dedup();
    assert_eq!(ends.len(), Coupling::ALL.len(), "two couplings did the same");
}

/// A change that leaves no β is not made; the run goes on, and its telemetry says why.
#[test]
fn a_change_that_leaves_no_beta_keeps_the_size() {
    let stages = AnyController::Stages(Stages { schedule: "0:4 12:64".parse().unwrap() });
    let config = RunConfig { controller: stages, ..config(Coupling::Sde, ADAM) };
    let mut trainer = Trainer::<f32>::new(config, SAMPLES).unwrap();
    let found = steps(&mut trainer, 5);
    assert!(
        found.iter().all(|step| step.samples == 4 && step.learning_rate == 0.01 && step.beta1 == Some(0.9))
    );
    let reasons = found.iter().map(|step| step.reasons.controller).collect::<Vec<_>>();
    assert_eq!(
        reasons,
        [None, None, Some(Reason::NoBetaLeft), Some(Reason::NoBetaLeft), Some(Reason::NoBetaLeft)]
    );
    assert_eq!(found[2].wanted, Some(64.0));
    // Limits that require such a size are refused, and nothing changes.
    let config = RunConfig { controller: AnyController::Constant(Constant {}), ..config };
    let mut trainer = Trainer::<f32>::new(config, SAMPLES).unwrap();
    steps(&mut trainer, 3);
    let before = trainer;
    let error = trainer.retune(RunConfig { min_batch: 64, ..config }).unwrap_err().to_string();
    assert!(error.contains("leaves no β₁"), "{error}");
    assert_eq!(trainer, before);
    trainer.retune(RunConfig { min_batch: 8, ..config }).unwrap();
    let step = steps(&mut trainer, 1)[0];
    assert_eq!((step.samples, step.beta1), (8, Some(0.8)));
    assert!((step.learning_rate - 0.01 * 2.0_f64.sqrt()).abs() < 1e-15);
}

#[test]
fn couplings_that_make_no_sense_are_refused() {
    let sgd = AnyOptimizer::Sgd(Sgd::default());
    let refuse = |coupling, optimizer, controller, expected: &str| {
        let config = RunConfig { controller, ..config(coupling, optimizer) };
        let error = config.validate(SAMPLES).unwrap_err().to_string();
        assert!(error.starts_with("coupling does not fit: ") && error.contains(expected), "{error}");
        let fitting = RunConfig { coupling: Coupling::None, ..config };
        assert_eq!(fitting.validate(SAMPLES), Ok(()));
    };
    let constant = AnyController::Constant(Constant {});
    for coupling in [Coupling::Sde, Coupling::HalfLife] {
        refuse(coupling, sgd, constant, "β of adam and adamw");
    }
    let dive = DiveBatch { scale_learning_rate: true, ..DiveBatch::default() };
    let changing = [
        AnyController::AdaBatch(AdaBatch::default()),
        AnyController::Smith(Smith::default()),
        AnyController::Seesaw(Seesaw::default()),
        AnyController::DiveBatch(dive),
    ];
    for rule in changing {
        refuse(Coupling::Linear, sgd, rule, "changes the learning rate itself");
    }
    refuse(Coupling::SquareRoot, sgd, AnyController::Cabs(Cabs::default()), "from the learning rate");
    refuse(Coupling::Linear, sgd, AnyController::BigBatch(BigBatch::default()), "already set");
    let without = DiveBatch { scale_learning_rate: false, ..dive };
    assert_eq!(
        RunConfig { controller: AnyController::DiveBatch(without), ..config(Coupling::Linear, sgd) }
            .validate(SAMPLES),
        Ok(())
    );
}

/// What a form and `train --help` say of the setting names every rule that it does not go with, and no other.
#[test]
fn the_setting_s_description_names_the_rules_that_refuse_it() {
    let row = RunConfig::ABOUT.fields.iter().find(|row| row.name == "coupling").unwrap();
    let (_, refusing) = row.doc.split_once("Rules that change the learning rate").unwrap();
    let scaling = AnyController::DiveBatch(DiveBatch { scale_learning_rate: true, ..DiveBatch::default() });
    for rule in AnyController::all().into_iter().chain([scaling]) {
        let optimizer = AnyOptimizer::Sgd(Sgd::default());
        let config = RunConfig { controller: rule, ..config(Coupling::Linear, optimizer) };
        let is_refused = matches!(config.validate(SAMPLES), Err(error) if error.field == "coupling");
        let is_named = refusing.contains(rule.name());
        assert!(is_refused == is_named || rule == AnyController::DiveBatch(DiveBatch::default()), "{rule:?}");
    }
    for optimizer in AnyOptimizer::all() {
        let is_refused = config(Coupling::HalfLife, optimizer).validate(SAMPLES).is_err();
        let words = format!(" {}", optimizer.name());
        let named = row.doc.split_once("half_life need the optimizer").unwrap().1;
        let is_named = named.split_once('.').unwrap().0.split(" or").any(|name| name == words);
        assert_eq!(is_refused, !is_named, "{optimizer:?}");
    }
}

/// Progress says nothing of β that nothing has changed, and takes those that were changed.
#[test]
fn progress_holds_changed_betas() {
    let mut trainer = Trainer::<f32>::new(config(Coupling::HalfLife, ADAM), SAMPLES).unwrap();
    assert!(serde_json::to_string(trainer.progress()).unwrap().contains(r#""betas":null"#));
    steps(&mut trainer, 9);
    let progress = *trainer.progress();
    assert!(progress.shared.betas.is_some());
    assert_eq!(through_text(&progress), progress);
}
