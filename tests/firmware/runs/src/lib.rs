//! Training runs for microcontrollers. The same code runs on boards, on this machine and in WebAssembly, and prints the
//! same lines: every bit of the telemetry and of the parameters is compared.
#![no_std]

pub mod cnn;
pub mod digits;
mod failure;
mod fingerprint;
pub mod mlp;
pub mod softmax;
mod training;

pub use failure::Failure;
pub use training::{Memory, Watch};
