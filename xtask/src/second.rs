//! The second process of `cargo xtask test`: stages that need none of the others run in it at the same time. What it
//! prints is kept, and shown as one piece.

use std::env;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::project::Project;
use crate::report::{Outcome, Report};

/// The process, or why there is none.
pub(crate) struct Second {
    started: Result<Started>,
}

struct Started {
    child: Child,
    /// All that it prints.
    log: PathBuf,
    /// How its stages ended.
    record: PathBuf,
}

impl Second {
    /// Starts this very program a second time.
    pub(crate) fn start(project: &Project, skip_page: bool) -> Self {
        println!(
            "\nA second process runs other stages at the same time; their output comes after that of the next ones."
        );
        Self { started: Started::new(project, skip_page) }
    }

    /// Waits until its stages have ended, shows what they printed, and puts them into the report.
    pub(crate) fn join(self, report: &mut Report) {
        let mut other = Report::default();
        report.stage("second process", &[], || {
            other = self.started?.finish()?;
            Ok(Outcome::Passed)
        });
        report.append(other);
    }
}

impl Started {
    fn new(project: &Project, skip_page: bool) -> Result<Self> {
        let folder = project.artifacts();
        fs::create_dir_all(&folder)?;
        let (log, record) = (folder.join("second.log"), folder.join("second.json"));
        let output = File::create(&log).with_context(|| format!("{} cannot be written", log.display()))?;
        // That of an earlier run must not count for this one.
        if record.exists() {
            fs::remove_file(&record)?;
        }
        let mut command = Command::new(env::current_exe()?);
        command.arg("test").arg("--second").arg(&record);
        if skip_page {
            command.arg("--skip-page");
        }
        command.stdin(Stdio::null()).stderr(output.try_clone()?).stdout(output);
        let child = command.spawn().context("the second process of the tests could not be started")?;
        Ok(Self { child, log, record })
    }

    fn finish(mut self) -> Result<Report> {
        let status = self.child.wait()?;
        io::copy(&mut File::open(&self.log)?, &mut io::stdout())?;
        io::stdout().flush()?;
        ensure!(status.success(), "the second process of the tests failed ({status})");
        Report::read(&self.record)
    }
}
