//! What needs `std`: runs and files that own their memory.

#[cfg(feature = "checkpoint")]
pub mod checkpoint;
