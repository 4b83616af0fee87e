//! Softmax regression on images of MNIST, 784 → 10: 7,850 parameters.

use adadagrad_core::batch_test::{AnyTest, NormTest};
use adadagrad_core::config::{Preset, RunConfig};
use adadagrad_core::layer::{Dense, Flatten, Operation};
use adadagrad_core::network::{Network, Node, Placed, Shape};

use crate::{Failure, Watch, digits};

/// Samples of a micro-batch.
const M: usize = 1;

/// The memory it takes.
pub type Memory = crate::Memory<7_850, 2_382, 2, M>;

/// Runs it.
///
/// # Errors
/// When something does not fit, or the run diverges.
pub fn run(memory: &mut Memory, watch: &mut dyn Watch) -> Result<(), Failure> {
    let nodes = Node::chain([Operation::Flatten(Flatten), Operation::Dense(Dense { outputs: 10 })]);
    let mut places = [Placed::empty(); 2];
    let network =
        Network::place(Shape::image(1, 28, 28), &nodes, &mut places).map_err(|_| Failure::Digits)?;
    memory.train(network, config(), &digits::whole()?, watch)
}

fn config() -> RunConfig {
    RunConfig {
        learning_rate: 0.01,
        test: Some(AnyTest::Norm(NormTest { eta: 0.7, debiased: false })),
        initial_batch: 8,
        max_batch: 128,
        sample_budget: 600,
        ..Preset::Quick.config()
    }
}
