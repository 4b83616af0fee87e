//! IDX files: images and labels.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| adadagrad_tests::fuzz::idx(bytes));
