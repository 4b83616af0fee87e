//! The program `adadagrad`: trains networks with batch sizes that adapt themselves.

mod arguments;
mod bench;
mod config_file;
mod devices;
mod evaluate;
mod files;
mod interrupt;
mod numbers;
mod origin;
mod profile;
mod progress;
mod selftest;
mod setting_arguments;
mod settings;
mod statistics;
mod table;
mod train;
mod utilisation;
mod values;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, Command};

/// What a command ends with: an exit code, or a sentence for the user.
type Outcome = Result<ExitCode, Box<dyn Error>>;

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Train(arguments) => train::run(&arguments),
        Command::Statistics(arguments) => statistics::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Selftest(arguments) => selftest::run(&arguments),
        Command::Devices => devices::run(),
        Command::Evaluate(arguments) => evaluate::run(&arguments),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}
