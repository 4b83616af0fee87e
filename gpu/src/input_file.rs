//! Opens files that the user names for reading: regular files, pipes and devices.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::Path;
#[cfg(unix)]
use std::time::{Duration, Instant};

use crate::file_kind;
use crate::output_file::told;

/// How long a pipe may be without a writer, which may just be starting, and how long a writer may be silent before somebody
/// is told.
#[cfg(unix)]
const PATIENCE: Duration = Duration::from_secs(1);

/// An open file. Folders and sockets are refused; a pipe, such as a shell's `<(command)`, is read to its end, and a
/// device, such as `/dev/stdin`, as far as the caller reads it.
#[derive(Debug)]
#[cfg_attr(not(unix), allow(dead_code, reason = "streams are files of Unix"))]
pub struct InputFile<W> {
    file: File,
    stream: Option<Stream>,
    /// Called once, where nothing came for a while.
    waiting: W,
}

/// What is known of a pipe or a device. It was opened without waiting for a writer, and its reads do not wait either.
#[derive(Debug)]
struct Stream {
    #[cfg(unix)]
    is_pipe: bool,
    #[cfg(unix)]
    has_writer: bool,
    #[cfg(unix)]
    waiting_since: Instant,
    #[cfg(unix)]
    is_told: bool,
}

impl<W: FnMut()> InputFile<W> {
    /// Opens a file. `waiting` is called once if it is a pipe or a device from which nothing has come for a second.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn open(path: &Path, waiting: W) -> io::Result<Self> {
        let found = fs::metadata(path)?.file_type();
        if found.is_file() {
            return Ok(Self { file: File::open(path)?, stream: None, waiting });
        }
        if !file_kind::is_stream(found) {
            return Err(told(ErrorKind::InvalidInput, file_kind::unexpected(found)));
        }
        let (file, stream) = open_stream(path, found)?;
        Ok(Self { file, stream: Some(stream), waiting })
    }

    /// Whether it is a regular file, which ends.
    #[must_use]
    pub const fn is_regular(&self) -> bool {
        self.stream.is_none()
    }
}

#[cfg(unix)]
fn open_stream(path: &Path, kind: fs::FileType) -> io::Result<(File, Stream)> {
    use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
    // To open a FIFO that nobody writes to would take until somebody does.
    let file = fs::OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    let is_pipe = kind.is_fifo();
    Ok((file, Stream { is_pipe, has_writer: false, waiting_since: Instant::now(), is_told: false }))
}

#[cfg(not(unix))]
fn open_stream(path: &Path, _: fs::FileType) -> io::Result<(File, Stream)> {
    Ok((File::open(path)?, Stream {}))
}

impl<W: FnMut()> Read for InputFile<W> {
    #[cfg(not(unix))]
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.file.read(bytes)
    }

    #[cfg(unix)]
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let Some(stream) = &mut self.stream else { return self.file.read(bytes) };
        loop {
            match self.file.read(bytes) {
                // No writer yet, or one that has closed it already. Of a buffer without room nothing is learnt.
                Ok(0) if stream.is_pipe && !stream.has_writer && !bytes.is_empty() => {
                    if stream.waiting_since.elapsed() > PATIENCE {
                        return Err(told(ErrorKind::NotFound, "is a pipe (FIFO) that no program writes to"));
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    stream.has_writer = true;
                    if !stream.is_told && stream.waiting_since.elapsed() > PATIENCE {
                        stream.is_told = true;
                        (self.waiting)();
                    }
                }
                read => {
                    stream.has_writer = true;
                    stream.waiting_since = Instant::now();
                    return read;
                }
            }
            std::thread::sleep(PATIENCE / 100);
        }
    }
}
