//! The engine on the processor's threads.
//!
//! A batch is cut into parts by [`Cut`](crate::training::Cut), which depends on the batch and the test alone. Threads take
//! parts as they come free, each with its own working memory; the caller's thread adds the parts' sums to the total in
//! the order of the parts. So the result has the same bits for any number of threads, and the same as
//! [`LocalRun`](super::LocalRun). Memory: per thread a sweep's working memory and two sums over D
//! parameters, whatever the batch.
//!
//! A rank of a [cluster](super::cluster) may have its parts swept by a [`PartDevice`] instead, such as a GPU: all else is the same.

mod available;
mod device;
mod engine;
mod error;
mod memory;
mod pool;
mod sums;
mod sweeps;
mod worker;

pub use available::available_threads;
pub use device::{DevicePart, PartDevice, Processors};
pub use engine::ThreadsEngine;
pub use error::ThreadsError;
pub use pool::PoolError;
