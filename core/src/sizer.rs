//! Batch sizes for your own training loop.

use crate::batch_test::{BatchTest, Required};
use crate::controller::{Controller, Decision, Limits, Situation, StepTime, is_factor};
use crate::real::Real;
use crate::statistics::{Evidence, Needs, Reason};

/// A batch-size test, a rule and its state: computes the size of the next batch from the statistics of a batch, without
/// the networks, settings and trainer of this crate.
///
/// ```
/// use adadagrad_core::batch_test::NormTest;
/// use adadagrad_core::controller::{AdAdaGrad, Limits};
/// use adadagrad_core::sizer::BatchSizer;
/// use adadagrad_core::statistics::Evidence;
///
/// let test = Some(NormTest { eta: 0.5, debiased: false });
/// let mut sizer = BatchSizer::new(test, AdAdaGrad::default(), Limits { min: 2, max: 4_096 }, 64);
/// // In the training loop: b, ‖mean gradient‖² and the sum of the samples' squared norms.
/// let advice = sizer.advise(&Evidence::from_norms(64, 0.25_f64, 80.0)?);
/// assert_eq!(advice.next, 64);
/// let advice = sizer.advise(&Evidence::from_norms(64, 0.01, 80.0)?);
/// assert_eq!((advice.next, sizer.batch()), (504, 504));
/// # Ok::<(), adadagrad_core::statistics::EvidenceError>(())
/// ```
///
/// A rule that decides by schedule, epochs, learning rate or time gets them from [`Self::training_samples`],
/// [`Self::learning_rate`] and [`Self::measured`].
///
/// A run that continues: [`Self::new`] with the same settings, and the public fields as they were, which are plain values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchSizer<S: Real, T, C: Controller<S>> {
    /// The batch-size test, or `None` for rules that need none.
    pub test: Option<T>,
    /// The rule.
    pub controller: C,
    /// Limits of the size.
    pub limits: Limits,
    /// N, for rules that count epochs. By default no epoch ends.
    pub training_samples: u32,
    /// The learning rate without the rule's factor. 1 by default.
    pub learning_rate: S,
    /// The state of the rule: plain values, to be stored with a checkpoint.
    pub state: C::State,
    /// The factor by which the rule has changed the learning rate so far: multiply yours by it. 1 at the start.
    pub learning_rate_scale: f64,
    /// Samples seen.
    pub samples_seen: u64,
    /// The size of the first batch, from which rules that follow a schedule begin.
    pub initial_batch: u32,
    /// The size of the next batch.
    pub next_batch: u32,
    /// How long the last step took, if it was measured.
    pub step_time: Option<StepTime>,
}

/// What to do after a batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Advice<S> {
    /// The size of the next batch; for a batch that is to be extended, of the whole extended one.
    pub next: u32,
    /// How many samples are to be added to this batch *before* its step; 0 from all rules but
    /// [`BigBatch`](crate::controller::BigBatch). Give the evidence of the whole batch then.
    pub extend_by: u32,
    /// Multiplies your learning rate from the next step on.
    pub learning_rate_scale: f64,
    /// The size that the rule wanted: a real number, before rounding, limits, windows and waiting.
    pub wanted: Option<f64>,
    /// T, if the test has one.
    pub required: Option<S>,
    /// Why the size is kept although the rule would decide from evidence, or why the test requires no size.
    pub reason: Option<Reason>,
}

impl<S: Real, T: BatchTest<S>, C: Controller<S>> BatchSizer<S, T, C> {
    /// A sizer at the start of a run, whose initial batch has `initial` samples. Where samples are compared, no batch
    /// is smaller than two: a single one has no variance, and could never grow.
    #[must_use]
    pub fn new(test: Option<T>, controller: C, limits: Limits, initial: u32) -> Self {
        let needs = test.as_ref().map(BatchTest::<S>::needs).unwrap_or(Needs::NONE).and(controller.needs());
        let limits = Limits { min: limits.min.max(needs.least_batch()), ..limits };
        let batch = limits.clip(controller.first_batch(initial));
        Self {
            test,
            controller,
            limits,
            training_samples: u32::MAX,
            learning_rate: S::one(),
            state: C::State::default(),
            learning_rate_scale: 1.0,
            samples_seen: 0,
            initial_batch: batch,
            next_batch: batch,
            step_time: None,
        }
    }

    /// The size of the next batch.
    #[must_use]
    pub const fn batch(&self) -> u32 {
        self.next_batch
    }

    /// The statistics of a batch that test and rule need.
    #[must_use]
    pub fn needs(&self) -> Needs {
        self.test.as_ref().map(BatchTest::<S>::needs).unwrap_or(Needs::NONE).and(self.controller.needs())
    }

    /// Reports how long an earlier step took, for rules that use it.
    pub const fn measured(&mut self, samples: u32, seconds: f64) {
        self.step_time = Some(StepTime { samples, seconds });
    }

    /// The next size, after a batch with this evidence.
    pub fn advise(&mut self, evidence: &Evidence<S>) -> Advice<S> {
        let test = self.test.as_ref();
        let required =
            test.map_or(Required::Undefined(Reason::MissingEvidence), |test| test.required(evidence));
        let samples_seen = self.samples_seen.saturating_add(evidence.samples.into());
        let situation = Situation {
            batch: evidence.samples,
            initial_batch: self.initial_batch,
            limits: self.limits,
            training_samples: self.training_samples,
            samples_seen,
            learning_rate: self.learning_rate * S::of(self.learning_rate_scale),
            evidence,
            required,
            step_time: self.step_time,
        };
        let (decision, state) = self.controller.decide(self.state, &situation);
        let advice = |next, extend_by, scale, held: Option<Reason>| Advice {
            next,
            extend_by,
            learning_rate_scale: scale,
            wanted: decision.wanted(),
            required: required.size(),
            reason: held.or_else(|| test.and_then(|_| required.reason())),
        };
        match decision {
            Decision::Extend { by, .. } => {
                // The batch at hand may be smaller than the limits allow: a loop's last one, for example.
                let whole = self.limits.clip(evidence.samples.saturating_add(by));
                advice(whole, whole.saturating_sub(evidence.samples), self.learning_rate_scale, None)
            }
            Decision::Step { next, learning_rate_factor, held, .. } => {
                self.state = state;
                self.samples_seen = samples_seen;
                self.step_time = None;
                self.next_batch = next;
                let scale = self.learning_rate_scale * learning_rate_factor;
                if !is_factor(scale) {
                    return advice(next, 0, self.learning_rate_scale, Some(Reason::NonFinite));
                }
                self.learning_rate_scale = scale;
                advice(next, 0, scale, held)
            }
        }
    }
}
