//! A run on the ranks of an MPI job: what a launcher says, what all ranks must have in common, and with the feature `mpi`
//! the messages between them. What they compute is `adadagrad_core::owned::cluster`.

mod agreement;
mod launch;
#[cfg(feature = "mpi")]
mod mpi;

pub use agreement::{Common, agree};
pub use launch::{Launch, launched};
#[cfg(feature = "mpi")]
pub use mpi::{Messages, within_job};
