//! Networks of the user's own, as lists of layers in JSON.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| adadagrad_tests::fuzz::network(bytes));
