//! Ranks of a cluster on GPUs: the same bits for any number of them, and as close to the threads' as a GPU alone is.

use std::num::NonZero;
use std::sync::{Arc, Mutex};
use std::thread;

use adadagrad_core::batch_test::{AnyTest, AugmentedTest, CoordinateNormTest, NormTest, WorkerNormTest};
use adadagrad_core::config::RunConfig;
use adadagrad_core::model::Model;
use adadagrad_core::owned::cluster::{Channels, Collective, Reduction};
use adadagrad_core::owned::threads::{PartDevice, Processors, ThreadsEngine};
use adadagrad_core::owned::{Control, Evaluated, OwnedNetwork, SharedDataset};
use adadagrad_core::training::{Telemetry, Trainer};
use adadagrad_gpu::gpu_parts::{GpuParts, Open};
use adadagrad_gpu::webgpu::{Gpu, Opening};

use super::{SAMPLES, quiet, short, support};

/// Devices that were opened, to be taken away.
type Opened = Arc<Mutex<Vec<Gpu>>>;

fn opening(opened: &Opened) -> Open {
    let opened = Arc::clone(opened);
    Box::new(move || -> Opening {
        let opened = Arc::clone(&opened);
        Box::pin(async move {
            let gpu = Gpu::open(None).await?;
            opened.lock().unwrap().push(gpu.clone());
            Ok(gpu)
        })
    })
}

fn on_gpu(config: &RunConfig, network: OwnedNetwork, training: SharedDataset, opened: &Opened) -> Processors {
    let parts = GpuParts::new(config, network, training, opening(opened), None, quiet).unwrap();
    Processors::Device(Box::new(parts) as Box<dyn PartDevice>)
}

#[derive(Clone, Debug, PartialEq)]
struct Outcome {
    steps: Vec<Telemetry>,
    parameters: Vec<f32>,
    evaluated: Evaluated,
}

/// A run to its end. `before` is called before each step, with its number.
fn rank(config: &RunConfig, collective: Channels, before: impl Fn(usize, &Opened)) -> Outcome {
    let training = support::images(SAMPLES, 1);
    let network = OwnedNetwork::of_model(config.model, training.shape()).unwrap();
    let (grain, opened) = (network.grain(), Opened::default());
    let processors = on_gpu(config, network.clone(), Arc::clone(&training), &opened);
    let peers = (Box::new(collective) as Box<dyn Collective>, Reduction::Exact);
    let control = Arc::<Control>::default();
    let mut engine =
        ThreadsEngine::of_cluster(config, network, training, processors, control, peers).unwrap();
    finish(config, &mut engine, grain, |step| before(step, &opened))
}

fn finish(
    config: &RunConfig,
    engine: &mut ThreadsEngine,
    grain: adadagrad_core::network::Grain,
    before: impl Fn(usize),
) -> Outcome {
    let mut trainer = Trainer::new(*config, SAMPLES).unwrap().with_grain(grain);
    let mut steps = Vec::new();
    while let Some(plan) = trainer.plan() {
        before(steps.len());
        steps.push(engine.step(&mut trainer, &plan).unwrap());
    }
    let evaluated = engine.evaluate(&support::images(150, 2)).unwrap();
    Outcome { steps, parameters: engine.parameters(), evaluated }
}

fn together(config: &RunConfig, ranks: usize) -> Vec<Outcome> {
    thread::scope(|scope| {
        let threads: Vec<_> = Channels::cluster(ranks)
            .into_iter()
            .map(|channels| scope.spawn(move || rank(config, channels, |_, _| ())))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn on_threads(config: &RunConfig) -> Outcome {
    let training = support::images(SAMPLES, 1);
    let network = OwnedNetwork::of_model(config.model, training.shape()).unwrap();
    let grain = network.grain();
    let mut engine =
        ThreadsEngine::of_network(config, network, training, NonZero::<usize>::MIN, Arc::default()).unwrap();
    finish(config, &mut engine, grain, |_| ())
}

fn tests() -> [AnyTest; 4] {
    [
        AnyTest::Norm(NormTest { eta: 0.5, debiased: false }),
        AnyTest::Augmented(AugmentedTest::default()),
        AnyTest::CoordinateNorm(CoordinateNormTest { eta: 1.0, quantile: 0.5 }),
        AnyTest::WorkerNorm(WorkerNormTest { eta: 0.5, workers: 3 }),
    ]
}

fn close(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-3 * one.abs().max(other.abs()).max(1e-6)
}

#[test]
fn any_number_of_ranks_has_the_same_bits_and_the_numbers_of_the_threads() {
    if support::device().is_none() {
        return;
    }
    let small = Model::Mlp { hidden: 16 };
    for (model, test) in tests().map(|test| (small, test)).into_iter().chain([(Model::Cnn, tests()[0])]) {
        // Several parts: of 128 samples each with the MLP, of 8 with the CNN.
        let config = match model {
            Model::Cnn => RunConfig { max_batch: 40, sample_budget: 60, ..short(model, Some(test)) },
            _ => RunConfig {
                initial_batch: 150,
                max_batch: SAMPLES,
                sample_budget: 400,
                ..short(model, Some(test))
            },
        };
        let alone = together(&config, 1).swap_remove(0);
        assert!(alone.steps.len() > 1 && alone.steps.iter().all(|step| step.required.is_some()));
        for ranks in [2, 3] {
            assert!(
                together(&config, ranks).into_iter().all(|outcome| outcome == alone),
                "{model} with {test:?} on {ranks} ranks"
            );
        }
        let threads = on_threads(&config);
        // Sizes that follow from rounded numbers may differ later on.
        for (gpu, cpu) in alone.steps.iter().zip(&threads.steps).take(2) {
            assert_eq!(gpu.samples, cpu.samples, "{test:?}");
            assert!(close(gpu.loss, cpu.loss), "{test:?}: {} and {}", gpu.loss, cpu.loss);
            assert!(close(gpu.mean_norm_sq, cpu.mean_norm_sq), "{test:?}");
            for (gpu, cpu) in [
                (gpu.required, cpu.required),
                (gpu.variance, cpu.variance),
                (gpu.variance_along, cpu.variance_along),
                (gpu.coordinate_ratio, cpu.coordinate_ratio),
                (gpu.worker_variance, cpu.worker_variance),
            ] {
                assert!(
                    gpu.zip(cpu).map_or(gpu == cpu, |(gpu, cpu)| close(gpu, cpu)),
                    "{test:?}: {gpu:?} and {cpu:?}"
                );
            }
        }
        assert!(close(alone.evaluated.evaluation.loss, threads.evaluated.evaluation.loss));
    }
}

/// Before the first step and before the last: a part needs nothing that the device has kept.
#[test]
fn a_lost_device_of_a_rank_costs_nothing() {
    if support::device().is_none() {
        return;
    }
    let config = short(Model::Mlp { hidden: 16 }, Some(AnyTest::Augmented(AugmentedTest::default())));
    let alone = || Channels::cluster(1).swap_remove(0);
    let whole = rank(&config, alone(), |_, _| ());
    for lost_before in [0, whole.steps.len() - 1] {
        let broken = rank(&config, alone(), |step, opened| {
            if step == lost_before {
                opened.lock().unwrap().last().unwrap().destroy();
            }
        });
        assert_eq!(broken, whole, "lost before step {lost_before}");
    }
}
