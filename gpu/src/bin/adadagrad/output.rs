//! Everything that the program shows: results on standard output, messages on standard error.
//!
//! No print can end the work. What cannot be shown is dropped, and the exit code says what was lost:
//! - a message (progress, a notice, an error): nothing, the exit code stays;
//! - a result whose reader closed the pipe (`| head -1`): nothing, the reader has what it wanted;
//! - a result that could not be written otherwise (a full device): 1 in place of 0.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write, stderr, stdout};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::job;

/// Whether a result was lost other than by a closed pipe.
static LOST: AtomicBool = AtomicBool::new(false);

/// Writes a result to standard output; tells whether that takes more.
pub(crate) fn result(text: impl AsRef<[u8]>) -> bool {
    if !job::is_first() {
        return true;
    }
    let mut stdout = stdout().lock();
    let written = stdout.write_all(text.as_ref()).and_then(|()| stdout.flush());
    let takes_more = written.is_ok();
    take(written);
    takes_more
}

/// Takes note of how writing a result to standard output went.
pub(crate) fn take(written: io::Result<()>) {
    match written {
        // Said once.
        Err(error) if error.kind() != ErrorKind::BrokenPipe && !LOST.swap(true, Ordering::Relaxed) => {
            self::error(format_args!("standard output: {error}"));
        }
        _ => {}
    }
}

/// Writes a line to standard error, where there is one. Names from files may hold control characters, which a terminal
/// would obey: they are shown as escapes.
pub(crate) fn message(text: impl Display) {
    let mut line = escaped(&text.to_string(), &['\n', '\t']);
    line.push('\n');
    bytes(line.as_bytes());
}

/// A text with its control characters as escapes, but for some.
pub(crate) fn escaped(text: &str, but: &[char]) -> String {
    let mut line = String::new();
    for c in text.chars() {
        if c.is_control() && !but.contains(&c) {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

/// Writes a line that need not be UTF-8 to standard error.
pub(crate) fn raw_message(text: &[u8]) {
    bytes(&[text, b"\n"].concat());
}

/// Writes an error to standard error.
pub(crate) fn error(error: impl Display) {
    message(format_args!("error: {error}"));
}

/// A command's exit code, unless it ended well and a result was lost.
pub(crate) fn exit_code(code: ExitCode) -> ExitCode {
    if code == ExitCode::SUCCESS && LOST.load(Ordering::Relaxed) { ExitCode::FAILURE } else { code }
}

/// In one piece, so that lines of several threads do not mix.
fn bytes(text: &[u8]) {
    // What is wrong with another rank, the first one says.
    if !job::is_first() {
        return;
    }
    // There is no other place to say that this place is gone.
    let _ = stderr().lock().write_all(text);
}
