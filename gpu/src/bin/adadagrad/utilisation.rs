//! How well a GPU is used, by batch size: the share of the steps' time in which kernels ran, and what they computed.

use std::collections::BTreeMap;

use adadagrad_gpu::telemetry::Line;
use adadagrad_gpu::webgpu::{KernelTime, Profile};

use crate::numbers::{grouped, percent, rounded, significant};
use crate::table::table;

/// Sums over the steps of a run, of which a profile times the kernels.
pub(crate) struct Utilisation {
    profile: Profile,
    /// What the kernels took before the next step.
    before: Busy,
    /// By ⌊log₂ b⌋.
    by_size: BTreeMap<u32, Steps>,
}

/// What kernels took.
#[derive(Clone, Copy, Default)]
struct Busy {
    seconds: f64,
    operations: u64,
}

#[derive(Clone, Copy, Default)]
struct Steps {
    steps: u64,
    samples: u64,
    seconds: f64,
    busy: Busy,
}

impl Utilisation {
    pub(crate) fn new(profile: Profile) -> Self {
        Self { profile, before: Busy::default(), by_size: BTreeMap::new() }
    }

    /// The kernels so far, the one that took longest first.
    pub(crate) fn kernels(&self) -> Vec<KernelTime> {
        self.profile.times()
    }

    /// Counts a step. What the device tells late counts for the next one.
    pub(crate) fn add(&mut self, line: &Line) {
        let kernels = self.kernels();
        let now = Busy {
            seconds: kernels.iter().map(|time| time.seconds).sum(),
            operations: kernels.iter().map(|time| time.cost.operations).sum(),
        };
        let before = std::mem::replace(&mut self.before, now);
        // The test set was read by the same kernels, outside of the step's time.
        if line.accuracy.is_some() {
            return;
        }
        let of_size = self.by_size.entry(line.telemetry.samples.max(1).ilog2()).or_default();
        of_size.steps += 1;
        of_size.samples += u64::from(line.telemetry.samples);
        of_size.seconds += line.seconds;
        of_size.busy.seconds += now.seconds - before.seconds;
        of_size.busy.operations += now.operations - before.operations;
    }

    /// One row for the batch sizes between two powers of two; nothing where no step was timed.
    pub(crate) fn table(&self) -> String {
        if self.before.seconds == 0.0 || self.by_size.is_empty() {
            return String::new();
        }
        let head = ["batch", "steps", "samples/s", "kernels busy", "GFLOP/s"];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        for (&power, of_size) in &self.by_size {
            let Steps { steps, samples, seconds, busy } = *of_size;
            // Counts below 2^53.
            #[allow(clippy::cast_precision_loss)]
            let [samples, operations] = [samples, busy.operations].map(|count| count as f64);
            rows.push(vec![
                range(power),
                grouped(steps),
                rounded(samples / seconds),
                percent((busy.seconds / seconds).min(1.0)),
                significant(operations / seconds / 1e9),
            ]);
        }
        table(&rows)
    }
}

/// The sizes with this logarithm.
fn range(power: u32) -> String {
    let first = 1_u64 << power;
    if first == 1 { "1".to_owned() } else { format!("{}–{}", grouped(first), grouped(2 * first - 1)) }
}
