//! An MLP 64-32-10 on digits of 8×8 pixels: 2,410 parameters.

use adadagrad_core::batch_test::{AnyTest, NormTest};
use adadagrad_core::config::{Preset, RunConfig};
use adadagrad_core::layer::{Dense, Flatten, Operation, Relu};
use adadagrad_core::network::{Network, Node, Placed, Shape, WorkspaceLen};
use adadagrad_core::statistics::Needs;

use crate::{Failure, Watch, digits};

/// Samples of a micro-batch.
const M: usize = 4;

const NODES: [Node; 4] = Node::chain([
    Operation::Flatten(Flatten),
    Operation::Dense(Dense { outputs: 32 }),
    Operation::Relu(Relu),
    Operation::Dense(Dense { outputs: 10 }),
]);

const PLACED: [Placed; 4] = match Network::placed(Shape::image(1, 8, 8), &NODES) {
    Ok(placed) => placed,
    Err(_) => panic!("layers that do not fit"),
};

const NETWORK: Network<'_> = Network::from_placed(&PLACED);
const D: usize = NETWORK.parameters();
const LEN: WorkspaceLen = NETWORK.workspace_for(M, &Needs::NORMS);

/// The memory it takes.
pub type Memory = crate::Memory<D, D, { LEN.values }, { LEN.sums }, M>;

/// Runs it.
///
/// # Errors
/// When something does not fit, or the run diverges.
pub fn run(memory: &mut Memory, watch: &mut dyn Watch) -> Result<(), Failure> {
    memory.train(NETWORK, config(), &digits::small()?, watch)
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
