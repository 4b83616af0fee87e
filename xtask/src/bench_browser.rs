//! `cargo xtask bench-browser`: our engines compared with jax-js and TensorFlow.js, in one browser.

use std::path::PathBuf;
use std::process::Command;
use std::{env, thread};

use anyhow::{Context, Result};
use clap::Args;

use crate::project::Project;
use crate::serve::Page;
use crate::stamp::Stamp;
use crate::{chromium, data, demo, npm, page, process};

/// The port that is tried first: not that of the page, which may be open too.
const FIRST_PORT: u16 = 8180;

/// All that the bench's page is built from; www holds the wasm package and the packed data too.
const INPUTS: [&str; 2] = ["www", "web/typescript"];

/// Options of `cargo xtask bench-browser`.
#[derive(Args)]
pub(crate) struct Options {
    /// Models, separated by commas: logistic, mlp, cnn, transformer (our engines only) [default: those for images]
    #[arg(long)]
    models: Option<String>,
    /// Batch sizes, separated by commas [default: 16,64,256,1024,4096]
    #[arg(long)]
    batches: Option<String>,
    /// Engines, separated by commas, with the names in www/bench/src/engine-rows.ts [default: all on wasm]
    #[arg(long)]
    engines: Option<String>,
    /// Number of times each engine is timed [default: 3]
    #[arg(long)]
    rounds: Option<u32>,
    /// Seconds that each engine is timed per round [default: 1]
    #[arg(long)]
    seconds: Option<f64>,
    /// Time limit in seconds for an engine's first steps and for each round [default: 60]
    #[arg(long)]
    limit: Option<f64>,
    /// Write machine, versions and all figures to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Open the bench in your own browser instead of measuring in Chromium
    #[arg(long)]
    show: bool,
}

impl Options {
    /// What is not left to the page's own choice, as its address tells it.
    fn query(&self) -> String {
        let named = [
            ("models", self.models.clone()),
            ("batches", self.batches.clone()),
            ("engines", self.engines.clone()),
            ("rounds", self.rounds.map(|rounds| rounds.to_string())),
            ("seconds", self.seconds.map(|seconds| seconds.to_string())),
            ("limit", self.limit.map(|limit| limit.to_string())),
        ];
        let told = named.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?)));
        told.collect::<Vec<_>>().join("&")
    }
}

/// Builds what is not up to date, and measures.
pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    npm::install(project)?;
    data::prepare(project)?;
    page::package(project)?;
    build(project)?;
    let page = Page::bind_from(&folder(project), FIRST_PORT)?.cross_origin_isolated();
    if options.show { show(page, options) } else { measure(project, page, options) }
}

/// Where the built bench lies: outside www/dist, which is what visitors get.
pub(crate) fn folder(project: &Project) -> PathBuf {
    project.path("target/bench-browser/page")
}

/// Builds the bench's page.
pub(crate) fn build(project: &Project) -> Result<()> {
    let stamp = Stamp::of(project.stamps().join("bench-browser"), project.root(), &INPUTS, "")?;
    if stamp.is_current(&[folder(project).join("index.html")]) {
        println!("The bench's page is up to date.");
        return Ok(());
    }
    npm::install(project)?;
    println!("Building the bench's page (www/bench to target/bench-browser/page).");
    npm::run_script(project, "build:bench").context("the bench's page could not be built")?;
    stamp.write()
}

fn show(page: Page, options: &Options) -> Result<()> {
    let address = format!("{}?{}", page.address(), options.query());
    println!("\nThe bench is at {address} (Ctrl-C to stop).");
    if !demo::open_browser(&address) {
        println!("Open it in a browser.");
    }
    page.serve()
}

fn measure(project: &Project, page: Page, options: &Options) -> Result<()> {
    let browser = chromium::ensure()?;
    let mut node = Command::new("node");
    node.current_dir(project.root())
        .arg(project.path("www/bench/drive.mjs"))
        .args(["--address", &page.address(), "--query", &options.query(), "--commit", &commit(project)])
        .env("CHROMIUM", browser);
    if let Some(file) = &options.json {
        // Named from where the command was given.
        node.arg("--json").arg(env::current_dir()?.join(file));
    }
    // The thread lives as long as this program.
    thread::spawn(move || page.serve());
    process::run(&mut node).context("the bench did not finish: see its message above")
}

/// What was measured, as git names it; a checkout without git has no name.
fn commit(project: &Project) -> String {
    let arguments = ["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"];
    let name = process::output(Command::new("git").current_dir(project.root()).args(arguments));
    name.map_or_else(|_| "unknown".to_owned(), |name| name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn query(words: &[&str]) -> String {
        let words = std::iter::once(&"bench-browser").chain(words);
        Line::try_parse_from(words).expect("known options").options.query()
    }

    #[test]
    fn the_address_tells_what_was_asked_and_nothing_else() {
        assert_eq!(query(&[]), "");
        assert_eq!(
            query(&["--models", "cnn", "--batches", "16,64", "--rounds", "5", "--seconds", "0.5", "--show"]),
            "models=cnn&batches=16,64&rounds=5&seconds=0.5"
        );
    }
}
