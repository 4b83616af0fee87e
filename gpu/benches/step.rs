//! Time of a training step with the norm test's statistics and without, on synthetic pixels.
//!
//! `cargo bench -p adadagrad-gpu` prints time and images per second; the overhead of the test is the ratio of
//! `with` to `without`.

use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use adadagrad_core::config::{Preset, RunConfig};
use adadagrad_core::controller::{AnyController, Constant};
use adadagrad_core::dataset::Dataset;
use adadagrad_core::network::Model;
use adadagrad_core::trainer::Trainer;
use adadagrad_gpu::cpu::{ThreadsEngine, available_threads};
use adadagrad_gpu::dataset::SharedDataset;
use adadagrad_gpu::engine::Engine;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const SAMPLES: u32 = 4096;

/// Pixels computed as they are read.
struct Pixels;

impl Dataset<f32> for Pixels {
    fn len(&self) -> u32 {
        SAMPLES
    }

    fn input_len(&self) -> usize {
        784
    }

    #[allow(clippy::cast_precision_loss)]
    fn read(&self, index: u32, input: &mut [f32]) -> u32 {
        for (k, value) in (0_u32..).zip(input) {
            *value = (((index * 31 + k).wrapping_mul(2_654_435) >> 7) % 256) as f32 / 255.0;
        }
        index % 10
    }
}

fn step(criterion: &mut Criterion) {
    for (name, has_test) in [("step-with", true), ("step-without", false)] {
        let mut group = criterion.benchmark_group(name);
        group.sample_size(10).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(2));
        for model in Model::ALL {
            for batch in [64, 1024] {
                let mut counts = vec![NonZero::<usize>::MIN, available_threads()];
                counts.dedup();
                for threads in counts {
                    let base = Preset::PaperCnn.config();
                    let config = RunConfig {
                        model,
                        test: base.test.filter(|_| has_test),
                        controller: AnyController::Constant(Constant {}),
                        initial_batch: batch,
                        max_batch: batch,
                        sample_budget: 1 << 50,
                        ..base
                    };
                    let training: SharedDataset = Arc::new(Pixels);
                    let (Ok(mut trainer), Ok(mut engine)) =
                        (Trainer::new(config, SAMPLES), ThreadsEngine::new(&config, training, threads))
                    else {
                        continue;
                    };
                    group.throughput(Throughput::Elements(batch.into()));
                    let id = BenchmarkId::new(format!("{}/{threads}-threads", model.name()), batch);
                    group.bench_function(id, |bencher| {
                        bencher.iter(|| {
                            trainer.plan().map(|plan| engine.step(&mut trainer, &plan).map(|line| line.loss))
                        });
                    });
                }
            }
        }
    }
}

criterion_group!(benches, step);
criterion_main!(benches);
