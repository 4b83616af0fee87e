//! What the entries of a file are called, and the version of what is in them.

/// The version of [`State`](super::State) that is written. Version 1 had no digest of the data, and numbered only
/// layers with parameters (`layers.<i>.weight`); version 2 left out what a run remembers where it is as at the start. Both
/// are read too.
pub const STATE_VERSION: u32 = 3;
/// The metadata entry that holds the [`State`](super::State).
pub const STATE: &str = "adadagrad";

/// What the names of the optimizer's memory begin with.
pub(super) const MEMORY: &str = "optimizer.";
