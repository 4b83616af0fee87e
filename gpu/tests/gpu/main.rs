//! The GPU engine against the CPU's, on whatever adapter there is: a visible skip without one, a failure when
//! `REQUIRE_GPU=1`.
#![allow(clippy::unwrap_used)]

mod deep;
mod golden_layers;
mod images;
mod kernels;
mod memory;
mod models;
mod parity;
mod range;
mod ranks;
mod recovery;
mod rules;
mod runs;
mod shaders;
#[path = "../support/mod.rs"]
mod support;

use std::num::NonZero;
use std::sync::Arc;

use adadagrad_core::batch_test::AnyTest;
use adadagrad_core::config::{Preset, RunConfig};
use adadagrad_core::controller::{AdAdaGrad, AnyController};
use adadagrad_core::model::Model;
use adadagrad_core::owned::SharedDataset;
use adadagrad_core::owned::threads::ThreadsEngine;
use adadagrad_core::training::{Telemetry, Trainer};
use adadagrad_gpu::engine::{Engine, EngineError};
use adadagrad_gpu::gpu::GpuEngine;
use adadagrad_gpu::run::Run;
use adadagrad_gpu::webgpu::{GpuError, Options};

/// Samples of the usual training set.
const SAMPLES: u32 = 300;
const SEED: u64 = 5;

fn quiet(_: &str) {}

/// The engine, or `None` with a word about it where there is no adapter.
fn gpu(config: &RunConfig, training: &SharedDataset) -> Option<GpuEngine> {
    gpu_with(config, training, Options::of_adapter(None, quiet))
}

fn gpu_with(config: &RunConfig, training: &SharedDataset, options: Options) -> Option<GpuEngine> {
    match GpuEngine::new(config, Arc::clone(training), options) {
        Ok(engine) => Some(engine),
        Err(EngineError::Gpu(GpuError::NoAdapter(why))) => {
            assert!(std::env::var("REQUIRE_GPU").as_deref() != Ok("1"), "no GPU adapter: {why}");
            eprintln!("skipped: no GPU adapter: {why}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn cpu(config: &RunConfig, training: &SharedDataset) -> ThreadsEngine {
    ThreadsEngine::new(config, Arc::clone(training), NonZero::new(2).unwrap()).unwrap()
}

/// A run of a few steps whose batch grows.
fn short(model: Model, test: Option<AnyTest>) -> RunConfig {
    let base = RunConfig {
        model,
        test,
        controller: AnyController::AdAdaGrad(AdAdaGrad { growth_cap: Some(3.0), ..AdAdaGrad::default() }),
        initial_batch: 20,
        max_batch: 200,
        sample_budget: 400,
        seed: SEED,
        ..Preset::Quick.config()
    };
    if test.is_some() { base } else { base.without_test() }
}

/// A run of ten steps whose batch cannot grow, so that steps are submitted before the last one is known.
fn settled(model: Model) -> RunConfig {
    let base = Preset::Quick.config();
    RunConfig {
        model,
        initial_batch: 30,
        max_batch: 30,
        sample_budget: 300,
        evaluate_every: 1000,
        seed: SEED,
        ..base
    }
}

fn steps<E: Engine>(run: &mut Run<E>, test: &SharedDataset) -> Vec<Telemetry> {
    std::iter::from_fn(|| run.step(test).unwrap().map(|line| line.telemetry)).collect()
}

fn run<E: Engine>(config: RunConfig, engine: E) -> Run<E> {
    Run::new(Trainer::new(config, SAMPLES).unwrap(), engine)
}

/// Parameters and optimizer memory, bit by bit.
fn bits<E: Engine>(run: &mut Run<E>) -> [Vec<u32>; 2] {
    let snapshot = run.engine_mut().snapshot().unwrap();
    [snapshot.parameters, snapshot.memory].map(|values| values.iter().map(|value| value.to_bits()).collect())
}
