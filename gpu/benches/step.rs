//! Time of a training step with the norm test's statistics and without, and of the statistics that each kind of
//! test asks for: for the networks for MNIST on synthetic pixels of which as many are zero as of MNIST's, for some of those
//! for CIFAR-10 on pixels none of which is.
//!
//! `cargo bench -p adadagrad-gpu` prints time and samples per second; the overhead of the test is the ratio of
//! `step-with` to `step-without`.

use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use adadagrad_core::config::{Preset, RunConfig};
use adadagrad_core::controller::{AnyController, Constant};
use adadagrad_core::dataset::{Dataset, ReadError, SampleShape, Targets, Visit};
use adadagrad_core::model::Model;
use adadagrad_core::network::Shape;
use adadagrad_core::owned::SharedDataset;
use adadagrad_core::owned::threads::{ThreadsEngine, available_threads};
use adadagrad_core::statistics::Needs;
use adadagrad_core::training::{BatchOrder, Trainer};
use adadagrad_gpu::run::Run;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const SAMPLES: u32 = 4096;

/// Pixels computed as they are read: of grey images one in five is not zero.
struct Pixels(Shape);

/// Every network with what it is for, and the batch sizes that it is measured at.
fn cases() -> impl Iterator<Item = (Model, Shape, &'static [u32])> {
    let mnist = Model::MNIST.map(|model| (model, Shape::image(1, 28, 28), [16, 64, 1024].as_slice()));
    let resnet = Model::ResNet { depth: 20, width: 16 };
    let cifar = [Model::CifarCnn, resnet].map(|model| (model, Shape::image(3, 32, 32), [64].as_slice()));
    mnist.into_iter().chain(cifar)
}

/// The start of a run.
fn start(
    config: RunConfig,
    shape: Shape,
    threads: NonZero<usize>,
) -> Result<Run<ThreadsEngine>, Box<dyn std::error::Error>> {
    let training: SharedDataset = Arc::new(Pixels(shape));
    let engine = ThreadsEngine::new(&config, training, threads)?;
    Ok(Run::new(Trainer::new(config, SAMPLES)?, engine))
}

impl Dataset<f32> for Pixels {
    fn len(&self) -> u32 {
        SAMPLES
    }

    fn shape(&self) -> SampleShape {
        SampleShape::image(self.0, 10)
    }

    #[allow(clippy::cast_precision_loss)]
    fn read(
        &self,
        Visit { sample: index, .. }: Visit,
        input: &mut [f32],
        targets: &mut Targets<'_, f32>,
    ) -> Result<(), ReadError> {
        for (k, value) in (0_u32..).zip(input) {
            let noise = (index * 3072 + k).wrapping_mul(2_654_435_761) >> 8;
            let is_ink = self.0.channels > 1 || noise.is_multiple_of(5);
            *value = if is_ink { ((noise >> 8) % 256) as f32 / 255.0 } else { 0.0 };
        }
        targets.labels.fill(index % 10);
        Ok(())
    }
}

/// A run of constant batches.
fn config(model: Model, batch: u32) -> RunConfig {
    RunConfig {
        model,
        controller: AnyController::Constant(Constant {}),
        initial_batch: batch,
        max_batch: batch,
        sample_budget: 1 << 50,
        ..Preset::PaperCnn.config()
    }
}

fn thread_counts() -> Vec<NonZero<usize>> {
    let mut counts = vec![NonZero::<usize>::MIN, available_threads()];
    counts.dedup();
    counts
}

/// Statistics of a batch, its gradient among them, by what a test asks for.
fn statistics(criterion: &mut Criterion) {
    let kinds = [
        ("gradient", Needs::NONE),
        ("norms", Needs { norms: true, ..Needs::NONE }),
        ("inner-products", Needs { norms: true, inner: true, ..Needs::NONE }),
        ("coordinates", Needs { coordinate_quantile: Some(1.0), ..Needs::NONE }),
    ];
    let mut group = criterion.benchmark_group("statistics");
    group.sample_size(10).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(2));
    for (model, shape, batches) in cases() {
        for &batch in batches.iter().filter(|&&batch| batch >= 64) {
            let Ok(mut run) = start(config(model, batch), shape, available_threads()) else { continue };
            let cut = run.trainer().cut(batch);
            let visit = BatchOrder::Shuffled { order: run.trainer().order(), start: 0 };
            for (kind, needs) in &kinds {
                group.throughput(Throughput::Elements(batch.into()));
                group.bench_function(BenchmarkId::new(format!("{}/{kind}", model), batch), |bencher| {
                    bencher.iter(|| run.engine_mut().evidence(cut, visit, needs).map(|it| it.loss));
                });
            }
        }
    }
}

fn step(criterion: &mut Criterion) {
    for (name, has_test) in [("step-with", true), ("step-without", false)] {
        let mut group = criterion.benchmark_group(name);
        group.sample_size(10).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(2));
        for (model, shape, batches) in cases() {
            for &batch in batches {
                for threads in thread_counts() {
                    let config = config(model, batch);
                    let config = RunConfig { test: config.test.filter(|_| has_test), ..config };
                    let Ok(mut run) = start(config, shape, threads) else { continue };
                    group.throughput(Throughput::Elements(batch.into()));
                    let id = BenchmarkId::new(format!("{}/{threads}-threads", model), batch);
                    group.bench_function(id, |bencher| {
                        bencher.iter(|| run.train().map(|line| line.map(|line| line.telemetry.loss)));
                    });
                }
            }
        }
    }
}

criterion_group!(benches, step, statistics);
criterion_main!(benches);
