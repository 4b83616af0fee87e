//! Your own images, trained on a GPU, or on the processor's threads where there is none.
//!
//!     cargo run --release -p adadagrad-gpu --example own_data

use std::error::Error;
use std::num::NonZero;
use std::sync::Arc;

use adadagrad_core::config::{DatasetName, RunConfig};
use adadagrad_core::model::Model;
use adadagrad_core::network::Shape;
use adadagrad_core::owned::SharedDataset;
use adadagrad_core::owned::threads::ThreadsEngine;
use adadagrad_core::random::Key;
use adadagrad_core::training::Trainer;
use adadagrad_gpu::dataset::Images;
use adadagrad_gpu::engine::Engine;
use adadagrad_gpu::gpu::GpuEngine;
use adadagrad_gpu::run::Run;
use adadagrad_gpu::telemetry::Line;
use adadagrad_gpu::webgpu::Options;

const SIDE: u32 = 8;

/// Noisy images of horizontal and of vertical stripes: yours come from wherever you have them, one byte per pixel.
fn stripes(samples: u32, seed: u64) -> Result<SharedDataset, &'static str> {
    let noise = Key::new(seed, 0);
    let labels: Vec<u8> = (0..samples).map(|sample| (sample % 2) as u8).collect();
    let pixel = |index: u32| {
        let (sample, row, column) = (index / SIDE / SIDE, index / SIDE % SIDE, index % SIDE);
        let along = if sample % 2 == 0 { row } else { column };
        (along % 2 * 90 + noise.bits(index) % 160) as u8
    };
    let bytes: Vec<u8> = (0..samples * SIDE * SIDE).map(pixel).collect();
    let images = Images::new(bytes.into(), labels.into(), Shape::image(1, SIDE, SIDE), 2);
    Ok(Arc::new(images.ok_or("the labels do not fit the images")?))
}

fn config(training: &SharedDataset) -> RunConfig {
    RunConfig {
        dataset: DatasetName::Own,
        model: Model::MLP,
        learning_rate: 0.01,
        initial_batch: 16,
        max_batch: training.len(),
        sample_budget: 12_000,
        evaluate_every: 4_000,
        ..RunConfig::default()
    }
}

/// The same on every engine: one line per step.
fn train<E: Engine>(
    engine: E,
    config: RunConfig,
    [training, test]: [&SharedDataset; 2],
) -> Result<Vec<Line>, Box<dyn Error>> {
    let mut run = Run::new(Trainer::new(config, training.len())?, engine);
    let mut lines = Vec::new();
    while let Some(line) = run.step(test)? {
        lines.push(line);
    }
    Ok(lines)
}

fn main() -> Result<(), Box<dyn Error>> {
    let (training, test) = (stripes(2_000, 7)?, stripes(500, 8)?);
    let config = config(&training);
    let options = Options::of_adapter(None, |notice| eprintln!("{notice}"));
    let lines = match GpuEngine::new(&config, Arc::clone(&training), options) {
        Ok(gpu) => train(gpu, config, [&training, &test])?,
        Err(error) => {
            eprintln!("{error}: training on the CPU");
            let threads = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
            train(ThreadsEngine::new(&config, Arc::clone(&training), threads)?, config, [&training, &test])?
        }
    };
    for Line { telemetry, accuracy, .. } in lines {
        let accuracy = accuracy.map_or(String::new(), |accuracy| format!("  test accuracy {accuracy:.3}"));
        println!(
            "step {:>4}  batch {:>4}  loss {:.4}{accuracy}",
            telemetry.step, telemetry.samples, telemetry.loss
        );
    }
    Ok(())
}

#[test]
fn the_processor_learns_them() {
    let (training, test) = (stripes(2_000, 7).expect("data"), stripes(500, 8).expect("data"));
    let config = config(&training);
    let engine =
        ThreadsEngine::new(&config, Arc::clone(&training), NonZero::<usize>::MIN).expect("an engine");
    let lines = train(engine, config, [&training, &test]).expect("a run");
    let last = lines.iter().filter_map(|line| line.accuracy).next_back();
    assert!(last.is_some_and(|accuracy| accuracy > 0.95), "{last:?}");
}
