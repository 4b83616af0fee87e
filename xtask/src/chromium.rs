//! The browser that the page tests drive.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::{debian, process};

/// Its programs, by the names that systems give them.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Where it is on systems that keep it off PATH.
const PLACES: [&str; 4] = [
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Google/Chrome/Application/chrome.exe",
];

/// The browser, installed first if it is missing and can be.
pub(crate) fn ensure() -> Result<PathBuf> {
    if let Some(path) = find() {
        return Ok(path);
    }
    debian::install("chromium", "Chromium, which the page tests drive,")?;
    find().context("the package chromium did not provide a working browser: install Chromium or Chrome manually, or set CHROMIUM to its path")
}

/// The browser named by the environment variable CHROMIUM, else the first that is there and starts.
fn find() -> Option<PathBuf> {
    let named = env::var_os("CHROMIUM").filter(|path| !path.is_empty()).map(PathBuf::from);
    let on_path = NAMES.iter().filter_map(|name| which::which(name).ok());
    let elsewhere = PLACES.iter().map(PathBuf::from).filter(|path| path.is_file());
    named.into_iter().chain(on_path).chain(elsewhere).find(|path| starts(path))
}

/// Ubuntu's /usr/bin/chromium-browser may be a mere note that there is a snap; Windows has no such note, and
/// there `--version` opens a window.
fn starts(path: &Path) -> bool {
    cfg!(windows) || process::succeeds(Command::new(path).arg("--version"))
}
