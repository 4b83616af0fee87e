//! `adadagrad reproduce`: a named set of runs, made one after another, and a report of what came of them.

mod charts;
mod experiment;
mod folder;
mod quantity;
mod replay;
mod report;
mod runner;
mod settings;
mod statistics;
mod summary;
mod timing;

use std::cell::RefCell;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use adadagrad_core::owned::Control;

use self::experiment::{Band, Experiment, built_in, path};
use self::report::{Made, Provenance, REPORT_HTML, Section};
use self::runner::{Bar, End, Finished, Runner};
use self::summary::Figures;
use crate::Outcome;
use crate::arguments::ReproduceArguments;
use crate::files::{about, check_threads, read_text};
use crate::table::{table, table_of_texts};
use crate::usage::Usage;
use crate::{interrupt, output};

pub(crate) fn run(arguments: &ReproduceArguments) -> Outcome {
    let Some(name) = &arguments.experiment else {
        output::result(list()?);
        return Ok(ExitCode::SUCCESS);
    };
    check_threads(arguments.threads, arguments.device)?;
    let experiment = read(name)?;
    let planned = experiment.planned(arguments.quick)?;
    let folder = arguments.out.clone().unwrap_or_else(|| folder_of(name, arguments.quick));
    let (flags, launcher) = (flags(arguments), launcher(arguments)?);
    // Runs are made in the folder of the experiment.
    let data =
        arguments.data.as_deref().map(|data| fs::canonicalize(data).map_err(|error| about(data, error)));
    let data = data.transpose()?;
    let lock = folder::open(&folder)?;
    folder::claim(&folder, &experiment, arguments.quick)?;
    let control = Arc::new(Control::default());
    let doing = ["saving the current run; the same command continues it", "without saving it"];
    let interrupts = interrupt::listen(Arc::clone(&control), doing)?;
    let runner = Runner {
        folder: &folder,
        launcher: &launcher,
        data: data.as_deref(),
        flags: &flags,
        control: &control,
        lock: &lock,
        digests: RefCell::default(),
    };
    let timings = experiment.timings(arguments.quick);
    let and_timings = match timings.len() {
        0 => String::new(),
        count => format!(" and {count} timings"),
    };
    output::message(format_args!(
        "{}: {} runs{and_timings}; results are written to {}",
        experiment.title,
        planned.len(),
        folder.display()
    ));
    let mut bar = Bar::new(&planned);
    let (mut made, mut faults) = (Vec::new(), Vec::new());
    let mut is_interrupted = false;
    for run in &planned {
        match runner.make(run, &bar)? {
            End::Done(Finished { course, command, program }) => made.push(Made {
                figures: Figures::of(&run.group, &run.run, run.seed, &course, experiment.goal()),
                course,
                command,
                program,
            }),
            End::Failed(why) => {
                let why = format!("{}, seed {}: {why}", run.path(), run.seed);
                output::error(&why);
                faults.push(format!("Failed: {why}"));
            }
            End::Interrupted => {
                is_interrupted = true;
                break;
            }
        }
        bar.go_on(run);
    }
    drop(bar);
    let mut timed = Vec::new();
    for timing in timings.iter().take_while(|_| !is_interrupted) {
        match runner.time(timing, arguments.quick)? {
            End::Done(done) => timed.push(done),
            End::Failed(why) => {
                let why = format!("{}: {why}", timing.name);
                output::error(&why);
                faults.push(format!("Failed: {why}"));
            }
            End::Interrupted => {
                is_interrupted = true;
                break;
            }
        }
    }
    if is_interrupted {
        let done = made.len() + timed.len();
        faults.push(format!(
            "Interrupted: {done} of {} runs and timings are done",
            planned.len() + timings.len()
        ));
    }
    if made.is_empty() && timed.is_empty() {
        output::message("No run has finished, so no report is written.");
        return Ok(if is_interrupted { ExitCode::from(interrupts.exit_code()) } else { ExitCode::FAILURE });
    }
    let figures: Vec<Figures> = made.iter().map(|run| run.figures.clone()).collect();
    let outside = if arguments.quick { outside(experiment.bands(), &figures) } else { Vec::new() };
    faults.extend(outside.iter().map(|fault| format!("Outside its range: {fault}")));
    let is_good = faults.is_empty();
    let provenance = Provenance { command: typed(), faults };
    for Section { title, table: summary, .. } in
        report::write(&folder, &experiment, &made, &timed, &provenance)?
    {
        let rows: Vec<_> = [vec![summary.head], summary.rows].concat();
        output::result(format!("\n{title}\n{}", table(&rows).replace("**", "")));
    }
    output::result(format!("\nReport: {}\n", folder.join(REPORT_HTML).display()));
    outside.iter().for_each(output::error);
    Ok(match is_good {
        _ if is_interrupted => ExitCode::from(interrupts.exit_code()),
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

fn list() -> Result<String, String> {
    let rows = built_in().map(|(name, experiment)| {
        let experiment = experiment?;
        let runs = experiment.planned(false)?.len();
        Ok(vec![name.to_owned(), experiment.title, format!("{runs} runs")])
    });
    Ok(table_of_texts(&rows.collect::<Result<Vec<_>, String>>()?, 2))
}

/// One of this package by its name, else a file.
fn read(name: &str) -> Result<Experiment, Box<dyn std::error::Error>> {
    if let Some(experiment) = Experiment::named(name) {
        return Ok(experiment?);
    }
    let file = Path::new(name);
    if !file.exists() {
        let names: Vec<_> = built_in().map(|(name, _)| name).collect();
        return Err(Usage(format!(
            "{name} is not a valid experiment: neither a file nor one of {}",
            names.join(", ")
        ))
        .into());
    }
    Ok(Experiment::parse(&read_text(file)?).map_err(|error| about(file, error))?)
}

fn folder_of(name: &str, quick: bool) -> PathBuf {
    let name = Path::new(name).file_stem().map_or_else(|| name.into(), |stem| stem.to_string_lossy());
    PathBuf::from("results").join(if quick { format!("{name}-quick") } else { name.into_owned() })
}

/// Flags of each run that are neither settings nor data.
fn flags(arguments: &ReproduceArguments) -> Vec<OsString> {
    let mut flags: Vec<OsString> = vec!["--device".into(), arguments.device.name().into()];
    if let Some(threads) = arguments.threads {
        flags.extend(["--threads".into(), threads.to_string().into()]);
    }
    flags
}

fn launcher(arguments: &ReproduceArguments) -> Result<Vec<String>, Usage> {
    let Some(words) = &arguments.launcher else { return Ok(Vec::new()) };
    let mut words = shlex::split(words)
        .ok_or_else(|| Usage(format!("--launcher: {words} is not a valid command: a quote is left open")))?;
    let Some(first) = words.first_mut().filter(|first| !first.trim().is_empty()) else {
        return Err("--launcher is empty: give a command, such as \"mpirun -n 4\", or omit it".into());
    };
    // Runs are made in the folder of the experiment; a path is meant from here.
    if Path::new(first).components().count() > 1 {
        let path = fs::canonicalize(&*first)
            .map_err(|error| Usage(format!("--launcher: {}", about(Path::new(first), error))))?;
        *first = path.to_string_lossy().into_owned();
    }
    Ok(words)
}

/// The command line, as a shell reads it.
fn typed() -> String {
    let words: Vec<_> = env::args_os().skip(1).collect();
    runner::typed(&[], &words)
}

/// Which figures are not where they must be, a sentence each.
fn outside(bands: &[Band], figures: &[Figures]) -> Vec<String> {
    let of_band = bands.iter().flat_map(|band| {
        let own = figures.iter().filter(move |figures| path(&figures.group, &figures.run) == band.run);
        own.filter_map(move |figures| {
            let value = figures.value(band.quantity);
            let shown = |value| band.quantity.shown(value);
            (!(band.from..=band.to).contains(&value)).then(|| {
                format!(
                    "{}, seed {}: {} {}, expected {} to {}",
                    band.run,
                    figures.seed,
                    band.quantity.title(),
                    shown(value),
                    shown(band.from),
                    shown(band.to)
                )
            })
        })
    });
    of_band.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_experiments_of_this_package_are_valid() {
        for (name, experiment) in built_in() {
            let experiment = experiment.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(!experiment.bands().is_empty(), "{name}: nothing is asserted of its short runs");
        }
    }
}
