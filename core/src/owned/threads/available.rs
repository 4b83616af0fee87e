//! How many threads there may be.

use std::num::NonZero;

/// How many threads this machine can run at once; one when it does not say.
#[must_use]
pub fn available_threads() -> NonZero<usize> {
    std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN)
}
