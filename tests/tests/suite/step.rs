//! The machine of a step: driven by hand it gives the bits of every other engine, and it takes each part once.

use adadagrad_core::backend::PlainBackend;
use adadagrad_core::batch_test::{AnyTest, AugmentedTest, NormTest};
use adadagrad_core::config::RunConfig;
use adadagrad_core::controller::{AnyController, BigBatch};
use adadagrad_core::network::{Network, initialise};
use adadagrad_core::optimizer::{AnyOptimizer, Sgd};
use adadagrad_core::owned::SweepMemory;
use adadagrad_core::statistics::{Evidence, Inner, Needs};
use adadagrad_core::training::{
    Batch, Cut, Next, Part, PartError, Plan, Round, Step, StepError, Task, Trainer,
};
use adadagrad_tests::by_hand::{Sums, sweep};
use adadagrad_tests::compare::fingerprint;
use adadagrad_tests::mnist::network;

use crate::determinism::{Images, run, run_configs};
use crate::part_workers::Outcome;
use crate::rules;

const SAMPLES: u32 = 90;

/// A whole run by a loop that does what the machine says. Also, how often a batch was extended.
fn by_hand(config: RunConfig) -> (Outcome, u32) {
    let owned = network(&config).by_inputs();
    let view = owned.view();
    let images = Images::new(SAMPLES);
    let mut trainer = Trainer::<f32>::new(config, SAMPLES).unwrap().with_grain(owned.grain());
    let mut parameters = vec![0.0; view.parameters()];
    let mut memory = vec![0.0; config.slots() * parameters.len()];
    initialise(view, config.seed, &mut parameters).unwrap();
    config.start(parameters.len(), &mut memory);
    let mut workspace = SweepMemory::new(view).unwrap();
    let mut engine = workspace.sweep(view, PlainBackend).unwrap();
    let (mut steps, mut extensions) = (Vec::new(), 0);
    while let Some(mut step) = Step::begin(&trainer) {
        let mut sums = Sums::new(parameters.len(), &step);
        let mut order = trainer.order();
        let telemetry = loop {
            let sample = |place| order.visit(place);
            let evidence = sweep(&mut step, &mut sums, &mut engine, &parameters, &images, sample).unwrap();
            let made = step.conclude(
                &mut trainer,
                &evidence,
                view,
                &mut sums.mean_gradient,
                &mut parameters,
                &mut memory,
            );
            match made.unwrap() {
                Some(telemetry) => break telemetry,
                None => extensions += 1,
            }
        };
        steps.push(telemetry);
    }
    ((steps, fingerprint(&owned.as_files_hold(&parameters))), extensions)
}

#[test]
fn a_loop_by_hand_gives_the_bits_of_a_run() {
    // One sweep, two sweeps, parts whose means are compared.
    for config in run_configs() {
        let config = RunConfig { initial_batch: 50, ..config };
        assert_eq!(by_hand(config).0, run(config, PlainBackend, |_, _| {}), "{config:?}");
    }
}

#[test]
fn a_loop_by_hand_extends_batches_as_a_run_does() {
    let rule = AnyController::BigBatch(BigBatch::default());
    let config = RunConfig {
        sample_budget: 400,
        learning_rate: 0.5,
        ..rules::config(rule, AnyOptimizer::Sgd(Sgd::default()))
    };
    let (outcome, extensions) = by_hand(config);
    assert!(extensions > 3, "{extensions}");
    assert_eq!(outcome, run(config, PlainBackend, |_, _| {}));
}

fn cut() -> Cut {
    Cut::into_parts(10, 3)
}

fn sums(index: u32) -> Part {
    Round::new(Task::Accumulate, 100, cut()).part(index)
}

fn refused<T: PartialEq + core::fmt::Debug>(found: Result<T, PartError>, error: PartError, words: &str) {
    let text = error.to_string();
    assert_eq!(found, Err(error));
    assert!(text.contains(words), "{text}");
}

#[test]
fn each_part_is_taken_once_and_in_order() {
    let mut batch = Batch::<f64>::new(100, cut(), true);
    assert_eq!(batch.next(), Next::Sweep(Round::new(Task::Accumulate, 100, cut())));
    let samples = |index: u32| sums(index).samples();
    refused(
        batch.take_sums(&sums(1), samples(1)),
        PartError::OutOfOrder { expected: 0, found: 1 },
        "part 1 of the batch was given before part 0",
    );
    assert_eq!(batch.take_sums(&sums(0), samples(0)), Ok(()));
    refused(batch.take_sums(&sums(0), samples(0)), PartError::Twice { part: 0 }, "was given twice");
    refused(
        batch.take_sums(&sums(1), samples(1) + 1),
        PartError::Samples { part: 1, expected: samples(1), found: samples(1) + 1 },
        "its result covers",
    );
    let none = PartError::NoSuchPart { part: 3, parts: 3 };
    refused(batch.take_sums(&sums(3), 0), none, "it has 3 parts");
    refused(batch.close(), PartError::Missing { part: 1, parts: 3 }, "part 1 of the batch is missing");
    assert!(batch.inner().is_err());
    // Parts of other sweeps.
    for other in [
        Part { start: 99, ..sums(1) },
        Part { cut: Cut::into_parts(11, 3), ..sums(1) },
        Part { task: Task::Project, ..sums(1) },
        Part { task: Task::Evaluate, ..sums(1) },
    ] {
        refused(batch.take_sums(&other, samples(1)), PartError::OtherSweep, "current sweep");
    }
    // The sums of two parts that were added elsewhere.
    assert_eq!(batch.take_several_sums(1..3, samples(1) + samples(2)), Ok(()));
    assert_eq!(batch.next(), Next::MeanGradient);
    assert_eq!(batch.close(), Ok(()));
    refused(batch.close(), PartError::OtherSweep, "current sweep");
    // The second sweep.
    let product = |value| Inner { sum_squared_inner_products: value, ..Inner::default() };
    let project = |index| Part { task: Task::Project, ..sums(index) };
    refused(batch.take_sums(&sums(0), samples(0)), PartError::OtherSweep, "current sweep");
    let early = PartError::OutOfOrder { expected: 0, found: 2 };
    refused(batch.take_inner(&project(2), &product(4.0)), early, "was given before");
    assert_eq!(batch.take_inner(&project(0), &product(1.0)), Ok(()));
    refused(batch.take_inner(&project(0), &product(1.0)), PartError::Twice { part: 0 }, "was given twice");
    assert_eq!(batch.take_inner(&project(1), &product(2.0)), Ok(()));
    refused(batch.inner(), PartError::Missing { part: 2, parts: 3 }, "is missing");
    assert_eq!(batch.take_inner(&project(2), &product(4.0)), Ok(()));
    assert_eq!((batch.next(), batch.inner()), (Next::Weigh, Ok(Some(product(7.0)))));
    assert_eq!(batch.visits(), (20, 20));
}

#[test]
fn a_step_is_not_weighed_before_all_its_parts_are_there() {
    let config = RunConfig {
        test: Some(AnyTest::Augmented(AugmentedTest::default())),
        initial_batch: 50,
        ..run_configs()[0]
    };
    let mut trainer = Trainer::<f32>::new(config, SAMPLES).unwrap();
    let before = trainer;
    let mut step = Step::begin(&trainer).unwrap();
    let evidence = Evidence { samples: 50, mean_norm_sq: 1.0, ..Evidence::default() };
    let missing = Err(StepError::Part(PartError::Missing { part: 0, parts: step.plan().cut.parts() }));
    assert_eq!(
        step.conclude(&mut trainer, &evidence, Network::from_placed(&[]), &mut [], &mut [], &mut []),
        missing
    );
    assert_eq!(step.weigh(&trainer, &evidence).map(|_| None), missing);
    assert_eq!(trainer, before);
    // A step that was not weighed cannot be repeated.
    step.batch_mut().take_whole(50).unwrap();
    assert!(step.repeat(&config, SAMPLES, Network::from_placed(&[]), &mut [], &mut [], &mut []).is_err());
    assert_eq!(step.next(), Next::Weigh);
}

/// What extends a batch has a first sweep of its own, and where inner products are asked for, all samples have the second.
#[test]
fn an_extended_batch_is_projected_as_a_whole() {
    let rule = AnyController::BigBatch(BigBatch { growth: 0.5 });
    let config = rules::config(rule, AnyOptimizer::Sgd(Sgd::default()));
    let config = RunConfig { test: Some(AnyTest::Norm(NormTest::default())), initial_batch: 40, ..config };
    let trainer = Trainer::<f32>::new(config, SAMPLES).unwrap();
    let plan = trainer.plan().unwrap();
    let needs = Needs { inner: true, ..plan.needs };
    let mut step = Step::of_plan(&Plan { start: 7, needs, ..plan });
    step.batch_mut().take_whole(40).unwrap();
    // Noise that is much larger than the gradient.
    let noisy = |samples: u32| Evidence {
        samples,
        mean_norm_sq: 1.0,
        sum_squared_norms: Some(1e6),
        ..Evidence::default()
    };
    assert_eq!(step.weigh(&trainer, &noisy(40)), Ok(None));
    let extension = Round::new(Task::Accumulate, 47, trainer.cut(20));
    assert_eq!(step.next(), Next::Sweep(extension));
    assert_eq!((step.batch().samples(), step.plan().cut.samples()), (60, 60));
    assert_eq!(step.batch().visits(), (40, 120));
    for index in extension.parts() {
        let part = extension.part(index);
        step.batch_mut().take_sums(&part, part.samples()).unwrap();
    }
    step.batch_mut().close().unwrap();
    let Next::Sweep(second) = step.next() else { panic!("a second sweep") };
    assert_eq!((second.task(), second.start(), second.cut().samples()), (Task::Project, 7, 60));
}
