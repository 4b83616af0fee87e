//! The trainer decides; engines compute. One training step:
//!
//! 1. [`Trainer::plan`] says which samples, which evidence, which learning rate;
//! 2. an engine sums over the parts of [`Plan::cut`] and merges them in order;
//! 3. [`Trainer::weigh`] turns the evidence into the update's scalars and the next batch size, or refuses;
//! 4. the engine updates the parameters;
//! 5. [`Trainer::commit`] completes the step and returns [`Telemetry`].
//!
//! Nothing changes before step 5, so a failed step can be tried again.

use core::fmt;

use crate::batch_test::Required;
use crate::config::{ConfigError, FORMAT_VERSION, RetuneError, RunConfig};
use crate::controller::{Controller, Decision, Limits};
use crate::cut::{Cut, Grain};
use crate::optimizer::{Shared, StepScalars};
use crate::real::Real;
use crate::shuffle::Order;
use crate::statistics::{Evidence, LengthMismatch, Needs, Reason, check_some_samples};

/// What the next step does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan<S> {
    /// Counts from 1.
    pub step: u64,
    /// How the batch is cut; its size too.
    pub cut: Cut,
    /// Samples seen before this batch: where it begins in the order of samples.
    pub start: u64,
    /// The learning rate.
    pub learning_rate: S,
    /// The statistics that the test needs.
    pub needs: Needs,
}

impl<S> Plan<S> {
    /// Sample visits that the step takes: inner products need a second sweep.
    #[must_use]
    pub fn visits(&self) -> u64 {
        (1 + u64::from(self.needs.inner)) * u64::from(self.cut.samples())
    }
}

/// The state of a run between two steps: together with parameters and optimizer memory, all that a checkpoint contains.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Progress<S> {
    /// Steps made.
    pub steps: u64,
    /// Samples seen.
    pub samples_seen: u64,
    /// Size of the next batch.
    pub next_batch: u32,
    /// What the optimizer shares over all parameters.
    pub shared: Shared<S>,
}

/// A step that was weighed and not yet made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pending<F: Real> {
    /// For [`crate::optimizer::Optimizer::update`].
    pub scalars: StepScalars<F>,
    progress: Progress<F::Sum>,
    telemetry: Telemetry,
}

/// A step that was decided: enough to repeat it from the parameters before it, for example after a lost device.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decided<F: Real> {
    /// Which samples.
    pub plan: Plan<F::Sum>,
    /// The update's scalars.
    pub scalars: StepScalars<F>,
}

/// Why a step was refused. Parameters and optimizer memory are as they were before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StepError {
    /// Loss or gradient is not finite.
    NonFinite {
        /// Which step.
        step: u64,
        /// Which number.
        what: &'static str,
    },
    /// The engine returned another batch than was planned.
    Samples {
        /// Planned.
        planned: u32,
        /// Returned.
        found: u32,
    },
    /// A slice has the wrong length.
    Length(LengthMismatch),
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NonFinite { step, what } => write!(
                f,
                "step {step}: the {what} is not a finite number, so the step was not applied: the learning \
                 rate is probably too large, or the data contain a NaN"
            ),
            Self::Samples { planned, found } => {
                write!(f, "the step was planned with {planned} samples, but the sums cover {found}")
            }
            Self::Length(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for StepError {}

impl From<LengthMismatch> for StepError {
    fn from(error: LengthMismatch) -> Self {
        Self::Length(error)
    }
}

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
    /// Fraction of the batch classified correctly before the update.
    pub training_accuracy: f64,
    /// α.
    pub learning_rate: f64,
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
    /// Size of the next batch.
    pub next_batch: u32,
    /// Why undefined quantities are undefined.
    pub reasons: Reasons,
}

/// One training run: its settings and its progress.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trainer<F: Real> {
    config: RunConfig,
    samples: u32,
    grain: Grain,
    progress: Progress<F::Sum>,
}

impl<F: Real> Trainer<F> {
    /// The start of a run over `samples` training samples.
    ///
    /// # Errors
    /// When the settings cannot run on that many samples.
    pub fn new(config: RunConfig, samples: u32) -> Result<Self, ConfigError> {
        let progress = Progress {
            steps: 0,
            samples_seen: 0,
            next_batch: config.initial_batch,
            shared: Shared::default(),
        };
        Self::resume(config, samples, progress)
    }

    /// Continues an earlier run from its progress.
    ///
    /// # Errors
    /// When the settings cannot run on that many samples.
    pub fn resume(config: RunConfig, samples: u32, progress: Progress<F::Sum>) -> Result<Self, ConfigError> {
        match progress.steps {
            0 => config.validate_in::<F>(samples)?,
            _ => config.validate_under_way_in::<F>(samples)?,
        }
        // With a test on, a batch of one sample could never grow.
        let min = if config.test.is_some() { 2 } else { 1 };
        let next_batch = Limits { min, max: config.max_batch }.clip(progress.next_batch);
        let grain = config.model.fixed_grain().unwrap_or_default();
        Ok(Self { config, samples, grain, progress: Progress { next_batch, ..progress } })
    }

    /// The same, with batches cut as suits the network. Only the grain of some models does not depend on it.
    #[must_use]
    pub const fn with_grain(self, grain: Grain) -> Self {
        Self { grain, ..self }
    }

    /// Continues with other settings from the next step. The next batch is clipped to their limits.
    ///
    /// # Errors
    /// When a setting differs that may not change during a run, or the settings cannot run; then nothing has
    /// changed.
    pub fn retune(&mut self, config: RunConfig) -> Result<(), RetuneError> {
        self.config.check_retune(&config)?;
        config.validate_under_way_in::<F>(self.samples)?;
        let next_batch =
            Limits { min: config.min_batch, max: config.max_batch }.clip(self.progress.next_batch);
        self.config = config;
        self.progress.next_batch = next_batch;
        Ok(())
    }

    /// The settings.
    #[must_use]
    pub const fn config(&self) -> &RunConfig {
        &self.config
    }

    /// N, the number of training samples.
    #[must_use]
    pub const fn samples(&self) -> u32 {
        self.samples
    }

    /// How far the run has come.
    #[must_use]
    pub const fn progress(&self) -> &Progress<F::Sum> {
        &self.progress
    }

    /// The order in which samples are visited.
    #[must_use]
    pub fn order(&self) -> Order {
        Order::new(self.samples, self.config.seed)
    }

    /// What an engine must compute in every step.
    #[must_use]
    pub fn needs(&self) -> Needs {
        self.config.test.map_or(Needs::default(), |test| test.as_test::<F::Sum>().needs())
    }

    /// How a batch of `samples` is cut into parts.
    #[must_use]
    pub fn cut(&self, samples: u32) -> Cut {
        Cut::by_grain(self.grain, samples, self.needs().parts)
    }

    const fn limits(&self) -> Limits {
        Limits { min: self.config.min_batch, max: self.config.max_batch }
    }

    /// The next step, or `None` when the sample budget is spent.
    #[must_use]
    pub fn plan(&self) -> Option<Plan<F::Sum>> {
        let Progress { steps, samples_seen, next_batch, .. } = self.progress;
        let RunConfig { schedule, learning_rate, sample_budget, .. } = self.config;
        let needs = self.needs();
        (samples_seen < sample_budget).then(|| Plan {
            step: steps.saturating_add(1),
            cut: self.cut(next_batch),
            start: samples_seen,
            learning_rate: schedule.learning_rate(F::Sum::of(learning_rate), samples_seen, sample_budget),
            needs,
        })
    }

    /// Whether accuracy is to be measured after a planned step: each time `evaluate_every` more samples were
    /// seen, and after the last step. A function of the run's position alone, so a resumed run measures
    /// at the same steps.
    #[must_use]
    pub fn measures_after(&self, plan: &Plan<F::Sum>) -> bool {
        let RunConfig { evaluate_every, sample_budget, .. } = self.config;
        let seen = seen_after(plan);
        seen >= sample_budget || plan.start / evaluate_every != seen / evaluate_every
    }

    /// Evaluates the evidence of a planned step.
    ///
    /// # Errors
    /// When loss, gradient or a scalar of the update is not finite, or the evidence belongs to another batch, or to none.
    pub fn weigh(&self, plan: &Plan<F::Sum>, evidence: &Evidence<F::Sum>) -> Result<Pending<F>, StepError> {
        let planned = plan.cut.samples();
        if evidence.samples != planned {
            return Err(StepError::Samples { planned, found: evidence.samples });
        }
        check_some_samples(planned)?;
        let norms = evidence.sum_squared_norms.unwrap_or(evidence.mean_norm_sq);
        let sums =
            [("loss", evidence.loss), ("gradient", evidence.mean_norm_sq), ("sum of squared norms", norms)];
        for (what, value) in sums {
            if !num_traits::float::FloatCore::is_finite(value) {
                return Err(StepError::NonFinite { step: plan.step, what });
            }
        }
        let test = self.config.test.as_ref().map(|test| test.as_test::<F::Sum>());
        let required = test.map(|test| test.required(evidence));
        let threshold = test.and_then(|test| test.threshold(evidence));
        let undefined = Required::Undefined(Reason::MissingEvidence);
        let required_size = required.unwrap_or(undefined);
        let Decision::Step { next } =
            self.config.controller.decide(&mut (), planned, self.limits(), evidence, required_size);
        let optimizer = self.config.optimizer.as_optimizer::<F>();
        let (shared, scalars) =
            optimizer.prepare(&self.progress.shared, plan.learning_rate, evidence.mean_norm_sq);
        if !scalars.is_finite() {
            return Err(StepError::NonFinite { step: plan.step, what: "step size" });
        }
        let progress = progress_after(plan, next, shared);
        let telemetry = telemetry(plan, evidence, required, threshold, &progress);
        Ok(Pending { scalars, progress, telemetry })
    }

    /// Looks beyond a planned step whose outcome cannot change what comes next: its batch has its largest size or a
    /// constant one, and the optimizer does not use ‖ḡ‖². An engine may then start the next step before it knows
    /// this one's evidence. Returns this step's scalars, and the trainer after it.
    #[must_use]
    pub fn foresee(&self, plan: &Plan<F::Sum>) -> Option<(StepScalars<F>, Self)> {
        let current = plan.cut.samples();
        let is_settled = Controller::<F::Sum>::is_settled(&self.config.controller, current, self.limits());
        if is_settled { self.presume(plan) } else { None }
    }

    /// Like [`Self::foresee`], assuming that the next batch is as large as this one. The scalars are valid in any
    /// case; `None` when they depend on ‖ḡ‖², or are not finite, so that the step will be refused.
    #[must_use]
    pub fn presume(&self, plan: &Plan<F::Sum>) -> Option<(StepScalars<F>, Self)> {
        let optimizer = self.config.optimizer.as_optimizer::<F>();
        if optimizer.wants_norm() {
            return None;
        }
        let (shared, scalars) =
            optimizer.prepare(&self.progress.shared, plan.learning_rate, num_traits::Zero::zero());
        let progress = progress_after(plan, plan.cut.samples(), shared);
        scalars.is_finite().then_some((scalars, Self { progress, ..*self }))
    }

    /// Completes a weighed step, once the engine has updated the parameters.
    pub fn commit(&mut self, pending: Pending<F>) -> Telemetry {
        self.progress = pending.progress;
        pending.telemetry
    }

    /// Weighs a batch's evidence, updates the parameters and commits: what every engine on a CPU does after its
    /// sweeps. `mean_gradient` is ḡ as [`Statistics::mean_gradient`](crate::statistics::Statistics::mean_gradient)
    /// rounds it.
    ///
    /// # Errors
    /// When the step is refused; then nothing has changed.
    pub fn conclude(
        &mut self,
        plan: &Plan<F::Sum>,
        evidence: &Evidence<F::Sum>,
        mean_gradient: &[F],
        parameters: &mut [F],
        memory: &mut [F],
    ) -> Result<Telemetry, StepError> {
        let pending = self.weigh(plan, evidence)?;
        let optimizer = self.config.optimizer.as_optimizer::<F>();
        optimizer.update(&pending.scalars, parameters, mean_gradient, memory)?;
        Ok(self.commit(pending))
    }
}

/// Where a run stands once a planned step is made.
fn progress_after<S>(plan: &Plan<S>, next_batch: u32, shared: Shared<S>) -> Progress<S> {
    Progress { steps: plan.step, samples_seen: seen_after(plan), next_batch, shared }
}

/// Samples seen once a planned step is made.
fn seen_after<S>(plan: &Plan<S>) -> u64 {
    plan.start.saturating_add(u64::from(plan.cut.samples()))
}

fn telemetry<S: Real>(
    plan: &Plan<S>,
    evidence: &Evidence<S>,
    required: Option<Required<S>>,
    threshold: Option<S>,
    progress: &Progress<S>,
) -> Telemetry {
    let number = |value: Option<S>| value.map(Real::as_f64).filter(|value| value.is_finite());
    let variance = evidence.variance();
    Telemetry {
        version: FORMAT_VERSION,
        step: plan.step,
        samples: evidence.samples,
        samples_seen: progress.samples_seen,
        loss: evidence.loss.as_f64(),
        training_accuracy: f64::from(evidence.correct) / f64::from(evidence.samples),
        learning_rate: plan.learning_rate.as_f64(),
        mean_norm_sq: evidence.mean_norm_sq.as_f64(),
        sum_squared_norms: number(evidence.sum_squared_norms),
        variance: number(variance.ok()),
        variance_along: number(evidence.variance_along().ok()),
        variance_orthogonal: number(evidence.variance_orthogonal().ok()),
        coordinate_ratio: number(evidence.coordinate_ratio),
        worker_variance: number(evidence.worker_variance().ok()),
        required: number(required.and_then(Required::size)),
        threshold: number(threshold),
        next_batch: progress.next_batch,
        reasons: Reasons {
            variance: variance.err().filter(|&reason| reason != Reason::MissingEvidence),
            required: required.and_then(Required::reason),
        },
    }
}
