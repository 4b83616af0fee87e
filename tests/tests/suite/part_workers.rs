//! A run whose parts are swept by workers is the run that was made alone, to the bit, whoever does what.

use adadagrad_core::backend::{Backend, FastBackend, PlainBackend};
use adadagrad_core::batch_test::{AnyTest, AugmentedTest};
use adadagrad_core::config::RunConfig;
use adadagrad_core::model::Model;
use adadagrad_core::network::Score;
use adadagrad_core::owned::{Advance, LocalRun, PartWorker, RunError, Swept};
use adadagrad_core::random::Key;
use adadagrad_core::statistics::{Inner, LengthMismatch, Totals};
use adadagrad_core::training::{Part, PartError, StepError, Task, Telemetry};
use adadagrad_tests::compare::fingerprint;
use adadagrad_tests::mnist::network;

use crate::determinism::{Images, run, run_configs};

const SAMPLES: u32 = 90;
/// Samples of the test set: more than one part.
const TEST_SAMPLES: u32 = 150;

/// Batches of several parts.
fn configs() -> Vec<RunConfig> {
    let large = |config: RunConfig| RunConfig { initial_batch: 70, min_batch: 70, max_batch: 90, ..config };
    let configs = run_configs().into_iter().map(large);
    let test = Some(AnyTest::Augmented(AugmentedTest { theta: 0.5, nu: 0.7, leave_one_out: false }));
    let cnn = RunConfig { model: Model::Cnn, test, initial_batch: 20, sample_budget: 60, ..run_configs()[0] };
    let mlp = RunConfig { model: Model::MLP, initial_batch: 80, sample_budget: 240, ..cnn };
    // With other numbers of parts than the networks'.
    let [few, many] = [RunConfig { parts: 3, ..cnn }, RunConfig { parts: 1, ..large(run_configs()[4]) }];
    configs.chain([cnn, mlp, few, many]).collect()
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
    let part = work.round.next().unwrap();
    // What no other step has.
    if *knows != part.start + 1 {
        worker.set_parameters(work.parameters)?;
        *knows = part.start + 1;
    }
    if let Some(mean_gradient) = work.mean_gradient {
        worker.set_mean_gradient(mean_gradient)?;
    }
    let found = worker.sweep(&part, images, |swept| Ok::<_, RunError>(Found::of(swept)))?;
    found.taken_by(run, &part).map(Some)
}

/// What a worker has found in a part, as it is sent.
#[derive(Clone)]
enum Found {
    Sums(Totals<f64>, [Vec<f32>; 2]),
    Inner(Inner<f64>),
    Score(Score<f64>),
}

impl Found {
    fn of(swept: Swept<'_, '_, f32>) -> Self {
        match swept {
            Swept::Sums(sums) => {
                Self::Sums(sums.totals, [sums.gradient_sum.to_vec(), sums.second_moment.to_vec()])
            }
            Swept::Inner(inner) => Self::Inner(inner),
            Swept::Score(score) => Self::Score(score),
        }
    }

    fn taken_by<M: Backend<f32> + Copy>(
        self,
        run: &mut LocalRun<f32, M>,
        part: &Part,
    ) -> Result<Advance, RunError> {
        match self {
            Self::Sums(totals, [gradient_sum, second_moment]) => run.take_sums(part, |sums| {
                sums.gradient_sum.copy_from_slice(&gradient_sum);
                sums.second_moment.copy_from_slice(&second_moment);
                sums.totals = totals;
                Ok(())
            }),
            Self::Inner(inner) => run.take_inner(part, &inner),
            Self::Score(_) => unreachable!("no evaluation was begun"),
        }
    }
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
        assert_eq!(work.round.task(), Task::Evaluate);
        worker.set_parameters(work.parameters).unwrap();
        let part = work.round.next().unwrap();
        let found = worker.sweep(&part, &test, |swept| Ok::<_, RunError>(Found::of(swept))).unwrap();
        let Found::Score(score) = found else { unreachable!("no step is under way") };
        parts += 1;
        if let Some(evaluation) = run.take_score(&part, score).unwrap() {
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
    let part = run.share().unwrap().round.next().unwrap();
    let failed = run.take_sums::<Lost>(&part, |part| {
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

/// A run refuses by name what is not the next part, and begins the step again.
#[test]
fn a_part_that_is_lost_or_comes_twice_or_out_of_order_is_refused() {
    let config = RunConfig {
        test: Some(AnyTest::Augmented(AugmentedTest { theta: 0.5, nu: 0.7, leave_one_out: false })),
        ..configs()[0]
    };
    let images = Images::new(SAMPLES);
    let alone = run(config, PlainBackend, |_, _| {});
    let mut run = LocalRun::<f32, _>::new(config, network(&config), SAMPLES, PlainBackend).unwrap();
    let mut worker = PartWorker::<f32, _>::new(config, network(&config), SAMPLES, PlainBackend).unwrap();
    let refused = |error| Err(RunError::Step(StepError::Part(error)));
    let (mut steps, mut met) = (Vec::new(), [0; 2]);
    while let Some(work) = run.share() {
        let round = work.round;
        worker.set_parameters(work.parameters).unwrap();
        if let Some(mean_gradient) = work.mean_gradient {
            worker.set_mean_gradient(mean_gradient).unwrap();
        }
        let mut found = |index| {
            let part = round.part(index);
            (part, worker.sweep(&part, &images, |swept| Ok::<_, RunError>(Found::of(swept))).unwrap())
        };
        let next = round.parts().start;
        let (part, of_part) = found(next);
        let of_sweep = usize::from(round.task() == Task::Project);
        met[of_sweep] += 1;
        // Each mistake once in each sweep; the step begins again after it.
        match met[of_sweep] {
            1 => {
                let (after, of_after) = found(next + 1);
                let error = PartError::OutOfOrder { expected: next, found: next + 1 };
                assert_eq!(of_after.taken_by(&mut run, &after), refused(error));
            }
            2 => {
                assert_eq!(of_part.clone().taken_by(&mut run, &part), Ok(Advance::Working));
                let error = PartError::Twice { part: next };
                assert_eq!(of_part.taken_by(&mut run, &part), refused(error));
            }
            3 => {
                let stale = Part { start: part.start + 1, ..part };
                assert_eq!(of_part.taken_by(&mut run, &stale), refused(PartError::OtherSweep));
            }
            4 if of_sweep == 0 => {
                let Found::Sums(totals, vectors) = of_part else { unreachable!("a first sweep") };
                let short = Found::Sums(Totals { samples: totals.samples - 1, ..totals }, vectors);
                let [expected, found] = [totals.samples, totals.samples - 1];
                let error = PartError::Samples { part: next, expected, found };
                assert_eq!(short.taken_by(&mut run, &part), refused(error));
            }
            _ => {
                if let Advance::Step(telemetry) = of_part.taken_by(&mut run, &part).unwrap() {
                    steps.push(telemetry);
                }
                continue;
            }
        }
        assert!(!run.is_inside_step(), "the step begins again");
    }
    assert!(met[0] > 4 && met[1] > 4, "{met:?}");
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
