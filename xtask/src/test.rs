//! `cargo xtask test`: sets up everything and runs every test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};
use clap::Args;

use crate::process::{self, asked, cargo};
use crate::project::Project;
use crate::report::{Outcome, Report};
use crate::{bench_browser, chromium, data, fuzz, npm, page, tools, vulkan};

/// What `cargo xtask test` can be told.
#[derive(Args)]
pub(crate) struct Options {
    /// Leave out the page: no wasm package, no type check, no browser
    #[arg(long)]
    skip_page: bool,
}

/// Seconds that each parser is fed random input.
const FUZZ_SECONDS: u32 = 10;

// Stages that others need, by name.
const DATA: &str = "data";
const PACKAGE: &str = "wasm package";
const BUILD: &str = "page build";
const BENCH: &str = "bench build";
const BROWSER: &str = "browser";

/// Runs all stages, whether earlier ones failed or not; tells whether none did.
pub(crate) fn run(project: &Project, options: &Options) -> bool {
    let mut report = Report::default();
    formatting_and_lints(project, &mut report);
    core_alone(project, &mut report);
    report.stage(DATA, &[], || data::prepare(project).map(passed));
    native(project, &mut report);
    if !options.skip_page {
        page(project, &mut report);
    }
    report.stage("fuzzing", &[], || fuzz::briefly(project, FUZZ_SECONDS));
    report.finish()
}

fn formatting_and_lints(project: &Project, report: &mut Report) {
    report.stage("formatting", &[], || {
        tools::component("rustfmt", "fmt")?;
        run_cargo(project, &["fmt", "--all", "--check"])
    });
    report.stage("clippy", &[], || {
        tools::component("clippy", "clippy")?;
        run_cargo(project, &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])
    });
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

fn native(project: &Project, report: &mut Report) {
    report.stage("graphics driver", &[], || unless_required("REQUIRE_GPU", vulkan::ensure()));
    // This program is tested apart: a system that locks running programs could not build it anew.
    report.stage("tests", &[DATA], || run_cargo(project, &["test", "--workspace", "--exclude", "xtask"]));
    report.stage("tests of xtask", &[], || run_cargo(project, &["test", "-p", "xtask"]));
    report.stage("documentation", &[], || {
        let mut doc = cargo(project.root(), &["doc", "--workspace", "--no-deps"]);
        process::run(doc.env("RUSTDOCFLAGS", "-D warnings")).map(passed)
    });
}

fn page(project: &Project, report: &mut Report) {
    let mut browser = None;
    report.stage(PACKAGE, &[], || page::package(project).map(passed));
    report.stage("page types", &[PACKAGE], || {
        npm::install(project)?;
        npm::run_script(project, "check").map(passed)
    });
    report.stage(BUILD, &[DATA, PACKAGE], || page::build(project).map(passed));
    report.stage(BENCH, &[DATA, PACKAGE], || bench_browser::build(project).map(passed));
    report.stage(BROWSER, &[], || {
        let found = chromium::ensure().map(|path| browser = Some(path));
        unless_required("REQUIRE_BROWSER", found)
    });
    report.stage("page tests", &[BUILD, BENCH, BROWSER], || page_tests(project, browser.as_deref()));
}

/// Drives the built page in a real browser.
fn page_tests(project: &Project, browser: Option<&Path>) -> Result<Outcome> {
    let files = test_files(&project.path("tests/page"))?;
    ensure!(!files.is_empty(), "tests/page has no *.test.mjs, *.test.js or *.test.ts");
    fs::create_dir_all(project.artifacts())?;
    // One after another: a second browser would take the first one's processor time.
    at_most_twice(&files, |file| {
        let mut node = Command::new("node");
        node.current_dir(project.root())
            .args(["--test", "--test-reporter=spec"])
            // In milliseconds: a page that hangs must not hang the tests.
            .arg("--test-timeout=600000")
            .arg(file)
            .env("PAGE_DIST", project.dist())
            .env("BENCH_DIST", bench_browser::folder(project))
            .env("ARTIFACTS", project.artifacts());
        if let Some(browser) = browser {
            node.env("CHROMIUM", browser);
        }
        process::run(&mut node)
    })
}

/// Runs every file, and those that fail once more: a browser on a machine that others use too may answer late. Which
/// they were is told in the summary, for somebody to make them steady.
fn at_most_twice(files: &[PathBuf], run: impl Fn(&Path) -> Result<()>) -> Result<Outcome> {
    let name = |file: &Path| file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (mut unsteady, mut failed) = (Vec::new(), Vec::new());
    for file in files {
        let Err(error) = run(file) else { continue };
        println!("{error:#}\nIt is run once more.");
        let list = if run(file).is_ok() { &mut unsteady } else { &mut failed };
        list.push(name(file));
    }
    ensure!(failed.is_empty(), "failed twice: {}", failed.join(", "));
    Ok(match unsteady.as_slice() {
        [] => Outcome::Passed,
        files => Outcome::PassedWith(format!("UNSTEADY, passed at the second try: {}", files.join(", "))),
    })
}

/// The test files of a folder, by name: Node's own search differs from version to version.
fn test_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if [".test.mjs", ".test.js", ".test.ts"].iter().any(|ending| path.to_string_lossy().ends_with(ending))
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
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
    fn test_files_are_found_by_their_ending_and_sorted() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["b.test.mjs", "a.test.ts", "helper.mjs", "notes.md"] {
            fs::write(folder.path().join(name), "").expect("a file");
        }
        let files = test_files(folder.path()).expect("a readable folder");
        assert_eq!(files, ["a.test.ts", "b.test.mjs"].map(|name| folder.path().join(name)));
    }

    #[test]
    fn what_fails_once_is_named_and_what_fails_twice_fails() {
        let files = ["/t/good.test.mjs", "/t/late.test.mjs", "/t/bad.test.mjs"].map(PathBuf::from);
        let tries = std::cell::RefCell::new(Vec::new());
        let run = |file: &Path| {
            tries.borrow_mut().push(file.to_path_buf());
            let before = tries.borrow().iter().filter(|tried| *tried == file).count();
            ensure!(
                file.ends_with("good.test.mjs") || (file.ends_with("late.test.mjs") && before > 1),
                "broken"
            );
            Ok(())
        };
        assert!(matches!(at_most_twice(&files[..1], run), Ok(Outcome::Passed)));
        let outcome = at_most_twice(&files[..2], run);
        assert!(
            matches!(outcome, Ok(Outcome::PassedWith(note)) if note.ends_with("second try: late.test.mjs"))
        );
        tries.borrow_mut().clear();
        let error = at_most_twice(&files, run).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some("failed twice: bad.test.mjs"));
        assert_eq!(tries.borrow().len(), 5);
    }

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
