//! A step in plain numbers.

use super::plan::Plan;
use super::progress::Progress;
use crate::batch_test::Required;
use crate::config::FORMAT_VERSION;
use crate::controller::Decision;
use crate::observe::Observations;
use crate::real::Real;
use crate::statistics::{Evidence, Reason};

/// Why quantities of a [`Telemetry`] are undefined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct Reasons {
    /// Why the variance is undefined although norms were computed.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub variance: Option<Reason>,
    /// Why the test requires no particular size.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub required: Option<Reason>,
    /// Why the rule could not decide and kept the size.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub controller: Option<Reason>,
}

/// One training step in plain numbers; `None` where a number was not computed or is undefined.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Telemetry {
    /// [`FORMAT_VERSION`].
    pub version: u32,
    /// Counts from 1.
    pub step: u64,
    /// b, the size of this step's batch.
    pub samples: u32,
    /// Samples seen since the start, this batch included.
    pub samples_seen: u64,
    /// Mean loss of the batch before the update, in nats.
    pub loss: f64,
    /// Fraction of the answers for the batch that are correct before the update: one answer for each sample, or for each
    /// position of a sequence.
    pub training_accuracy: f64,
    /// α.
    pub learning_rate: f64,
    /// β₁, in runs in which a coupling changes it.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub beta1: Option<f64>,
    /// β₂, in runs in which a coupling changes it.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub beta2: Option<f64>,
    /// n = ‖ḡ‖².
    pub mean_norm_sq: f64,
    /// S = Σ sᵢ.
    pub sum_squared_norms: Option<f64>,
    /// v.
    pub variance: Option<f64>,
    /// v_along.
    pub variance_along: Option<f64>,
    /// v_orth.
    pub variance_orthogonal: Option<f64>,
    /// The chosen quantile of Varⱼ/ḡⱼ².
    pub coordinate_ratio: Option<f64>,
    /// v estimated from the parts' means.
    pub worker_variance: Option<f64>,
    /// T: a real number.
    pub required: Option<f64>,
    /// The threshold that this batch would just pass.
    pub threshold: Option<f64>,
    /// The size that the rule wanted: a real number, before rounding, limits, windows and waiting. The documentation of
    /// each rule in [`controller`](crate::controller) has its formula.
    #[cfg_attr(feature = "serde", serde(default))]
    pub wanted: Option<f64>,
    /// Size of the next batch.
    pub next_batch: u32,
    /// The observed quantities.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Observations::is_empty"))]
    pub observed: Observations,
    /// Why undefined quantities are undefined.
    pub reasons: Reasons,
}

impl Telemetry {
    /// Of a step that was weighed.
    pub(super) fn of_step<S: Real>(
        plan: &Plan<S>,
        evidence: &Evidence<S>,
        required: Option<Required<S>>,
        threshold: Option<S>,
        progress: &Progress<S>,
        decision: Decision,
        held: Option<Reason>,
    ) -> Self {
        let number = |value: Option<S>| value.map(Real::as_f64).filter(|value| value.is_finite());
        let variance = evidence.variance();
        Self {
            version: FORMAT_VERSION,
            step: plan.step,
            samples: evidence.samples,
            samples_seen: progress.samples_seen,
            loss: evidence.loss.as_f64(),
            training_accuracy: 0.0,
            learning_rate: plan.learning_rate.as_f64(),
            beta1: None,
            beta2: None,
            mean_norm_sq: evidence.mean_norm_sq.as_f64(),
            sum_squared_norms: number(evidence.sum_squared_norms),
            variance: number(variance.ok()),
            variance_along: number(evidence.variance_along().ok()),
            variance_orthogonal: number(evidence.variance_orthogonal().ok()),
            coordinate_ratio: number(evidence.coordinate_ratio),
            worker_variance: number(evidence.worker_variance().ok()),
            required: number(required.and_then(Required::size)),
            threshold: number(threshold),
            wanted: decision.wanted(),
            next_batch: progress.next_batch,
            observed: Observations::default(),
            reasons: Reasons {
                variance: variance.err().filter(|&reason| reason != Reason::MissingEvidence),
                required: required.and_then(Required::reason),
                // What the test says already is not said twice.
                controller: held.filter(|&reason| {
                    reason == Reason::NoBetaLeft || required.and_then(Required::reason).is_none()
                }),
            },
        }
    }
}
