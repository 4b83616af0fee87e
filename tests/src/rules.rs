//! Every rule, with settings that fit few samples; and a rule's decision on a test's result alone.

use std::num::NonZero;
use std::sync::Arc;

use adadagrad_core::batch_test::Required;
use adadagrad_core::config::RunConfig;
use adadagrad_core::controller::{
    Accordion, AdAdaGrad, AdaBatch, AnyController, Controller, CostAware, DiveBatch, GradientNoiseScale,
    Limits, Linear, Seesaw, Situation, Smith, Stages, WindowKind,
};
use adadagrad_core::noise_scale::Sensor;
use adadagrad_core::owned::threads::ThreadsEngine;
use adadagrad_core::owned::{OwnedNetwork, SharedDataset};
use adadagrad_core::statistics::Evidence;
use adadagrad_core::training::Trainer;

/// The size after a batch of `current` samples.
///
/// # Panics
/// For a rule that extends the batch.
pub fn next_batch<C: Controller<f64>>(
    rule: &C,
    current: u32,
    limits: Limits,
    required: Required<f64>,
) -> u32 {
    let evidence = Evidence { samples: current, ..Evidence::default() };
    let situation = Situation::of_batch(limits, &evidence, required, 0.1);
    let (decision, _) = rule.decide(C::State::default(), &situation);
    decision.next_batch().expect("a step")
}

/// One of each rule, with sizes and epochs that fit few samples, and some with other options.
///
/// # Panics
/// Not for these settings.
#[must_use]
pub fn every_rule() -> Vec<AnyController> {
    let milestones = "40 100 220 500 800".parse().expect("milestones");
    let fitting = AnyController::all().map(|rule| match rule {
        AnyController::Stages(_) => {
            AnyController::Stages(Stages { schedule: "0:4 100:16 300:80".parse().expect("stages") })
        }
        AnyController::Linear(_) => AnyController::Linear(Linear { last_batch: 70, over_samples: 500 }),
        AnyController::AdaBatch(rule) => AnyController::AdaBatch(AdaBatch { every_epochs: 1, ..rule }),
        AnyController::Smith(rule) => AnyController::Smith(Smith { milestones, ..rule }),
        AnyController::Seesaw(rule) => AnyController::Seesaw(Seesaw { milestones, ..rule }),
        AnyController::DiveBatch(rule) => {
            AnyController::DiveBatch(DiveBatch { every_epochs: 1, scale_learning_rate: true, ..rule })
        }
        AnyController::Accordion(rule) => AnyController::Accordion(Accordion { small: 9, large: 45, ..rule }),
        other => other,
    });
    let noise = |sensor| {
        AnyController::GradientNoiseScale(GradientNoiseScale { sensor, ..GradientNoiseScale::default() })
    };
    let window = AdAdaGrad { growth_cap: Some(1.5), window: 4, window_kind: WindowKind::Block };
    let times = CostAware { fixed_time: Some(0.02), time_per_sample: Some(0.001), ..CostAware::default() };
    let others = [
        noise(Sensor::Preconditioned),
        noise(Sensor::Sign),
        AnyController::AdAdaGrad(window),
        AnyController::CostAware(times),
    ];
    fitting.into_iter().chain(others).collect()
}

/// An engine on two threads for a run of this network, and the run's trainer.
///
/// # Panics
/// Where either is refused.
#[must_use]
pub fn on_threads(
    config: &RunConfig,
    network: OwnedNetwork,
    training: &SharedDataset,
) -> (ThreadsEngine, Trainer<f32>) {
    let (threads, control) = (NonZero::new(2).expect("not zero"), Arc::default());
    let engine = ThreadsEngine::of_network(config, network, Arc::clone(training), threads, control);
    let engine = engine.expect("an engine");
    let trainer = Trainer::<f32>::new(*config, training.len()).expect("settings");
    let trainer = trainer.with_grain(engine.grain());
    (engine, trainer)
}
