//! A whole run in memory that is there from the start, driven by the step machine of every other engine.

use core::fmt;

use adadagrad_core::backend::PlainBackend;
use adadagrad_core::config::RunConfig;
use adadagrad_core::dataset::{Dataset, Visit};
use adadagrad_core::network::{Grain, Network, Sweep, SweepError, Workspace, initialise};
use adadagrad_core::real::Real;
use adadagrad_core::statistics::Statistics;
use adadagrad_core::training::{Next, Step, Sweeper, Telemetry, Trainer, Work};

use crate::Failure;
use crate::fingerprint::fingerprint;

/// Who follows a run.
pub trait Watch {
    /// A step begins.
    fn begin(&mut self) {}

    /// The step is made.
    fn end(&mut self, samples: u32) {
        let _ = samples;
    }

    /// A line of the run's report.
    fn line(&mut self, line: fmt::Arguments<'_>);
}

/// All memory of a run in floats F: of D parameters, for micro-batches of M samples. The optimizer has so many slots times D
/// values.
#[derive(Debug)]
pub struct Memory<
    F: Real,
    const D: usize,
    const OPTIMIZER: usize,
    const VALUES: usize,
    const SUMS: usize,
    const M: usize,
> {
    pub(crate) parameters: [F; D],
    gradient: [F; D],
    optimizer: [F; OPTIMIZER],
    values: [F; VALUES],
    sums: [F::Sum; SUMS],
    visits: [Visit; M],
    labels: [u32; M],
}

impl<const D: usize, const OPTIMIZER: usize, const VALUES: usize, const SUMS: usize, const M: usize>
    Memory<f32, D, OPTIMIZER, VALUES, SUMS, M>
{
    /// Zeros: a linker puts them where nothing is stored in flash.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "it is to lie in static memory")]
    pub const fn new() -> Self {
        Self::of(0.0, 0.0)
    }
}

impl<F: Real, const D: usize, const OPTIMIZER: usize, const VALUES: usize, const SUMS: usize, const M: usize>
    Memory<F, D, OPTIMIZER, VALUES, SUMS, M>
{
    /// The same of any floats, given their zero and that of their sums.
    #[must_use]
    pub const fn of(zero: F, sum: F::Sum) -> Self {
        Self {
            parameters: [zero; D],
            gradient: [zero; D],
            optimizer: [zero; OPTIMIZER],
            values: [zero; VALUES],
            sums: [sum; SUMS],
            visits: [Visit { sample: 0, pass: 0 }; M],
            labels: [0; M],
        }
    }

    /// Trains from beginning to end. Every batch is one part: a single core has nobody to share it with.
    pub(crate) fn train(
        &mut self,
        network: Network<'_>,
        config: RunConfig,
        dataset: &dyn Dataset<F>,
        watch: &mut dyn Watch,
    ) -> Result<(), Failure> {
        let Self { parameters, gradient, optimizer, values, sums, visits, labels } = self;
        initialise(network, config.seed, parameters)?;
        config.start(D, optimizer);
        watch.line(format_args!("start parameters {:016x}", fingerprint(parameters)));
        let workspace = Workspace { values, sums, visits, labels };
        let mut sweep = Sweep::new(network, PlainBackend, M, workspace)?;
        let whole_batches = Grain { samples: u32::MAX, parts: 1 };
        let mut trainer = Trainer::<F>::new(config, dataset.len())?.with_grain(whole_batches);
        #[allow(clippy::cast_possible_truncation, reason = "a few samples")]
        let micro_batch = M as u32;
        let mut order = trainer.order();
        while let Some(mut step) = Step::begin(&trainer) {
            watch.begin();
            let needs = step.plan().needs;
            let mut statistics = Statistics::new(gradient, &mut [])?;
            while let Next::Sweep(round) = step.next() {
                let Some(part) = round.next() else { break };
                let before = statistics.totals.samples;
                let visit = |position: u32| order.visit(part.start + u64::from(position));
                let mut sweeper = Sweeper { workspaces: &mut sweep, parameters, dataset, visit };
                let mut work = Work::Accumulate { needs: &needs, sums: &mut statistics };
                sweeper.part::<SweepError>(&part, &mut work, |_| Ok(()))?;
                step.batch_mut().take_sums(&part, statistics.totals.samples - before)?;
            }
            let evidence = statistics.evidence(&needs, None);
            let mean_gradient = statistics.into_mean_gradient()?;
            step.batch_mut().close()?;
            let made =
                step.conclude(&mut trainer, &evidence, network, mean_gradient, parameters, optimizer)?;
            // None of these runs has a rule that extends batches.
            let telemetry = made.ok_or(Failure::Extended)?;
            watch.end(telemetry.samples);
            report(&telemetry, fingerprint(parameters), watch);
        }
        let mut correct = 0;
        for first in (0..dataset.len()).step_by(M) {
            let samples = first..dataset.len().min(first + micro_batch);
            correct += sweep.evaluate(parameters, dataset, samples)?.correct;
        }
        watch.line(format_args!("end correct {correct} of {}", dataset.len()));
        Ok(())
    }
}

/// A step's line. Floats are their bits, so that no rounding hides a difference.
fn report(telemetry: &Telemetry, parameters: u64, watch: &mut dyn Watch) {
    let Telemetry { step, samples, loss, training_accuracy, mean_norm_sq, next_batch, .. } = *telemetry;
    let bits = |value: Option<f64>| value.map_or(0, f64::to_bits);
    // For people: thousandths of a nat, as far as one reads them.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let millinats = (loss * 1000.0) as u32;
    watch.line(format_args!(
        "step {step} samples {samples} loss {}.{:03} next {next_batch} bits {:016x} {:016x} {:016x} {:016x} {:016x} {:016x} \
         parameters {parameters:016x}",
        millinats / 1000,
        millinats % 1000,
        loss.to_bits(),
        training_accuracy.to_bits(),
        mean_norm_sq.to_bits(),
        bits(telemetry.variance),
        bits(telemetry.required),
        bits(telemetry.threshold),
    ));
}
