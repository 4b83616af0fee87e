//! `cargo xtask fuzz`: random input for the parsers, and for what turns evidence into batch sizes, by cargo-fuzz.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use crate::project::Project;
use crate::report::Outcome;
use crate::{process, tools};

/// The folder with the fuzz targets.
const FOLDER: &str = "tests/fuzz";

/// Options of `cargo xtask fuzz`.
#[derive(Args)]
pub(crate) struct Options {
    /// Seconds for each target
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
}

/// Runs every fuzz target.
pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    if let Some(missing) = missing() {
        bail!(missing);
    }
    install()?;
    run_targets(project, options.seconds)
}

/// Runs every fuzz target for a short time, if what it takes is there.
pub(crate) fn briefly(project: &Project, seconds: u32) -> Result<Outcome> {
    if let Some(missing) = missing() {
        return Ok(Outcome::Skipped(missing.to_owned()));
    }
    if let Err(error) = install() {
        return Ok(Outcome::Skipped(format!("{error:#}")));
    }
    run_targets(project, seconds).map(|()| Outcome::Passed)
}

/// What is missing for fuzzing and cannot be installed from here, and what to do about it.
fn missing() -> Option<&'static str> {
    if cfg!(windows) {
        return Some("cargo-fuzz does not run on Windows: run it on Linux or macOS");
    }
    let compiler = ["c++", "g++", "clang++"].iter().any(|name| which::which(name).is_ok());
    (!compiler).then_some(
        "libFuzzer needs a C++ compiler, which is missing: install g++ or clang, then run this again",
    )
}

/// Makes sure that cargo-fuzz is there.
fn install() -> Result<()> {
    if process::succeeds(Command::new("cargo").args(["fuzz", "--version"])) {
        return Ok(());
    }
    println!("Installing cargo-fuzz with cargo; this takes about a minute, once.");
    tools::install("cargo-fuzz")
}

fn run_targets(project: &Project, seconds: u32) -> Result<()> {
    ensure!(
        project.path(FOLDER).join("Cargo.toml").is_file(),
        "{FOLDER}, the folder with the fuzz targets, is missing"
    );
    let list = process::output(cargo_fuzz(project, "list").args(["--fuzz-dir", FOLDER]))?;
    let targets: Vec<&str> = list.split_whitespace().collect();
    ensure!(!targets.is_empty(), "{FOLDER} has no fuzz targets");
    targets.into_iter().try_for_each(|target| run_target(project, target, seconds))
}

/// Feeds one target. What is found goes to `target`, so that the checkout stays as it was.
fn run_target(project: &Project, target: &str, seconds: u32) -> Result<()> {
    println!("Fuzzing {target} for {seconds} s.");
    let found = project.path("target/fuzz-corpus").join(target);
    let broken = project.artifacts().join("fuzz").join(target);
    fs::create_dir_all(&found)?;
    fs::create_dir_all(&broken)?;
    let mut command = cargo_fuzz(project, "run");
    // What is fed is safe Rust, which checks its bounds itself: a sanitizer would only take time.
    command.args(["--sanitizer", "none"]);
    command.args(["--fuzz-dir", FOLDER, "--target-dir", "target/fuzz", target]).arg(&found);
    command.args(["--", &format!("-max_total_time={seconds}"), &artifact_prefix(&broken)]);
    // Counts at the end, instead of a line for each input that reached something new.
    command.args(["-verbosity=0", "-print_final_stats=1"]);
    process::run(&mut command).with_context(|| {
        format!("the fuzz target {target} found an input that violates its contract, or could not be built")
    })
}

/// libFuzzer puts this before the name of an input that broke the promise.
fn artifact_prefix(folder: &Path) -> String {
    format!("-artifact_prefix={}/", folder.display())
}

/// `cargo fuzz` with the stable compiler: it needs flags that are unstable, and this switches them on.
fn cargo_fuzz(project: &Project, subcommand: &str) -> Command {
    let mut command = process::cargo(project.root(), &["fuzz", subcommand]);
    command.env("RUSTC_BOOTSTRAP", "1");
    command
}
