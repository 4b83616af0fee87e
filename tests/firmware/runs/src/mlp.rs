//! An MLP 64-32-10 on digits of 8×8 pixels, 2,410 parameters: with sums in `f64`, and in pairs of `f32` for processors
//! without `f64`.

use adadagrad_core::batch_test::{AnyTest, NormTest};
use adadagrad_core::config::{Preset, RunConfig};
use adadagrad_core::layer::{Dense, Flatten, Operation, Relu};
use adadagrad_core::network::{Network, Node, Placed, Shape, WorkspaceLen};
use adadagrad_core::parameter_bytes;
use adadagrad_core::real::{Pair, Real, Single};
use adadagrad_core::statistics::Needs;

use crate::fingerprint::fingerprint;
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
pub type Memory<F = f32> = crate::Memory<F, D, D, { LEN.values }, { LEN.sums }, M>;

/// The same with sums in pairs of `f32`.
pub type InPairs = Memory<Single>;

/// Runs it.
///
/// # Errors
/// When something does not fit, or the run diverges.
pub fn run<F: Real>(memory: &mut Memory<F>, watch: &mut dyn Watch) -> Result<(), Failure> {
    memory.train(NETWORK, config(), &digits::small()?, watch)
}

/// Bytes of its parameters on a page of flash.
pub const PAGE: usize = parameter_bytes::encoded_len::<Single>(D);

/// Runs it with sums in pairs, writes its parameters to a page, and reads them back: they must be the same, and damage must
/// be noticed.
///
/// # Errors
/// As [`run`], and when the page does not give back what was written.
pub fn run_to_flash(
    memory: &mut InPairs,
    page: &mut [u8; PAGE],
    watch: &mut dyn Watch,
) -> Result<(), Failure> {
    run(memory, watch)?;
    parameter_bytes::write(&memory.parameters, page)?;
    let written = fingerprint(&memory.parameters);
    memory.parameters.fill(Single(0.0));
    page[PAGE / 2] ^= 1;
    let damaged = parameter_bytes::read(page, &mut memory.parameters).is_err();
    page[PAGE / 2] ^= 1;
    parameter_bytes::read(page, &mut memory.parameters)?;
    let read = fingerprint(&memory.parameters);
    watch.line(format_args!("page {} bytes, damage noticed: {damaged}, same: {}", PAGE, read == written));
    watch.line(format_args!("page parameters {read:016x}"));
    Ok(())
}

/// Zeros for the run with sums in pairs.
#[must_use]
pub const fn in_pairs() -> InPairs {
    Memory::of(Single(0.0), Pair::new(0.0))
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
