//! Runs the stages of the tests one after another and sums them up.

use std::borrow::Cow;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// How a stage ended, unless it failed.
pub(crate) enum Outcome {
    Passed,
    /// Passed, with what is to be told of it.
    PassedWith(String),
    /// Not run, and why.
    Skipped(String),
}

/// What became of a stage.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum State {
    Passed,
    Failed,
    Skipped,
}

/// One line of the table at the end.
#[derive(Serialize, Deserialize)]
struct Line {
    stage: Cow<'static, str>,
    state: State,
    time: Duration,
    note: String,
}

/// The stages that ran so far.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Report {
    lines: Vec<Line>,
}

impl Report {
    /// Runs a stage and notes how it ended. When one that it needs did not pass, it is not run and ends like
    /// that one, so that nothing is tested on what an earlier run left behind.
    pub(crate) fn stage(
        &mut self,
        stage: &'static str,
        needs: &[&'static str],
        work: impl FnOnce() -> Result<Outcome>,
    ) {
        println!("\n=== {stage}");
        let start = Instant::now();
        let (state, note) = match self.missing(needs) {
            Some(missing) => missing,
            None => match work() {
                Ok(Outcome::Passed) => (State::Passed, String::new()),
                Ok(Outcome::PassedWith(note)) => (State::Passed, note),
                Ok(Outcome::Skipped(why)) => (State::Skipped, why),
                Err(error) => (State::Failed, format!("{error:#}")),
            },
        };
        let line = Line { stage: stage.into(), state, time: start.elapsed(), note };
        println!("--- {}", line.text(0));
        self.lines.push(line);
    }

    /// Keeps the report for the process that has these stages run.
    pub(crate) fn write(&self, file: &Path) -> Result<()> {
        fs::write(file, serde_json::to_vec(self)?)
            .with_context(|| format!("{} cannot be written", file.display()))
    }

    /// What another process kept.
    pub(crate) fn read(file: &Path) -> Result<Self> {
        let kept = fs::read(file).with_context(|| format!("{} is missing", file.display()))?;
        serde_json::from_slice(&kept).with_context(|| format!("{} is not a valid report", file.display()))
    }

    /// Takes over the stages of another report.
    pub(crate) fn append(&mut self, other: Self) {
        self.lines.extend(other.lines);
    }

    /// How a stage ends that cannot start, if one that it needs did not pass.
    fn missing(&self, needs: &[&'static str]) -> Option<(State, String)> {
        let line =
            self.lines.iter().find(|line| needs.contains(&&*line.stage) && line.state != State::Passed)?;
        let why = match line.state {
            State::Skipped => "was skipped",
            _ => "failed",
        };
        Some((line.state, format!("not run: \"{}\" {why}", line.stage)))
    }

    /// Prints the table, and as the last line the counts; tells whether no stage failed.
    pub(crate) fn finish(self) -> bool {
        let width = self.lines.iter().map(|line| line.stage.len()).max().unwrap_or(0);
        println!("\n=== summary");
        self.lines.iter().for_each(|line| println!("{}", line.text(width)));
        println!("\n{}", self.closing_line());
        self.named(State::Failed).is_empty()
    }

    /// The stages that did not pass, then the counts alone on the last line.
    fn closing_line(&self) -> String {
        let [passed, failed, skipped] =
            [State::Passed, State::Failed, State::Skipped].map(|state| self.named(state));
        let list = |what: &str, stages: &[&str]| match stages {
            [] => String::new(),
            stages => format!("{what}: {}\n", stages.join(", ")),
        };
        let lists = list("skipped", &skipped) + &list("failed", &failed);
        format!("{lists}{} passed, {} failed", passed.len(), failed.len())
    }

    fn named(&self, state: State) -> Vec<&str> {
        self.lines.iter().filter(|line| line.state == state).map(|line| &*line.stage).collect()
    }
}

impl Line {
    fn text(&self, width: usize) -> String {
        let state = match self.state {
            State::Passed => "passed",
            State::Failed => "FAILED",
            State::Skipped => "skipped",
        };
        let note = if self.note.is_empty() { String::new() } else { format!("  {}", self.note) };
        format!("{:<width$}  {state:<7} {:>7.1} s{note}", self.stage, self.time.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    fn report() -> Report {
        let mut report = Report::default();
        report.stage("good", &[], || Ok(Outcome::Passed));
        report.stage("bad", &[], || bail!("broken"));
        report.stage("absent", &[], || Ok(Outcome::Skipped("no browser".to_owned())));
        report
    }

    #[test]
    fn the_closing_line_counts_stages() {
        assert_eq!(report().closing_line(), "skipped: absent\nfailed: bad\n1 passed, 1 failed");
        assert_eq!(Report::default().closing_line(), "0 passed, 0 failed");
    }

    #[test]
    fn one_failure_is_enough_to_fail_and_a_skipped_stage_is_none() {
        assert!(!report().finish());
        let mut report = Report::default();
        report.stage("absent", &[], || Ok(Outcome::Skipped("no browser".to_owned())));
        assert!(report.finish());
    }

    #[test]
    fn stages_of_another_process_count_as_its_own() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("report.json");
        report().write(&file).expect("a file");
        let mut whole = Report::default();
        whole.append(Report::read(&file).expect("a report"));
        whole.stage("after bad", &["bad"], || unreachable!("its need failed"));
        assert_eq!(whole.closing_line(), "skipped: absent\nfailed: bad, after bad\n1 passed, 2 failed");
        fs::write(&file, "{}").expect("a file");
        assert!(Report::read(&file).is_err());
    }

    #[test]
    fn later_stages_run_after_a_failure() {
        let mut report = report();
        report.stage("late", &["good"], || Ok(Outcome::Passed));
        assert_eq!(report.named(State::Passed), ["good", "late"]);
    }

    #[test]
    fn a_stage_does_not_run_without_what_it_needs() {
        let mut report = report();
        report.stage("after bad", &["good", "bad"], || unreachable!("its need failed"));
        report.stage("after absent", &["absent"], || unreachable!("its need was skipped"));
        assert_eq!(report.named(State::Failed), ["bad", "after bad"]);
        assert_eq!(report.named(State::Skipped), ["absent", "after absent"]);
    }
}
