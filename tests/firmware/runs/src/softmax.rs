//! Softmax regression on images of MNIST, 784 → 10: 7,850 parameters.

use adadagrad_core::batch_test::{AnyTest, NormTest};
use adadagrad_core::config::{Preset, RunConfig};
use adadagrad_core::layer::{Dense, Flatten, Operation};
use adadagrad_core::network::{Network, Node, Placed, Shape, WorkspaceLen};
use adadagrad_core::optimizer::{AdaGradNorm, AnyOptimizer};
use adadagrad_core::statistics::Needs;

use crate::{Failure, Watch, digits};

/// Samples of a micro-batch.
const M: usize = 1;

const NODES: [Node; 2] = Node::chain([Operation::Flatten(Flatten), Operation::Dense(Dense { outputs: 10 })]);

const PLACED: [Placed; 2] = match Network::placed(Shape::image(1, 28, 28), &NODES) {
    Ok(placed) => placed,
    Err(_) => panic!("layers that do not fit"),
};

const NETWORK: Network<'_> = Network::from_placed(&PLACED);
const D: usize = NETWORK.parameters();
const LEN: WorkspaceLen = NETWORK.workspace_for(M, &Needs::NORMS);

/// The memory it takes.
pub type Memory = crate::Memory<f32, D, 0, { LEN.values }, { LEN.sums }, M>;

/// Runs it.
///
/// # Errors
/// When something does not fit, or the run diverges.
pub fn run(memory: &mut Memory, watch: &mut dyn Watch) -> Result<(), Failure> {
    memory.train(NETWORK, config(), &digits::whole()?, watch)
}

fn config() -> RunConfig {
    RunConfig {
        // Of AdaGrad's memory all that it keeps is one number: three vectors would leave too little of 100 KB for the stack.
        optimizer: AnyOptimizer::AdaGradNorm(AdaGradNorm::default()),
        learning_rate: 1.0,
        test: Some(AnyTest::Norm(NormTest { eta: 0.7, debiased: false })),
        initial_batch: 8,
        max_batch: 128,
        sample_budget: 600,
        ..Preset::Quick.config()
    }
}
