//! Firefox, in which the page tests go the main path.

use std::env;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::{debian, process};

/// Its programs, by the names that systems give them.
const NAMES: [&str; 2] = ["firefox-esr", "firefox"];

/// Where it is on systems that keep it off PATH.
const PLACE: &str = "/Applications/Firefox.app/Contents/MacOS/firefox";

/// A snap's program may be a script, which names it in its first lines.
const START_BYTES: u64 = 4096;

/// Firefox, installed first if it is missing and can be.
pub(crate) fn ensure() -> Result<PathBuf> {
    if let Some(path) = find() {
        return Ok(path);
    }
    debian::install("firefox-esr", "Firefox, which the page tests drive,").context(
        "there is no Firefox that the tests can drive (Ubuntu's is a snap, which they cannot): install Mozilla's package, or set FIREFOX to its path",
    )?;
    find().context("the package firefox-esr did not provide a working Firefox: install one manually, or set FIREFOX to its path")
}

/// The program named by the environment variable FIREFOX, else the first that is there and starts.
fn find() -> Option<PathBuf> {
    let named = env::var_os("FIREFOX").filter(|path| !path.is_empty()).map(PathBuf::from);
    let on_path = NAMES.iter().filter_map(|name| which::which(name).ok()).filter(|path| !is_snap(path));
    let elsewhere = Some(PathBuf::from(PLACE)).filter(|path| path.is_file());
    let starts = |path: &PathBuf| process::succeeds(Command::new(path).arg("--version"));
    named.into_iter().chain(on_path).chain(elsewhere).find(starts)
}

/// A snap sees none of the folders in which a test puts a browser's profile.
fn is_snap(path: &Path) -> bool {
    let is_link = path.canonicalize().is_ok_and(|program| program.ends_with("snap"));
    is_link || is_snap_script(path)
}

fn is_snap_script(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(START_BYTES).read_to_end(&mut start));
    read.is_ok() && start.starts_with(b"#!") && String::from_utf8_lossy(&start).contains("/snap/bin/")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_script_that_starts_a_snap_is_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let is_snap = |content: &str| {
            let path = folder.path().join("firefox");
            fs::write(&path, content).expect("a file");
            is_snap(&path)
        };
        assert!(is_snap("#!/bin/sh\nexec /snap/bin/firefox \"$@\"\n"));
        assert!(!is_snap("#!/bin/sh\nexec /usr/lib/firefox-esr/firefox-esr \"$@\"\n"));
        assert!(!is_snap("\u{7f}ELF /snap/bin/"));
        assert!(!super::is_snap(&folder.path().join("nothing")));
    }
}
