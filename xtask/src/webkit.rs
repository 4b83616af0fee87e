//! WebKit as GTK has it, in which the page tests go the main path: its WebDriver, and a screen for its browser.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::debian;

const DRIVER: &str = "WebKitWebDriver";

/// Where all systems that have it keep it, and where the tests look for it.
const SCREEN: &str = "/usr/bin/Xvfb";

/// The driver, installed first with the screen if one of them is missing and can be. With the driver comes the browser.
pub(crate) fn ensure() -> Result<PathBuf> {
    ensure_screen()?;
    if let Some(path) = find() {
        return Ok(path);
    }
    debian::install("webkit2gtk-driver", "WebKit, which the page tests drive,")?;
    find().context("the package webkit2gtk-driver did not provide WebKitWebDriver: install it manually, or set WEBKIT_DRIVER to its path")
}

fn ensure_screen() -> Result<()> {
    if !Path::new(SCREEN).is_file() {
        debian::install("xvfb", "Xvfb, a screen for the WebKit that the page tests drive,")?;
        ensure!(
            Path::new(SCREEN).is_file(),
            "the package xvfb did not provide {SCREEN}: install it manually"
        );
    }
    Ok(())
}

/// The driver named by the environment variable `WEBKIT_DRIVER`, else the one on PATH.
fn find() -> Option<PathBuf> {
    let named = env::var_os("WEBKIT_DRIVER").filter(|path| !path.is_empty()).map(PathBuf::from);
    named.filter(|path| path.is_file()).or_else(|| which::which(DRIVER).ok())
}
