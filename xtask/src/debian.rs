//! Packages of Debian and its like.

use std::process::Command;

use anyhow::{Result, bail};

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
        println!("The package lists could not be refreshed; trying with those that are there.");
    }
    let installed = apt_get(&["install", "--yes", "--quiet", "--no-install-recommends", package])
        .is_some_and(|mut install| process::run(&mut install).is_ok());
    if !installed {
        bail!(
            "{purpose} could not be installed: look at apt-get's message above, then install the package {package} by hand"
        );
    }
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
