#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod checkpoint;
pub mod cpu;
pub mod data;
pub mod dataset;
pub mod engine;
mod pool;
pub mod run;
pub mod telemetry;

pub use pool::PoolError;
