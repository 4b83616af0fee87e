//! `cargo xtask test`: sets up everything and runs every test.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;

use crate::browsers::Browsers;
use crate::process::{self, asked, cargo};
use crate::project::Project;
use crate::report::{Outcome, Report};
use crate::second::Second;
use crate::{
    bench_browser, chromium, data, firefox, firmware, fuzz, mpi, npm, page, page_tests, semver, tools,
    vulkan, webkit,
};

/// Options of `cargo xtask test`.
#[derive(Args)]
pub(crate) struct Options {
    /// Skip the page: no wasm package, no type check, no browser
    #[arg(long)]
    skip_page: bool,
    /// Run only the stages of the second process, and leave their report here
    #[arg(long, hide = true)]
    second: Option<PathBuf>,
}

/// Seconds that each fuzz target is fed random input.
const FUZZ_SECONDS: u32 = 10;

/// What others may take of the core; the workspace takes all of it.
const CORE_FEATURES: [&str; 4] = ["", "std", "serde", "std,serde"];

// Stages that others need, by name.
const DATA: &str = "data";
const QEMU: &str = "emulator";
const PACKAGE: &str = "wasm package";
const BUILD: &str = "page build";
const BENCH: &str = "bench build";
const BROWSER: &str = "browser";

/// Runs all stages, whether earlier ones failed or not; tells whether none did.
///
/// Most compilers here end on one processor, with one crate after another: a second process builds what has target
/// folders of its own in the time that they leave.
pub(crate) fn run(project: &Project, options: &Options) -> Result<bool> {
    if let Some(record) = &options.second {
        return run_second(project, options, record);
    }
    let mut report = Report::default();
    formatting(project, &mut report);
    // What package managers install comes first: two of them at once would be in each other's way.
    let parts = parts(&mut report, options);
    core_alone(project, &mut report);
    report.stage(DATA, &[], || data::prepare(project).map(passed));
    let second = Second::start(project, options.skip_page);
    lints(project, &mut report);
    native(project, &mut report, parts.mpi);
    packages(project, &mut report);
    second.join(&mut report);
    if !options.skip_page {
        page(project, &mut report, &parts.browsers);
    }
    Ok(report.finish())
}

/// What needs neither the other stages nor their target folder.
fn run_second(project: &Project, options: &Options, record: &Path) -> Result<bool> {
    let mut report = Report::default();
    if !options.skip_page {
        package(project, &mut report);
    }
    report.stage(QEMU, &[], || unless_required("REQUIRE_QEMU", firmware::qemu()));
    report.stage("firmware", &[QEMU], || firmware::stage(project));
    report.stage("fuzzing", &[], || fuzz::briefly(project, FUZZ_SECONDS));
    report.write(record)?;
    Ok(true)
}

fn formatting(project: &Project, report: &mut Report) {
    report.stage("formatting", &[], || {
        tools::component("rustfmt", "fmt")?;
        tools::component("clippy", "clippy")?;
        run_cargo(project, &["fmt", "--all", "--check"])?;
        run_cargo(project, &["fmt", "--all", "--check", "--manifest-path", firmware::MANIFEST])
    });
}

/// What was found of the parts that a machine may lack.
#[derive(Default)]
struct Parts {
    mpi: bool,
    browsers: Browsers,
}

fn parts(report: &mut Report, options: &Options) -> Parts {
    let mut parts = Parts::default();
    report.stage("graphics driver", &[], || unless_required("REQUIRE_GPU", vulkan::ensure()));
    report.stage("MPI", &[], || {
        let found = mpi::ensure();
        parts.mpi = found.is_ok();
        unless_required("REQUIRE_MPI", found)
    });
    if !options.skip_page {
        let Browsers { chromium, firefox, webkit_driver } = &mut parts.browsers;
        browser(report, BROWSER, chromium::ensure, chromium);
        browser(report, "Firefox", firefox::ensure, firefox);
        browser(report, "WebKit", webkit::ensure, webkit_driver);
    }
    parts
}

fn browser(
    report: &mut Report,
    name: &'static str,
    ensure: fn() -> Result<PathBuf>,
    place: &mut Option<PathBuf>,
) {
    report.stage(name, &[], || unless_required("REQUIRE_BROWSER", ensure().map(|path| *place = Some(path))));
}

/// The core must build where there is no operating system.
fn core_alone(project: &Project, report: &mut Report) {
    let build = |target| {
        tools::target(target)?;
        run_cargo(project, &["build", "-p", "adadagrad-core", "--no-default-features", "--target", target])
    };
    report.stage("core for thumbv6m", &[], || build("thumbv6m-none-eabi"));
    report.stage("core for thumbv7em", &[], || build("thumbv7em-none-eabihf"));
    report.stage("core for wasm32", &[], || build(tools::WASM));
}

fn lints(project: &Project, report: &mut Report) {
    report.stage("clippy", &[], || {
        for features in CORE_FEATURES {
            let of_core = ["clippy", "-p", "adadagrad-core", "--features", features, "--", "-D", "warnings"];
            run_cargo(project, &of_core)?;
        }
        run_cargo(project, &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])
    });
}

fn native(project: &Project, report: &mut Report, has_mpi: bool) {
    report.stage("tests", &[DATA], || {
        // This program is tested apart: a system that locks running programs could not build it anew.
        let mut tests = vec!["test", "--workspace", "--exclude", "xtask", "--no-fail-fast"];
        // One build with all that can be tested here; clippy has seen the one without.
        if has_mpi {
            tests.extend(["--features", "adadagrad-gpu/mpi"]);
        }
        run_cargo(project, &tests)?;
        Ok(if has_mpi { Outcome::PassedWith("with ranks of a cluster".into()) } else { Outcome::Passed })
    });
    report.stage("tests of xtask", &[], || run_cargo(project, &["test", "-p", "xtask"]));
    report.stage("documentation", &[], || {
        let mut doc = cargo(project.root(), &["doc", "--workspace", "--no-deps"]);
        process::run(doc.env("RUSTDOCFLAGS", "-D warnings")).map(passed)
    });
}

/// Whether those who depend on the crates can move to this version as they are.
fn packages(project: &Project, report: &mut Report) {
    report.stage("public interface", &[], || semver::stage(project));
}

fn package(project: &Project, report: &mut Report) {
    report.stage(PACKAGE, &[], || page::package(project).map(passed));
    report.stage("page types", &[PACKAGE], || {
        npm::install(project)?;
        npm::run_script(project, "check").map(passed)
    });
}

fn page(project: &Project, report: &mut Report, browsers: &Browsers) {
    report.stage(BUILD, &[DATA, PACKAGE], || page::build(project).map(passed));
    report.stage(BENCH, &[DATA, PACKAGE], || bench_browser::build(project).map(passed));
    report.stage("page tests", &[BUILD, BENCH, BROWSER], || {
        let tests = page_tests::run(project, browsers, &[])?;
        page_tests::verdict(&tests).map(Outcome::PassedWith)
    });
}

/// Something that a machine may lack: without it a stage is skipped, unless the environment forbids that.
fn unless_required(variable: &str, result: Result<()>) -> Result<Outcome> {
    match result {
        Err(error) if !asked(variable) => Ok(Outcome::Skipped(format!("{error:#}"))),
        other => other.map(passed),
    }
}

fn run_cargo(project: &Project, arguments: &[&str]) -> Result<Outcome> {
    process::run(&mut cargo(project.root(), arguments)).map(passed)
}

fn passed((): ()) -> Outcome {
    Outcome::Passed
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn what_is_missing_is_skipped_visibly_unless_required() {
        let missing = || Err(anyhow!("no browser"));
        let outcome = unless_required("NO_SUCH_VARIABLE_IS_SET", missing());
        assert!(matches!(outcome, Ok(Outcome::Skipped(why)) if why == "no browser"));
        // PATH is always set.
        assert!(unless_required("PATH", missing()).is_err());
        assert!(matches!(unless_required("PATH", Ok(())), Ok(Outcome::Passed)));
    }
}
