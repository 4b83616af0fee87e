//! The telemetry file: one JSON object per step. `TELEMETRY.md` in this package explains every field.

use adadagrad_core::model::Model;
use adadagrad_core::training::Telemetry;
use serde::{Deserialize, Serialize};

/// One step: a line of the file.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The telemetry of the core.
    #[serde(flatten)]
    pub telemetry: Telemetry,
    /// The network, by its name; a custom one by its digest. Missing in lines of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<Model>,
    /// On a cluster with `--reduce fast`, the number of ranks: the bits depend on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fast_ranks: Option<u32>,
    /// Wall-clock seconds that the step took, without the evaluation after it.
    pub seconds: f64,
    /// Fraction of the test set classified correctly after the step, if it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
    /// Mean loss over the test set in nats after the step, if it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_loss: Option<f64>,
}
