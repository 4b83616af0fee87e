//! What a rule decides from.

use super::StepTime;
use crate::batch_test::Required;
use crate::statistics::Evidence;

/// Limits of the batch size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The smallest batch.
    pub min: u32,
    /// The largest batch; takes precedence over `min`.
    pub max: u32,
}

impl Limits {
    /// min(max, max(min, size)).
    #[must_use]
    pub fn clip(self, size: u32) -> u32 {
        size.max(self.min).min(self.max)
    }
}

/// The state of a run after a batch was evaluated, and the statistics of the batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Situation<'a, S> {
    /// b, the size of this batch.
    pub batch: u32,
    /// The size of the run's first batch.
    pub initial_batch: u32,
    /// Limits of the next size.
    pub limits: Limits,
    /// N, the number of training samples. An epoch ends with each step after which another multiple of N was seen.
    pub training_samples: u32,
    /// Samples seen since the start, this batch included.
    pub samples_seen: u64,
    /// α of this step.
    pub learning_rate: S,
    /// The batch's statistics.
    pub evidence: &'a Evidence<S>,
    /// What the batch-size test requires.
    pub required: Required<S>,
    /// How long an earlier step took, if it was measured.
    pub step_time: Option<StepTime>,
}

impl<'a, S> Situation<'a, S> {
    /// The situation of a run without epochs, schedules and clocks: enough for the rules that look at the batch alone.
    #[must_use]
    pub const fn of_batch(limits: Limits, evidence: &'a Evidence<S>, required: Required<S>, rate: S) -> Self {
        let batch = evidence.samples;
        Self {
            batch,
            initial_batch: batch,
            limits,
            training_samples: u32::MAX,
            samples_seen: batch as u64,
            learning_rate: rate,
            evidence,
            required,
            step_time: None,
        }
    }

    /// Samples seen before this batch.
    #[must_use]
    pub fn seen_before(&self) -> u64 {
        self.samples_seen.saturating_sub(self.batch.into())
    }

    /// Epochs that had ended before this batch, and with it.
    #[must_use]
    pub fn epochs(&self) -> [u64; 2] {
        epochs([self.seen_before(), self.samples_seen], self.training_samples)
    }

    /// Whether an epoch ends with this batch.
    #[must_use]
    pub fn ends_epoch(&self) -> bool {
        let [before, after] = self.epochs();
        before < after
    }
}

/// Whole epochs over `samples` training samples, at each of two numbers of samples seen.
pub(crate) fn epochs(seen: [u64; 2], samples: u32) -> [u64; 2] {
    seen.map(|seen| seen / u64::from(samples.max(1)))
}
