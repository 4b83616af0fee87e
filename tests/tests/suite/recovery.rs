//! What lets an engine run ahead of the trainer, or take a run over from another one: steps that are known
//! before they are made, and steps that are made again.

use adadagrad_core::backend::PlainBackend;
use adadagrad_core::config::RunConfig;
use adadagrad_core::controller::{AnyController, Constant};
use adadagrad_core::optimizer::AnyOptimizer;
use adadagrad_core::owned::{Advance, LocalRun, RunError};
use adadagrad_core::statistics::{Evidence, Inner, Parts};
use adadagrad_core::training::{Decided, Trainer};
use adadagrad_tests::compare::fingerprint;
use adadagrad_tests::mnist::network;

use crate::determinism::{Images, run_configs};

const SAMPLES: u32 = 90;

type Run = LocalRun<f32, PlainBackend>;

/// Evidence of a batch of `samples` whose noise is `noise` times what any test allows.
fn evidence(samples: u32, noise: f64) -> Evidence<f64> {
    let norms = f64::from(samples) * (1.0 + 50.0 * noise);
    Evidence {
        samples,
        correct: 1,
        loss: 2.0,
        mean_norm_sq: 1.0,
        sum_squared_norms: Some(norms),
        inner: Some(Inner {
            sum_squared_inner_products: norms,
            sum_norm_inner_products: norms,
            sum_squared_square_norms: norms * norms,
        }),
        coordinate_ratio: Some(100.0 * noise),
        parts: Some(Parts { count: 3, sum_squared_means: norms, ..Parts::default() }),
        ..Evidence::default()
    }
}

#[test]
fn what_is_settled_comes_true_whatever_the_evidence() {
    let constant = AnyController::Constant(Constant {});
    let constants = run_configs().into_iter().map(|config| RunConfig { controller: constant, ..config });
    let mut count = 0;
    for config in run_configs().into_iter().chain(constants) {
        for noise in [0.0, 0.3, 100.0] {
            let mut trainer = Trainer::<f32>::new(config, SAMPLES).unwrap();
            while let Some(plan) = trainer.plan() {
                let pending = trainer.weigh(&plan, &evidence(plan.cut.samples(), noise)).unwrap();
                let (settled, speculated) = (trainer.next_if_settled(&plan), trainer.speculate(&plan));
                let scalars = pending.scalars;
                trainer.commit(pending);
                if let Some((known, next)) = settled {
                    assert_eq!(known, scalars, "{config:?}");
                    assert_eq!(next.progress(), trainer.progress(), "{config:?}");
                    assert_eq!(next.plan(), trainer.plan());
                    count += 1;
                }
                let is_settled = config.controller == constant || plan.cut.samples() == config.max_batch;
                let wants_norm = matches!(
                    config.optimizer,
                    AnyOptimizer::AdaGradNorm(_) | AnyOptimizer::AdaGradNormDelayed(_)
                );
                assert_eq!(settled.is_some(), is_settled && !wants_norm, "{config:?}");
                assert_eq!(speculated.is_some(), !wants_norm, "{config:?}");
                if let Some((known, next)) = speculated {
                    assert_eq!(known, scalars, "{config:?}");
                    let keeps_its_size = trainer.progress().next_batch == plan.cut.samples();
                    assert_eq!(next.plan() == trainer.plan(), keeps_its_size || next.plan().is_none());
                }
            }
        }
    }
    assert!(count > 1000, "only {count} steps were settled");
}

/// The next step, with what it takes to make it again.
fn step(run: &mut Run, images: &Images) -> Option<Decided<f32>> {
    let (trainer, plan) = (*run.trainer(), run.trainer().plan()?);
    loop {
        match run.advance(images).unwrap() {
            Advance::Working => {}
            Advance::Finished => return None,
            Advance::Step(telemetry) => {
                let optimizer = trainer.config().optimizer.as_optimizer::<f32>();
                let shared = &trainer.progress().shared;
                let (_, scalars) = optimizer.prepare(shared, plan.learning_rate, telemetry.mean_norm_sq);
                return Some(Decided { plan, scalars });
            }
        }
    }
}

#[test]
fn a_run_taken_over_with_steps_to_be_made_again_is_the_same_run() {
    let images = Images::new(SAMPLES);
    for config in run_configs() {
        let mut whole = Run::new(config, network(&config), SAMPLES, PlainBackend).unwrap();
        step(&mut whole, &images).unwrap();
        let copy = (whole.parameters(), whole.memory());
        let since: Vec<_> = (0..2).map(|_| step(&mut whole, &images).unwrap()).collect();
        let mut taken = Run::resume(
            *whole.trainer(),
            network(whole.trainer().config()),
            PlainBackend,
            &copy.0,
            &copy.1,
            since,
        )
        .unwrap();
        while let Some(Decided { plan, .. }) = step(&mut taken, &images) {
            assert_eq!(step(&mut whole, &images).unwrap().plan, plan, "{config:?}");
        }
        assert_eq!(fingerprint(&taken.parameters()), fingerprint(&whole.parameters()), "{config:?}");
        assert_eq!(fingerprint(&taken.memory()), fingerprint(&whole.memory()), "{config:?}");
        assert_eq!(taken.progress(), whole.progress());
    }
}

#[test]
fn parameters_of_another_length_are_not_taken_over() {
    let trainer = Trainer::<f32>::new(run_configs()[0], SAMPLES).unwrap();
    let refused = Run::resume(trainer, network(trainer.config()), PlainBackend, &[0.0; 3], &[], []);
    assert!(matches!(refused, Err(RunError::Step(_))), "{refused:?}");
}
