//! The project's two commands and what they are made of: `cargo xtask demo` and `cargo xtask test`.
//!
//! Both set up whatever they need (targets, tools, npm packages, data) and do nothing twice: each product
//! is made again only when its inputs changed.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

mod bench_browser;
mod browsers;
mod chromium;
mod data;
mod debian;
mod demo;
mod firefox;
mod firmware;
mod fuzz;
mod mpi;
mod npm;
mod page;
mod page_tests;
mod process;
mod project;
mod report;
mod second;
mod semver;
mod serve;
mod shakespeare;
mod soak;
mod stamp;
mod steady;
mod test;
mod tools;
mod vulkan;
mod webkit;

use project::Project;

/// Builds, shows and tests AdAdaGrad.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the page, serve it on this machine and open it in your browser
    Demo(demo::Options),
    /// Build the page into www/dist, as a static site for any server
    Page,
    /// Pack the data sets for the page and the native program (www/public/data)
    Data,
    /// Make the text that is kept with these sources from the archive that it was taken from
    Shakespeare(shakespeare::Options),
    /// Set up everything and run every test
    Test(test::Options),
    /// Run the page tests many times in a row, some while a compiler runs: every test must pass every time
    Steady(steady::Options),
    /// Train on emulated microcontrollers: check the bits, and that memory and instruction counts have not grown
    Firmware(firmware::Options),
    /// Feed parsers and batch-size rules random input with cargo-fuzz
    Fuzz(fuzz::Options),
    /// Compare the public interface of the published crates with that of the last release
    Semver(semver::Options),
    /// Time training steps in Chromium, compared with jax-js and TensorFlow.js
    BenchBrowser(bench_browser::Options),
    /// Train in Chromium for 20 minutes: memory must not grow
    Soak(soak::Options),
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    let project = Project::find();
    match command {
        Command::Demo(options) => demo::run(&project, &options)?,
        Command::Page => page::prepare(&project)?,
        Command::Data => data::prepare(&project)?,
        Command::Shakespeare(options) => shakespeare::run(&project, &options)?,
        // The report has said it all.
        Command::Test(options) if !test::run(&project, &options)? => return Ok(ExitCode::FAILURE),
        Command::Test(_) => (),
        Command::Steady(options) => steady::run(&project, &options)?,
        Command::Firmware(options) => firmware::run(&project, &options)?,
        Command::Fuzz(options) => fuzz::run(&project, &options)?,
        Command::Semver(options) => semver::run(&project, &options)?,
        Command::BenchBrowser(options) => bench_browser::run(&project, &options)?,
        Command::Soak(options) => soak::run(&project, &options)?,
    }
    Ok(ExitCode::SUCCESS)
}
