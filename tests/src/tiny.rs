//! A tiny run from beginning to end, through every kind of layer, the trainer and an optimizer. It uses no
//! file, thread or clock, so that it can be run anywhere and its bits compared.

use adadagrad_core::backend::Backend;
use adadagrad_core::batch_test::{AnyTest, AugmentedTest};
use adadagrad_core::config::RunConfig;
use adadagrad_core::controller::{AdAdaGrad, AnyController};
use adadagrad_core::layer::{Conv2d, Dense, Flatten, MaxPool2d, Operation, Relu, Tanh};
use adadagrad_core::network::{Node, Shape, initialise};
use adadagrad_core::optimizer::{AdamW, AnyOptimizer};
use adadagrad_core::owned::OwnedNetwork;
use adadagrad_core::real::Real;
use adadagrad_core::schedule::{Decay, Schedule};
use adadagrad_core::training::{Progress, Step, Telemetry, Trainer};

use crate::by_hand::{Sums, sweep};
use crate::engine::with_sweep;
use crate::table::Table;

/// Samples in the data set.
pub const SAMPLES: usize = 97;

/// A run under way.
#[derive(Debug)]
pub struct Tiny<F: Real> {
    network: OwnedNetwork,
    table: Table,
    /// The trainer.
    pub trainer: Trainer<F>,
    /// D values.
    pub parameters: Vec<F>,
    /// The optimizer's.
    pub memory: Vec<F>,
}

/// The settings: a test that needs everything, an optimizer with two slots, a schedule with a cosine.
#[must_use]
pub fn config() -> RunConfig {
    RunConfig {
        optimizer: AnyOptimizer::AdamW(AdamW::default()),
        learning_rate: 0.01,
        schedule: Schedule { warm_up_samples: 20, decay: Decay::Cosine { final_fraction: 0.1 } },
        test: Some(AnyTest::Augmented(AugmentedTest { theta: 0.3, nu: 1.0, leave_one_out: false })),
        controller: AnyController::AdAdaGrad(AdAdaGrad { growth_cap: Some(1.5), ..AdAdaGrad::default() }),
        initial_batch: 4,
        min_batch: 2,
        max_batch: 90,
        sample_budget: 1000,
        seed: 5,
        ..RunConfig::default()
    }
}

impl<F: Real<Sum = f64>> Tiny<F> {
    /// The start of a run: a small convolutional network on random images.
    ///
    /// # Panics
    /// When the settings cannot run.
    #[must_use]
    pub fn new(config: RunConfig) -> Self {
        let nodes = Node::chain([
            Operation::Conv2d(Conv2d { outputs: 3, kernel: 3, stride: 1, padding: 1, bias: true }),
            Operation::Tanh(Tanh),
            Operation::MaxPool2d(MaxPool2d { kernel: 2, stride: 2 }),
            Operation::Conv2d(Conv2d { outputs: 4, kernel: 3, stride: 2, padding: 1, bias: true }),
            Operation::Relu(Relu),
            Operation::Flatten(Flatten),
            Operation::Dense(Dense { outputs: 5 }),
        ]);
        let network = OwnedNetwork::new(Shape::image(1, 8, 8), &nodes).expect("layers that fit");
        let mut parameters = vec![F::zero(); network.view().parameters()];
        initialise(network.view(), config.seed, &mut parameters).expect("as many parameters");
        let optimizer = config.optimizer.as_optimizer::<F>();
        let mut memory = vec![F::zero(); optimizer.slots() * parameters.len()];
        optimizer.start(&mut memory);
        Self {
            network,
            table: Table::random(7, SAMPLES, 64, 5),
            trainer: Trainer::new(config, 97).expect("settings that can run"),
            parameters,
            memory,
        }
    }

    /// Goes on from where another run stood.
    ///
    /// # Panics
    /// When it stood nowhere sensible.
    #[must_use]
    pub fn resume(config: RunConfig, progress: Progress<f64>, parameters: Vec<F>, memory: Vec<F>) -> Self {
        let trainer = Trainer::resume(config, 97, progress).expect("progress that fits");
        Self { trainer, parameters, memory, ..Self::new(config) }
    }

    /// One step; `None` at the end of the run.
    ///
    /// # Panics
    /// When the step is refused.
    pub fn step(&mut self, product: impl Backend<F> + Copy) -> Option<Telemetry> {
        let Self { network, table, trainer, parameters, memory } = self;
        let mut step = Step::begin(trainer)?;
        let mut order = trainer.order();
        let mut sums = Sums::new(parameters.len(), &step);
        // An odd size, so that micro-batches end before parts do.
        let made = with_sweep(network.view(), product, 7, |workspaces| {
            loop {
                let sample = |place| order.visit(place);
                let evidence = sweep(&mut step, &mut sums, workspaces, parameters, table, sample)?;
                let made = step.conclude(
                    trainer,
                    &evidence,
                    network.view(),
                    &mut sums.mean_gradient,
                    parameters,
                    memory,
                );
                if let Some(telemetry) = made.map_err(|error| error.to_string())? {
                    return Ok::<_, String>(telemetry);
                }
            }
        });
        Some(made.expect("a finite step"))
    }
}
