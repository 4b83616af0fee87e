//! `cargo xtask semver`: the public interface of the two published crates, compared with an earlier commit's by
//! cargo-semver-checks. What breaks it needs a new version and an entry in CHANGELOG.md.
//!
//! The program takes minutes to build. So it is built only where there is a release to compare with, and CI keeps it in a
//! cache. CI must fetch the tags, without which no release is found.

use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::process;
use crate::project::Project;
use crate::report::Outcome;
use crate::tools;

/// The crates that others depend on.
pub(crate) const PUBLISHED: [&str; 2] = ["adadagrad-core", "adadagrad-gpu"];

/// Options of `cargo xtask semver`.
#[derive(Args)]
pub(crate) struct Options {
    /// Commit or tag to compare with [default: the last tag of a release, v*]
    #[arg(long)]
    baseline: Option<String>,
}

/// Compares with the given commit, or with the last release.
pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    let baseline = options.baseline.clone().or_else(|| last_release(project));
    let Some(baseline) = baseline else {
        bail!("there is no tag of a release (v*) to compare with: name a commit with --baseline");
    };
    compare(project, &baseline)
}

/// The same as a stage of the tests, which has nothing to do before the first release.
pub(crate) fn stage(project: &Project) -> Result<Outcome> {
    match last_release(project) {
        None => Ok(Outcome::PassedWith("no release to compare with".to_owned())),
        Some(tag) => compare(project, &tag).map(|()| Outcome::PassedWith(format!("compared with {tag}"))),
    }
}

fn last_release(project: &Project) -> Option<String> {
    let mut git = Command::new("git");
    git.current_dir(project.root()).args(["describe", "--tags", "--abbrev=0", "--match", "v[0-9]*"]);
    process::output(&mut git).ok().map(|tag| tag.trim().to_owned())
}

fn compare(project: &Project, baseline: &str) -> Result<()> {
    if !process::succeeds(Command::new("cargo").args(["semver-checks", "--version"])) {
        println!("Installing cargo-semver-checks with cargo; this takes a few minutes, once.");
        tools::install("cargo-semver-checks")?;
    }
    let mut check = process::cargo(project.root(), &["semver-checks", "--baseline-rev", baseline]);
    check.args(PUBLISHED.into_iter().flat_map(|name| ["--package", name]));
    // `mpi` needs an MPI library.
    check.args(["--only-explicit-features", "--features", "std,serde,checkpoint,program"]);
    process::run(&mut check).with_context(|| {
        format!("the public interface is not compatible with that of {baseline}: raise the version, and describe in \
                 CHANGELOG.md what users must change")
    })
}
