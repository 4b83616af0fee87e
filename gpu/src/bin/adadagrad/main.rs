//! The program `adadagrad`: trains networks with batch sizes that adapt themselves.
// A print that fails panics: everything is shown by `output`.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod advise;
mod arguments;
mod bench;
mod checkpoints;
mod config_file;
mod data_command;
mod demand;
mod devices;
mod distinct;
mod evaluate;
mod export;
mod files;
mod held;
mod interrupt;
mod job;
mod measure;
mod network;
mod networks;
mod numbers;
mod origin;
mod output;
mod parts;
mod profile;
mod progress;
mod reproduce;
mod resume_command;
mod rules;
mod sample;
mod save_every;
mod selftest;
mod setting_arguments;
mod settings;
mod start;
mod statistics;
mod table;
mod train;
mod usage;
mod utilisation;
mod values;

use std::error::Error;
use std::io::{Write, stdout};
use std::process::ExitCode;

use clap::ArgMatches;

use crate::arguments::{Arguments, Command, DataCommand, MeasureCommand};

/// What a command ends with: an exit code, or a sentence for the user.
type Outcome = Result<ExitCode, Box<dyn Error>>;

fn main() -> ExitCode {
    interrupt::survive_file_size_limits();
    job::within(|| {
        output::exit_code(match Arguments::read() {
            Ok((arguments, given)) => run(&arguments.command, &given),
            Err(help_or_error) => show(&help_or_error),
        })
    })
}

fn run(command: &Command, given: &ArgMatches) -> ExitCode {
    let outcome = match command {
        Command::Train(arguments) => train::run(arguments, given),
        _ if job::ranks() > 1 => {
            Err(usage::Usage("only `train` runs on several ranks: start this command once".to_owned()).into())
        }
        Command::Statistics(arguments) => statistics::run(arguments),
        Command::Bench(arguments) => bench::run(arguments),
        Command::Selftest(arguments) => selftest::run(arguments),
        Command::Devices => devices::run(),
        Command::Evaluate(arguments) => evaluate::run(arguments),
        Command::Export(arguments) => export::run(arguments),
        Command::Sample(arguments) => sample::run(arguments),
        Command::Networks(arguments) => networks::run(arguments),
        Command::Rules(arguments) => rules::run(arguments),
        Command::Advise(arguments) => advise::run(arguments),
        Command::Reproduce(arguments) => reproduce::run(arguments),
        Command::Measure(MeasureCommand::CriticalBatch(arguments)) => measure::critical_batch(arguments),
        Command::Data(DataCommand::Check(arguments)) => data_command::check(arguments),
        Command::Data(DataCommand::Pack(arguments)) => data_command::pack(arguments),
    };
    outcome.unwrap_or_else(|error| {
        output::error(&error);
        usage::exit_code(&*error)
    })
}

/// Help and version are results; what is wrong with the command line is a message.
fn show(help_or_error: &clap::Error) -> ExitCode {
    if !job::is_first() {
        return ExitCode::from(u8::try_from(help_or_error.exit_code()).unwrap_or(1));
    }
    let shown = help_or_error.print().and_then(|()| stdout().flush());
    if !help_or_error.use_stderr() {
        output::take(shown);
    }
    ExitCode::from(u8::try_from(help_or_error.exit_code()).unwrap_or(1))
}
