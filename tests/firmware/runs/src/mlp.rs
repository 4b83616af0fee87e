//! An MLP 64-32-10 on digits of 8×8 pixels: 2,410 parameters.

use adadagrad_core::batch_test::{AnyTest, NormTest};
use adadagrad_core::config::{Preset, RunConfig};
use adadagrad_core::layer::{Dense, Flatten, Operation, Relu};
use adadagrad_core::network::{Network, Node, Placed, Shape};

use crate::{Failure, Watch, digits};

/// Samples of a micro-batch.
const M: usize = 4;

/// The memory it takes.
pub type Memory = crate::Memory<2_410, 1_488, 8, M>;

/// Runs it.
///
/// # Errors
/// When something does not fit, or the run diverges.
pub fn run(memory: &mut Memory, watch: &mut dyn Watch) -> Result<(), Failure> {
    let nodes = Node::chain([
        Operation::Flatten(Flatten),
        Operation::Dense(Dense { outputs: 32 }),
        Operation::Relu(Relu),
        Operation::Dense(Dense { outputs: 10 }),
    ]);
    let mut places = [Placed::empty(); 4];
    let network = Network::place(Shape::image(1, 8, 8), &nodes, &mut places).map_err(|_| Failure::Digits)?;
    memory.train(network, config(), &digits::small()?, watch)
}

fn config() -> RunConfig {
    RunConfig {
        learning_rate: 0.05,
        test: Some(AnyTest::Norm(NormTest { eta: 0.7, debiased: false })),
        initial_batch: 8,
        max_batch: 128,
        sample_budget: 800,
        ..Preset::Quick.config()
    }
}
