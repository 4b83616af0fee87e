//! Starting other programs.

use std::env;
use std::ffi::OsString;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};

/// Runs a program with its output visible; fails when it does.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("`{}` could not be started", shown(command)))?;
    ensure!(status.success(), "`{}` failed ({status})", shown(command));
    Ok(())
}

/// Runs a program and gives what it wrote to its standard output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("`{}` could not be started", shown(command)))?;
    ensure!(
        output.status.success(),
        "`{}` failed ({}): {}",
        shown(command),
        output.status,
        String::from_utf8_lossy(&output.stderr).trim().lines().next().unwrap_or_default()
    );
    String::from_utf8(output.stdout)
        .map_err(|_| anyhow!("the output of `{}` is not valid UTF-8", shown(command)))
}

/// The same of a program that is stopped when it has not ended in some time.
pub(crate) fn output_within(command: &mut Command, longest: Duration) -> Result<String> {
    let name = shown(command);
    let started = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child = started.with_context(|| format!("`{name}` could not be started"))?;
    let mut stdout = child.stdout.take().context("its output is piped")?;
    let (ended, end) = mpsc::channel();
    let reader = thread::spawn(move || {
        let mut text = String::new();
        let read = stdout.read_to_string(&mut text);
        // The receiver may have been dropped.
        let _ = ended.send(());
        read.map(|_| text)
    });
    let in_time = end.recv_timeout(longest).is_ok();
    if !in_time {
        child.kill().with_context(|| format!("`{name}` did not end, and could not be stopped"))?;
    }
    let status = child.wait()?;
    let text = reader.join().map_err(|_| anyhow!("the output of `{name}` could not be read"))??;
    ensure!(in_time, "`{name}` did not end within {} s; it wrote:\n{text}", longest.as_secs());
    ensure!(status.success(), "`{name}` failed ({status}); it wrote:\n{text}");
    Ok(text)
}

/// Whether a program starts and says that all is well; its output is dropped.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// `cargo` in the project's top folder.
pub(crate) fn cargo(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root).args(arguments);
    command
}

/// `PATH` with a folder put in front.
pub(crate) fn path_with(folder: &Path) -> Result<OsString> {
    let old = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_path_buf()).chain(env::split_paths(&old));
    Ok(env::join_paths(folders)?)
}

/// Whether an environment variable asks for something: set, and neither empty nor 0.
pub(crate) fn asked(variable: &str) -> bool {
    env::var(variable).is_ok_and(|value| !value.is_empty() && value != "0")
}

/// A command as one would type it.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_program_is_named_with_its_arguments() {
        let error = run(Command::new("rustc").arg("--no-such-option").stderr(Stdio::null()))
            .expect_err("rustc knows no such option");
        assert!(error.to_string().starts_with("`rustc --no-such-option` failed"), "{error}");
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = run(&mut Command::new("no-such-program-here")).expect_err("there is no such program");
        assert!(error.to_string().contains("no-such-program-here"), "{error}");
    }

    #[test]
    fn a_program_that_does_not_end_is_stopped() {
        let version = output_within(Command::new("rustc").arg("--version"), Duration::from_secs(60));
        assert!(version.expect("rustc runs").starts_with("rustc 1."));
        if cfg!(unix) {
            let error = output_within(Command::new("sleep").arg("60"), Duration::from_millis(1));
            let error = error.expect_err("it sleeps on").to_string();
            assert!(error.contains("`sleep 60` did not end"), "{error}");
        }
    }

    #[test]
    fn output_is_what_the_program_wrote() {
        let version = output(Command::new("rustc").arg("--version")).expect("rustc runs");
        assert!(version.starts_with("rustc 1."), "{version}");
    }
}
