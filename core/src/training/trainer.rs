//! The trainer: it decides, and engines compute.

use super::cut::Cut;
use super::error::StepError;
use super::plan::Plan;
use super::progress::Progress;
use super::telemetry::Telemetry;
use crate::batch_test::Required;
use crate::config::{ConfigError, RetuneError, RunConfig};
use crate::controller::{Controller, Decision, Limits};
use crate::network::Grain;
use crate::optimizer::{Shared, StepScalars};
use crate::real::Real;
use crate::shuffle::Order;
use crate::statistics::{Evidence, Needs, Reason, check_some_samples};

/// A step that was weighed and not yet made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pending<F: Real> {
    /// For [`crate::optimizer::Optimizer::update`].
    pub scalars: StepScalars<F>,
    progress: Progress<F::Sum>,
    telemetry: Telemetry,
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
        let seen = plan.seen_after();
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
        let progress = Progress::after(plan, next, shared);
        let telemetry = Telemetry::of_step(plan, evidence, required, threshold, &progress);
        Ok(Pending { scalars, progress, telemetry })
    }

    /// Looks beyond a planned step whose outcome cannot change what comes next: its batch has its largest size or a
    /// constant one, and the optimizer does not use ‖ḡ‖². An engine may then start the next step before it knows
    /// this one's evidence. Returns this step's scalars, and the trainer after it.
    #[must_use]
    pub fn next_if_settled(&self, plan: &Plan<F::Sum>) -> Option<(StepScalars<F>, Self)> {
        let current = plan.cut.samples();
        let is_settled = Controller::<F::Sum>::is_settled(&self.config.controller, current, self.limits());
        if is_settled { self.speculate(plan) } else { None }
    }

    /// Like [`Self::next_if_settled`], assuming that the next batch is as large as this one. The scalars are valid in any
    /// case; `None` when they depend on ‖ḡ‖², or are not finite, so that the step will be refused.
    #[must_use]
    pub fn speculate(&self, plan: &Plan<F::Sum>) -> Option<(StepScalars<F>, Self)> {
        let optimizer = self.config.optimizer.as_optimizer::<F>();
        if optimizer.wants_norm() {
            return None;
        }
        let (shared, scalars) =
            optimizer.prepare(&self.progress.shared, plan.learning_rate, num_traits::Zero::zero());
        let progress = Progress::after(plan, plan.cut.samples(), shared);
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
