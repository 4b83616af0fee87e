//! Runs the page tests: every file of tests/page in a real browser.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use crate::browsers::Browsers;
use crate::project::Project;
use crate::{bench_browser, process};

/// Runs files in the order in which it gets them, and writes a line for each test.
const RUNNER: &str = "tests/page/support/run.mjs";

/// Files that run at once: a browser that starts, or a page that loads, leaves one of two processors idle.
const AT_ONCE: u32 = 2;

/// Files of tests that measure time or processor time, to which a neighbour adds: nothing runs next to them.
const ALONE: [&str; 2] = ["budgets.test.mjs", "main-thread.test.mjs"];

/// Files that take longest: they begin first, so that no processor is left with one of them at the end.
const LONG: [&str; 11] = [
    "webgpu.test.mjs",
    "engine.test.mjs",
    "webkit.test.mjs",
    "firefox.test.mjs",
    "training.test.mjs",
    "bench.test.mjs",
    "webgpu-failures.test.mjs",
    "webgpu-visit.test.mjs",
    "soak.test.mjs",
    "retune.test.mjs",
    "team.test.mjs",
];

/// Tests that the summary names, the slowest first.
const SLOWEST: usize = 5;

/// How a test of a file ended.
#[derive(Debug, Deserialize)]
pub(crate) struct Test {
    file: String,
    name: String,
    seconds: f64,
    passed: bool,
    /// What failed in it.
    reasons: Vec<String>,
}

/// Runs the files whose names contain one of the words of `only` (all files where there is none), and tells how each
/// test ended, whether it passed or not.
///
/// # Errors
/// When a file could not be run at all, or none fits.
pub(crate) fn run(project: &Project, browsers: &Browsers, only: &[String]) -> Result<Vec<Test>> {
    let files = test_files(&project.path("tests/page"), only)?;
    ensure!(!files.is_empty(), "tests/page has no test file whose name contains {}", only.join(" or "));
    fs::create_dir_all(project.artifacts())?;
    let (alone, mut others): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| runs_alone(file));
    others.sort_by_key(|file| rank(file));
    let mut tests = run_files(project, browsers, &others, AT_ONCE, "page-tests.jsonl")?;
    tests.extend(run_files(project, browsers, &alone, 1, "page-tests-alone.jsonl")?);
    Ok(tests)
}

/// What begins first has the lowest.
fn rank(file: &Path) -> usize {
    LONG.iter().position(|name| file.ends_with(name)).unwrap_or(LONG.len())
}

fn runs_alone(file: &Path) -> bool {
    ALONE.iter().any(|name| file.ends_with(name))
}

/// Runs some files, `at_once` of them at the same time, and tells how each test ended; `record`: the artifact that says so.
fn run_files(
    project: &Project,
    browsers: &Browsers,
    files: &[PathBuf],
    at_once: u32,
    record: &str,
) -> Result<Vec<Test>> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let record = project.artifacts().join(record);
    let mut node = Command::new("node");
    node.current_dir(project.root())
        .args([RUNNER, &at_once.to_string()])
        .arg(&record)
        .args(files)
        .env("PAGE_DIST", project.dist())
        .env("BENCH_DIST", bench_browser::folder(project))
        .env("ARTIFACTS", project.artifacts())
        .envs(browsers.variables());
    let outcome = process::run(&mut node);
    let lines = fs::read_to_string(&record).with_context(|| format!("{} is missing", record.display()))?;
    let tests =
        read_tests(&lines).with_context(|| format!("{} is not a valid test report", record.display()))?;
    match outcome {
        // The tests say themselves which of them failed.
        Err(error) if tests.iter().all(|test| test.passed) => Err(error),
        _ => Ok(tests),
    }
}

/// The slowest tests in words, if none failed.
///
/// # Errors
/// The names of those that failed, and what failed in them.
pub(crate) fn verdict(tests: &[Test]) -> Result<String> {
    let failed: Vec<_> = tests.iter().filter(|test| !test.passed).map(Test::failure).collect();
    if !failed.is_empty() {
        bail!("failed:\n{}", failed.join("\n"));
    }
    let mut slowest: Vec<_> = tests.iter().collect();
    slowest.sort_by(|one, other| other.seconds.total_cmp(&one.seconds));
    let slowest = slowest.iter().take(SLOWEST).map(|test| format!("{} {:.0} s", test.shown(), test.seconds));
    Ok(format!("{} tests; the slowest: {}", tests.len(), slowest.collect::<Vec<_>>().join("; ")))
}

impl Test {
    fn shown(&self) -> String {
        let file = self.file.rsplit(['/', '\\']).next().unwrap_or_default();
        format!("{file}: {}", self.name)
    }

    fn failure(&self) -> String {
        let reasons = self.reasons.iter().map(|reason| format!("\n    {reason}"));
        format!("  {}{}", self.shown(), reasons.collect::<String>())
    }
}

fn read_tests(lines: &str) -> Result<Vec<Test>, serde_json::Error> {
    lines.lines().map(serde_json::from_str).collect()
}

/// The test files of a folder that are wanted, by name: Node's own search differs from version to version.
fn test_files(folder: &Path, only: &[String]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_test = [".test.mjs", ".test.js", ".test.ts"].iter().any(|ending| name.ends_with(ending));
        if is_test && (only.is_empty() || only.iter().any(|word| name.contains(word.as_str()))) {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_files_are_found_by_their_ending_and_sorted() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["b.test.mjs", "a.test.ts", "helper.mjs", "notes.md"] {
            fs::write(folder.path().join(name), "").expect("a file");
        }
        let files = |only: &[&str]| {
            let only: Vec<String> = only.iter().map(|&word| word.to_owned()).collect();
            test_files(folder.path(), &only).expect("a readable folder")
        };
        assert_eq!(files(&[]), ["a.test.ts", "b.test.mjs"].map(|name| folder.path().join(name)));
        assert_eq!(files(&["b.", "c"]), [folder.path().join("b.test.mjs")]);
        assert!(files(&["helper"]).is_empty());
    }

    #[test]
    fn files_that_are_named_are_there() {
        let files = test_files(&Project::find().path("tests/page"), &[]).expect("a readable folder");
        assert_eq!(files.iter().filter(|file| runs_alone(file)).count(), ALONE.len());
        assert_eq!(files.iter().filter(|file| rank(file) < LONG.len()).count(), LONG.len());
    }

    #[test]
    fn the_longest_begin_first() {
        let mut files = ["b.test.mjs", LONG[1], "a.test.mjs", LONG[0]].map(PathBuf::from);
        files.sort();
        files.sort_by_key(|file| rank(file));
        assert_eq!(files, [LONG[0], LONG[1], "a.test.mjs", "b.test.mjs"].map(PathBuf::from));
    }

    fn test(name: &str, seconds: f64, passed: bool) -> String {
        format!(
            r#"{{"file":"tests/page/a.test.mjs","name":"{name}","seconds":{seconds},"passed":{passed},"skipped":false,"reasons":["because"]}}"#
        )
    }

    #[test]
    fn one_failure_is_enough_and_is_named() {
        let lines = [test("good", 1.0, true), test("bad", 2.0, false), test("worse", 2.0, false)].join("\n");
        let error = verdict(&read_tests(&lines).expect("three tests")).expect_err("two failed");
        assert_eq!(
            error.to_string(),
            "failed:\n  a.test.mjs: bad\n    because\n  a.test.mjs: worse\n    because"
        );
    }

    #[test]
    fn the_slowest_are_named_with_their_seconds() {
        let lines = [test("quick", 1.0, true), test("slow", 21.4, true)].join("\n");
        let note = verdict(&read_tests(&lines).expect("two tests")).expect("none failed");
        assert_eq!(note, "2 tests; the slowest: a.test.mjs: slow 21 s; a.test.mjs: quick 1 s");
    }
}
