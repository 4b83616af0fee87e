//! Your own network and data, without heap and operating system: all memory is static and sized at compile time. On
//! a microcontroller `main` is the entry point, and `train` stays as it is.

use adadagrad_core::backend::PlainBackend;
use adadagrad_core::batch_test::{AnyTest, NormTest};
use adadagrad_core::config::RunConfig;
use adadagrad_core::dataset::{Dataset, ReadError, SampleShape, Targets, Visit};
use adadagrad_core::layer::{Dense, Operation, Relu};
use adadagrad_core::network::{
    Grain, Network, Node, Placed, Shape, Sweep, SweepError, Workspace, WorkspaceLen, initialise,
};
use adadagrad_core::optimizer::{AdaGrad, AnyOptimizer};
use adadagrad_core::random::Key;
use adadagrad_core::statistics::{LengthMismatch, Needs, Statistics};
use adadagrad_core::training::{Next, PartError, Step, StepError, Sweeper, Trainer, Work};

/// Points of the square (−1, 1)²: class 1 inside a disc, class 0 elsewhere.
struct Disc;

impl Dataset<f32> for Disc {
    fn shape(&self) -> SampleShape {
        SampleShape::floats(Shape::vector(2), 2)
    }

    fn len(&self) -> u32 {
        512
    }

    fn read(&self, visit: Visit, input: &mut [f32], targets: &mut Targets<'_, f32>) -> Result<(), ReadError> {
        let key = Key::new(1, u64::from(visit.sample));
        for (index, value) in (0..).zip(input.iter_mut()) {
            *value = key.uniform(index, 1.0);
        }
        let square: f32 = input.iter().map(|value| value * value).sum();
        targets.labels.fill(u32::from(square < 0.5));
        Ok(())
    }
}

/// 2 → 16 → 2.
const NODES: [Node; 3] = Node::chain([
    Operation::Dense(Dense { outputs: 16 }),
    Operation::Relu(Relu),
    Operation::Dense(Dense { outputs: 2 }),
]);
const PLACED: [Placed; 3] = match Network::placed(Shape::vector(2), &NODES) {
    Ok(placed) => placed,
    Err(_) => panic!("layers that do not fit"),
};
const NETWORK: Network<'_> = Network::from_placed(&PLACED);
/// Parameters.
const D: usize = NETWORK.parameters();
/// Samples that are swept at a time: more cost memory.
const MICRO_BATCH: u32 = 8;
/// What the norm test takes.
const LEN: WorkspaceLen = NETWORK.workspace_for(MICRO_BATCH as usize, &Needs::NORMS);

/// All memory of the run.
struct Memory {
    parameters: [f32; D],
    gradient: [f32; D],
    /// AdaGrad has one slot.
    optimizer: [f32; D],
    values: [f32; LEN.values],
    sums: [f64; LEN.sums],
    visits: [Visit; LEN.visits],
    labels: [u32; LEN.labels],
}

impl Memory {
    const fn new() -> Self {
        Self {
            parameters: [0.0; D],
            gradient: [0.0; D],
            optimizer: [0.0; D],
            values: [0.0; LEN.values],
            sums: [0.0; LEN.sums],
            visits: [Visit { sample: 0, pass: 0 }; LEN.visits],
            labels: [0; LEN.labels],
        }
    }
}

/// Why training stopped.
#[derive(Debug)]
enum Failure {
    Settings,
    Sweep(SweepError),
    Step(StepError),
}

impl From<SweepError> for Failure {
    fn from(error: SweepError) -> Self {
        Self::Sweep(error)
    }
}

impl From<StepError> for Failure {
    fn from(error: StepError) -> Self {
        Self::Step(error)
    }
}

impl From<PartError> for Failure {
    fn from(error: PartError) -> Self {
        Self::Step(error.into())
    }
}

impl From<LengthMismatch> for Failure {
    fn from(error: LengthMismatch) -> Self {
        Self::Step(error.into())
    }
}

/// Trains, and returns how many of the samples are classified correctly, and the last batch.
fn train(memory: &mut Memory) -> Result<(u32, u32), Failure> {
    let config = RunConfig {
        optimizer: AnyOptimizer::AdaGrad(AdaGrad::default()),
        learning_rate: 0.2,
        test: Some(AnyTest::Norm(NormTest { eta: 0.7, debiased: false })),
        initial_batch: 8,
        max_batch: 256,
        sample_budget: 40_000,
        ..RunConfig::default()
    };
    let Memory { parameters, gradient, optimizer, values, sums, visits, labels } = memory;
    initialise(NETWORK, config.seed, parameters)?;
    config.start(D, optimizer);
    let workspace = Workspace { values, sums, visits, labels };
    let mut sweep = Sweep::new(NETWORK, PlainBackend, MICRO_BATCH as usize, workspace)?;
    // One core: a batch need not be cut into parts.
    let whole = Grain { samples: u32::MAX, parts: 1 };
    let mut trainer =
        Trainer::<f32>::new(config, Dataset::len(&Disc)).map_err(|_| Failure::Settings)?.with_grain(whole);
    let mut order = trainer.order();
    let mut batch = 0;
    // Plan: how many samples, and what is asked of them.
    while let Some(mut step) = Step::begin(&trainer) {
        let needs = step.plan().needs;
        let mut statistics = Statistics::new(gradient, &mut [])?;
        loop {
            match step.next() {
                // Sweep: loss, gradient and norms of the batch, a micro-batch at a time. The norm test asks for one sweep.
                Next::Sweep(round) => {
                    let Some(part) = round.next() else { break };
                    let visit = |position: u32| order.visit(part.start + u64::from(position));
                    let mut sweeper = Sweeper { workspaces: &mut sweep, parameters, dataset: &Disc, visit };
                    let mut work = Work::Accumulate { needs: &needs, sums: &mut statistics };
                    sweeper.part::<SweepError>(&part, &mut work, |_| Ok(()))?;
                    step.batch_mut().take_sums(&part, part.samples())?;
                }
                // The sums are those of the whole batch, whose mean is taken below.
                Next::MeanGradient => step.batch_mut().close()?,
                Next::Weigh | Next::Repeat => break,
            }
        }
        batch = step.batch().samples();
        let evidence = statistics.evidence(&needs, None);
        // Conclude: the update, and the size of the next batch.
        let mean = statistics.into_mean_gradient()?;
        step.conclude(&mut trainer, &evidence, NETWORK, mean, parameters, optimizer)?;
    }
    let mut correct = 0;
    for first in (0..Dataset::len(&Disc)).step_by(MICRO_BATCH as usize) {
        correct += sweep.evaluate(parameters, &Disc, first..first + MICRO_BATCH)?.correct;
    }
    Ok((correct, batch))
}

fn main() {
    let mut memory = Memory::new();
    match train(&mut memory) {
        Ok((correct, batch)) => {
            println!("{correct} of 512 are classified correctly; the last batch had {batch} samples")
        }
        Err(Failure::Settings) => println!("settings that cannot run"),
        Err(Failure::Sweep(error)) => println!("{error}"),
        Err(Failure::Step(error)) => println!("{error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_learns_and_its_batches_grow() {
        let (correct, batch) = train(&mut Memory::new()).expect("a run");
        assert!(correct > 450, "{correct}");
        assert!(batch > 64, "{batch}");
    }
}
