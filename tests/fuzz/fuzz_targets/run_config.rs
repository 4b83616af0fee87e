//! Run descriptions in JSON.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| adadagrad_tests::fuzz::run_config(bytes));
