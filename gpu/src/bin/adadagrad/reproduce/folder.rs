//! The folder of an experiment: which experiment it belongs to, whether its files can be written, and where replaced files go.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use adadagrad_gpu::output_file::{self, OutputFile};
use serde::{Deserialize, Serialize};

use super::experiment::Experiment;
use crate::files::about;

/// Where runs are, within the folder of the experiment.
pub(super) const RUNS: &str = "runs";
/// What a run leaves that is then made anew is kept there, until it is made anew once more.
const REPLACED: &str = "runs/replaced";
const CONTENTS: &str = "runs/experiment.json";

/// Keeps other invocations out of the folder. Each run holds it, too, in the place of its empty standard input: one that
/// outlives this program, because that was killed, is not disturbed.
pub(crate) struct Lock(pub(super) File);

/// What a folder holds.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Contents {
    /// The title of the experiment.
    experiment: String,
    quick: bool,
}

/// Makes the folder, unless it is there, and keeps others out of it.
///
/// # Errors
/// When it cannot be made, or an experiment, or a run that is left of one, is at work in it.
pub(crate) fn open(folder: &Path) -> Result<Lock, String> {
    fs::create_dir_all(folder.join(RUNS))
        .map_err(|error| about(folder, format_args!("the folder cannot be created: {error}")))?;
    let place = folder.join("runs/lock");
    // What it holds, perhaps through a link, is nobody's business here.
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&place);
    let file = opened.map_err(|error| about(&place, error))?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(about(
            folder,
            "an experiment is still running in this folder: wait until it ends, or choose another folder with --out",
        )),
        // Where files cannot be locked, nothing is kept out.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(Lock(file)),
    }
}

/// Makes sure, before anything runs, that the folder holds nothing but this experiment, and that all files of its report
/// can be written.
///
/// # Errors
/// What else it holds, or which file cannot be written and why.
pub(crate) fn claim(folder: &Path, experiment: &Experiment, quick: bool) -> Result<(), String> {
    let own = Contents { experiment: experiment.title.clone(), quick };
    let runs = folder.join(RUNS);
    let files = fs::read_dir(&runs).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let files: Vec<PathBuf> =
        files.map_err(|error| about(&runs, error))?.iter().map(fs::DirEntry::path).collect();
    // A pipe would be waited for.
    let is_other = |file: &&PathBuf| !file.metadata().is_ok_and(|found| found.is_file() || found.is_dir());
    if let Some(file) = files.iter().find(is_other) {
        return Err(about(file, "not a regular file"));
    }
    let contents = folder.join(CONTENTS);
    let reports = experiment.report_files();
    match fs::read(&contents).ok().and_then(|text| serde_json::from_slice::<Contents>(&text).ok()) {
        Some(found) if found != own => {
            let form = if found.quick { ", its quick form" } else { "" };
            return Err(about(
                folder,
                format_args!(
                    "this folder holds the results of another experiment ({}{form}): choose another folder with --out",
                    found.experiment
                ),
            ));
        }
        Some(_) => {}
        None => {
            // Earlier versions of this program left no contents.
            let is_done = |file: &PathBuf| file.to_string_lossy().ends_with(".done.json");
            let foreign = reports.iter().find(|name| folder.join(name).exists());
            if let Some(name) = foreign.filter(|_| !files.iter().any(is_done)) {
                return Err(about(
                    &folder.join(name),
                    "this file is not from an experiment, and would be replaced: choose another folder with --out",
                ));
            }
        }
    }
    for name in &reports {
        let file = folder.join(name);
        OutputFile::prove(&file, 0).map_err(|error| about(&file, error))?;
    }
    let text = serde_json::to_string_pretty(&own).map_err(|error| about(&contents, error))?;
    save(&contents, &text)
}

/// Writes a file completely or not at all.
pub(super) fn save(file: &Path, text: &str) -> Result<(), String> {
    output_file::write(file, text.as_bytes()).map_err(|error| about(file, error))
}

/// Takes a file of a run out of the way, which is then made anew.
pub(super) fn put_aside(folder: &Path, file: &Path) -> Result<(), String> {
    let (old, place) = (folder.join(file), folder.join(REPLACED));
    if !old.exists() {
        return Ok(());
    }
    let moved = fs::create_dir_all(&place)
        .and_then(|()| fs::rename(&old, place.join(file.file_name().unwrap_or_default())));
    moved.map_err(|error| about(&old, error))
}
