//! Slices that must have the same length.

use core::fmt;

/// A slice has the wrong length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LengthMismatch {
    /// What was measured.
    pub what: &'static str,
    /// The length it should have.
    pub expected: usize,
    /// The length it has.
    pub found: usize,
}

impl fmt::Display for LengthMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {} values, found {}", self.what, self.expected, self.found)
    }
}

impl core::error::Error for LengthMismatch {}

/// `Ok` when a slice of `found` values has the `expected` length.
pub(crate) fn check_length(what: &'static str, expected: usize, found: usize) -> Result<(), LengthMismatch> {
    if expected == found { Ok(()) } else { Err(LengthMismatch { what, expected, found }) }
}

/// `Ok` when something is not shorter than expected.
pub(crate) fn check_least(what: &'static str, least: usize, found: usize) -> Result<(), LengthMismatch> {
    check_length(what, least, found.min(least))
}
