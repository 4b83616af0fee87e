//! What of a run is compared, read off its telemetry.

use std::fs;
use std::path::Path;

use adadagrad_gpu::telemetry::Line;
use serde::{Deserialize, Serialize};

use crate::numbers::{percent, rounded, significant};

/// A figure of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Quantity {
    /// Steps made.
    Steps,
    /// Samples seen.
    Samples,
    /// Samples per step.
    AverageBatch,
    LargestBatch,
    /// Share of the test set that is classified correctly at the end.
    Accuracy,
    /// Nats, at the end.
    TestLoss,
    /// Time of the steps, without the measurements.
    Seconds,
    /// Samples until the accuracy was within a point of that at the end.
    SamplesToNear,
    /// Accuracy on the training batches of the last tenth of the samples, less that on the test set.
    Gap,
    /// Samples until a measurement reached the target of the experiment.
    SamplesToTarget,
    /// Time of the steps until then.
    SecondsToTarget,
}

/// What makes a run better than another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Quality {
    #[default]
    Accuracy,
    TestLoss,
}

impl Quality {
    /// The same at the end of a run.
    pub(crate) const fn quantity(self) -> Quantity {
        match self {
            Self::Accuracy => Quantity::Accuracy,
            Self::TestLoss => Quantity::TestLoss,
        }
    }
}

/// By what runs are compared, and what they are to reach.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Goal {
    pub(crate) quality: Quality,
    /// In the unit of the quality.
    pub(crate) target: Option<f64>,
}

impl Goal {
    fn is_reached(&self, step: &Step) -> bool {
        let Some(target) = self.target else { return false };
        match self.quality {
            Quality::Accuracy => step.accuracy.is_some_and(|accuracy| accuracy >= target),
            Quality::TestLoss => step.test_loss.is_some_and(|loss| loss <= target),
        }
    }
}

impl Quantity {
    /// All of them, in the order of the tables.
    pub(crate) const ALL: [Self; 11] = [
        Self::Steps,
        Self::Samples,
        Self::AverageBatch,
        Self::LargestBatch,
        Self::Accuracy,
        Self::TestLoss,
        Self::Seconds,
        Self::SamplesToNear,
        Self::Gap,
        Self::SamplesToTarget,
        Self::SecondsToTarget,
    ];

    /// Whether it needs a target.
    pub(crate) const fn is_of_target(self) -> bool {
        matches!(self, Self::SamplesToTarget | Self::SecondsToTarget)
    }

    /// As tables call it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Steps => "steps",
            Self::Samples => "samples",
            Self::AverageBatch => "average batch",
            Self::LargestBatch => "largest batch",
            Self::Accuracy => "test accuracy",
            Self::TestLoss => "test loss (nats)",
            Self::Seconds => "seconds",
            Self::SamplesToNear => "samples to within a point of the final accuracy",
            Self::Gap => "training − test accuracy",
            Self::SamplesToTarget => "samples to the target",
            Self::SecondsToTarget => "seconds to the target",
        }
    }

    /// A value with its unit.
    pub(crate) fn shown(self, value: f64) -> String {
        match self {
            _ if value.is_nan() => "–".to_owned(),
            Self::Steps
            | Self::Samples
            | Self::AverageBatch
            | Self::LargestBatch
            | Self::SamplesToNear
            | Self::SamplesToTarget => rounded(value),
            Self::Accuracy | Self::Gap => percent(value),
            Self::TestLoss | Self::Seconds | Self::SecondsToTarget => significant(value),
        }
    }
}

/// A run as it went.
#[derive(Clone, Debug, Default)]
pub(crate) struct Course {
    pub(crate) steps: Vec<Step>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// Seen after it.
    pub(crate) samples: u64,
    pub(crate) batch: u32,
    seconds: f64,
    training_accuracy: f64,
    pub(crate) accuracy: Option<f64>,
    pub(crate) test_loss: Option<f64>,
}

impl Course {
    /// A telemetry file, up to the first line that is damaged or missing.
    pub(crate) fn read(file: &Path) -> Self {
        let mut course = Self::default();
        for line in fs::read(file).unwrap_or_default().split_inclusive(|&byte| byte == b'\n') {
            let Some(line) = line.strip_suffix(b"\n") else { break };
            let Ok(Line { telemetry, seconds, accuracy, test_loss, .. }) = serde_json::from_slice(line)
            else {
                break;
            };
            if course.samples() + u64::from(telemetry.samples) != telemetry.samples_seen {
                break;
            }
            course.steps.push(Step {
                samples: telemetry.samples_seen,
                batch: telemetry.samples,
                seconds,
                training_accuracy: telemetry.training_accuracy,
                accuracy,
                test_loss,
            });
        }
        course
    }

    /// Whether a run over so many samples was read to its end, where it is measured.
    pub(crate) fn is_whole(&self, sample_budget: u64) -> bool {
        self.samples() >= sample_budget && self.steps.last().is_some_and(|step| step.accuracy.is_some())
    }

    /// Samples seen.
    pub(crate) fn samples(&self) -> u64 {
        self.steps.last().map_or(0, |step| step.samples)
    }

    /// A figure of it; NaN where nothing was measured, or the target was not reached.
    #[allow(clippy::cast_precision_loss)]
    pub(crate) fn value(&self, quantity: Quantity, goal: Goal) -> f64 {
        let steps = self.steps.len() as f64;
        match quantity {
            Quantity::Steps => steps,
            Quantity::Samples => self.samples() as f64,
            Quantity::AverageBatch => self.samples() as f64 / steps,
            Quantity::LargestBatch => {
                self.steps.iter().map(|step| step.batch).max().map_or(f64::NAN, f64::from)
            }
            Quantity::Accuracy => self.last(|step| step.accuracy),
            Quantity::TestLoss => self.last(|step| step.test_loss),
            Quantity::Seconds => self.steps.iter().map(|step| step.seconds).sum(),
            Quantity::SamplesToNear => {
                let near = self.last(|step| step.accuracy) - 0.01;
                let first =
                    self.steps.iter().find(|step| step.accuracy.is_some_and(|accuracy| accuracy >= near));
                first.map_or(f64::NAN, |step| step.samples as f64)
            }
            Quantity::Gap => self.late_training_accuracy() - self.last(|step| step.accuracy),
            Quantity::SamplesToTarget => {
                self.until(goal).and_then(<[Step]>::last).map_or(f64::NAN, |step| step.samples as f64)
            }
            Quantity::SecondsToTarget => {
                self.until(goal).map_or(f64::NAN, |steps| steps.iter().map(|step| step.seconds).sum())
            }
        }
    }

    /// The steps until the target was reached.
    fn until(&self, goal: Goal) -> Option<&[Step]> {
        let last = self.steps.iter().position(|step| goal.is_reached(step))?;
        self.steps.get(..=last)
    }

    fn last(&self, of: impl Fn(&Step) -> Option<f64>) -> f64 {
        self.steps.iter().rev().find_map(of).unwrap_or(f64::NAN)
    }

    /// Over the batches of the last tenth of the samples, each as heavy as it is large.
    fn late_training_accuracy(&self) -> f64 {
        let begin = self.samples() - self.samples() / 10;
        let late = self.steps.iter().filter(|step| step.samples > begin);
        let (mut correct, mut samples) = (0.0, 0.0);
        for step in late {
            correct += step.training_accuracy * f64::from(step.batch);
            samples += f64::from(step.batch);
        }
        correct / samples
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A run with these batches.
    pub(crate) fn course_of(batches: &[u32]) -> Course {
        let mut samples = 0;
        let steps = batches.iter().map(|&batch| {
            samples += u64::from(batch);
            Step { samples, batch, seconds: 0.0, training_accuracy: 0.0, accuracy: None, test_loss: None }
        });
        Course { steps: steps.collect() }
    }

    fn course() -> Course {
        let step = |samples, batch, training_accuracy, accuracy| Step {
            samples,
            batch,
            seconds: 0.5,
            training_accuracy,
            accuracy,
            test_loss: accuracy.map(|accuracy: f64| 1.0 - accuracy),
        };
        Course {
            steps: vec![
                step(10, 10, 0.1, Some(0.5)),
                step(40, 30, 0.2, Some(0.895)),
                step(190, 150, 0.8, None),
                step(200, 10, 0.95, Some(0.9)),
            ],
        }
    }

    #[test]
    fn figures_of_a_run_by_hand() {
        let course = course();
        let goal = Goal { quality: Quality::Accuracy, target: Some(0.89) };
        let known = [4.0, 200.0, 50.0, 150.0, 0.9, 0.1, 2.0, 40.0, -0.090_625, 40.0, 1.0];
        for (quantity, value) in Quantity::ALL.into_iter().zip(known) {
            let found = course.value(quantity, goal);
            assert!((found - value).abs() < 1e-12, "{quantity:?}: {found}");
        }
        let of_loss = |target| Goal { quality: Quality::TestLoss, target };
        let samples = |goal| course.value(Quantity::SamplesToTarget, goal);
        assert_eq!(samples(of_loss(Some(0.5))), 10.0);
        assert!(samples(of_loss(Some(0.05))).is_nan() && samples(of_loss(None)).is_nan());
        assert!(Course::default().value(Quantity::Accuracy, goal).is_nan());
    }
}
