//! Slices that ought to be equally long.

use core::fmt;

/// Two slices that ought to be equally long are not.
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
        write!(f, "{} holds {} values where {} are expected", self.what, self.found, self.expected)
    }
}

impl core::error::Error for LengthMismatch {}

/// `Ok` when a slice of `found` values has the `expected` length.
pub(crate) fn check_length(what: &'static str, expected: usize, found: usize) -> Result<(), LengthMismatch> {
    if expected == found { Ok(()) } else { Err(LengthMismatch { what, expected, found }) }
}
