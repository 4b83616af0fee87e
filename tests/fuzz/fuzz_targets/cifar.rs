//! Batch files of CIFAR-10 and CIFAR-100.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| adadagrad_tests::fuzz::cifar(bytes));
