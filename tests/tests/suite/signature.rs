//! Signatures of runs that do not progress: seen where a run shows them, and nowhere else. The numbers of the steps are made up
//! here; real runs are in the program's tests.

use adadagrad_core::config::{Preset, RunConfig};
use adadagrad_core::signature::{Signature, WINDOW, Watch};
use adadagrad_core::training::Telemetry;
use serde_json::json;

/// A step that shows nothing: the batch grows, the loss falls, and most of ‖ḡ‖² is gradient.
fn quiet(step: u64) -> Telemetry {
    let batch = 8 + 2 * step;
    serde_json::from_value(json!({
        "version": 1, "step": step, "samples": batch, "samples_seen": 100 * step, "loss": 2.0 / (1.0 + 0.01 * step as f64),
        "training_accuracy": 0.5, "learning_rate": 0.1, "mean_norm_sq": 2.0, "sum_squared_norms": null,
        "variance": batch, "variance_along": null, "variance_orthogonal": null, "coordinate_ratio": null, "worker_variance": null,
        "required": batch + 1, "threshold": 0.7, "next_batch": batch + 2, "reasons": {}
    }))
    .unwrap()
}

fn config() -> RunConfig {
    RunConfig { max_batch: 100_000, ..Preset::Quick.config() }
}

/// What is seen of a run of twelve windows whose steps are changed like this, and at which step first.
fn seen(
    config: RunConfig,
    seconds: impl Fn(u32) -> Option<f64>,
    change: impl Fn(&mut Telemetry),
) -> Vec<(u64, Signature)> {
    let mut watch = Watch::new(&config);
    let mut seen = Vec::new();
    for step in 1..=u64::from(12 * WINDOW) {
        let mut telemetry = quiet(step);
        change(&mut telemetry);
        seen.extend(watch.step(&telemetry, seconds(telemetry.samples)).map(|signature| (step, signature)));
    }
    seen
}

fn shows(change: impl Fn(&mut Telemetry)) -> Vec<(u64, Signature)> {
    seen(config(), |_| None, change)
}

#[test]
fn a_run_that_progresses_shows_nothing() {
    assert_eq!(seen(config(), |batch| Some(1e-3 + 1e-3 * f64::from(batch)), |_| {}), []);
}

#[test]
fn a_loss_that_has_stalled_under_a_batch_that_does_not_grow_is_a_plateau() {
    let stall = |step: &mut Telemetry, falls: f64| {
        (step.samples, step.next_batch, step.variance) = (64, 64, Some(64.0));
        step.loss = 1.0 - falls * step.step as f64 / 200.0;
    };
    // Five windows without growth, of which the first and the last are compared.
    assert_eq!(shows(|step| stall(step, 0.005)), [(250, Signature::Plateau)]);
    assert_eq!(shows(|step| stall(step, 0.05)), []);
    // Seen again after it was gone.
    let again = shows(|step| {
        stall(step, 0.0);
        if (300..310).contains(&step.step) {
            step.next_batch = 65;
        }
    });
    assert_eq!(again, [(250, Signature::Plateau), (550, Signature::Plateau)]);
    let constant = RunConfig { test: None, ..config() };
    let constant =
        RunConfig { controller: serde_json::from_value(json!({ "name": "constant" })).unwrap(), ..constant };
    assert_eq!(seen(constant, |_| None, |step| stall(step, 0.0)), []);
}

#[test]
fn a_loss_that_rises_while_the_test_fails_diverges() {
    let rise = |step: &mut Telemetry| {
        step.loss = if step.step <= 100 { 1.0 } else { 1.0 + 0.01 * (step.step - 100) as f64 }
    };
    // 1.255 in the third window, 1.755 in the fourth.
    assert_eq!(shows(rise), [(200, Signature::Divergence)]);
    // Where the test passes, the loss is that of other samples.
    assert_eq!(
        shows(|step| {
            rise(step);
            step.required = Some(1.0);
        }),
        []
    );
    // A loss near 0 may double.
    assert_eq!(
        shows(|step| {
            rise(step);
            step.loss *= 0.01;
        }),
        []
    );
}

#[test]
fn noise_dominates_where_the_mean_gradient_is_noise() {
    let noise =
        |share: f64| move |step: &mut Telemetry| step.variance = Some(share * 2.0 * f64::from(step.samples));
    assert_eq!(shows(noise(0.95)), [(50, Signature::NoiseDominated)]);
    assert_eq!(shows(noise(0.85)), []);
    let none = |step: &mut Telemetry| (step.variance, step.mean_norm_sq) = (Some(0.0), 0.0);
    assert_eq!(shows(none), [], "there is neither gradient nor noise");
    let mut debiased = config();
    debiased.test = serde_json::from_value(json!({ "name": "norm", "eta": 1.0, "debiased": true })).unwrap();
    assert_eq!(seen(debiased, |_| None, noise(0.95)), []);
}

#[test]
fn a_limit_is_in_the_way_where_the_test_requires_twice_as_much() {
    let limited = |required: f64| {
        move |step: &mut Telemetry| {
            (step.samples, step.next_batch, step.required) = (1000, 1000, Some(required));
            step.variance = Some(1000.0);
        }
    };
    let small = RunConfig { max_batch: 1000, ..config() };
    assert_eq!(seen(small, |_| None, limited(2100.0)), [(50, Signature::LargestBatch)]);
    assert_eq!(seen(small, |_| None, limited(1900.0)), []);
}

#[test]
fn a_batch_is_small_where_most_of_its_time_is_fixed() {
    // At 8 + 2·50 = 108 samples.
    let time = |fixed: f64| move |batch: u32| Some(fixed + 1e-3 * f64::from(batch));
    assert_eq!(seen(config(), time(0.3), |_| {}), [(50, Signature::SmallBatch)]);
    assert_eq!(seen(config(), time(0.1), |_| {}), []);
}
