//! A step takes no memory: what it needs was there before it. In a program of its own, whose allocator counts.
#![allow(clippy::unwrap_used, reason = "a test that meets the unexpected should stop there")]

use std::num::NonZero;
use std::sync::Arc;

use adadagrad_core::backend::{Backend, FastBackend, PlainBackend};
use adadagrad_core::batch_test::{AnyTest, CoordinateNormTest, InnerProductTest, NormTest};
use adadagrad_core::config::{Preset, RunConfig};
use adadagrad_core::dataset::{Dataset, ReadError, SampleShape, Targets, Visit};
use adadagrad_core::model::Model;
use adadagrad_core::network::Shape;
use adadagrad_core::owned::threads::ThreadsEngine;
use adadagrad_core::owned::{Advance, LocalRun, SharedDataset};
use adadagrad_core::training::Trainer;
use adadagrad_tests::mnist::network;
use allocation_counter::measure;

const SAMPLES: u32 = 100;

struct Ramp;

impl Dataset<f32> for Ramp {
    fn len(&self) -> u32 {
        SAMPLES
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
    while !matches!(run.advance(&Ramp).unwrap(), Advance::Step(_)) {}
}

/// Allocations of the third step and the evaluation after it.
fn allocations(config: RunConfig, product: impl Backend<f32> + Copy) -> u64 {
    let mut run = LocalRun::<f32, _>::new(config, network(&config), SAMPLES, product).unwrap();
    step(&mut run);
    step(&mut run);
    let counted = measure(|| {
        step(&mut run);
        run.begin_evaluation(&Ramp);
        while run.advance_evaluation(&Ramp).unwrap().is_none() {}
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
        let training: SharedDataset = Arc::new(Ramp);
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

/// The counter counts.
#[test]
fn an_allocation_is_counted() {
    assert_eq!(measure(|| drop(std::hint::black_box(Box::new(7)))).count_total, 1);
}
