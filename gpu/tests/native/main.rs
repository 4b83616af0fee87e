//! The program, its files and the threads' engine: everything that needs neither a GPU nor `mpirun`. One binary, because linking
//! is most of what a small one costs.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss, clippy::cast_possible_truncation)]

mod advise;
mod checkpoint;
mod data_files;
#[cfg(unix)]
mod endings;
mod engine;
mod export;
mod image_data;
mod measure;
mod networks;
mod output_file;
mod program;
mod report;
#[cfg(unix)]
mod reproduce;
mod resume;
mod settings;
#[path = "../support/mod.rs"]
mod support;
mod text_data;
mod torch;
