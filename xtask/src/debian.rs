//! Packages of Debian and its like.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;

/// Installs a package with apt-get, saying what it is for; fails with what to run where that is impossible.
pub(crate) fn install(package: &str, purpose: &str) -> Result<()> {
    if which::which("apt-get").is_err() {
        bail!("{purpose} is missing: install it with your system's package manager, then run this again");
    }
    println!("Installing the package {package} with apt-get: {purpose} is missing.");
    let Some(mut update) = apt_get(&["update", "--quiet"]) else {
        bail!("{purpose} is missing: run `sudo apt-get install {package}`, then run this again");
    };
    // An old list may still do: only the installation decides.
    if process::run(&mut update).is_err() {
        println!("The package lists could not be refreshed; continuing with the existing ones.");
    }
    let installed = apt_get(&["install", "--yes", "--quiet", "--no-install-recommends", package])
        .is_some_and(|mut install| process::run(&mut install).is_ok());
    if !installed {
        bail!(
            "{purpose} could not be installed: see apt-get's message above, then install the package {package} manually"
        );
    }
    Ok(())
}

/// Downloads a package and unpacks its files into a folder; nothing is installed, and nobody need be root.
pub(crate) fn unpack(package: &str, folder: &Path) -> Result<()> {
    if ["apt-get", "dpkg-deb"].iter().any(|program| which::which(program).is_err()) {
        bail!("it comes from Debian's package {package}, which this system does not offer");
    }
    let download = folder.with_extension("download");
    fs::create_dir_all(&download)?;
    let downloaded = fetch(package, &download, folder);
    fs::remove_dir_all(&download)?;
    downloaded.with_context(|| format!("Debian's package {package} cannot be downloaded"))
}

fn fetch(package: &str, download: &Path, folder: &Path) -> Result<()> {
    process::output(Command::new("apt-get").current_dir(download).args(["download", "--quiet", package]))?;
    let file = fs::read_dir(download)?.next().context("apt-get downloaded no file")??.path();
    // Files are there whole or not at all: first beside the folder, then in its place.
    let part = download.join("files");
    process::output(Command::new("dpkg-deb").arg("--extract").args([&file, &part]))?;
    fs::rename(&part, folder)?;
    Ok(())
}

/// `apt-get` as root, if this user may be root without a password.
fn apt_get(arguments: &[&str]) -> Option<Command> {
    let mut command = if is_root() {
        Command::new("apt-get")
    } else if process::succeeds(Command::new("sudo").args(["-n", "true"])) {
        let mut command = Command::new("sudo");
        command.args(["-n", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        command
    } else {
        return None;
    };
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    Some(command)
}

fn is_root() -> bool {
    process::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}
