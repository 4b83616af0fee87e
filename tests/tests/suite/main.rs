//! The tests of `adadagrad-core`, in one program so that it is linked once.
#![allow(clippy::unwrap_used, reason = "a test that meets the unexpected should stop there")]

mod augmentation;
mod bad_input;
mod batch_sums;
mod batch_tests;
mod cluster;
mod confident;
mod determinism;
mod fuzz;
mod generated;
mod golden_controllers;
mod golden_layers;
mod golden_merge;
mod golden_mnist;
mod golden_networks;
mod golden_optimizers;
mod golden_statistics;
mod golden_trajectory;
mod kept;
mod layers;
mod models;
mod negative_controls;
mod no_samples;
mod optimizers;
mod order_of_weights;
mod out_of_range;
mod packages;
mod part_workers;
mod properties;
mod recovery;
mod retune;
mod rules;
mod settings;
mod sparse_inputs;
mod subnormal;
