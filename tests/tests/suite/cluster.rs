//! A run on several ranks is the run on one process, to the bit.

use std::num::NonZero;
use std::sync::Arc;
use std::thread;

use adadagrad_core::batch_test::{AnyTest, WorkerNormTest};
use adadagrad_core::config::RunConfig;
use adadagrad_core::controller::AnyController;
use adadagrad_core::dataset::{Dataset, ReadError, SampleShape, Targets, Visit};
use adadagrad_core::model::Model;
use adadagrad_core::network::Grain;
use adadagrad_core::owned::cluster::{Channels, Collective, CollectiveError, Reduction};
use adadagrad_core::owned::threads::{ThreadsEngine, ThreadsError};
use adadagrad_core::owned::{Control, Evaluated, SharedDataset};
use adadagrad_core::training::{Progress, Telemetry, Trainer};
use adadagrad_tests::compare::fingerprint;
use adadagrad_tests::mnist::network;

use crate::determinism::{Images, run_configs};
use crate::rules;

const SAMPLES: u32 = 90;
/// Batches of up to 80 samples have up to ten parts.
const GRAIN: Grain = Grain { samples: 8, parts: 32 };

/// Where a run stands, as a checkpoint holds it.
#[derive(Clone)]
struct Saved {
    progress: Progress<f64>,
    parameters: Vec<f32>,
    memory: Vec<f32>,
}

/// A run to its end: its steps, the bits of its parameters and memory, and an evaluation.
#[derive(Clone, Debug, PartialEq)]
struct Outcome {
    steps: Vec<Telemetry>,
    parameters: u64,
    memory: u64,
    evaluated: Evaluated,
}

type Ended = Result<Outcome, ThreadsError>;

/// An engine of one rank, or alone.
fn engine(
    config: &RunConfig,
    threads: usize,
    training: SharedDataset,
    collective: Option<(Box<dyn Collective>, Reduction)>,
) -> ThreadsEngine {
    let threads = NonZero::new(threads).unwrap();
    let (network, control) = (network(config), Arc::<Control>::default());
    match collective {
        None => ThreadsEngine::of_network(config, network, training, threads, control),
        Some(peers) => ThreadsEngine::of_cluster(config, network, training, threads, control, peers),
    }
    .unwrap()
}

fn finish(engine: &mut ThreadsEngine, trainer: &mut Trainer<f32>, most: usize) -> Ended {
    let mut steps = Vec::new();
    while let Some(plan) = trainer.plan().filter(|_| steps.len() < most) {
        steps.push(engine.step(trainer, &plan)?);
    }
    let test: SharedDataset = Arc::new(Images::new(150));
    Ok(Outcome {
        steps,
        parameters: fingerprint(&engine.parameters()),
        memory: fingerprint(&engine.memory()),
        evaluated: engine.evaluate(&test)?,
    })
}

fn begin(config: &RunConfig, saved: Option<&Saved>, engine: &mut ThreadsEngine) -> Trainer<f32> {
    let trainer = match saved {
        None => Trainer::new(*config, SAMPLES),
        Some(saved) => {
            engine.restore(&saved.parameters, Some(&saved.memory)).unwrap();
            Trainer::resume(*config, SAMPLES, saved.progress)
        }
    };
    trainer.unwrap().with_grain(GRAIN)
}

fn images() -> SharedDataset {
    Arc::new(Images::new(SAMPLES))
}

fn alone(config: &RunConfig) -> Outcome {
    let mut engine = engine(config, 1, images(), None);
    let mut trainer = begin(config, None, &mut engine);
    finish(&mut engine, &mut trainer, usize::MAX).unwrap()
}

/// Does the same on every rank of a cluster, each on a thread of its own.
fn on_ranks<T: Send>(
    ranks: usize,
    wrap: impl Fn(Channels) -> Box<dyn Collective> + Sync,
    act: impl Fn(usize, Box<dyn Collective>) -> T + Sync,
) -> Vec<T> {
    thread::scope(|scope| {
        let threads: Vec<_> = (0..)
            .zip(Channels::cluster(ranks))
            .map(|(rank, channels)| {
                let (wrap, act) = (&wrap, &act);
                scope.spawn(move || act(rank, wrap(channels)))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn boxed(channels: Channels) -> Box<dyn Collective> {
    Box::new(channels)
}

fn together(config: &RunConfig, ranks: usize, threads: usize, reduction: Reduction) -> Vec<Ended> {
    on_ranks(ranks, boxed, |_, collective| {
        let mut engine = engine(config, threads, images(), Some((collective, reduction)));
        let mut trainer = begin(config, None, &mut engine);
        finish(&mut engine, &mut trainer, usize::MAX)
    })
}

/// Every test and every optimizer, on batches of several parts; and every rule.
fn configs() -> Vec<RunConfig> {
    let large = |config| RunConfig { initial_batch: 50, sample_budget: 300, ..config };
    let tests = run_configs().into_iter().map(large);
    let rules = rules::rules().into_iter().filter(|rule| !rule.needs().step_time).map(|rule| {
        let needs_squares = rule.needs().sensors.preconditioned;
        let optimizer = rules::optimizer(if needs_squares { "adagrad" } else { "sgd" });
        RunConfig { sample_budget: 400, ..rules::config(rule, optimizer) }
    });
    let mlp = RunConfig { model: Model::MLP, sample_budget: 160, ..large(run_configs()[3]) };
    tests.chain(rules).chain([mlp]).collect()
}

#[test]
fn any_number_of_ranks_and_threads_gives_the_same_bits() {
    let mut several = 0;
    for config in configs() {
        let expected = alone(&config);
        assert!(expected.steps.len() > 1, "{config:?}");
        several += usize::from(expected.steps.iter().any(|step| step.samples > 3 * GRAIN.samples));
        for (ranks, threads) in [(1, 2), (2, 1), (3, 2), (5, 1)] {
            for outcome in together(&config, ranks, threads, Reduction::Exact) {
                let outcome = outcome.unwrap();
                assert_eq!(outcome, expected, "{ranks} ranks with {threads} threads: {config:?}");
            }
        }
    }
    assert!(several > 20, "{several} runs with batches of several parts");
}

/// Parts come from the settings, and no number of ranks and threads changes what they make: fewer parts than ranks, one of
/// 80 samples, and as many as the grain allows.
#[test]
fn the_number_of_parts_is_a_setting_and_the_bits_follow_from_it_alone() {
    let with_parts =
        |config: RunConfig, parts| RunConfig { parts, initial_batch: 70, min_batch: 70, ..config };
    let mut found = Vec::new();
    for (parts, most) in [(0, 10), (1, 1), (2, 2), (7, 7), (1024, 10)] {
        for config in [run_configs()[0], run_configs()[3], run_configs()[4]] {
            let config = with_parts(config, parts);
            let expected = alone(&config);
            let mut alone = engine(&config, 1, images(), None);
            let trainer = begin(&config, None, &mut alone);
            assert_eq!(trainer.cut(80).parts(), most);
            for (ranks, threads) in [(1, 2), (2, 1), (3, 2), (5, 1)] {
                for outcome in together(&config, ranks, threads, Reduction::Exact) {
                    assert_eq!(outcome.unwrap(), expected, "{parts} parts, {ranks} ranks, {threads} threads");
                }
            }
            found.push((parts, expected.parameters));
        }
    }
    // As many as the grain allows is what 0 gives here, and any other number another order of sums.
    let of = |parts| found.iter().filter(move |(of, _)| *of == parts).map(|(_, bits)| *bits);
    assert!(of(0).eq(of(1024)));
    for parts in [1, 2, 7] {
        assert!(of(0).zip(of(parts)).all(|(a, b)| a != b), "{parts} parts");
    }
    // A test that compares more parts gets them.
    let workers = with_parts(run_configs()[5], 2);
    let mut alone = engine(&workers, 1, images(), None);
    assert_eq!(begin(&workers, None, &mut alone).cut(80).parts(), 3);
}

/// The sum over ranks is another one, but close; and the same on every rank.
#[test]
fn the_fast_reduction_is_close_and_the_same_on_every_rank() {
    for config in configs() {
        let expected = alone(&config);
        let one = together(&config, 1, 1, Reduction::Fast).remove(0).unwrap();
        assert_eq!(one, expected, "{config:?}");
        let outcomes: Vec<Outcome> =
            together(&config, 3, 1, Reduction::Fast).into_iter().map(Result::unwrap).collect();
        assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]), "{config:?}");
        let [found, step] = [&outcomes[0], &expected].map(|outcome| outcome.steps[0]);
        assert_eq!(found.samples, step.samples);
        let near =
            |name, a: f64, b: f64| assert!((a - b).abs() <= 1e-5 * b.abs(), "{name} {a} {b} {config:?}");
        near("loss", found.loss, step.loss);
        near("norm", found.mean_norm_sq, step.mean_norm_sq);
        if let (Some(a), Some(b)) = (found.variance, step.variance) {
            near("variance", a, b);
        }
    }
}

/// In the fast reduction the ranks are the workers: with as many ranks as parts it is the exact test.
#[test]
fn ranks_are_the_workers_of_the_fast_worker_gradient_test() {
    let test = Some(AnyTest::WorkerNorm(WorkerNormTest { eta: 0.5, workers: 3 }));
    let config = RunConfig { test, initial_batch: 9, sample_budget: 9, ..run_configs()[0] };
    let of_first_step = |trainer_grain| {
        let outcomes = on_ranks(3, boxed, |_, collective| {
            let mut engine = engine(&config, 1, images(), Some((collective, Reduction::Fast)));
            let mut trainer = begin(&config, None, &mut engine).with_grain(trainer_grain);
            finish(&mut engine, &mut trainer, 1).unwrap().steps[0]
        });
        outcomes[0].worker_variance.unwrap()
    };
    let exact = alone(&config).steps[0].worker_variance.unwrap();
    let three_parts = of_first_step(GRAIN);
    assert!((three_parts / exact - 1.0).abs() < 1e-5, "{three_parts} {exact}");
    // Nine parts of one sample on three ranks: three workers still.
    let nine_parts = of_first_step(Grain { samples: 1, parts: 9 });
    assert!((nine_parts / exact - 1.0).abs() < 1e-5, "{nine_parts} {exact}");
}

/// Every rank decides from the same measured time.
#[test]
fn measured_times_are_those_of_the_first_rank() {
    let rule = AnyController::all().into_iter().find(|rule| rule.needs().step_time).unwrap();
    let config = RunConfig { sample_budget: 600, ..rules::config(rule, rules::optimizer("sgd")) };
    let outcomes: Vec<Outcome> =
        together(&config, 3, 1, Reduction::Exact).into_iter().map(Result::unwrap).collect();
    assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]));
}

#[test]
fn a_run_goes_on_with_another_number_of_ranks() {
    for config in
        [run_configs()[4], run_configs()[12], rules::config(rules::rules()[8], rules::optimizer("sgd"))]
    {
        let config = RunConfig { initial_batch: 30, sample_budget: 500, ..config };
        let expected = alone(&config);
        let half = expected.steps.len() / 2;
        let saved = on_ranks(3, boxed, |_, collective| {
            let mut engine = engine(&config, 1, images(), Some((collective, Reduction::Exact)));
            let mut trainer = begin(&config, None, &mut engine);
            finish(&mut engine, &mut trainer, half).unwrap();
            Saved { progress: *trainer.progress(), parameters: engine.parameters(), memory: engine.memory() }
        });
        for ranks in [1, 2, 4] {
            let outcomes = on_ranks(ranks, boxed, |_, collective| {
                let mut engine = engine(&config, 1, images(), Some((collective, Reduction::Exact)));
                let mut trainer = begin(&config, Some(&saved[0]), &mut engine);
                finish(&mut engine, &mut trainer, usize::MAX).unwrap()
            });
            for outcome in outcomes {
                assert_eq!(outcome.steps, expected.steps[half..]);
                let bits = |outcome: &Outcome| (outcome.parameters, outcome.memory);
                assert_eq!(bits(&outcome), bits(&expected));
            }
        }
    }
}

/// What is wrong with two of the parts that another rank has swept.
#[derive(Clone, Copy, Debug)]
enum Mistake {
    /// The sums over coordinates of the first do not arrive.
    Lost,
    /// Those of the first arrive in place of the second's as well.
    Doubled,
    /// The two change places, with all that is said about them.
    Exchanged,
}

struct Mistaken(Channels, Mistake);

/// Parts of a batch that a rank sweeps.
const PARTS: usize = 4;

impl Collective for Mistaken {
    fn rank(&self) -> usize {
        self.0.rank()
    }

    fn size(&self) -> usize {
        self.0.size()
    }

    fn exchange(&mut self, messages: &[&[u8]], received: &mut [Vec<u8>]) -> Result<(), CollectiveError> {
        self.0.exchange(messages, received)?;
        let (header, plain_sums) = (128, 52);
        let is_of_coordinates = !is_gathered(messages);
        let parts = match &mut received[1 - self.0.rank()][..] {
            message if is_of_coordinates => message,
            message if message.len() == header + PARTS * plain_sums => &mut message[header..],
            _ => return Ok(()),
        };
        let len = parts.len() / PARTS;
        let (first, rest) = parts.split_at_mut(len);
        match self.1 {
            Mistake::Lost if is_of_coordinates => first.fill(0),
            Mistake::Doubled if is_of_coordinates => rest[..len].copy_from_slice(first),
            Mistake::Exchanged => first.swap_with_slice(&mut rest[..len]),
            _ => {}
        }
        Ok(())
    }
}

/// Whether all are sent the same.
fn is_gathered(messages: &[&[u8]]) -> bool {
    messages.windows(2).all(|pair| pair[0] == pair[1])
}

/// The tests above would notice.
#[test]
fn a_part_that_is_lost_or_doubled_or_out_of_order_shows() {
    let config = RunConfig { initial_batch: 64, min_batch: 64, sample_budget: 2000, ..run_configs()[0] };
    let expected = alone(&config);
    for mistake in [Mistake::Lost, Mistake::Doubled, Mistake::Exchanged] {
        let outcomes = on_ranks(
            2,
            |channels| Box::new(Mistaken(channels, mistake)),
            |_, collective| {
                let mut engine = engine(&config, 1, images(), Some((collective, Reduction::Exact)));
                let mut trainer = begin(&config, None, &mut engine);
                finish(&mut engine, &mut trainer, usize::MAX)
            },
        );
        for outcome in outcomes {
            assert!(outcome.is_err() || outcome.is_ok_and(|outcome| outcome != expected), "{mistake:?}");
        }
    }
}

/// Images of which one cannot be read.
struct Broken(Images);

impl Dataset<f32> for Broken {
    fn len(&self) -> u32 {
        Dataset::<f32>::len(&self.0)
    }

    fn shape(&self) -> SampleShape {
        Dataset::<f32>::shape(&self.0)
    }

    fn read(&self, visit: Visit, input: &mut [f32], targets: &mut Targets<'_, f32>) -> Result<(), ReadError> {
        if visit.sample == 17 {
            return Err(ReadError::with_code("a broken image", 5));
        }
        self.0.read(visit, input, targets)
    }
}

/// One rank's failure ends the step on all of them, and none waits for ever.
#[test]
fn the_failure_of_a_rank_is_everyone_s() {
    let config = RunConfig { initial_batch: 90, min_batch: 90, max_batch: 90, ..run_configs()[0] };
    let errors = on_ranks(3, boxed, |rank, collective| {
        let training: SharedDataset =
            if rank == 1 { Arc::new(Broken(Images::new(SAMPLES))) } else { images() };
        let mut engine = engine(&config, 1, training, Some((collective, Reduction::Exact)));
        let mut trainer = begin(&config, None, &mut engine);
        let before = fingerprint(&engine.parameters());
        let error = finish(&mut engine, &mut trainer, 9);
        let unchanged = trainer.progress().steps > 0 || before == fingerprint(&engine.parameters());
        assert!(unchanged);
        error.map(|_| ()).map_err(|error| error.to_string())
    });
    // Which rank sweeps the broken image changes from step to step.
    if errors.iter().any(Result::is_err) {
        let errors: Vec<String> = errors.into_iter().map(Result::unwrap_err).collect();
        assert!(errors[1].contains("a broken image"), "{errors:?}");
        for other in [0, 2] {
            assert!(
                errors[other].starts_with("rank 1: ") && errors[other].contains("a broken image"),
                "{errors:?}"
            );
        }
    } else {
        panic!("the broken image was not met");
    }
}

/// A rank that was asked to end takes the others along, between the same two steps; and all can go on.
#[test]
fn a_rank_that_is_cancelled_takes_the_others_along() {
    let config = RunConfig { sample_budget: 300, ..run_configs()[3] };
    let expected = alone(&config);
    let outcomes = on_ranks(3, boxed, |rank, collective| {
        let mut engine = engine(&config, 1, images(), Some((collective, Reduction::Exact)));
        let mut trainer = begin(&config, None, &mut engine);
        finish(&mut engine, &mut trainer, 2).unwrap();
        let control = Arc::clone(engine.control());
        if rank == 2 {
            control.cancel();
        }
        let error = finish(&mut engine, &mut trainer, usize::MAX).unwrap_err();
        assert!(matches!(error, ThreadsError::Cancelled), "{error:?}");
        assert_eq!(trainer.progress().steps, 2);
        control.go_on();
        finish(&mut engine, &mut trainer, usize::MAX).unwrap()
    });
    for outcome in outcomes {
        assert_eq!(outcome.parameters, expected.parameters);
        assert_eq!(outcome.steps, expected.steps[2..]);
    }
}

/// A rank that is gone is an error of the others.
#[test]
fn a_rank_that_is_gone_is_named() {
    let config = run_configs()[0];
    let errors = on_ranks(3, boxed, |rank, collective| {
        let mut engine = engine(&config, 1, images(), Some((collective, Reduction::Exact)));
        let mut trainer = begin(&config, None, &mut engine);
        let most = if rank == 1 { 2 } else { usize::MAX };
        let mut made = 0;
        loop {
            let plan = trainer.plan().filter(|_| made < most)?;
            match engine.step(&mut trainer, &plan) {
                Ok(_) => made += 1,
                Err(error) => return Some(error.to_string()),
            }
        }
    });
    let gone = |rank: usize| {
        let error = errors[rank].as_deref().unwrap();
        assert!(error.starts_with("rank ") && error.ends_with(" has ended"), "{error}");
    };
    assert_eq!(errors[1], None);
    gone(0);
    gone(2);
}

/// Bytes that a rank sends for a step: as docs/cluster.md has it.
#[test]
fn as_many_bytes_are_sent_as_the_formula_says() {
    let config = RunConfig { initial_batch: 64, min_batch: 64, max_batch: 64, ..run_configs()[0] };
    for (reduction, ranks) in [(Reduction::Exact, 2), (Reduction::Exact, 4), (Reduction::Fast, 4)] {
        let sent: Vec<[u64; 2]> = on_ranks(ranks, boxed, |_, collective| {
            let mut engine = engine(&config, 1, images(), Some((collective, reduction)));
            let mut trainer = begin(&config, None, &mut engine);
            finish(&mut engine, &mut trainer, 1).unwrap();
            let before = engine.traffic().unwrap();
            let plan = trainer.plan().unwrap();
            engine.step(&mut trainer, &plan).unwrap();
            [engine.traffic().unwrap().bytes - before.bytes, engine.parameters().len() as u64]
        });
        let (ranks, parts) = (ranks as u64, 8);
        let parameters = sent[0][1];
        let total: u64 = sent.iter().map(|[bytes, _]| bytes).sum();
        let sums = if reduction == Reduction::Fast { ranks } else { parts };
        // All ranks together: the parts' slices, ḡ, the norms of its blocks, each part's plain sums, two headers.
        let expected = (ranks - 1)
            * (sums * parameters * 4 / ranks
                + parameters * 4
                + parameters.div_ceil(1024) * 8
                + sums * 52
                + ranks * 2 * 128);
        // Slices are whole blocks, so those of the ranks differ a little.
        let tolerance = sums * ranks * 1024 * 4;
        assert!(total.abs_diff(expected) <= tolerance, "{reduction:?} {ranks}: {total} {expected}");
    }
}
