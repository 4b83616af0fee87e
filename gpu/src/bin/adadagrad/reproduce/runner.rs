//! Makes the runs of an experiment one after another, each by this program's own `train`: what is shown is what the same command
//! gives in a shell. A run that was interrupted continues from its last checkpoint; one that is done is not repeated.

use std::cell::RefCell;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal, Read, Seek, SeekFrom, stderr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use adadagrad_core::config::{DatasetName, RunConfig};
use adadagrad_core::controller::{AnyController, StageList, Stages};
use adadagrad_core::digest::Digest;
use adadagrad_core::owned::Control;
use adadagrad_core::text::TextSettings;
use adadagrad_gpu::data::{self, Options};
use adadagrad_gpu::telemetry::Line;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shlex::bytes::try_join;

use super::experiment::Planned;
use super::folder::{self, Lock, RUNS};
use super::quantity::Course;
use super::{replay, report};
use crate::files::{about, load_checkpoint};
use crate::numbers::{duration, grouped};
use crate::output;

/// How often a run is asked how far it is.
const QUESTION: Duration = Duration::from_millis(100);
/// How long a run that is to end may take to save itself.
const SAVING: Duration = Duration::from_secs(60);
/// Of a telemetry file, as much as holds its last line.
const LAST_LINE: u64 = 1 << 14;

/// Where runs are made, and how.
pub(crate) struct Runner<'a> {
    /// What `--out` says; every command is run here.
    pub(crate) folder: &'a Path,
    /// Words before the program, such as `mpirun -n 4`.
    pub(crate) launcher: &'a [String],
    /// The data set, or the folder with a folder for each data set.
    pub(crate) data: Option<&'a Path>,
    /// Flags of each run: device, threads.
    pub(crate) flags: &'a [OsString],
    pub(crate) control: &'a Control,
    pub(crate) lock: &'a Lock,
    /// Of the data that were read to be compared with those of earlier runs.
    pub(crate) digests: RefCell<Vec<(Texts, Digest)>>,
}

/// A data set, and how it is read where it is a text.
type Texts = (DatasetName, TextSettings);

/// How a run or a timing ended.
pub(crate) enum End<T> {
    Done(T),
    /// It failed, and with what message.
    Failed(String),
    /// The user wants to stop.
    Interrupted,
}

/// A run that is done.
pub(crate) struct Finished {
    pub(crate) course: Course,
    /// As it was made.
    pub(crate) command: String,
    /// What made it.
    pub(crate) program: String,
}

/// The file beside the telemetry of a run that is done.
#[derive(Debug, Serialize, Deserialize)]
struct Done {
    config: Value,
    /// Earlier versions of this program did not keep it.
    #[serde(default)]
    command: Option<String>,
    /// What made it.
    program: String,
}

/// The files of a run.
struct Files {
    config: PathBuf,
    telemetry: PathBuf,
    checkpoint: PathBuf,
    done: PathBuf,
    log: PathBuf,
}

impl Files {
    /// As the commands name them, relative to the folder of the experiment.
    fn of(id: &str) -> Self {
        let file = |ending: &str| PathBuf::from(RUNS).join(format!("{id}.{ending}"));
        Self {
            config: file("config.json"),
            telemetry: file("jsonl"),
            checkpoint: file("safetensors"),
            done: file("done.json"),
            log: file("log"),
        }
    }
}

impl Runner<'_> {
    pub(super) fn path(&self, file: &Path) -> PathBuf {
        self.folder.join(file)
    }

    /// The command that makes a run from its beginning, as one types it in the folder of the experiment.
    fn command(&self, planned: &Planned) -> String {
        typed(self.launcher, &self.arguments(planned, false))
    }

    /// Makes a run, as far as it is not done; a replay after the run that it replays.
    ///
    /// # Errors
    /// What of the files could not be read or written.
    pub(crate) fn make(&self, planned: &Planned, bar: &Bar) -> Result<End<Finished>, String> {
        let files = Files::of(&planned.id());
        let config = match self.config(planned) {
            Ok(config) => json!(config),
            Err(why) => return Ok(End::Failed(why)),
        };
        self.check_data(planned, &files)?;
        let course = Course::read(&self.path(&files.telemetry));
        let budget = planned.config.sample_budget;
        if let Some(Done { program, command, .. }) =
            self.read::<Done>(&files.done).filter(|done| done.config == config)
            && course.is_whole(budget)
        {
            let command = command.unwrap_or_else(|| self.command(planned));
            return Ok(End::Done(Finished { course, command, program }));
        }
        let resumes = self.read::<Value>(&files.config).as_ref() == Some(&config)
            && self.steps_saved(&files).is_some_and(|steps| steps <= course.steps.len() as u64);
        let log = self.begin(&files, &config, resumes)?;
        output::message(format_args!(
            "{}{}",
            bar.place(planned),
            if resumes { ", from its last checkpoint" } else { "" }
        ));
        let begin = Instant::now();
        let saving = ["--quiet", "--save-every", "30 s"].map(OsString::from);
        let arguments = [self.arguments(planned, resumes), saving.to_vec()].concat();
        let telemetry = self.path(&files.telemetry);
        let log_too = log.try_clone().map_err(|error| error.to_string())?;
        let status = self.run(self.launcher, &arguments, [log_too, log], || bar.show(&telemetry))?;
        if self.control.is_cancelled() {
            return Ok(End::Interrupted);
        }
        let log = self.path(&files.log);
        if !status.success() {
            return Ok(End::Failed(last_error(&log, status)));
        }
        let course = Course::read(&self.path(&files.telemetry));
        if !course.is_whole(budget) {
            return Ok(End::Failed(format!("its telemetry is incomplete (log: {})", log.display())));
        }
        let (program, command) = (report::program(), self.command(planned));
        self.write(&files.done, &Done { config, command: Some(command.clone()), program: program.clone() })?;
        bar.done(&course, begin.elapsed());
        Ok(End::Done(Finished { course, command, program }))
    }

    /// Steps that a run had made when it was saved last, if that can be continued.
    fn steps_saved(&self, files: &Files) -> Option<u64> {
        let checkpoint = load_checkpoint(&self.path(&files.checkpoint)).ok()?;
        Some(checkpoint.state?.progress.steps)
    }

    /// The settings; of a replay with the batch sizes of the run that it replays.
    fn config(&self, planned: &Planned) -> Result<RunConfig, String> {
        let Some(source) = &planned.replays else { return Ok(planned.config) };
        let source = Planned { run: source.clone(), replays: None, ..planned.clone() };
        let source_files = Files::of(&source.id());
        if !self.path(&source_files.done).exists() {
            return Err(format!("the run that it replays, {}, has not finished", source.path()));
        }
        let course = Course::read(&self.path(&source_files.telemetry));
        let schedule: StageList =
            replay::schedule(&course).parse().map_err(|error| format!("{}: {error}", planned.id()))?;
        // Other samples in each batch than those that chose its size.
        let seed = planned.seed + replay::OTHER_SEEDS;
        Ok(RunConfig {
            controller: AnyController::Stages(Stages { schedule }),
            test: None,
            seed,
            ..planned.config
        })
    }

    /// Makes room for a run that begins anew, and opens the file for what it says.
    fn begin(&self, files: &Files, config: &Value, resumes: bool) -> Result<File, String> {
        let log = self.path(&files.log);
        let opened = if resumes {
            OpenOptions::new().append(true).create(true).open(&log)
        } else {
            for old in [&files.done, &files.checkpoint, &files.telemetry] {
                folder::put_aside(self.folder, old)?;
            }
            self.write(&files.config, config)?;
            File::create(&log)
        };
        opened.map_err(|error| about(&log, error))
    }

    /// The words after `adadagrad`.
    fn arguments(&self, planned: &Planned, resumes: bool) -> Vec<OsString> {
        let files = Files::of(&planned.id());
        let mut words: Vec<OsString> = vec!["train".into()];
        if resumes {
            words.extend(["--resume".into(), files.checkpoint.clone().into()]);
            words.extend(["--sample-budget".into(), planned.config.sample_budget.to_string().into()]);
        } else {
            words.extend(["--config".into(), files.config.into()]);
        }
        words.extend(["--telemetry".into(), files.telemetry.into()]);
        words.extend(["--save".into(), files.checkpoint.into()]);
        words.extend(self.data_words(planned.config.dataset));
        words.extend(self.flags.iter().cloned());
        words
    }

    /// Where a data set is, if that was said.
    fn data_of(&self, name: DatasetName) -> Option<PathBuf> {
        let data = self.data?;
        let own = data.join(name.name());
        Some(if own.is_dir() { own } else { data.to_owned() })
    }

    /// The flag for that.
    pub(super) fn data_words(&self, name: DatasetName) -> Vec<OsString> {
        self.data_of(name).map_or_else(Vec::new, |data| vec!["--data".into(), data.into()])
    }

    /// Refuses to go on with runs on other data: figures of both would stand in one table.
    fn check_data(&self, planned: &Planned, files: &Files) -> Result<(), String> {
        let checkpoint = load_checkpoint(&self.path(&files.checkpoint)).ok();
        let Some(own) = checkpoint.and_then(|checkpoint| checkpoint.state?.training_data) else {
            return Ok(());
        };
        let RunConfig { dataset, text, .. } = planned.config;
        let known =
            self.digests.borrow().iter().find(|(key, _)| *key == (dataset, text)).map(|(_, digest)| *digest);
        let found = match known {
            Some(found) => found,
            None => {
                let options = Options { text, ..Options::default() };
                let data = data::load_with(dataset, self.data_of(dataset).as_deref(), options);
                let found = data.map_err(|error| error.to_string())?.digest;
                self.digests.borrow_mut().push(((dataset, text), found));
                found
            }
        };
        if own == found {
            return Ok(());
        }
        Err(about(
            self.folder,
            format_args!(
                "{}, seed {} was trained on other data than this command names: give the same data, or choose another \
                 folder with --out",
                planned.path(),
                planned.seed
            ),
        ))
    }

    /// Runs this program in the folder of the experiment to its end. When the user wants to stop, it is asked to.
    pub(super) fn run(
        &self,
        launcher: &[String],
        arguments: &[OsString],
        [output, log]: [File; 2],
        meanwhile: impl Fn(),
    ) -> Result<ExitStatus, String> {
        let start = || {
            let own = std::env::current_exe()?.into_os_string();
            let mut words = launcher.iter().map(OsString::from).chain([own]);
            let mut command = Command::new(words.next().unwrap_or_default());
            command.args(words).args(arguments).current_dir(self.folder);
            command.stdin(self.lock.0.try_clone()?).stdout(output).stderr(log).spawn()
        };
        let first = || launcher.first().map_or("adadagrad", String::as_str);
        let child = start();
        let mut child =
            child.map_err(|error: io::Error| format!("{} could not be started: {error}", first()))?;
        let mut asked: Option<Instant> = None;
        loop {
            if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
                return Ok(status);
            }
            if self.control.is_cancelled() {
                let since = asked.get_or_insert_with(|| {
                    ask_to_end(&child);
                    Instant::now()
                });
                if since.elapsed() > SAVING {
                    // It may end meanwhile.
                    let _ = child.kill();
                }
            }
            meanwhile();
            thread::sleep(QUESTION);
        }
    }

    /// A JSON file, if it is there and valid.
    pub(super) fn read<T: for<'de> Deserialize<'de>>(&self, file: &Path) -> Option<T> {
        serde_json::from_slice(&fs::read(self.path(file)).ok()?).ok()
    }

    pub(super) fn write(&self, file: &Path, value: &impl Serialize) -> Result<(), String> {
        let path = self.path(file);
        let text = serde_json::to_string_pretty(value).map_err(|error| about(&path, error))?;
        folder::save(&path, &(text + "\n"))
    }
}

/// A command of this program, as a shell reads it.
pub(super) fn typed(launcher: &[String], arguments: &[OsString]) -> String {
    let program = launcher.iter().map(OsString::from).chain(["adadagrad".into()]);
    let words: Vec<_> = program.chain(arguments.iter().cloned()).collect();
    // Only a zero byte cannot be quoted, and no argument holds one.
    let joined = try_join(words.iter().map(|word| word.as_encoded_bytes())).unwrap_or_default();
    String::from_utf8_lossy(&joined).into_owned()
}

/// Why a program failed, by the last error that it has told.
pub(super) fn last_error(log: &Path, status: ExitStatus) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let said = text.lines().rev().find_map(|line| line.strip_prefix("error: "));
    let said = said.map_or_else(|| format!("it ended with {status}"), str::to_owned);
    format!("{said} (log: {})", log.display())
}

/// Ctrl-C has reached a run as well; other signals have not.
#[cfg(unix)]
fn ask_to_end(child: &Child) {
    use rustix::process::{Pid, Signal, kill_process};

    let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    // It may have ended meanwhile.
    let _ = id.map(|id| kill_process(id, Signal::TERM));
}

/// The console's events reach all of its programs.
#[cfg(not(unix))]
fn ask_to_end(_: &Child) {}

/// How far all runs are together, in samples.
pub(crate) struct Bar {
    bar: ProgressBar,
    /// Runs and samples before the present one, and of all.
    before: (usize, u64),
    all: (usize, u64),
}

impl Bar {
    pub(crate) fn new(planned: &[Planned]) -> Self {
        let samples = planned.iter().map(|run| run.config.sample_budget).sum();
        let target =
            if stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(samples), target);
        let style = ProgressStyle::with_template(
            "{bar:30} {human_pos} of {human_len} samples of all runs, {eta} left",
        );
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar, before: (0, 0), all: (planned.len(), samples) }
    }

    fn place(&self, planned: &Planned) -> String {
        format!("Run {} of {}: {}, seed {}", self.before.0 + 1, self.all.0, planned.path(), planned.seed)
    }

    fn show(&self, telemetry: &Path) {
        if !self.bar.is_hidden() {
            self.bar.set_position(self.before.1 + samples_in(telemetry).unwrap_or(0));
        }
    }

    fn done(&self, course: &Course, time: Duration) {
        output::message(format_args!(
            "  {} steps, {} samples in {}",
            grouped(course.steps.len() as u64),
            grouped(course.samples()),
            duration(time)
        ));
    }

    /// The next run.
    pub(crate) fn go_on(&mut self, planned: &Planned) {
        self.before.0 += 1;
        self.before.1 += planned.config.sample_budget;
        self.bar.set_position(self.before.1);
    }
}

/// Samples seen by the last whole line of a telemetry file.
fn samples_in(telemetry: &Path) -> Option<u64> {
    let mut file = File::open(telemetry).ok()?;
    let begin = file.metadata().ok()?.len().saturating_sub(LAST_LINE);
    file.seek(SeekFrom::Start(begin)).ok()?;
    let mut end = Vec::new();
    file.read_to_end(&mut end).ok()?;
    let last = end.rsplit(|&byte| byte == b'\n').find(|line| line.starts_with(b"{"))?;
    Some(serde_json::from_slice::<Line>(last).ok()?.telemetry.samples_seen)
}
