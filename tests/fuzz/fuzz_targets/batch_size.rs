//! What batches say, a test, a rule and the next size.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| adadagrad_tests::fuzz::batch_size(bytes));
