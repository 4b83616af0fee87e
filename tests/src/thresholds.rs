//! Batch-size tests with other thresholds.

use adadagrad_core::batch_test::AnyTest;
use serde_json::Value;

/// The settings that are thresholds. Every test has at least one of them.
const NAMES: [&str; 3] = ["eta", "theta", "nu"];

/// The same test with all its thresholds multiplied by a factor. By name, so that a new test needs no line here.
///
/// # Panics
/// For a test without a threshold of a known name.
#[must_use]
pub fn scaled(test: AnyTest, factor: f64) -> AnyTest {
    let mut settings = serde_json::to_value(test).expect("a test's settings are JSON");
    let mut thresholds = 0;
    for name in NAMES {
        if let Some(threshold) = settings.get_mut(name) {
            *threshold = Value::from(factor * threshold.as_f64().expect("a threshold is a number"));
            thresholds += 1;
        }
    }
    assert!(thresholds > 0, "{test:?} has no threshold");
    serde_json::from_value(settings).expect("settings of a test")
}
