//! A regression without heap and operating system: one output, the squared error, and all memory static and sized at
//! compile time. On a microcontroller `main` is the entry point, and `train` stays as it is.

use adadagrad_core::backend::PlainBackend;
use adadagrad_core::batch_test::{AnyTest, NormTest};
use adadagrad_core::config::RunConfig;
use adadagrad_core::dataset::{Dataset, ReadError, SampleShape, Targets, Visit};
use adadagrad_core::layer::{Dense, Operation, Tanh};
use adadagrad_core::loss::Loss;
use adadagrad_core::network::{
    Grain, Network, Node, Placed, Shape, Sweep, SweepError, Workspace, WorkspaceLen, initialise,
};
use adadagrad_core::optimizer::{AdaGrad, AnyOptimizer};
use adadagrad_core::random::Key;
use adadagrad_core::statistics::{LengthMismatch, Needs, Statistics};
use adadagrad_core::training::{StepError, Trainer};

/// Points of one period of a sine, with noise: a regression. For a measured signal, `read` copies what was recorded.
struct Sine;

impl Sine {
    fn at(x: f32) -> f32 {
        (core::f32::consts::PI * x).sin()
    }
}

impl Dataset<f32> for Sine {
    fn shape(&self) -> SampleShape {
        SampleShape::numbers(Shape::vector(1), 1)
    }

    fn len(&self) -> u32 {
        512
    }

    /// That of numbers anyway. `Loss::Own(&closure)` takes any other.
    fn loss(&self) -> Loss<'_, f32> {
        Loss::SquaredError
    }

    fn read(&self, visit: Visit, input: &mut [f32], targets: &mut Targets<'_, f32>) -> Result<(), ReadError> {
        let key = Key::new(1, u64::from(visit.sample));
        input[0] = key.uniform(0, 1.0);
        targets.values[0] = Self::at(input[0]) + key.uniform(1, 0.1);
        Ok(())
    }
}

/// 1 → 16 → 1.
const NODES: [Node; 3] = Node::chain([
    Operation::Dense(Dense { outputs: 16 }),
    Operation::Tanh(Tanh),
    Operation::Dense(Dense { outputs: 1 }),
]);
const PLACED: [Placed; 3] = match Network::placed(Shape::vector(1), &NODES) {
    Ok(placed) => placed,
    Err(_) => panic!("layers that do not fit"),
};
/// With one target for each sample.
const NETWORK: Network<'_> = Network::from_placed(&PLACED).with_targets(1);
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

impl From<LengthMismatch> for Failure {
    fn from(error: LengthMismatch) -> Self {
        Self::Step(error.into())
    }
}

/// Trains, and returns the root mean square of the errors at 101 points of the sine itself, and the last batch.
fn train(memory: &mut Memory) -> Result<(f32, u32), Failure> {
    let config = RunConfig {
        optimizer: AnyOptimizer::AdaGrad(AdaGrad::default()),
        learning_rate: 0.5,
        test: Some(AnyTest::Norm(NormTest { eta: 0.7, debiased: false })),
        initial_batch: 8,
        max_batch: 256,
        sample_budget: 200_000,
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
        Trainer::<f32>::new(config, Dataset::len(&Sine)).map_err(|_| Failure::Settings)?.with_grain(whole);
    let mut order = trainer.order();
    let mut batch = 0;
    // Plan: how many samples, and what is asked of them.
    while let Some(plan) = trainer.plan() {
        batch = plan.cut.samples();
        // Sweep: loss, gradient and norms of the batch, a micro-batch at a time.
        let mut statistics = Statistics::new(gradient, &mut [])?;
        for piece in plan.cut.walk(0..plan.cut.parts(), MICRO_BATCH) {
            let samples = piece.positions.map(|position| order.visit(plan.start + u64::from(position)));
            sweep.accumulate(parameters, &Sine, samples, &plan.needs, &mut statistics)?;
        }
        let evidence = statistics.evidence(&plan.needs, None);
        // Conclude: the update, and the size of the next batch.
        let mean = statistics.into_mean_gradient()?;
        trainer.conclude(&plan, &evidence, NETWORK, mean, parameters, optimizer)?;
    }
    let mut squares = 0.0;
    for point in -50_i16..=50 {
        let x = f32::from(point) / 50.0;
        let error = sweep.predict(parameters, &[x])?[0] - Sine::at(x);
        squares += error * error;
    }
    Ok(((squares / 101.0).sqrt(), batch))
}

fn main() {
    let mut memory = Memory::new();
    match train(&mut memory) {
        Ok((error, batch)) => {
            println!("root mean square error {error:.3}; the last batch had {batch} samples")
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
        let (error, batch) = train(&mut Memory::new()).expect("a run");
        assert!(error < 0.1, "{error}");
        assert!(batch > 64, "{batch}");
    }
}
