//! A step takes no memory: what it needs was there before it. In a program of its own, whose allocator counts.
#![allow(clippy::unwrap_used, reason = "a test that meets the unexpected should stop there")]

use std::num::NonZero;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use adadagrad_core::backend::{Backend, FastBackend, PlainBackend};
use adadagrad_core::batch_test::{AnyTest, CoordinateNormTest, InnerProductTest, NormTest};
use adadagrad_core::config::{Preset, RunConfig};
use adadagrad_core::dataset::{Dataset, ReadError, SampleShape, Targets, Visit};
use adadagrad_core::model::Model;
use adadagrad_core::network::{Grain, Shape};
use adadagrad_core::owned::cluster::{Collective, CollectiveError, Reduction};
use adadagrad_core::owned::threads::ThreadsEngine;
use adadagrad_core::owned::{Advance, LocalRun, OwnedNetwork, SharedDataset};
use adadagrad_core::training::Trainer;
use adadagrad_tests::mnist::network;
use allocation_counter::measure;

const SAMPLES: u32 = 100;

struct Ramp(u32);

impl Dataset<f32> for Ramp {
    fn len(&self) -> u32 {
        self.0
    }

    fn shape(&self) -> SampleShape {
        SampleShape::floats(Shape::image(1, 28, 28), 10)
    }

    fn read(
        &self,
        Visit { sample, .. }: Visit,
        input: &mut [f32],
        targets: &mut Targets<'_, f32>,
    ) -> Result<(), ReadError> {
        for (pixel, value) in (0..).zip(input) {
            *value = if (pixel + sample).is_multiple_of(5) { 0.5 } else { 0.0 };
        }
        targets.labels.fill(sample % 10);
        Ok(())
    }
}

fn config(model: Model, test: AnyTest) -> RunConfig {
    RunConfig {
        model,
        test: Some(test),
        initial_batch: 70,
        min_batch: 70,
        max_batch: 70,
        ..Preset::Quick.config()
    }
}

fn step<M: Backend<f32> + Copy>(run: &mut LocalRun<f32, M>) {
    while !matches!(run.advance(&Ramp(SAMPLES)).unwrap(), Advance::Step(_)) {}
}

/// Allocations of the third step and the evaluation after it.
fn allocations(config: RunConfig, product: impl Backend<f32> + Copy) -> u64 {
    let mut run = LocalRun::<f32, _>::new(config, network(&config), SAMPLES, product).unwrap();
    step(&mut run);
    step(&mut run);
    let counted = measure(|| {
        step(&mut run);
        run.begin_evaluation(&Ramp(SAMPLES));
        while run.advance_evaluation(&Ramp(SAMPLES)).unwrap().is_none() {}
    });
    counted.count_total
}

fn tests() -> [AnyTest; 3] {
    [
        AnyTest::Norm(NormTest::default()),
        AnyTest::InnerProduct(InnerProductTest::default()),
        AnyTest::CoordinateNorm(CoordinateNormTest::default()),
    ]
}

#[test]
fn a_step_by_plain_loops_allocates_nothing() {
    for model in Model::MNIST {
        for test in tests() {
            assert_eq!(allocations(config(model, test), PlainBackend), 0, "{model:?}, {test:?}");
        }
    }
}

/// The library packs both matrices of each product into memory of its own.
#[test]
fn a_step_by_the_fast_product_allocates_only_in_the_library() {
    /// Both sweeps, 70 samples in micro-batches of 8 at least, and the evaluation: four products for a dense layer
    /// that others feed, and one for each of the evaluation's micro-batches.
    const MOST: u64 = 9 * 2 * 4 + 13;
    for test in tests() {
        assert_eq!(
            allocations(config(Model::Logistic, test), FastBackend),
            0,
            "the only layer has its own kernels"
        );
        for model in [Model::MLP, Model::Cnn] {
            let count = allocations(config(model, test), FastBackend);
            assert!((1..=MOST).contains(&count), "{model:?}, {test:?}: {count} allocations");
        }
    }
}

/// What the engine on threads says beforehand is what it comes to take: as much, and hardly more.
#[test]
fn an_engine_s_memory_is_known_beforehand() {
    // One thread: the counter does not see others.
    let threads = NonZero::<usize>::MIN;
    for test in tests() {
        let config = config(Model::Mlp { hidden: 1000 }, test);
        let network = network(&config);
        let mut trainer = Trainer::<f32>::new(config, SAMPLES).unwrap().with_grain(network.grain());
        let (needs, cut) = (trainer.needs(), trainer.cut(70));
        let planned = ThreadsEngine::memory_bytes(&config, &network, &needs, Some(cut), threads);
        let training: SharedDataset = Arc::new(Ramp(SAMPLES));
        let counted = measure(|| {
            let control = Arc::default();
            let mut engine =
                ThreadsEngine::of_network(&config, network.clone(), training.clone(), threads, control)
                    .unwrap();
            for _ in 0..2 {
                let plan = trainer.plan().unwrap();
                engine.step(&mut trainer, &plan).unwrap();
            }
            engine.evaluate(&training).unwrap();
        });
        let taken = counted.bytes_max;
        // The library's memory for packed matrices is not planned.
        let fair = taken - taken / 12..=taken + taken / 50;
        assert!(fair.contains(&planned), "{test:?}: {planned} bytes planned, {taken} taken");
    }
}

/// Ranks that copy to each other by way of memory that was there before: it is no engine's.
struct Board {
    rank: usize,
    /// From each rank to each.
    places: Arc<Vec<Vec<Mutex<Vec<u8>>>>>,
    barrier: Arc<Barrier>,
}

impl Board {
    fn cluster(ranks: usize, most: usize) -> Vec<Self> {
        let row = || (0..ranks).map(|_| Mutex::new(Vec::with_capacity(most))).collect();
        let places: Arc<Vec<Vec<_>>> = Arc::new((0..ranks).map(|_| row()).collect());
        let barrier = Arc::new(Barrier::new(ranks));
        (0..ranks).map(|rank| Self { rank, places: places.clone(), barrier: barrier.clone() }).collect()
    }
}

impl Collective for Board {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.places.len()
    }

    fn exchange(&mut self, messages: &[&[u8]], received: &mut [Vec<u8>]) -> Result<(), CollectiveError> {
        for (place, message) in self.places[self.rank].iter().zip(messages) {
            let mut place = place.lock().unwrap();
            assert!(message.len() <= place.capacity());
            place.clear();
            place.extend_from_slice(message);
        }
        self.barrier.wait();
        for (row, message) in self.places.iter().zip(received) {
            message.copy_from_slice(&row[self.rank].lock().unwrap());
        }
        self.barrier.wait();
        Ok(())
    }
}

/// Bytes that the first of three ranks takes for two steps with batches of this size, and those planned.
fn of_rank(batch: u32, test: AnyTest, reduction: Reduction) -> [u64; 2] {
    const RANKS: usize = 3;
    // One thread: the counter does not see others.
    let threads = NonZero::<usize>::MIN;
    let [initial_batch, min_batch, max_batch] = [batch; 3];
    let config = RunConfig {
        initial_batch,
        min_batch,
        max_batch,
        parts: 12,
        ..config(Model::Mlp { hidden: 1000 }, test)
    };
    let network = network(&config);
    let training: SharedDataset = Arc::new(Ramp(batch));
    let found = thread::scope(|scope| {
        let ranks: Vec<_> = Board::cluster(RANKS, 64 << 20)
            .into_iter()
            .map(|board| {
                let (network, training) = (network.clone(), training.clone());
                scope.spawn(move || {
                    let grain = Grain { samples: 4, ..network.grain() };
                    let mut trainer = Trainer::<f32>::new(config, batch).unwrap().with_grain(grain);
                    let (needs, cut) = (trainer.needs(), trainer.cut(batch));
                    assert_eq!(cut.parts(), 12);
                    let peers = (RANKS, reduction);
                    let planned = ThreadsEngine::memory_bytes_of_rank(
                        &config,
                        &network,
                        &needs,
                        Some(cut),
                        threads,
                        peers,
                    );
                    let peers: (Box<dyn Collective>, _) = (Box::new(board), reduction);
                    let counted = measure(|| {
                        let control = Arc::default();
                        let mut engine =
                            ThreadsEngine::of_cluster(&config, network, training, threads, control, peers)
                                .unwrap();
                        for _ in 0..2 {
                            let plan = trainer.plan().unwrap();
                            engine.step(&mut trainer, &plan).unwrap();
                        }
                    });
                    [counted.bytes_max, planned]
                })
            })
            .collect();
        ranks.into_iter().map(|rank| rank.join().unwrap()).collect::<Vec<_>>()
    });
    found[0]
}

/// A rank's memory is known beforehand, as docs/cluster.md has it, and does not grow with the batch.
#[test]
fn a_rank_s_memory_is_known_beforehand_and_flat_in_the_batch() {
    for test in tests() {
        for reduction in [Reduction::Exact, Reduction::Fast] {
            let [taken, planned] = of_rank(60, test, reduction);
            let fair = taken - taken / 12..=taken + taken / 12;
            assert!(
                fair.contains(&planned),
                "{test:?}, {reduction:?}: {planned} bytes planned, {taken} taken"
            );
        }
    }
    let norm = tests()[0];
    for reduction in [Reduction::Exact, Reduction::Fast] {
        let [few, many] = [60, 600].map(|batch| of_rank(batch, norm, reduction));
        assert_eq!(few[1], many[1]);
        assert!(many[0] <= few[0] + few[0] / 50, "{reduction:?}: {few:?} {many:?}");
    }
}

/// Memory does not grow with the batch, here from the smallest of as many parts as there ever are: the sums of parts are
/// merged as they come, and a micro-batch's memory is used again.
#[test]
fn a_larger_batch_takes_no_more_memory() {
    const BUDGET: u64 = 200_000_000;
    let model = Model::ResNet { depth: 20, width: 16 };
    let norm = AnyTest::Norm(NormTest::default());
    let settings = RunConfig { max_batch: 50_000, ..config(model, norm) };
    let cifar = SampleShape::image(Shape::image(3, 32, 32), 10);
    let resnet = OwnedNetwork::of_model(model, cifar).unwrap();
    let trainer = Trainer::<f32>::new(settings, 50_000).unwrap().with_grain(resnet.grain());
    for threads in [1, 2, 4].map(|threads| NonZero::new(threads).unwrap()) {
        let planned = [500, 5_000, 50_000].map(|batch| {
            let cut = Some(trainer.cut(batch));
            ThreadsEngine::memory_bytes(&settings, &resnet, &trainer.needs(), cut, threads)
        });
        assert_eq!(planned, [planned[0]; 3], "{threads} threads");
        assert!(planned[0] <= BUDGET, "{threads} threads: {} bytes", planned[0]);
    }

    // And so it is: a step with ten times as many samples takes not a byte more than the first one.
    const MANY: u32 = 40_000;
    let most = [4_000, MANY].map(|batch| {
        let [initial_batch, min_batch, max_batch] = [batch; 3];
        let settings = RunConfig { initial_batch, min_batch, max_batch, ..config(Model::Logistic, norm) };
        let counted = measure(|| {
            let network = network(&settings);
            let control = Arc::default();
            let mut trainer = Trainer::<f32>::new(settings, MANY).unwrap().with_grain(network.grain());
            let training: SharedDataset = Arc::new(Ramp(MANY));
            let mut engine =
                ThreadsEngine::of_network(&settings, network, training, NonZero::<usize>::MIN, control)
                    .unwrap();
            let plan = trainer.plan().unwrap();
            assert_eq!(plan.cut.samples(), batch);
            engine.step(&mut trainer, &plan).unwrap();
        });
        counted.bytes_max
    });
    assert_eq!(most[0], most[1]);
}

/// The counter counts.
#[test]
fn an_allocation_is_counted() {
    assert_eq!(measure(|| drop(std::hint::black_box(Box::new(7)))).count_total, 1);
}
