//! Your own network and data, trained by this crate: three spirals, two hidden layers.
//!
//!     cargo run --release -p adadagrad-core --features std --example own_network

use std::error::Error;

use adadagrad_core::backend::FastBackend;
use adadagrad_core::config::RunConfig;
use adadagrad_core::dataset::{Dataset, ReadError, SampleShape, Targets, Visit};
use adadagrad_core::layer::{Dense, Tanh};
use adadagrad_core::network::{Node, Shape};
use adadagrad_core::optimizer::{Adam, AnyOptimizer};
use adadagrad_core::owned::{Advance, LocalRun, OwnedNetwork};
use adadagrad_core::training::Telemetry;

const SAMPLES: u32 = 1_500;
const CLASSES: u32 = 3;

/// Points on three spirals, computed when they are read.
struct Spirals;

impl Dataset<f32> for Spirals {
    fn shape(&self) -> SampleShape {
        SampleShape::floats(Shape::vector(2), CLASSES)
    }

    fn len(&self) -> u32 {
        SAMPLES
    }

    fn read(&self, visit: Visit, input: &mut [f32], targets: &mut Targets<'_, f32>) -> Result<(), ReadError> {
        let class = visit.sample % CLASSES;
        let radius = visit.sample as f32 / SAMPLES as f32;
        let angle = 4.0 * radius + class as f32 * core::f32::consts::TAU / CLASSES as f32;
        input.copy_from_slice(&[2.0 * radius * angle.sin(), 2.0 * radius * angle.cos()]);
        targets.labels[0] = class;
        Ok(())
    }
}

fn train(sample_budget: u64) -> Result<Vec<Telemetry>, Box<dyn Error>> {
    let layers = [
        Dense { outputs: 32 }.into(),
        Tanh.into(),
        Dense { outputs: 32 }.into(),
        Tanh.into(),
        Dense { outputs: CLASSES }.into(),
    ];
    let network = OwnedNetwork::of_nodes(&Node::chain(layers), Dataset::<f32>::shape(&Spirals))?;
    let config = RunConfig {
        optimizer: AnyOptimizer::Adam(Adam::default()),
        learning_rate: 0.01,
        initial_batch: 8,
        max_batch: SAMPLES,
        sample_budget,
        ..RunConfig::own()
    };
    let mut run = LocalRun::new(config, network, SAMPLES, FastBackend)?;
    let mut steps = Vec::new();
    loop {
        match run.advance(&Spirals)? {
            Advance::Working => {}
            Advance::Step(telemetry) => steps.push(telemetry),
            Advance::Finished => return Ok(steps),
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    for Telemetry { step, samples, loss, training_accuracy, .. } in train(600_000)? {
        println!("step {step:>4}  batch {samples:>4}  loss {loss:.3}  accuracy {training_accuracy:.3}");
    }
    Ok(())
}

#[test]
fn the_batch_grows_and_the_loss_falls() {
    let steps = train(150_000).expect("a run");
    let [first, .., last] = &*steps else { panic!("{} steps", steps.len()) };
    assert!(last.samples > first.samples && last.loss < 0.5 * first.loss, "{first:?} {last:?}");
}
