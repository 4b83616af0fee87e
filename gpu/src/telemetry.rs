//! The telemetry file: one JSON object a step. `TELEMETRY.md` beside this crate explains every field.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::Path;

use adadagrad_core::trainer::Telemetry;
use serde::{Deserialize, Serialize};

/// One step, as a line of the file holds it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// What core says about the step.
    #[serde(flatten)]
    pub telemetry: Telemetry,
    /// Wall-clock seconds that the step took, without the evaluation after it.
    pub seconds: f64,
    /// Share of the test set classified rightly after the step, where it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
    /// Mean loss over the test set in nats after the step, where it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_loss: Option<f64>,
}

/// An open telemetry file. Every line is on its way to the disk when `push` returns.
#[derive(Debug)]
pub struct TelemetryFile {
    file: File,
}

/// All that is read from a line to find one's place.
#[derive(Deserialize)]
struct Place {
    step: u64,
}

impl TelemetryFile {
    /// An empty file, in place of any that is there.
    ///
    /// # Errors
    /// Why it cannot be written.
    pub fn create(path: &Path) -> io::Result<Self> {
        Ok(Self { file: File::create(path)? })
    }

    /// Goes on after the line of step `step`: what lies beyond is cut off, and so is a line that was not
    /// written to its end. A file that is not there is begun.
    ///
    /// # Errors
    /// Why it cannot be read or written, or which line before that step is no telemetry.
    pub fn resume(path: &Path, step: u64) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut reader = BufReader::new(&file);
        let (mut kept, mut line, mut number) = (0, Vec::new(), 0);
        while reader.read_until(b'\n', &mut line)? > 0 && line.ends_with(b"\n") {
            number += 1;
            let place: Place = serde_json::from_slice(&line).map_err(|error| {
                io::Error::new(io::ErrorKind::InvalidData, format!("line {number} is no telemetry: {error}"))
            })?;
            if place.step > step {
                break;
            }
            kept += line.len() as u64;
            line.clear();
        }
        file.set_len(kept)?;
        file.seek(SeekFrom::Start(kept))?;
        Ok(Self { file })
    }

    /// Appends a line.
    ///
    /// # Errors
    /// Why it cannot be written.
    pub fn push(&mut self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.file.write_all(&text)
    }
}
