//! Rust targets, components and wasm-pack: installed when missing.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;

/// The target of the page's wasm package.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// Makes sure that the compiler can build for a target.
pub(crate) fn target(name: &str) -> Result<()> {
    let library =
        process::output(Command::new("rustc").args(["--print", "target-libdir", "--target", name]))?;
    let has_files = fs::read_dir(library.trim()).is_ok_and(|mut files| files.next().is_some());
    if has_files {
        return Ok(());
    }
    println!("Adding the Rust target {name} with rustup.");
    rustup(&["target", "add", name], &format!("the Rust target {name} is missing"))
}

/// Makes sure that `cargo fmt` or `cargo clippy` is there (rustup's minimal profile leaves both out).
pub(crate) fn component(name: &str, subcommand: &str) -> Result<()> {
    if process::succeeds(Command::new("cargo").args([subcommand, "--version"])) {
        return Ok(());
    }
    println!("Adding the Rust component {name} with rustup.");
    rustup(&["component", "add", name], &format!("the Rust component {name} is missing"))
}

fn rustup(arguments: &[&str], missing: &str) -> Result<()> {
    if which::which("rustup").is_err() {
        bail!("{missing}: install Rust with rustup (https://rustup.rs), then run this again");
    }
    process::run(Command::new("rustup").args(arguments)).with_context(|| missing.to_owned())
}

/// Makes sure that wasm-pack is there.
pub(crate) fn wasm_pack() -> Result<()> {
    if which::which("wasm-pack").is_ok() {
        return Ok(());
    }
    println!("Installing wasm-pack with cargo; this takes a minute or two, once.");
    install("wasm-pack")
}

/// Builds a program with `cargo install`, unoptimised: it only starts other programs.
pub(crate) fn install(program: &str) -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.args(["install", program, "--locked", "--debug"]).env("CARGO_PROFILE_DEV_DEBUG", "false");
    process::run(&mut cargo)
        .with_context(|| format!("{program} could not be installed: see cargo's message above"))
}

/// Says what wasm-pack is going to do about the wasm-bindgen program, whose version must be that of the
/// library in Cargo.lock: it takes the one on PATH, else downloads it, else builds it, and keeps it.
pub(crate) fn announce_wasm_bindgen(root: &Path) -> Result<()> {
    let lock = fs::read_to_string(root.join("Cargo.lock")).context("Cargo.lock cannot be read")?;
    let Some(wanted) = locked_version(&lock, "wasm-bindgen") else {
        bail!("Cargo.lock does not contain wasm-bindgen, which the wasm package needs");
    };
    let found = process::output(Command::new("wasm-bindgen").arg("--version")).unwrap_or_default();
    if found.split_whitespace().nth(1) != Some(wanted) {
        println!(
            "wasm-pack installs wasm-bindgen {wanted} if it is missing: a download, or a build of a few minutes, once."
        );
    }
    Ok(())
}

/// The version of a package in the text of a Cargo.lock.
fn locked_version<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name).skip(1);
    lines.next()?.strip_prefix("version = \"")?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locked_version_is_that_of_the_very_package() {
        let lock = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"0.1.0\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\nsource = \"registry\"\n";
        assert_eq!(locked_version(lock, "wasm-bindgen"), Some("0.2.130"));
        assert_eq!(locked_version(lock, "wasm"), None);
    }

    #[test]
    fn an_installed_target_needs_nothing() {
        let host = process::output(Command::new("rustc").arg("-vV")).expect("rustc runs");
        let host = host.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host line");
        target(host).expect("the host's own target is there");
    }
}
