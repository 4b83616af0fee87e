//! `adadagrad statistics`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use adadagrad_core::batch_test::AnyTest;
use adadagrad_core::config::{LARGEST_EXACT, RunConfig};
use adadagrad_core::model::Model;
use adadagrad_core::owned::cluster::Reduction;
use adadagrad_core::settings::Choices;
use adadagrad_core::shuffle::Order;
use adadagrad_core::statistics::{Evidence, Needs, Reason};
use adadagrad_core::training::{BatchOrder, Cut};
use adadagrad_gpu::data::Splits;
use adadagrad_gpu::engine::Engine;
use serde::Serialize;

use crate::Outcome;
use crate::arguments::StatisticsArguments;
use crate::demand::Demand;
use crate::files;
use crate::numbers::{grouped, percent, significant};
use crate::origin;
use crate::output;
use crate::settings::explain;
use crate::table::table;
use crate::usage::Usage;

/// The JSON object. Null where a quantity is undefined; `reasons` has the reason under the same name.
#[derive(Serialize)]
struct Report {
    samples: u32,
    /// Mean loss in nats.
    loss: Option<f64>,
    accuracy: f64,
    /// n.
    mean_norm_sq: Option<f64>,
    /// v.
    variance: Option<f64>,
    variance_along: Option<f64>,
    variance_orthogonal: Option<f64>,
    /// S.
    sum_squared_norms: Option<f64>,
    /// T of each test, before rounding up.
    required: BTreeMap<&'static str, Option<f64>>,
    /// What this batch would just pass.
    threshold: BTreeMap<&'static str, Option<f64>>,
    reasons: BTreeMap<&'static str, Reason>,
}

pub(crate) fn run(arguments: &StatisticsArguments) -> Outcome {
    arguments.place.check()?;
    let checkpoint = match &arguments.load {
        Some(file) => Some((file.as_path(), files::load_checkpoint(file)?)),
        None => None,
    };
    let loaded = checkpoint.as_ref().map(|(file, checkpoint)| (*file, checkpoint));
    let chosen = arguments.network.choose(loaded, Some(Model::Cnn))?;
    let own_seed = loaded.and_then(|(_, checkpoint)| Some(checkpoint.state.as_ref()?.config.seed));
    let seed = arguments.seed.or(own_seed).unwrap_or_default();
    let tests = arguments.tests.all(|setting| origin::threshold(loaded, setting))?;
    for &test in &tests {
        let config = RunConfig { test: Some(test), seed, ..RunConfig::default() };
        config.validate(u32::MAX).map_err(|error| explain(&error))?;
    }
    let needs = tests.iter().fold(Needs::NONE, |needs, test| needs.and(test.needs()));
    let (name, text) = origin::data_of(&arguments.place, loaded)?;
    let data = arguments.place.load_data(name, text)?;
    if let Some(note) = loaded.map(|loaded| origin::check_data(loaded, &data)).transpose()?.flatten() {
        output::message(note);
    }
    let data = origin::as_seen_by(data, loaded);
    let (samples, visit) = batch(arguments, seed, &data)?;
    let network = chosen.network(data.training.shape())?;
    let cut = Cut::new(samples, needs.parts);
    let demand = Demand { needs, largest: Some(cut), is_saved: false, reduction: Reduction::Exact };
    let mut engine = files::engine_of(&arguments.place, chosen.model, &network, seed, loaded, &data, demand)?;
    let evidence = engine.evidence(cut, visit, &needs)?;
    let report = report(&evidence, network.view().positions(), &tests);
    if arguments.table {
        output::result(tables(&report));
    } else {
        output::result(serde_json::to_string(&report)? + "\n");
    }
    Ok(ExitCode::SUCCESS)
}

/// How many samples, and which.
fn batch(arguments: &StatisticsArguments, seed: u64, data: &Splits) -> Result<(u32, BatchOrder), Usage> {
    let available = data.training.len();
    let start = arguments.start;
    if start > LARGEST_EXACT {
        return Err(format!("--start is {start}, but must be from 0 to {LARGEST_EXACT}").into());
    }
    let (flag, samples, most, visit) = match (arguments.first, arguments.batch) {
        (Some(first), _) => {
            let start = u32::try_from(start).unwrap_or(available).min(available);
            ("--first", first, available - start, BatchOrder::InFileOrder { start })
        }
        (None, batch) => {
            let order = Order::new(available, seed);
            ("--batch", batch.unwrap_or_default(), available, BatchOrder::Shuffled { order, start })
        }
    };
    if most == 0 {
        Err(format!("--start is {start}, but there are only {available} training samples").into())
    } else if samples == 0 || samples > most {
        Err(format!("{flag} is {samples}, but must be from 1 to {most} (of {available} training samples)")
            .into())
    } else {
        Ok((samples, visit))
    }
}

fn report(evidence: &Evidence<f64>, positions: usize, tests: &[AnyTest]) -> Report {
    let mut reasons = BTreeMap::new();
    let mut finite = |name, value: Result<f64, Reason>| match value {
        Ok(value) if value.is_finite() => Some(value),
        Ok(_) => {
            reasons.insert(name, Reason::NonFinite);
            None
        }
        Err(reason) => {
            reasons.insert(name, reason);
            None
        }
    };
    let loss = finite("loss", Ok(evidence.loss));
    let mean_norm_sq = finite("mean_norm_sq", Ok(evidence.mean_norm_sq));
    let sum_squared_norms =
        finite("sum_squared_norms", evidence.sum_squared_norms.ok_or(Reason::MissingEvidence));
    let variance = finite("variance", evidence.variance());
    let variance_along = finite("variance_along", evidence.variance_along());
    let variance_orthogonal = finite("variance_orthogonal", evidence.variance_orthogonal());
    let (mut required, mut threshold) = (BTreeMap::new(), BTreeMap::new());
    for test in tests {
        let (name, test) = (test.name(), test.as_test::<f64>());
        let size = test.required(evidence);
        let reason = size.reason().unwrap_or(Reason::NonFinite);
        required.insert(name, finite(name, size.size().ok_or(reason)));
        threshold.insert(name, test.threshold(evidence));
    }
    Report {
        samples: evidence.samples,
        loss,
        accuracy: evidence.accuracy(positions),
        mean_norm_sq,
        variance,
        variance_along,
        variance_orthogonal,
        sum_squared_norms,
        required,
        threshold,
        reasons,
    }
}

fn tables(report: &Report) -> String {
    let number = |name: &str, value: Option<f64>| match (value, report.reasons.get(name)) {
        (Some(value), _) => significant(value),
        (None, Some(reason)) => format!("– ({reason})"),
        (None, None) => "–".to_owned(),
    };
    let quantities = [
        ("samples b", grouped(report.samples.into())),
        ("loss", format!("{} nats", number("loss", report.loss))),
        ("accuracy", percent(report.accuracy)),
        ("mean_norm_sq n", number("mean_norm_sq", report.mean_norm_sq)),
        ("sum_squared_norms S", number("sum_squared_norms", report.sum_squared_norms)),
        ("variance v", number("variance", report.variance)),
        ("variance_along", number("variance_along", report.variance_along)),
        ("variance_orthogonal", number("variance_orthogonal", report.variance_orthogonal)),
    ];
    let mut rows = vec![["test", "required batch", "would just pass at"].map(str::to_owned).to_vec()];
    for (&name, &required) in &report.required {
        let threshold = report.threshold.get(name).copied().flatten();
        let threshold = threshold.map_or_else(|| "–".to_owned(), significant);
        rows.push(vec![name.to_owned(), number(name, required), threshold]);
    }
    let quantities = table(&quantities.map(|(name, value)| vec![name.to_owned(), value]));
    format!("{quantities}\n{}", table(&rows))
}
