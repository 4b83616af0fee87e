//! Which exit code a mistake has: one rule for all commands.
//!
//! - 2: what was asked for cannot be: a flag, a setting, or two of them that do not go together, whether clap, the core or
//!   a command finds it;
//! - 1: everything else that fails: files, data, devices, and runs under way.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

/// What was asked for cannot be, in a sentence.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Usage {}

impl From<String> for Usage {
    fn from(sentence: String) -> Self {
        Self(sentence)
    }
}

impl From<&str> for Usage {
    fn from(sentence: &str) -> Self {
        Self(sentence.to_owned())
    }
}

/// The exit code of a command that ended with this error.
pub(crate) fn exit_code(error: &(dyn Error + 'static)) -> ExitCode {
    if error.is::<Usage>() { ExitCode::from(2) } else { ExitCode::FAILURE }
}
