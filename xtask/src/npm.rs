//! Node.js and the page's npm packages.

use std::process::Command;

use anyhow::{Context, Result, anyhow, ensure};

use crate::process;
use crate::project::Project;
use crate::stamp::Stamp;

/// The oldest Node.js that the page's build tools run on (`engines` in www/package.json).
const OLDEST_NODE: (u32, u32) = (20, 19);

/// Installs the packages that www/package-lock.json names, unless they are there.
pub(crate) fn install(project: &Project) -> Result<()> {
    let modules = project.www().join("node_modules");
    // Inside the folder that `npm ci` empties first: an interrupted installation leaves no stamp.
    let stamp = Stamp::of(modules.join(".lock-hash"), &project.www(), &["package-lock.json"], "")?;
    if stamp.is_current(&[]) {
        return Ok(());
    }
    check_node()?;
    println!("Installing the page's npm packages (www/package-lock.json).");
    process::run(npm(project).args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]))
        .context("the npm packages could not be installed: see npm's message above")?;
    stamp.write()
}

/// Runs a script of www/package.json.
pub(crate) fn run_script(project: &Project, script: &str) -> Result<()> {
    check_node()?;
    process::run(npm(project).args(["run", "--silent", script]))
}

/// Fails with what to install when Node.js is missing or too old.
pub(crate) fn check_node() -> Result<()> {
    let (major, minor) = OLDEST_NODE;
    let install =
        format!("install Node {major}.{minor} or newer with npm (https://nodejs.org), then run this again");
    let version = process::output(Command::new("node").arg("--version"))
        .map_err(|_| anyhow!("Node.js is missing: {install}."))?;
    let found = parse(&version).with_context(|| format!("`node --version` printed {version:?}"))?;
    ensure!(found >= OLDEST_NODE, "Node.js {} is too old: {install}.", version.trim());
    ensure!(process::succeeds(Command::new(NPM).arg("--version")), "npm is missing: {install}.");
    Ok(())
}

/// npm is a script on Windows, and scripts are found by their full name only.
const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

fn npm(project: &Project) -> Command {
    let mut command = Command::new(NPM);
    command.current_dir(project.www());
    command
}

/// Major and minor number of `v20.19.2`.
fn parse(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.trim().strip_prefix('v')?.split('.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_compared_by_number() {
        assert_eq!(parse("v20.19.2\n"), Some((20, 19)));
        assert_eq!(parse("20.19.2"), None);
        assert_eq!(parse("v20"), None);
        assert!(parse("v22.4.0") >= Some(OLDEST_NODE));
        assert!(parse("v20.3.0") < Some(OLDEST_NODE));
    }
}
