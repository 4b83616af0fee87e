//! Which files a run is saved in, while it goes on and when it ends.
//!
//! A good file is only replaced by a run that ended well, or by the run that it already belongs to; a file that holds a
//! failed run gets a name of its own, and so does one that cannot be written where it was asked for.

use std::env;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use adadagrad_core::training::Progress;
use adadagrad_gpu::output_file::{OutputFile, is_same, write_numbered};

use crate::arguments::TrainArguments;
use crate::files::about;
use crate::job;
use crate::output;
use crate::save_every::Timetable;

/// How a run ended, as far as its checkpoint is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Finished,
    Interrupted,
    Failed,
    /// The next step cannot be made from where the run stands.
    Diverged,
}

/// The checkpoint files of a run.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    /// What --save names.
    file: Option<OutputFile>,
    /// Whether that file, if there is one, is an earlier state of this very run.
    is_own: bool,
    /// In place of a file that is not the run's own: its checkpoints until it ends.
    unfinished: Option<OutputFile>,
    timetable: Timetable,
    /// Whether the user knows that checkpoints cannot be written at present.
    is_failing: bool,
}

impl Checkpoints {
    /// Finds out whether checkpoints of `bytes` bytes can be written.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn prove(
        arguments: &TrainArguments,
        bytes: u64,
        progress: Option<&Progress<f64>>,
    ) -> Result<Self, String> {
        let file = arguments
            .save
            .as_deref()
            .filter(|_| job::is_first())
            .map(|file| OutputFile::prove(file, bytes).map_err(|error| about(file, error)));
        let file = file.transpose()?;
        let is_own = file.as_ref().is_some_and(|file| {
            !file.exists() || arguments.resume.as_ref().is_some_and(|resumed| is_same(resumed, file.path()))
        });
        let timetable = Timetable::new(arguments.save_every, progress);
        Ok(Self { file, is_own, unfinished: None, timetable, is_failing: false })
    }

    /// Whether the run is to be saved now, though it goes on.
    pub(crate) fn is_due(&mut self, progress: &Progress<f64>) -> bool {
        self.file.is_some() && self.timetable.is_due(progress)
    }

    /// Saves a run while it continues. If that fails, the user is informed once, and it is tried again when the next checkpoint
    /// is due.
    pub(crate) fn keep(&mut self, bytes: &[u8]) {
        let Err(error) = self.try_to_keep(bytes) else {
            self.is_failing = false;
            return;
        };
        if !self.is_failing {
            output::message(format_args!("{error}. The run continues, and saving is tried again."));
        }
        self.is_failing = true;
    }

    fn try_to_keep(&mut self, bytes: &[u8]) -> Result<(), String> {
        let Some(file) = &mut self.file else { return Ok(()) };
        if self.is_own {
            let is_first = !file.exists();
            match file.write(bytes) {
                // Somebody else's file, made since this run began.
                Err(error) if is_first && error.kind() == ErrorKind::AlreadyExists => self.is_own = false,
                written => return written.map_err(|error| about(file.path(), error)),
            }
        }
        match &mut self.unfinished {
            Some(unfinished) => unfinished.write(bytes).map_err(|error| about(unfinished.path(), error)),
            None => {
                let beside = file.write_beside("unfinished", bytes);
                self.unfinished = Some(beside.map_err(|error| about(file.path(), error))?);
                Ok(())
            }
        }
    }

    /// Saves a run that has ended. Returns the file that holds it, if there is one, and what went wrong.
    pub(crate) fn conclude(&mut self, ending: Ending, bytes: &[u8]) -> (Option<PathBuf>, Vec<String>) {
        let Some(file) = &mut self.file else {
            return match ending {
                // The user did not want the model, and nothing else is lost.
                Ending::Finished | Ending::Diverged => (None, Vec::new()),
                Ending::Interrupted => rescue(None, "interrupted", bytes, Vec::new()),
                Ending::Failed => rescue(None, "failed", bytes, Vec::new()),
            };
        };
        let (saved, errors) = match ending {
            Ending::Failed | Ending::Diverged => rescue(Some(file), "failed", bytes, Vec::new()),
            Ending::Finished | Ending::Interrupted => match file.write(bytes) {
                Ok(()) => (Some(file.path().to_owned()), Vec::new()),
                Err(error) => rescue(Some(file), "rescued", bytes, vec![about(file.path(), error)]),
            },
        };
        // What was saved now continues where that file stands, unless nothing can continue from it.
        if saved.is_some()
            && ending != Ending::Diverged
            && let Some(unfinished) = self.unfinished.take()
        {
            // A file too many does no harm.
            let _ = unfinished.remove();
        }
        (saved, errors)
    }

    /// The last checkpoint that was written while the run went on.
    pub(crate) fn last(&self) -> Option<&Path> {
        let own = self.file.as_ref().filter(|file| self.is_own && file.exists());
        own.or(self.unfinished.as_ref()).map(OutputFile::path)
    }
}

/// Writes a new file beside another one, or where that is impossible into the current folder or the one for temporary
/// files. `errors` is what went wrong before. Where no file was asked for, any of these places is as good as another,
/// and one that cannot be written is no error.
fn rescue(
    file: Option<&OutputFile>,
    tag: &str,
    bytes: &[u8],
    mut errors: Vec<String>,
) -> (Option<PathBuf>, Vec<String>) {
    let name = OsString::from(format!("adadagrad-{tag}.safetensors"));
    let (is_asked_for, mut tried) = (file.is_some(), Vec::new());
    let beside = file.map(|file| (file.path().to_owned(), file.write_beside(tag, bytes)));
    let folders = [PathBuf::from("."), env::temp_dir()];
    let elsewhere = folders.into_iter().map(|folder| {
        let written = write_numbered(&folder, &name, bytes);
        (folder, written)
    });
    for (place, written) in beside.into_iter().chain(elsewhere) {
        match written {
            Ok(file) => {
                let path = file.path();
                if is_asked_for {
                    errors.extend(tried);
                }
                return (Some(path.strip_prefix(".").unwrap_or(path).to_owned()), errors);
            }
            Err(error) => {
                let error = about(&place, error);
                if !errors.contains(&error) {
                    tried.push(error);
                }
            }
        }
    }
    errors.extend(tried);
    (None, errors)
}
