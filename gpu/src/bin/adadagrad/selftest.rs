//! `adadagrad selftest`.

use std::process::ExitCode;

use adadagrad_gpu::output_file::OutputFile;
use adadagrad_gpu::selftest::{self, Adapter, Report};

use crate::Outcome;
use crate::arguments::{SelftestArguments, TestedDevice};
use crate::distinct::refuse_shared;
use crate::files;
use crate::numbers::{grouped, rounded, significant};
use crate::output;
use crate::profile::kernel_table;
use crate::table::table;

/// Of a report.
const USUAL_BYTES: u64 = 1 << 16;

pub(crate) fn run(arguments: &SelftestArguments) -> Outcome {
    let TestedDevice::Gpu = arguments.device;
    let mut file = match arguments.output.as_deref() {
        Some(path) => {
            refuse_shared(("--output", path), &[])?;
            Some(OutputFile::prove(path, USUAL_BYTES).map_err(|error| files::about(path, error))?)
        }
        None => None,
    };
    let report = selftest::run(arguments.adapter.as_deref(), &|what| output::message(what))?;
    output::result(text(&report));
    if let Some(file) = &mut file {
        let json = serde_json::to_string_pretty(&report)? + "\n";
        file.write(json.as_bytes()).map_err(|error| files::about(file.path(), error))?;
        output::message(format_args!("Wrote {}.", file.path().display()));
    }
    Ok(if report.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn text(report: &Report) -> String {
    let sound = if report.is_sound() {
        "Every kernel agrees with the reference."
    } else {
        "SOME KERNELS ARE WRONG on this device: do not train on it."
    };
    [
        about(&report.adapter),
        checks(report),
        format!("{sound}\n"),
        format!("Variants, {:.1} s (chosen: *)\n{}", report.trial.seconds, variants(report)),
        format!("Training with the norm test's statistics\n{}", throughput(report)),
        kernels(report),
        format!("{:.0} s\n", report.seconds),
    ]
    .join("\n")
}

fn about(adapter: &Adapter) -> String {
    let kind = if adapter.is_software { "software".to_owned() } else { adapter.kind.clone() };
    let rows = [
        ("adapter", adapter.name.clone()),
        ("kind", kind),
        ("backend", adapter.backend.clone()),
        ("driver", format!("{} {}", adapter.driver, adapter.driver_info)),
        ("timestamps", if adapter.has_timestamps { "yes" } else { "no: kernels cannot be timed" }.to_owned()),
    ];
    table(&rows.map(|(name, value)| vec![name.to_owned(), value]))
}

fn checks(report: &Report) -> String {
    let head = ["kernel", "variant", "cases", "values", "worst/allowed", "wrong"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for checked in &report.checks {
        rows.push(vec![
            checked.kernel.clone(),
            checked.variant.map_or_else(String::new, |variant| variant.to_string()),
            checked.cases.to_string(),
            grouped(checked.values as u64),
            format!("{:.3}", checked.worst),
            checked.failures.len().to_string(),
        ]);
    }
    let failures = report.checks.iter().flat_map(|checked| {
        let variant = checked.variant.map_or_else(String::new, |variant| format!(" ({variant})"));
        checked.failures.iter().map(move |failure| format!("{}{variant}: {failure}\n", checked.kernel))
    });
    let failures: String = failures.collect();
    table(&rows) + &failures
}

fn variants(report: &Report) -> String {
    let head = ["kernel", "variant", "ms", "GFLOP/s"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for timing in &report.trial.timings {
        let chosen = if report.variants.of(timing.kernel) == timing.variant { "*" } else { "" };
        rows.push(vec![
            timing.kernel.name().to_owned(),
            format!("{}{chosen}", timing.variant),
            significant(1e3 * timing.seconds),
            significant(timing.gflops),
        ]);
    }
    table(&rows)
}

fn throughput(report: &Report) -> String {
    let head = ["model", "batch", "samples/s", "GFLOP/s", "kernels busy"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for row in &report.throughput {
        let unknown = || "unknown".to_owned();
        rows.push(vec![
            row.model.to_string(),
            grouped(row.batch.into()),
            rounded(row.samples_per_second),
            row.gflops.map_or_else(unknown, significant),
            row.busy.map_or_else(unknown, |busy| format!("{:.0} %", 100.0 * busy)),
        ]);
    }
    table(&rows)
}

/// The kernels of the largest step.
fn kernels(report: &Report) -> String {
    match report.throughput.last() {
        Some(row) => {
            let title = format!("Kernels, {} at b = {}", row.model, grouped(row.batch.into()));
            format!("{title}\n{}", kernel_table(&row.kernels))
        }
        None => String::new(),
    }
}
