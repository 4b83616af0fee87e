//! `adadagrad bench`: training steps with the test's statistics and without, timed in turn.

use std::process::ExitCode;
use std::thread::Builder;
use std::time::{Duration, Instant};

use adadagrad_core::backend::{Backend, FastBackend, Matrix, MatrixMut};
use adadagrad_core::batch_test::AnyTest;
use adadagrad_core::config::{Preset, RunConfig};
use adadagrad_core::controller::{AnyController, Constant};
use adadagrad_core::model::Model;
use adadagrad_core::optimizer::AnyOptimizer;
use adadagrad_core::owned::cluster::Reduction;
use adadagrad_core::owned::threads::available_threads;
use adadagrad_core::statistics::LengthMismatch;
use adadagrad_core::training::Trainer;
use adadagrad_gpu::data::Splits;
use adadagrad_gpu::engine::{Engine, EngineError};
use adadagrad_gpu::run::Run;
use serde::{Deserialize, Serialize};

use crate::Outcome;
use crate::arguments::BenchArguments;
use crate::demand::Demand;
use crate::network::Chosen;
use crate::numbers::{grouped, rounded};
use crate::table::table;
use crate::usage::Usage;
use crate::{origin, output};

/// Batch sizes where none are given.
const BATCHES: [u32; 5] = [16, 64, 256, 1024, 4096];

fn time_limit(arguments: &BenchArguments) -> Result<Duration, Usage> {
    let seconds = arguments.seconds;
    let limit = Duration::try_from_secs_f64(seconds).ok().filter(|limit| !limit.is_zero());
    limit.ok_or_else(|| match seconds {
        0.0..1e-9 if seconds > 0.0 => {
            format!("--seconds is {seconds:e}, which is less than a nanosecond").into()
        }
        _ => format!("--seconds is {seconds}, but must be above 0 and at most about 10^19").into(),
    })
}

/// One model at one batch size.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    model: Model,
    pub(crate) batch: u32,
    /// Steps timed each way.
    steps: usize,
    /// Medians.
    pub(crate) samples_per_second_with_test: f64,
    samples_per_second_without_test: f64,
    /// Answers of a sample: the positions of a sequence, else 1.
    pub(crate) positions: usize,
    /// Median over pairs of steps, one after the other: time with ÷ time without.
    pub(crate) with_over_without: f64,
    /// Of the step with the test, counting every multiplication of dense arithmetic.
    pub(crate) gflops: f64,
    pub(crate) share_of_peak: f64,
}

/// What `--json` prints.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    version: String,
    computed_on: String,
    /// Of a product of two 1024×1024 matrices, the same threads each with its own.
    peak_gflops: f64,
    pub(crate) rows: Vec<Row>,
}

pub(crate) fn run(arguments: &BenchArguments) -> Outcome {
    arguments.place.check()?;
    time_limit(arguments)?;
    let (name, text) = origin::data_of(&arguments.place, None)?;
    let data = arguments.place.load_data(name, text)?;
    let threads = arguments.place.threads.unwrap_or_else(available_threads).get();
    // Before anything is timed.
    let batches = batches(arguments, data.training.len())?;
    let mut report = Report {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        computed_on: String::new(),
        peak_gflops: peak(threads)?,
        rows: Vec::new(),
    };
    let models: Vec<Model> = match arguments.models.as_slice() {
        [] => Model::MNIST.into(),
        chosen => chosen.to_vec(),
    };
    for model in models {
        for &batch in &batches {
            let row = measure(arguments, model, batch, &data, &mut report)?;
            if !arguments.json {
                output::message(format_args!(
                    "{}, b = {}: {} samples/s",
                    row.model,
                    grouped(batch.into()),
                    rounded(row.samples_per_second_with_test)
                ));
            }
            report.rows.push(row);
        }
    }
    if arguments.json {
        output::result(serde_json::to_string_pretty(&report)? + "\n");
    } else {
        output::result(tables(&report));
    }
    Ok(ExitCode::SUCCESS)
}

/// The batch sizes that are asked for, else those that fit the data.
fn batches(arguments: &BenchArguments, samples: u32) -> Result<Vec<u32>, Usage> {
    let chosen = &arguments.batches;
    // One sample has no variance to test.
    let least = if arguments.test.0.is_none() { 1 } else { 2 };
    if samples < least {
        return Err("the only training sample has no variance to test: give --test none".into());
    }
    if let Some(wrong) = chosen.iter().find(|batch| !(least..=samples).contains(batch)) {
        let sentence =
            format!("--batches contains {wrong}, but batch sizes must be from {least} to {samples}");
        return Err(sentence.into());
    }
    Ok(match chosen.as_slice() {
        [] if samples < BATCHES[0] => vec![samples],
        [] => BATCHES.into_iter().filter(|&batch| batch <= samples).collect(),
        chosen => chosen.to_vec(),
    })
}

/// The paper's run at a constant batch size, with a test's statistics or without.
fn config(
    model: Model,
    optimizer: Option<AnyOptimizer>,
    batch: u32,
    test: Option<AnyTest>,
    seed: u64,
) -> RunConfig {
    let base = Preset::PaperCnn.config();
    RunConfig {
        model,
        optimizer: optimizer.unwrap_or(base.optimizer),
        test,
        controller: AnyController::Constant(Constant {}),
        initial_batch: batch,
        max_batch: batch,
        sample_budget: 1 << 50,
        // A measurement would be due after every step, so that a GPU begins none before the last is done: the two
        // that take turns must not overlap.
        evaluate_every: 1,
        seed,
        ..base
    }
}

/// How long a run's next step takes.
fn seconds(run: &mut Run<Box<dyn Engine>>) -> Result<f64, Box<dyn std::error::Error>> {
    Ok(run.train()?.ok_or("the budget is spent")?.seconds)
}

fn measure(
    arguments: &BenchArguments,
    model: Model,
    batch: u32,
    data: &Splits,
    report: &mut Report,
) -> Result<Row, Box<dyn std::error::Error>> {
    let samples = data.training.len();
    let network = Chosen { model, own: None }.network(data.training.shape())?;
    let start = |test, seed| -> Result<Run<Box<dyn Engine>>, Box<dyn std::error::Error>> {
        let config = config(model, arguments.optimizer.0, batch, test, seed);
        let demand =
            Demand { is_saved: false, ..Demand::of_run(&config, &network, samples, Reduction::Exact) };
        let engine = arguments.place.engine(&config, network.clone(), data, demand)?;
        Ok(Run::new(Trainer::new(config, samples)?, engine))
    };
    // In different orders: the second of a pair would find the first one's images in the processor's caches.
    let (mut with, mut without) = (start(arguments.test.0, 0)?, start(None, 1)?);
    report.computed_on = with.engine().description();
    // The first of each pays for memory that is touched for the first time.
    seconds(&mut with)?;
    seconds(&mut without)?;
    let limit = time_limit(arguments)?;
    let begin = Instant::now();
    let mut pairs = Vec::new();
    while pairs.len() < 3 || begin.elapsed() < limit {
        pairs.push((seconds(&mut with)?, seconds(&mut without)?));
    }
    #[allow(clippy::cast_precision_loss)]
    let flops = network.view().flops() as f64 * f64::from(batch);
    let with = median(pairs.iter().map(|pair| pair.0));
    let without = median(pairs.iter().map(|pair| pair.1));
    let gflops = flops / with / 1e9;
    Ok(Row {
        model,
        batch,
        steps: pairs.len(),
        samples_per_second_with_test: f64::from(batch) / with,
        samples_per_second_without_test: f64::from(batch) / without,
        positions: network.view().positions(),
        with_over_without: median(pairs.iter().map(|(with, without)| with / without)),
        gflops,
        share_of_peak: gflops / report.peak_gflops,
    })
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

/// GFLOP/s of a large product, on so many threads at once.
fn peak(threads: usize) -> Result<f64, EngineError> {
    const SIDE: usize = 1024;
    const TIMES: u32 = 5;
    let product = || -> Result<f64, LengthMismatch> {
        let (a, b) = (vec![1.0_f32; SIDE * SIDE], vec![0.5_f32; SIDE * SIDE]);
        let mut c = vec![0.0_f32; SIDE * SIDE];
        let mut best = f64::INFINITY;
        for _ in 0..TIMES {
            let begin = Instant::now();
            let (a, b) = (Matrix::new(&a, SIDE, SIDE)?, Matrix::new(&b, SIDE, SIDE)?);
            FastBackend.product(a, b, 0.0, MatrixMut::new(&mut c, SIDE, SIDE)?)?;
            best = best.min(begin.elapsed().as_secs_f64());
        }
        Ok(2.0 * 1024_f64.powi(3) / best / 1e9)
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> =
            (0..threads).map(|_| Builder::new().spawn_scoped(scope, product)).collect::<Result<_, _>>()?;
        Ok(workers.into_iter().filter_map(|worker| worker.join().ok()?.ok()).sum())
    })
}

fn tables(report: &Report) -> String {
    // Of sequences, tokens are what others count.
    let counted = if report.rows.iter().any(|row| row.positions > 1) { "tokens/s" } else { "samples/s" };
    let with_test = format!("{counted} with the test");
    let head = ["model", "batch", &with_test, "without", "time with ÷ without", "GFLOP/s", "of peak"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for row in &report.rows {
        #[allow(clippy::cast_precision_loss)]
        let per_second = |samples: f64| rounded(samples * row.positions as f64);
        rows.push(vec![
            row.model.to_string(),
            grouped(row.batch.into()),
            per_second(row.samples_per_second_with_test),
            per_second(row.samples_per_second_without_test),
            format!("{:.3}", row.with_over_without),
            format!("{:.1}", row.gflops),
            format!("{:.0} %", 100.0 * row.share_of_peak),
        ]);
    }
    let peak = format!("{:.1} GFLOP/s", report.peak_gflops);
    let about = [("computed on", report.computed_on.clone()), ("matrix-product peak of the CPU", peak)];
    let about = table(&about.map(|(name, value)| vec![name.to_owned(), value]));
    format!("{}\n{about}", table(&rows))
}
