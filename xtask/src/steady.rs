//! `cargo xtask steady`: the page tests many times in a row, some of them while a compiler runs. A test that passes only where
//! nothing else runs waits for something that it does not cause, and is found here.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::Args;

use crate::browsers::Browsers;
use crate::page_tests::{self, Test};
use crate::process::cargo;
use crate::project::Project;
use crate::{bench_browser, page};

/// Options of `cargo xtask steady`.
#[derive(Args)]
pub(crate) struct Options {
    /// Number of runs of the page tests
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    times: u32,
    /// Number of runs, counted from the last, during which a compiler runs
    #[arg(long, default_value_t = 3)]
    with_compiler: u32,
    /// Only the files whose names contain this; may be given several times
    #[arg(long)]
    only: Vec<String>,
}

/// One line of the table.
struct Round {
    with_compiler: bool,
    time: Duration,
    outcome: Result<String>,
}

/// Builds what is not up to date, runs the page tests again and again, and fails if one test failed once. The table is
/// left in the artifacts as `steady.txt`.
pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    page::prepare(project)?;
    bench_browser::build(project)?;
    let browsers = Browsers::ensure()?;
    let mut table = String::new();
    let mut failures = 0;
    for number in 1..=options.times {
        let with_compiler = number + options.with_compiler > options.times;
        println!("\n=== run {number} of {}", options.times);
        let compiler = with_compiler.then(|| Compiler::start(project));
        let begin = Instant::now();
        let tests = page_tests::run(project, &browsers, &options.only);
        let round = Round { with_compiler, time: begin.elapsed(), outcome: judge(tests) };
        drop(compiler);
        failures += u32::from(round.outcome.is_err());
        table += &format!("run {number:>2}  {}\n", round.text());
        fs::write(project.artifacts().join("steady.txt"), &table)?;
    }
    println!("\n=== summary\n{table}");
    ensure!(failures == 0, "{failures} of {} runs failed", options.times);
    Ok(())
}

fn judge(tests: Result<Vec<Test>>) -> Result<String> {
    page_tests::verdict(&tests?)
}

impl Round {
    fn text(&self) -> String {
        let company = if self.with_compiler { "with a compiler" } else { "alone" };
        let outcome = match &self.outcome {
            Ok(note) => format!("passed  {note}"),
            Err(error) => format!("FAILED  {error:#}"),
        };
        format!("{company:<15}  {:>7.1} s  {outcome}", self.time.as_secs_f64())
    }
}

/// A compiler that is at work as long as this lives: it builds the crate `gpu` from nothing, again and again.
struct Compiler {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Compiler {
    fn start(project: &Project) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let folder = project.path("target/steady");
        let mut build =
            cargo(project.root(), &["build", "--quiet", "--package", "adadagrad-gpu", "--target-dir"]);
        build.arg(&folder).stdin(Stdio::null()).stderr(Stdio::null());
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                // What cannot be removed is built again sooner, and the next round tries once more.
                let _ = fs::remove_dir_all(&folder);
                until_stopped(&mut build, &stopped);
            }
            let _ = fs::remove_dir_all(&folder);
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Compiler {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // A panic there has been printed.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Runs a program to its end, or kills it when that is no longer wanted.
fn until_stopped(command: &mut Command, stopped: &AtomicBool) {
    const QUESTION: Duration = Duration::from_millis(200);
    let Ok(mut child) = command.spawn() else { return thread::sleep(QUESTION) };
    while is_running(&mut child) {
        if stopped.load(Ordering::Relaxed) {
            let _ = child.kill();
            let _ = child.wait();
            return;
        }
        thread::sleep(QUESTION);
    }
}

fn is_running(child: &mut Child) -> bool {
    matches!(child.try_wait(), Ok(None))
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn a_round_says_whether_a_compiler_ran_and_how_it_ended() {
        let time = Duration::from_millis(61_250);
        let good = Round { with_compiler: false, time, outcome: Ok("7 tests".to_owned()) };
        assert_eq!(good.text(), "alone               61.2 s  passed  7 tests");
        let bad = Round { with_compiler: true, time, outcome: Err(anyhow!("failed: a")) };
        assert_eq!(bad.text(), "with a compiler     61.2 s  FAILED  failed: a");
    }

    #[test]
    fn a_program_that_is_no_longer_wanted_is_ended() {
        // It waits for a program that never comes.
        let mut waiting = Command::new("rustc");
        waiting.arg("-").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        until_stopped(&mut waiting, &AtomicBool::new(true));
    }
}
