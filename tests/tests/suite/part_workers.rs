//! A run whose parts are swept by workers is the run that was made alone, to the bit, whoever does what.

use adadagrad_core::backend::{Backend, FastBackend, PlainBackend};
use adadagrad_core::batch_test::{AnyTest, AugmentedTest};
use adadagrad_core::config::RunConfig;
use adadagrad_core::model::Model;
use adadagrad_core::owned::{Advance, LocalRun, PartWorker, RunError, StepPart, Task};
use adadagrad_core::random::Key;
use adadagrad_core::statistics::LengthMismatch;
use adadagrad_core::training::Telemetry;
use adadagrad_tests::compare::fingerprint;
use adadagrad_tests::mnist::network;

use crate::determinism::{Images, run, run_configs};

const SAMPLES: u32 = 90;
/// Samples of the test set: more than one part.
const TEST_SAMPLES: u32 = 150;

/// Batches of several parts.
fn configs() -> Vec<RunConfig> {
    let large = |config| RunConfig { initial_batch: 70, min_batch: 70, max_batch: 90, ..config };
    let configs = run_configs().into_iter().map(large);
    let test = Some(AnyTest::Augmented(AugmentedTest { theta: 0.5, nu: 0.7, leave_one_out: false }));
    let cnn = RunConfig { model: Model::Cnn, test, initial_batch: 20, sample_budget: 60, ..run_configs()[0] };
    let mlp = RunConfig { model: Model::MLP, initial_batch: 80, sample_budget: 240, ..cnn };
    configs.chain([cnn, mlp]).collect()
}

pub(crate) type Outcome = (Vec<Telemetry>, u64);

/// Who sweeps the next part is thrown with dice: one of two workers, or the run itself. So a worker projects parts
/// that it kept, and others.
pub(crate) fn shared(config: RunConfig, product: impl Backend<f32> + Copy, dice: Key) -> Outcome {
    let images = Images::new(SAMPLES);
    let mut workers =
        [0, 1].map(|_| (PartWorker::<f32, _>::new(config, network(&config), SAMPLES, product).unwrap(), 0));
    let mut run = LocalRun::<f32, _>::new(config, network(&config), SAMPLES, product).unwrap();
    let (mut steps, mut thrown) = (Vec::new(), 0);
    loop {
        thrown += 1;
        let worker = workers.get_mut((dice.bits(thrown) % 3) as usize);
        let advance = match worker {
            Some(worker) => sweep_one(&mut run, worker, &images).unwrap(),
            None => None,
        };
        let advance = advance.map_or_else(|| run.advance(&images), Ok).unwrap();
        match advance {
            Advance::Working => {}
            Advance::Step(telemetry) => steps.push(telemetry),
            Advance::Finished => return (steps, fingerprint(&run.parameters())),
        }
    }
}

/// Lets a worker, with the step whose parameters it knows, sweep the next part; `None` where the run works alone.
fn sweep_one<M: Backend<f32> + Copy>(
    run: &mut LocalRun<f32, M>,
    (worker, knows): &mut (PartWorker<f32, M>, u64),
    images: &Images,
) -> Result<Option<Advance>, RunError> {
    let Some(work) = run.share() else { return Ok(None) };
    let plan = work.plan.unwrap();
    if *knows != plan.step {
        worker.set_parameters(work.parameters)?;
        *knows = plan.step;
    }
    let part = StepPart { start: plan.start, batch: plan.cut.samples(), part: work.parts.start };
    match work.task {
        Task::Accumulate => {
            let (sums, totals) = worker.accumulate::<_, RunError>(part, images, |sums| {
                Ok(([sums.gradient_sum.to_vec(), sums.second_moment.to_vec()], sums.totals))
            })?;
            run.take_sums::<RunError>(|part| {
                let [gradient_sum, second_moment] = &sums;
                part.gradient_sum.copy_from_slice(gradient_sum);
                part.second_moment.copy_from_slice(second_moment);
                part.totals = totals;
                Ok(())
            })
        }
        Task::Project => {
            worker.set_mean_gradient(work.mean_gradient.unwrap())?;
            let inner = worker.project(part, images)?;
            run.take_inner(&inner)
        }
        Task::Evaluate => unreachable!("no evaluation was begun"),
    }
    .map(Some)
}

#[test]
fn a_shared_run_has_the_bits_of_one_made_alone() {
    for (index, config) in (0..).zip(configs()) {
        let alone = run(config, PlainBackend, |_, _| {});
        assert_eq!(shared(config, PlainBackend, Key::new(3, index)), alone, "{config:?}");
        let alone = run(config, FastBackend, |_, _| {});
        assert_eq!(shared(config, FastBackend, Key::new(4, index)), alone, "{config:?}");
    }
}

#[test]
fn a_shared_evaluation_is_the_same() {
    let config = run_configs()[0];
    let (training, test) = (Images::new(SAMPLES), Images::new(TEST_SAMPLES));
    let mut run = LocalRun::<f32, _>::new(config, network(&config), SAMPLES, PlainBackend).unwrap();
    run.advance(&training).unwrap();
    run.begin_evaluation(&test);
    let alone = loop {
        if let Some(evaluation) = run.advance_evaluation(&test).unwrap() {
            break evaluation;
        }
    };
    run.begin_evaluation(&test);
    let mut worker = PartWorker::<f32, _>::new(config, network(&config), SAMPLES, PlainBackend).unwrap();
    let mut parts = 0;
    let together = loop {
        let work = run.share().unwrap();
        assert_eq!((work.task, work.plan), (Task::Evaluate, None));
        worker.set_parameters(work.parameters).unwrap();
        let score = worker.evaluate(work.parts.start, &test).unwrap();
        parts += 1;
        if let Some(evaluation) = run.take_score(score) {
            break evaluation;
        }
    };
    assert_eq!(together, alone);
    assert!(parts > 1);
}

/// What a part's sums cannot be had for is begun again.
#[test]
fn a_part_that_fails_leaves_the_step_to_be_begun_again() {
    struct Lost;
    impl From<RunError> for Lost {
        fn from(error: RunError) -> Self {
            panic!("{error}")
        }
    }
    impl From<LengthMismatch> for Lost {
        fn from(error: LengthMismatch) -> Self {
            panic!("{error}")
        }
    }
    let config = configs()[0];
    let images = Images::new(SAMPLES);
    let alone = run(config, PlainBackend, |_, _| {});
    let mut run = LocalRun::<f32, _>::new(config, network(&config), SAMPLES, PlainBackend).unwrap();
    run.share().unwrap();
    let failed = run.take_sums::<Lost>(|part| {
        part.gradient_sum.fill(7.0);
        Err(Lost)
    });
    assert!(failed.is_err() && !run.is_inside_step());
    let mut steps = Vec::new();
    while let advance = run.advance(&images).unwrap()
        && advance != Advance::Finished
    {
        if let Advance::Step(telemetry) = advance {
            steps.push(telemetry);
        }
    }
    assert_eq!((steps, fingerprint(&run.parameters())), alone);
}

#[test]
fn a_run_that_is_finished_shares_nothing() {
    let config = RunConfig { sample_budget: 1, ..run_configs()[0] };
    let images = Images::new(SAMPLES);
    let mut run = LocalRun::<f32, _>::new(config, network(&config), SAMPLES, PlainBackend).unwrap();
    while run.advance(&images).unwrap() != Advance::Finished {}
    assert!(run.share().is_none());
}
