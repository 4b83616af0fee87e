//! One run on several ranks: each computes a share of every batch and holds all parameters. Here the ranks are threads that
//! talk over channels; a network of your own is another implementation of `Collective`. The run has the same bits on any number
//! of ranks.
//!
//!     cargo run --release -p adadagrad-core --features std --example cluster

use std::error::Error;
use std::num::NonZero;
use std::sync::Arc;
use std::thread;

use adadagrad_core::config::{DatasetName, RunConfig};
use adadagrad_core::images::LabelledImages;
use adadagrad_core::model::Model;
use adadagrad_core::network::{Grain, Shape};
use adadagrad_core::owned::cluster::{Channels, Collective, Reduction};
use adadagrad_core::owned::threads::ThreadsEngine;
use adadagrad_core::owned::{Control, OwnedNetwork, SharedDataset};
use adadagrad_core::random::Key;
use adadagrad_core::training::{Telemetry, Trainer};

const SAMPLES: u32 = 2_000;
const SIDE: u32 = 8;
const THREADS: NonZero<usize> = NonZero::<usize>::MIN;
/// Batches are cut into parts of 16 samples or more, 8 parts at most: by the settings, never by the number of ranks.
const GRAIN: Grain = Grain { samples: 16, parts: 8 };

type Failure = Box<dyn Error + Send + Sync>;

/// Noisy images of horizontal and of vertical stripes.
fn stripes() -> Result<SharedDataset, Failure> {
    let noise = Key::new(7, 0);
    let labels: Vec<u8> = (0..SAMPLES).map(|sample| (sample % 2) as u8).collect();
    let pixel = |index: u32| {
        let (sample, row, column) = (index / SIDE / SIDE, index / SIDE % SIDE, index % SIDE);
        let along = if sample % 2 == 0 { row } else { column };
        (along % 2 * 90 + noise.bits(index) % 160) as u8
    };
    let bytes: Vec<u8> = (0..SAMPLES * SIDE * SIDE).map(pixel).collect();
    Ok(Arc::new(LabelledImages::new(bytes, labels, Shape::image(1, SIDE, SIDE), 2).ok_or("wrong sizes")?))
}

/// What one rank does: every rank does the same, in the same order.
fn rank(data: SharedDataset, collective: Box<dyn Collective>) -> Result<Vec<Telemetry>, Failure> {
    let config = RunConfig {
        dataset: DatasetName::Own,
        model: Model::MLP,
        learning_rate: 0.01,
        initial_batch: 16,
        max_batch: SAMPLES,
        sample_budget: 8_000,
        ..RunConfig::default()
    };
    let network = OwnedNetwork::of_model(config.model, data.shape())?;
    let peers = (collective, Reduction::Exact);
    let mut engine =
        ThreadsEngine::of_cluster(&config, network, data, THREADS, Arc::<Control>::default(), peers)?;
    let mut trainer = Trainer::new(config, SAMPLES)?.with_grain(GRAIN);
    let mut steps = Vec::new();
    while let Some(plan) = trainer.plan() {
        steps.push(engine.step(&mut trainer, &plan)?);
    }
    Ok(steps)
}

/// The steps of a run on `ranks` ranks, as rank 0 reports them.
fn train(ranks: usize) -> Result<Vec<Telemetry>, Failure> {
    let data = stripes()?;
    thread::scope(|scope| {
        let threads: Vec<_> = Channels::cluster(ranks)
            .into_iter()
            .map(|channels| {
                let data = Arc::clone(&data);
                scope.spawn(move || rank(data, Box::new(channels)))
            })
            .collect();
        let mut ended = threads.into_iter().map(|thread| thread.join().map_err(|_| "a rank panicked")?);
        let first = ended.next().ok_or("no ranks")?;
        ended.try_for_each(|other| other.map(drop))?;
        first
    })
}

fn main() -> Result<(), Failure> {
    for Telemetry { step, samples, loss, .. } in train(3)? {
        println!("step {step:>4}  batch {samples:>4}  loss {loss:.4}");
    }
    Ok(())
}

#[test]
fn any_number_of_ranks_gives_the_same_run() {
    let alone = train(1).expect("a run");
    assert!(alone.last().expect("steps").samples > alone[0].samples, "the batch grows");
    for ranks in [2, 3] {
        assert_eq!(train(ranks).expect("a run"), alone, "{ranks} ranks");
    }
}
