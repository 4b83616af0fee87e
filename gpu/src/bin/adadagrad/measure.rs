//! `adadagrad measure critical-batch`.

use std::error::Error;
use std::num::NonZero;
use std::process::ExitCode;
use std::sync::Arc;

use adadagrad_core::config::{LARGEST_EXACT, Preset, RunConfig};
use adadagrad_core::controller::{AnyController, Constant};
use adadagrad_core::coupling::Coupling;
use adadagrad_core::critical_batch::{Answer, Search, SmoothedLoss, rate_factor, usual_scaling};
use adadagrad_core::model::Model;
use adadagrad_core::normalisation::Normalisation;
use adadagrad_core::observe::Observe;
use adadagrad_core::optimizer::Shared;
use adadagrad_core::owned::checkpoint::State;
use adadagrad_core::owned::cluster::Reduction;
use adadagrad_core::schedule::Schedule;
use adadagrad_core::settings::Choices;
use adadagrad_core::training::{Progress, Trainer};
use adadagrad_gpu::engine::{Engine, EngineError};
use adadagrad_gpu::output_file::OutputFile;
use serde::Serialize;

use crate::Outcome;
use crate::arguments::CriticalBatchArguments;
use crate::demand::Demand;
use crate::distinct::{refuse_data, refuse_shared};
use crate::files::{self, about};
use crate::interrupt::{self, Interrupts};
use crate::numbers::{grouped, significant};
use crate::settings::explain;
use crate::table::table;
use crate::usage::Usage;
use crate::{origin, output};

/// Of a report.
const USUAL_BYTES: u64 = 1 << 14;
/// Steps of the branch with the largest batches, where nothing says how many samples.
const LEAST_STEPS: u64 = 16;

/// The JSON object.
#[derive(Serialize)]
struct Report {
    base_batch: u32,
    /// Of each branch.
    samples: u64,
    learning_rate: f64,
    optimizer: &'static str,
    scaling: Coupling,
    tolerance: f64,
    smoothing: f64,
    branches: Vec<Branch>,
    /// Whether all branches ended that were to be trained.
    complete: bool,
    critical_batch: Option<Found>,
}

#[derive(Serialize)]
struct Branch {
    factor: u32,
    batch: u32,
    learning_rate: f64,
    steps: u64,
    /// Null where it diverged.
    smoothed_loss: Option<f64>,
    within: bool,
}

#[derive(Serialize)]
struct Found {
    /// The largest batch whose loss stayed within the tolerance.
    batch: u32,
    /// The smallest batch whose loss did not.
    behind: Option<u32>,
    /// What `batch` is of the critical batch size.
    bound: Bound,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Bound {
    /// It lies between `batch` and `behind`.
    Between,
    /// It is at least `batch`.
    Lower,
    /// It is less than `behind`, perhaps less than `batch`.
    Upper,
}

/// Of a branch: with those that the checkpoint has seen, and the rest of a last batch, still counted exactly.
const MOST_SAMPLES: u64 = LARGEST_EXACT / 4;

/// What all branches start from.
struct Origin {
    config: RunConfig,
    progress: Progress<f64>,
    samples: u32,
    parameters: Vec<f32>,
    memory: Vec<f32>,
}

pub(crate) fn critical_batch(arguments: &CriticalBatchArguments) -> Outcome {
    arguments.place.check()?;
    check(arguments)?;
    let load = arguments.load.as_path();
    let mut file = match arguments.output.as_deref() {
        Some(path) => {
            refuse_shared(("--output", path), &[Some(("--load", load)), arguments.network.file()])?;
            Some(OutputFile::prove(path, USUAL_BYTES).map_err(|error| about(path, error))?)
        }
        None => None,
    };
    let checkpoint = files::load_checkpoint(load)?;
    let loaded = (load, &checkpoint);
    let chosen = arguments.network.choose(Some(loaded), None)?;
    let (name, text) = origin::data_of(&arguments.place, Some(loaded))?;
    let data = arguments.place.load_data(name, text)?;
    if let Some(path) = arguments.output.as_deref() {
        refuse_data(("--output", path), &data)?;
    }
    if let Some(note) = origin::check_data(loaded, &data)? {
        output::message(note);
    }
    let state = checkpoint.state.as_ref();
    let (config, progress) = start(arguments, state, chosen.model)?;
    let network = chosen.network(data.training.shape())?;
    let data = data.for_run(&config, state.and_then(|state| state.encoding));
    let samples = data.training.len();
    let base = arguments.base_batch;
    if base.get() > samples {
        let range = format!("from 1 to {samples}, the number of training samples");
        return Err(Usage(format!("--base-batch is {base}, but must be {range}")).into());
    }
    config.validate_under_way(samples).map_err(|error| explain(&error))?;
    let parameters = checkpoint.parameters(network.view()).map_err(|error| about(load, error))?;
    let slots = config.slots();
    // Another optimizer begins anew.
    let memory = if progress.steps > 0 {
        checkpoint.memory(network.view(), slots).map_err(|error| about(load, error))?
    } else {
        let mut memory = vec![0.0; slots * parameters.len()];
        config.start(parameters.len(), &mut memory);
        memory
    };
    let largest = base.get().saturating_mul(arguments.largest_factor.get()).min(samples);
    let largest = RunConfig { max_batch: largest, ..config };
    let demand = Demand { is_saved: false, ..Demand::of_run(&largest, &network, samples, Reduction::Exact) };
    let mut engine = arguments.place.engine(&config, network, &data, demand)?;
    let interrupts = interrupt::listen(
        Arc::clone(engine.control()),
        ["stopping; the results of the finished runs follow", "without them"],
    )?;
    let origin = Origin { config, progress, samples, parameters, memory };
    engine.restore(&origin.parameters, None)?;
    let start = engine.evaluate(&data.test)?.evaluation.loss;
    let (report, is_interrupted) = measure(arguments, &origin, start, &mut *engine)?;
    output::result(report.in_words());
    if let Some(file) = &mut file {
        let json = serde_json::to_string_pretty(&report)? + "\n";
        file.write(json.as_bytes()).map_err(|error| about(file.path(), error))?;
        output::message(format_args!("Wrote {}.", file.path().display()));
    }
    Ok(ending(&report, is_interrupted.then_some(&interrupts)))
}

fn ending(report: &Report, interrupts: Option<&Interrupts>) -> ExitCode {
    match interrupts {
        Some(interrupts) => ExitCode::from(interrupts.exit_code()),
        None if report.critical_batch.is_none() => ExitCode::FAILURE,
        None => ExitCode::SUCCESS,
    }
}

/// Refuses numbers out of their ranges.
fn check(arguments: &CriticalBatchArguments) -> Result<(), Usage> {
    let &CriticalBatchArguments { samples, tolerance, smoothing, .. } = arguments;
    if let Some(samples) = samples.filter(|samples| samples.get() > MOST_SAMPLES) {
        return Err(format!("--samples is {samples}, but must be from 1 to {MOST_SAMPLES}").into());
    }
    if tolerance < 0.0 {
        return Err(format!("--tolerance is {tolerance}, but must be at least 0").into());
    }
    if !(0.0..1.0).contains(&smoothing) {
        return Err(format!("--smoothing is {smoothing}, but must be at least 0 and below 1").into());
    }
    Ok(())
}

/// The settings of all branches but for batch and learning rate, and where they begin.
fn start(
    arguments: &CriticalBatchArguments,
    state: Option<&State>,
    model: Model,
) -> Result<(RunConfig, Progress<f64>), Box<dyn Error>> {
    let base = state.map_or_else(|| Preset::PaperCnn.config(), |state| state.config);
    let optimizer = arguments.optimizer.over_base(base.optimizer)?;
    let before = state.map_or_else(|| Progress::start(1), |state| state.progress);
    let own_rate = base.schedule.learning_rate(base.learning_rate, before.samples_seen, base.sample_budget)
        * before.learning_rate_scale;
    // The memory of the run's own optimizer goes on; any other begins anew, at the same sample.
    let goes_on = state.is_some() && optimizer == base.optimizer;
    let progress = Progress {
        steps: if goes_on { before.steps } else { 0 },
        samples_seen: before.samples_seen,
        shared: if goes_on { before.shared } else { Shared::default() },
        ..Progress::start(arguments.base_batch.get())
    };
    let config = RunConfig {
        model,
        optimizer,
        learning_rate: arguments.learning_rate.unwrap_or(own_rate),
        schedule: Schedule::default(),
        test: None,
        controller: AnyController::Constant(Constant {}),
        coupling: Coupling::None,
        observe: Observe::NONE,
        normalisation: if state.is_some() { base.normalisation } else { Normalisation::None },
        initial_batch: arguments.base_batch.get(),
        min_batch: 1,
        max_batch: arguments.base_batch.get(),
        seed: arguments.seed.unwrap_or(base.seed),
        ..base
    };
    Ok((config, progress))
}

/// Trains branch after branch from a network with the test loss `start`. Returns also whether it was interrupted.
fn measure(
    arguments: &CriticalBatchArguments,
    origin: &Origin,
    start: f64,
    engine: &mut dyn Engine,
) -> Result<(Report, bool), Box<dyn Error>> {
    let &CriticalBatchArguments { base_batch, largest_factor, tolerance, smoothing, .. } = arguments;
    let (base, largest) = (base_batch.get(), largest_factor.get());
    let all = (0..u32::BITS).map(|power| 1_u32 << power).take_while(|&factor| factor <= largest);
    let fits = |factor: &u32| base.checked_mul(*factor).is_some_and(|batch| batch <= origin.samples);
    let (factors, is_cut_short) =
        (all.clone().filter(fits).collect::<Vec<_>>(), !all.clone().all(|f| fits(&f)));
    // Every branch has the same samples: whole batches of the largest size.
    let longest = u64::from(base) * u64::from(factors.last().copied().unwrap_or(1));
    let asked = arguments.samples.map_or(longest.saturating_mul(LEAST_STEPS), NonZero::get);
    let samples = asked.max(1).div_ceil(longest).saturating_mul(longest);
    let scaling = usual_scaling(&origin.config.optimizer);
    let mut report = Report {
        base_batch: base,
        samples,
        learning_rate: origin.config.learning_rate,
        optimizer: origin.config.optimizer.name(),
        scaling,
        tolerance,
        smoothing,
        branches: Vec::new(),
        complete: true,
        critical_batch: None,
    };
    let mut search = Search::new(tolerance, start);
    if is_cut_short {
        let samples = grouped(origin.samples.into());
        output::message(format_args!("The largest batch is the training set, {samples} samples."));
    }
    let mut is_interrupted = false;
    for factor in factors {
        let batch = base * factor;
        let learning_rate = origin.config.learning_rate * rate_factor(scaling, factor)?;
        let mut branch =
            Branch { factor, batch, learning_rate, steps: 0, smoothed_loss: None, within: false };
        let mut smoothed = SmoothedLoss::new(smoothing, base);
        match train(origin, engine, samples, &mut branch, &mut smoothed) {
            Ok(()) => branch.smoothed_loss = smoothed.loss().filter(|&loss| !search.diverged(loss)),
            Err(EngineError::Step(_)) => {}
            Err(EngineError::Cancelled) => {
                (is_interrupted, report.complete) = (true, false);
                break;
            }
            Err(error) => return Err(error.into()),
        }
        branch.within = search.take(factor, branch.smoothed_loss.unwrap_or(f64::NAN));
        let loss =
            branch.smoothed_loss.map_or_else(|| "diverged".to_owned(), |loss| format!("{loss:.4} nats"));
        if !arguments.quiet {
            output::message(format_args!("Batch {}: {loss}.", grouped(batch.into())));
        }
        report.branches.push(branch);
        if search.is_over() {
            break;
        }
    }
    report.critical_batch = search.answer().map(|answer| found(answer, base));
    Ok((report, is_interrupted))
}

fn found(Answer { factor, behind }: Answer, base: u32) -> Found {
    let bound = match (factor, behind) {
        (_, None) => Bound::Lower,
        (1, Some(_)) => Bound::Upper,
        _ => Bound::Between,
    };
    Found {
        batch: base.saturating_mul(factor),
        behind: behind.map(|behind| base.saturating_mul(behind)),
        bound,
    }
}

/// Trains one branch from the origin.
fn train(
    origin: &Origin,
    engine: &mut dyn Engine,
    samples: u64,
    branch: &mut Branch,
    smoothed: &mut SmoothedLoss,
) -> Result<(), EngineError> {
    engine.restore(&origin.parameters, Some(&origin.memory))?;
    let start = origin.progress.samples_seen;
    let config = RunConfig {
        learning_rate: branch.learning_rate,
        initial_batch: branch.batch,
        max_batch: branch.batch,
        sample_budget: start.saturating_add(samples),
        evaluate_every: LARGEST_EXACT,
        ..origin.config
    };
    let progress = Progress { next_batch: branch.batch, ..origin.progress };
    let trainer = Trainer::<f32>::resume(config, origin.samples, progress);
    let trainer = trainer.map_err(|error| EngineError::Core(error.into()))?;
    let mut trainer = trainer.with_grain(engine.grain()).with_positions(engine.positions());
    while let Some(plan) = trainer.plan() {
        let telemetry = engine.step(&mut trainer, &plan)?;
        branch.steps += 1;
        smoothed.take(telemetry.samples, telemetry.loss);
    }
    Ok(())
}

impl Report {
    fn in_words(&self) -> String {
        let head = ["k", "batch", "learning rate", "steps", "smoothed loss", "within"];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        rows.extend(self.branches.iter().map(|branch| {
            vec![
                branch.factor.to_string(),
                grouped(branch.batch.into()),
                significant(branch.learning_rate),
                grouped(branch.steps),
                branch.smoothed_loss.map_or_else(|| "diverged".to_owned(), |loss| format!("{loss:.4}")),
                if branch.within { "yes" } else { "no" }.to_owned(),
            ]
        }));
        format!("{}\n{}\n", table(&rows), self.answer())
    }

    fn answer(&self) -> String {
        let Some(Found { batch, behind, bound }) = &self.critical_batch else {
            return if self.complete {
                "Every run diverged, so the critical batch size is unknown: choose a smaller learning rate."
                    .to_owned()
            } else {
                "Interrupted before the first run finished: the critical batch size is unknown.".to_owned()
            };
        };
        let [batch, behind] = [*batch, behind.unwrap_or_default()].map(|size| grouped(size.into()));
        match bound {
            Bound::Between => format!(
                "The critical batch size is {batch}: the largest batch tried whose loss stays within the tolerance; that of \
                 {behind} does not."
            ),
            Bound::Lower => format!(
                "The critical batch size is at least {batch}, the largest batch tried: this is a lower bound."
            ),
            Bound::Upper => format!(
                "The critical batch size is below {behind}, and may be below {batch}: this is an upper bound. Measure again \
                 with a smaller --base-batch."
            ),
        }
    }
}
