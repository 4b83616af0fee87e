//! The program, as a user runs it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_adadagrad");

pub(crate) fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    super::write_data(folder.path());
    folder
}

pub(crate) fn program(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new(PROGRAM);
    // What is remembered of adapters stays in the folder; what Mesa compiles need not be compiled again for each.
    command.env("XDG_CACHE_HOME", folder.join("cache"));
    command.env("MESA_SHADER_CACHE_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/mesa"));
    command.current_dir(folder).args(arguments.split_whitespace());
    command
}

pub(crate) fn run(folder: &Path, arguments: &str) -> Output {
    program(folder, arguments).output().unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What a run that ends well prints.
pub(crate) fn succeed(folder: &Path, arguments: &str) -> String {
    let output = run(folder, arguments);
    assert!(output.status.success(), "{arguments}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// What a command that is refused says.
pub(crate) fn refuse(folder: &Path, arguments: &str) -> String {
    let output = run(folder, arguments);
    assert!(!output.status.success(), "{arguments} was accepted");
    assert_eq!(text(&output.stdout), "", "{arguments}");
    text(&output.stderr)
}

/// A short run of the logistic model with a growing batch.
pub(crate) const SHORT: &str = "train --data . --model logistic --initial-batch 4 --growth-cap 1.5 --max-batch 200 \
                     --sample-budget 2000 --evaluate-every 500 --eta 0.3";

pub(crate) fn lines(file: &Path) -> Vec<Value> {
    fs::read_to_string(file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The lines without what hangs on the clock.
pub(crate) fn timeless(file: &Path) -> Vec<Value> {
    let mut lines = lines(file);
    for line in &mut lines {
        assert!(line.as_object_mut().unwrap().remove("seconds").unwrap().as_f64().unwrap() >= 0.0);
    }
    lines
}
