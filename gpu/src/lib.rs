#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(not(target_family = "wasm"))]
pub mod cluster;
mod cpu;
pub mod data;
pub mod dataset;
pub mod engine;
pub mod fallback;
mod file_kind;
pub mod gpu;
#[cfg(not(target_family = "wasm"))]
pub mod gpu_parts;
#[cfg(not(target_family = "wasm"))]
pub mod input_file;
pub mod memory;
#[cfg(not(target_family = "wasm"))]
mod name_lock;
#[cfg(not(target_family = "wasm"))]
pub mod output_file;
#[cfg(not(target_family = "wasm"))]
pub mod remembered;
pub mod run;
#[cfg(not(target_family = "wasm"))]
pub mod selftest;
pub mod telemetry;
#[cfg(not(target_family = "wasm"))]
pub mod telemetry_file;
pub mod text;
pub mod webgpu;
