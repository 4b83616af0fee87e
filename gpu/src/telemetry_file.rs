//! Writing the telemetry file, and continuing it with a resumed run.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
#[cfg(unix)]
use std::thread;
#[cfg(unix)]
use std::time::{Duration, Instant};

use adadagrad_core::fields::{Fault, Setting, Value};
use adadagrad_core::json;
use adadagrad_core::model::Model;

use crate::file_kind;
use crate::output_file::{self, told};
use crate::telemetry::Line;
use crate::text;

/// Lines that cannot be written are kept in memory and tried again, up to this many bytes.
const MOST_UNWRITTEN: usize = 1 << 26;

/// How long a FIFO may be without a reader, which may just be starting.
#[cfg(unix)]
const PATIENCE: Duration = Duration::from_secs(1);

/// An open telemetry file, locked against a second run that would write to it. Every line has been passed to the
/// operating system when `push` returns.
///
/// It may also be a pipe with a reader, or a device such as `/dev/stdout`: lines are appended, and nothing is read.
#[derive(Debug)]
pub struct TelemetryFile {
    file: File,
    is_stream: bool,
    /// The path of a file that was not there before, until it is used.
    created: Option<PathBuf>,
    /// Lines that could not be written so far.
    unwritten: Vec<u8>,
    /// Lines for which there was no memory either.
    lost: u64,
}

/// What is read from a line, to find the line of a step and to know whose it is.
struct Place {
    step: u64,
    samples_seen: u64,
    model: Option<Model>,
}

impl Setting for Place {
    fn of(value: Value) -> Result<Self, Fault> {
        let mut fields = value.into_fields()?;
        Ok(Self {
            step: fields.required("step")?,
            samples_seen: fields.required("samples_seen")?,
            model: fields.required("model")?,
        })
    }
}

/// The run with which a telemetry file is continued, from its checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resumed {
    /// Steps made.
    pub step: u64,
    /// Samples seen in these steps.
    pub samples_seen: u64,
    /// The network.
    pub model: Model,
}

impl Resumed {
    /// Refuses a line of another run.
    fn check(&self, place: &Place) -> Result<(), String> {
        let &Self { step, samples_seen, model } = self;
        match place.model {
            Some(other) if other != model => {
                Err(format!("trained the network {other}, but the checkpoint's run trains {model}"))
            }
            _ if place.step.cmp(&step) != place.samples_seen.cmp(&samples_seen) => Err(format!(
                "{} samples seen after step {}, but the checkpoint's run had seen {samples_seen} after step {step}",
                place.samples_seen, place.step
            )),
            _ => Ok(()),
        }
    }
}

impl TelemetryFile {
    /// Opens a file for writing and changes nothing in it. A file that does not exist is created, and removed again if
    /// it is dropped before [`Self::begin`] or [`Self::resume`].
    ///
    /// # Errors
    /// Why it cannot be written, or that another run writes to it.
    pub fn open(path: &Path) -> io::Result<Self> {
        let (file, is_stream, created) = match fs::metadata(path) {
            Ok(found) if found.is_file() => (options().open(path)?, false, None),
            Ok(found) if file_kind::is_stream(found.file_type()) => (open_stream(path)?, true, None),
            Ok(found) => {
                return Err(told(io::ErrorKind::InvalidInput, file_kind::unexpected(found.file_type())));
            }
            Err(error) => {
                let place = output_file::follow_links(path)?;
                if error.kind() != io::ErrorKind::NotFound {
                    return Err(error);
                }
                (options().create_new(true).open(&place)?, false, Some(place))
            }
        };
        if !is_stream {
            output_file::lock(&file)?;
        }
        Ok(Self { file, is_stream, created, unwritten: Vec::new(), lost: 0 })
    }

    /// Starts with an empty file.
    ///
    /// # Errors
    /// Why it cannot be written.
    pub fn begin(&mut self) -> io::Result<()> {
        self.created = None;
        if self.is_stream { Ok(()) } else { self.file.set_len(0) }
    }

    /// Continues after the line of the run's last step: later lines are removed, and so is an incomplete line. Returns
    /// the step of the last line that is left, if there is one.
    ///
    /// # Errors
    /// Why the file cannot be read or written, or which line before that step is not valid telemetry, or of another
    /// run.
    pub fn resume(&mut self, run: &Resumed) -> io::Result<Option<u64>> {
        if self.is_stream {
            return Ok(None);
        }
        let mut reader = BufReader::new(&self.file);
        let (mut kept, mut last, mut line, mut number) = (0, None, Vec::new(), 0);
        while reader.read_until(b'\n', &mut line)? > 0 && line.ends_with(b"\n") {
            number += 1;
            let read =
                text::decode(&line).and_then(|text| json::read(text).map_err(|fault| fault.to_string()));
            let place: Place = read.map_err(|what| {
                told(io::ErrorKind::InvalidData, &format!("line {number} is not valid telemetry: {what}"))
            })?;
            if place.step > run.step {
                break;
            }
            run.check(&place).map_err(|what| {
                told(io::ErrorKind::InvalidData, &format!("line {number} belongs to another run: {what}"))
            })?;
            kept += line.len() as u64;
            last = Some(place.step);
            line.clear();
        }
        self.file.set_len(kept)?;
        self.file.seek(SeekFrom::Start(kept))?;
        self.created = None;
        Ok(last)
    }

    /// Appends a line, after those that could not be written before.
    ///
    /// # Errors
    /// Why it cannot be written now. The line is kept, to be written with the next one.
    pub fn push(&mut self, line: &Line) -> io::Result<()> {
        let text = serde_json::to_vec(line)?;
        // Lines have no gap between them: after the first that is lost, all are.
        if self.lost == 0 && self.unwritten.len() < MOST_UNWRITTEN {
            self.unwritten.extend(text);
            self.unwritten.push(b'\n');
        } else {
            self.lost += 1;
        }
        self.flush()
    }

    /// Writes what could not be written before.
    ///
    /// # Errors
    /// Why it still cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        let mut written = 0;
        let result = loop {
            let rest = &self.unwritten[written..];
            if rest.is_empty() {
                break Ok(());
            }
            match self.file.write(rest) {
                Ok(0) => break Err(io::ErrorKind::WriteZero.into()),
                Ok(bytes) => written += bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        self.unwritten.drain(..written);
        result
    }

    /// How many lines are missing at the end of the file because they could not be written.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.unwritten.iter().filter(|&&byte| byte == b'\n').count() as u64 + self.lost
    }

    /// Returns when the lines are on the disk, so that they survive what a checkpoint survives.
    pub fn sync(&self) {
        // Pipes and devices have nothing to wait for.
        let _ = self.file.sync_data();
    }
}

impl Drop for TelemetryFile {
    fn drop(&mut self) {
        if let Some(unused) = &self.created {
            // It is empty, so that a leftover does no harm.
            let _ = fs::remove_file(unused);
        }
        output_file::unlock(&self.file);
    }
}

/// Files are written as well as read, to find the line to continue after.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    // Others may read, but not write: FILE_SHARE_READ.
    #[cfg(windows)]
    std::os::windows::fs::OpenOptionsExt::share_mode(&mut options, 1);
    options
}

#[cfg(unix)]
fn open_stream(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.write(true);
    let begin = Instant::now();
    // To open a FIFO that nobody reads would take until somebody does. This one stays open until the other is, so that
    // a reader does not see an end.
    let _reader = loop {
        match options.clone().custom_flags(libc::O_NONBLOCK).open(path) {
            Err(error) if error.raw_os_error() != Some(libc::ENXIO) => return Err(error),
            Err(error) if begin.elapsed() > PATIENCE => {
                return Err(told(error.kind(), "is a pipe (FIFO) that no program reads"));
            }
            Err(_) => thread::sleep(PATIENCE / 100),
            Ok(file) => break file,
        }
    };
    options.open(path)
}

#[cfg(not(unix))]
fn open_stream(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).open(path)
}
