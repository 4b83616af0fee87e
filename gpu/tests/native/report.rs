//! `tests/gpu-report`, on small data and whatever adapter there is.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::support;
use serde_json::Value;
use tempfile::TempDir;

/// Runs the script with these arguments; `None`, with a word about it, where there is no Python.
fn report(folder: &TempDir, arguments: &str) -> Option<Output> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/gpu-report");
    let mut command = Command::new("python3");
    command.arg(script).args(["--binary", env!("CARGO_BIN_EXE_adadagrad")]);
    command.arg("--data").arg(folder.path().join("data")).arg("--output").arg(folder.path().join("report"));
    match command.args(arguments.split_whitespace()).output() {
        Ok(output) => Some(output),
        Err(error) => {
            eprintln!("skipped: python3: {error}");
            None
        }
    }
}

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    support::write_data(&folder.path().join("data"));
    folder
}

fn read(folder: &TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join("report").join(name)).unwrap()
}

/// What became of each command, by its name.
fn statuses(folder: &TempDir) -> Vec<(String, String)> {
    let commands: Vec<Value> = serde_json::from_str(&read(folder, "commands.json")).unwrap();
    let text = |command: &Value, field: &str| command[field].as_str().unwrap().to_owned();
    commands.iter().map(|command| (text(command, "command"), text(command, "status"))).collect()
}

#[test]
fn a_report_holds_what_was_measured_and_says_what_failed() {
    let folder = folder();
    // There are 300 images: the larger batch is refused.
    let arguments = "--parts devices,bench --models logistic --batches 16,400 --seconds 100";
    let Some(output) = report(&folder, arguments) else { return };
    assert!(output.status.success(), "{output:?}");
    let statuses = statuses(&folder);
    if statuses[0].1 != "done" {
        assert!(std::env::var("REQUIRE_GPU").as_deref() != Ok("1"), "{statuses:?}");
        eprintln!("skipped: {}", statuses[0].1);
        return;
    }
    let [devices, small, large] = statuses.as_slice() else { panic!("{statuses:?}") };
    let expected = [("devices", devices), ("bench-logistic-16", small), ("bench-logistic-400", large)];
    assert!(expected.iter().all(|(name, (found, _))| name == found), "{statuses:?}");
    assert_eq!(small.1, "done");
    assert!(large.1.starts_with("failed: ") && large.1.contains("400"), "{}", large.1);
    let text = read(&folder, "report.md");
    for piece in
        ["# GPU report", "| processor | ", "## Devices", "| bench | 1 of 2 | bench-logistic-400: failed"]
    {
        assert!(text.contains(piece), "{piece}: {text}");
    }
    // Images per second with the norm test, and the time with ÷ without it; nothing for the other batch.
    let row = text.lines().find(|line| line.starts_with("| logistic | ")).unwrap();
    let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
    assert!(cells.len() == 3 && cells[1].ends_with(')') && cells[2].is_empty(), "{row}");
    assert!(read(&folder, "devices.txt").contains("adapter"));
    assert!(read(&folder, "bench-logistic-400.stderr.txt").contains("400"));
}

#[test]
fn what_finds_no_time_is_told_and_fails_nothing() {
    let folder = folder();
    let Some(output) = report(&folder, "--seconds 0") else { return };
    assert!(output.status.success(), "{output:?}");
    let statuses = statuses(&folder);
    assert_eq!(statuses.len(), 1 + 1 + 3 + 1 + 3 + 1, "{statuses:?}");
    for (name, status) in statuses {
        assert_eq!(status, "cut off: no time was left for it", "{name}");
    }
    let text = read(&folder, "report.md");
    for part in ["devices", "selftest", "bench", "profile", "race", "torch"] {
        assert!(text.contains(&format!("\n| {part} | 0 of ")), "{part}: {text}");
    }
}

#[test]
fn a_command_that_runs_too_long_is_cut_off_and_keeps_what_it_wrote() {
    let folder = folder();
    // This one never ends by itself.
    let endless = folder.path().join("endless");
    fs::write(&endless, "#!/bin/sh\necho begun\nsleep 1000\n").unwrap();
    assert!(Command::new("chmod").arg("+x").arg(&endless).status().unwrap().success());
    let arguments = format!("--parts devices --seconds 1 --binary {}", endless.display());
    let Some(output) = report(&folder, &arguments) else { return };
    assert!(output.status.success(), "{output:?}");
    assert_eq!(statuses(&folder), [("devices".to_owned(), "cut off after 1 s".to_owned())]);
    assert_eq!(read(&folder, "devices.txt"), "begun\n");
    assert!(read(&folder, "report.md").contains("begun"));
}

#[test]
fn what_cannot_be_used_is_refused_with_what_to_do() {
    let folder = folder();
    fs::create_dir(folder.path().join("report")).unwrap();
    fs::write(folder.path().join("report/old"), "").unwrap();
    for (arguments, message) in [
        ("--parts devices", "is not an empty folder: choose another one with --output"),
        ("--data /nowhere", "is not a folder: give the folder with the MNIST files with --data"),
        ("--binary /nowhere", "is not an executable file: build it with `cargo build --release`"),
        ("--seconds -1", "--seconds is -1.0, but must be at least 0"),
        ("--models lenet", "'lenet' is not a list of cnn, mlp, logistic"),
    ] {
        let Some(output) = report(&folder, arguments) else { return };
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && text.contains(message), "{arguments}: {text}");
    }
}
