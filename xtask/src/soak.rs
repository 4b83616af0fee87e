//! `cargo xtask soak`: the page trains for a long time in Chromium, and its memory must not grow.

use std::process::Command;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use crate::project::Project;
use crate::{chromium, page, process};

/// Options of `cargo xtask soak`.
#[derive(Args)]
pub(crate) struct Options {
    /// Duration of the training in minutes
    #[arg(long, default_value_t = 20)]
    minutes: u32,
    /// What the page trains on
    #[arg(long, value_enum, default_value_t = Data::Images)]
    data: Data,
}

#[derive(Clone, Copy, ValueEnum)]
enum Data {
    Images,
    Text,
}

/// Builds what is not up to date, and runs the soak test for that long.
pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    page::prepare(project)?;
    let browser = chromium::ensure()?;
    let data = match options.data {
        Data::Images => "images",
        Data::Text => "text",
    };
    println!("Training on {data} in Chromium for {} minutes.", options.minutes);
    let mut node = Command::new("node");
    node.current_dir(project.root())
        .args(["--test", "--test-reporter=spec", "tests/page/soak.test.mjs"])
        .env("SOAK_SECONDS", (options.minutes * 60).to_string())
        .env("SOAK_DATA", data)
        .env("PAGE_DIST", project.dist())
        .env("ARTIFACTS", project.artifacts())
        .env("CHROMIUM", browser)
        .env("REQUIRE_BROWSER", "1");
    process::run(&mut node).context("the soak test failed")
}
