//! What the page is told of a run, whichever engine computes it.

use adadagrad_core::config::RunConfig;
use adadagrad_core::owned::Evaluation;
use adadagrad_core::training::{Progress as RunProgress, Telemetry, Trainer};
use adadagrad_gpu::webgpu::Choice;
use serde::{Deserialize, Serialize};

/// What computes a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum EngineName {
    Cpu,
    WebGpu,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct StepRecord {
    #[serde(flatten)]
    pub(crate) telemetry: Telemetry,
    pub(crate) seconds: f64,
}

/// That a run does not progress.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Sighting {
    pub(crate) step: u64,
    /// What is seen, and the way out.
    pub(crate) words: &'static str,
}

impl StepRecord {
    const fn grew(&self) -> bool {
        self.telemetry.next_batch > self.telemetry.samples
    }
}

/// How far a run may go before the page asks again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    pub(crate) steps: usize,
    /// No further than to the step that makes the batch grow.
    pub(crate) to_growth: bool,
}

impl Limit {
    /// Nothing at all.
    pub(crate) const ZERO: Self = Self { steps: 0, to_growth: false };

    /// Whether another step may follow these.
    pub(crate) fn allows_after(self, finished: &[StepRecord]) -> bool {
        let grew = self.to_growth && finished.last().is_some_and(StepRecord::grew);
        finished.len() < self.steps && !grew
    }

    /// What is left of it after these steps.
    pub(crate) fn after(self, finished: &[StepRecord]) -> Self {
        match self.allows_after(finished) {
            true => Self { steps: self.steps - finished.len(), ..self },
            false => Self::ZERO,
        }
    }
}

/// Settings that were changed in a run, and from where on.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Retuned {
    step: u64,
    samples_seen: u64,
    next_batch: u32,
    config: RunConfig,
}

impl Retuned {
    /// A trainer that just took new settings.
    pub(crate) fn new(trainer: &Trainer<f32>) -> Self {
        let &RunProgress { steps, samples_seen, next_batch, .. } = trainer.progress();
        Self { step: steps + 1, samples_seen, next_batch, config: *trainer.config() }
    }
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct EvaluationRecord {
    step: u64,
    samples_seen: u64,
    accuracy: f64,
    loss: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Activity {
    Opening,
    Training,
    Evaluating,
    Finished,
}

/// The network of a measurement, for what it writes.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) step: u64,
    pub(crate) accuracy: f64,
    /// In the order of files.
    pub(crate) parameters: Vec<f32>,
}

/// What was finished since the page was last told.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Finished {
    pub(crate) steps: Vec<StepRecord>,
    /// One for each measurement on a text.
    #[serde(skip)]
    pub(crate) measured: Vec<Measured>,
    evaluations: Vec<EvaluationRecord>,
    pub(crate) notices: Vec<String>,
    pub(crate) sightings: Vec<Sighting>,
    /// Which kernels were chosen, to be remembered for the adapter.
    pub(crate) kernels: Option<Choice>,
}

impl Finished {
    pub(crate) fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.evaluations.is_empty() && self.notices.is_empty()
    }

    pub(crate) fn step(&mut self, telemetry: Telemetry, seconds: f64) {
        self.steps.push(StepRecord { telemetry, seconds });
    }

    pub(crate) fn evaluation(&mut self, progress: &RunProgress<f64>, evaluation: Evaluation) {
        let &RunProgress { steps, samples_seen, .. } = progress;
        let Evaluation { accuracy, loss } = evaluation;
        self.evaluations.push(EvaluationRecord { step: steps, samples_seen, accuracy, loss });
    }
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Progress {
    #[serde(flatten)]
    pub(crate) finished: Finished,
    pub(crate) activity: Activity,
    pub(crate) done: u64,
    pub(crate) total: u64,
    pub(crate) engine: EngineName,
    pub(crate) device_bytes: u64,
}

/// What a run is at between two steps.
pub(crate) fn activity_of(trainer: &Trainer<f32>) -> Activity {
    if trainer.plan().is_some() { Activity::Training } else { Activity::Finished }
}
