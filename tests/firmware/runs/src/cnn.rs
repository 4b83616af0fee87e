//! A convolutional network on images of MNIST: 2,746 parameters.

use adadagrad_core::batch_test::{AnyTest, NormTest};
use adadagrad_core::config::{Preset, RunConfig};
use adadagrad_core::layer::{Conv2d, Dense, Flatten, MaxPool2d, Operation, Relu};
use adadagrad_core::network::{Network, Node, Placed, Shape, WorkspaceLen};
use adadagrad_core::statistics::Needs;

use crate::{Failure, Watch, digits};

/// Samples of a micro-batch.
const M: usize = 1;

const NODES: [Node; 7] = Node::chain([
    Operation::Conv2d(Conv2d { outputs: 6, kernel: 5, stride: 2, padding: 0, bias: true }),
    Operation::Relu(Relu),
    Operation::MaxPool2d(MaxPool2d { kernel: 2, stride: 2 }),
    Operation::Conv2d(Conv2d { outputs: 12, kernel: 3, stride: 1, padding: 0, bias: true }),
    Operation::Relu(Relu),
    Operation::Flatten(Flatten),
    Operation::Dense(Dense { outputs: 10 }),
]);

const PLACED: [Placed; 7] = match Network::placed(Shape::image(1, 28, 28), &NODES) {
    Ok(placed) => placed,
    Err(_) => panic!("layers that do not fit"),
};

const NETWORK: Network<'_> = Network::from_placed(&PLACED);
const D: usize = NETWORK.parameters();
const LEN: WorkspaceLen = NETWORK.workspace_for(M, &Needs::NORMS);

/// The memory it takes.
pub type Memory = crate::Memory<f32, D, D, { LEN.values }, { LEN.sums }, M>;

/// Runs it.
///
/// # Errors
/// When something does not fit, or the run diverges.
pub fn run(memory: &mut Memory, watch: &mut dyn Watch) -> Result<(), Failure> {
    memory.train(NETWORK, config(), &digits::whole()?, watch)
}

fn config() -> RunConfig {
    RunConfig {
        learning_rate: 0.02,
        test: Some(AnyTest::Norm(NormTest { eta: 0.7, debiased: false })),
        initial_batch: 8,
        max_batch: 64,
        sample_budget: 300,
        ..Preset::Quick.config()
    }
}
