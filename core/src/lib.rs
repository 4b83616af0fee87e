#![doc = include_str!("../README.md")]
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

#[cfg(feature = "serde")]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod augmentation;
pub mod backend;
pub mod batch_test;
pub mod cifar;
pub mod config;
pub mod controller;
pub mod coupling;
pub mod critical_batch;
pub mod dataset;
mod decode;
pub mod digest;
#[cfg(feature = "serde")]
pub mod fields;
pub mod idx;
pub mod images;
pub mod integers;
#[cfg(feature = "checkpoint")]
pub mod json;
pub mod layer;
mod length;
pub mod loss;
pub mod model;
mod moving_average;
pub mod network;
pub mod noise_scale;
pub mod normalisation;
pub mod observe;
pub mod optimizer;
#[cfg(feature = "std")]
pub mod owned;
pub mod parameter_bytes;
pub mod random;
mod ratio_average;
pub mod real;
mod reason;
pub mod schedule;
pub mod sequences;
pub mod settings;
mod shape;
pub mod shuffle;
pub mod signature;
mod sink;
pub mod sizer;
pub mod statistics;
pub mod subnormal;
pub mod text;
pub mod training;
mod vectors;
mod windows;
