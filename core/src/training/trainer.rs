//! The trainer: it decides, and engines compute.

use super::coupled::with_next_batch;
use super::cut::Cut;
use super::error::StepError;
use super::memory;
use super::plan::{Decided, Plan};
use super::progress::Progress;
use super::telemetry::Telemetry;
use crate::batch_test::Required;
use crate::config::{ConfigError, RetuneError, RunConfig};
use crate::controller::{AnyState, Controller, Decision, Limits, Situation, StepTime, is_factor};
use crate::network::{Grain, Network};
use crate::observe::observe;
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

/// What the rule has made of a batch.
struct Ruling<S: Real> {
    decision: Decision,
    state: AnyState<S>,
    /// What the test requires, where there is one.
    required: Option<Required<S>>,
}

fn limits_of(config: &RunConfig) -> Limits {
    Limits { min: config.min_batch.max(config.own_needs().least_batch()), max: config.max_batch }
}

/// One training run: its settings and its progress.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trainer<F: Real> {
    config: RunConfig,
    samples: u32,
    grain: Grain,
    /// Answers of a sample.
    positions: usize,
    progress: Progress<F::Sum>,
    /// How long a step took, until the next one is decided. Not part of the progress: a clock repeats nothing.
    step_time: Option<StepTime>,
}

impl<F: Real> Trainer<F> {
    /// The start of a run over `samples` training samples.
    ///
    /// # Errors
    /// When the settings cannot run on that many samples.
    pub fn new(config: RunConfig, samples: u32) -> Result<Self, ConfigError> {
        let first_batch = Controller::<F::Sum>::first_batch(&config.controller, config.initial_batch);
        Self::resume(config, samples, Progress::start(first_batch))
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
        let limits = Limits { min: config.own_needs().least_batch(), max: config.max_batch };
        let next_batch = limits.clip(progress.next_batch);
        let grain = config.model.fixed_grain().unwrap_or_default();
        let progress = Progress { next_batch, ..progress };
        Ok(Self { config, samples, grain, positions: 1, progress, step_time: None })
    }

    /// The same, with batches cut as suits the network. Only the grain of some models does not depend on it.
    #[must_use]
    pub const fn with_grain(self, grain: Grain) -> Self {
        Self { grain, ..self }
    }

    /// The same for a network that gives an answer at each of this many positions ([`positions`](crate::network::Network::positions)), of which [`Telemetry::training_accuracy`] is a fraction; otherwise 1.
    #[must_use]
    pub const fn with_positions(self, positions: usize) -> Self {
        Self { positions, ..self }
    }

    /// Continues with other settings from the next step. The next batch is clipped to their limits.
    ///
    /// # Errors
    /// When a setting differs that may not change during a run, the settings cannot run, or the coupling leaves no β for
    /// the size that the limits require; then nothing has changed.
    pub fn retune(&mut self, config: RunConfig) -> Result<(), RetuneError> {
        self.config.check_retune(&config)?;
        config.validate_under_way_in::<F>(self.samples)?;
        let next = limits_of(&config).clip(self.progress.next_batch);
        self.progress = with_next_batch(self.progress, &config, next).map_err(RetuneError::Coupling)?;
        self.config = config;
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
        self.config.needs()
    }

    /// How a batch of `samples` is cut into parts.
    #[must_use]
    pub fn cut(&self, samples: u32) -> Cut {
        Cut::of_run(&self.config, self.grain, samples)
    }

    /// Takes how long the last step took, with a batch of `samples` samples. Engines that have a clock call it after
    /// every step; a rule that uses step times considers it in its next decision.
    pub fn measured(&mut self, samples: u32, seconds: f64) {
        self.step_time = self.needs().step_time.then_some(StepTime { samples, seconds });
    }

    fn limits(&self) -> Limits {
        limits_of(&self.config)
    }

    /// Where the run stands after a batch with this evidence.
    fn situation<'e>(
        &self,
        plan: &Plan<F::Sum>,
        evidence: &'e Evidence<F::Sum>,
        required: Option<Required<F::Sum>>,
    ) -> Situation<'e, F::Sum> {
        Situation {
            batch: plan.cut.samples(),
            initial_batch: self.config.initial_batch,
            limits: self.limits(),
            training_samples: self.samples,
            samples_seen: plan.seen_after(),
            learning_rate: plan.learning_rate,
            evidence,
            required: required.unwrap_or(Required::Undefined(Reason::MissingEvidence)),
            step_time: self.step_time,
        }
    }

    /// What the rule decides after a batch with this evidence, and what the test requires.
    fn decide(&self, plan: &Plan<F::Sum>, evidence: &Evidence<F::Sum>) -> Ruling<F::Sum> {
        let test = self.config.test.as_ref().map(|test| test.as_test::<F::Sum>());
        let required = test.map(|test| test.required(evidence));
        let situation = self.situation(plan, evidence, required);
        let (decision, state) = self.config.controller.decide(self.progress.controller, &situation);
        Ruling { decision, state, required }
    }

    /// The samples by which the rule extends a batch before its step, given the evidence of the batch so far, in parts.
    /// `None` when the step is to be made.
    pub(super) fn extension(&self, plan: &Plan<F::Sum>, evidence: &Evidence<F::Sum>) -> Option<Cut> {
        if !plan.needs.extends {
            return None;
        }
        match self.decide(plan, evidence).decision {
            Decision::Step { .. } => None,
            Decision::Extend { by, .. } => Some(self.cut(by)),
        }
    }

    /// The next step, or `None` when the sample budget is spent.
    #[must_use]
    pub fn plan(&self) -> Option<Plan<F::Sum>> {
        let Progress { steps, samples_seen, next_batch, learning_rate_scale, .. } = self.progress;
        let RunConfig { schedule, learning_rate, sample_budget, .. } = self.config;
        let needs = self.needs();
        (samples_seen < sample_budget).then(|| Plan {
            step: steps.saturating_add(1),
            cut: self.cut(next_batch),
            start: samples_seen,
            learning_rate: schedule.learning_rate(F::Sum::of(learning_rate), samples_seen, sample_budget)
                * F::Sum::of(learning_rate_scale),
            needs,
        })
    }

    /// Whether accuracy is to be measured after a planned step: each time `evaluate_every` more samples were
    /// seen, and after the last step. A function of the run's position alone, so a resumed run measures
    /// at the same steps.
    #[must_use]
    pub fn measures_after(&self, plan: &Plan<F::Sum>) -> bool {
        self.measures_between(plan.start, plan.seen_after())
    }

    /// The same of a step that was made, whose batch may have been extended.
    #[must_use]
    pub fn measures_after_step(&self, step: &Telemetry) -> bool {
        self.measures_between(step.samples_seen.saturating_sub(step.samples.into()), step.samples_seen)
    }

    fn measures_between(&self, before: u64, seen: u64) -> bool {
        let RunConfig { evaluate_every, sample_budget, .. } = self.config;
        seen >= sample_budget || before / evaluate_every != seen / evaluate_every
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
        let Ruling { decision, state: controller, required } = self.decide(plan, evidence);
        let (next, factor) = match decision {
            Decision::Step { next, learning_rate_factor, .. } => (next, learning_rate_factor),
            Decision::Extend { by, .. } => return Err(StepError::NotExtended { by }),
        };
        let test = self.config.test.as_ref().map(|test| test.as_test::<F::Sum>());
        let threshold = test.and_then(|test| test.threshold(evidence));
        let (shared, scalars) = self.prepare(plan, evidence.mean_norm_sq);
        if !scalars.is_finite() {
            return Err(StepError::NonFinite { step: plan.step, what: "step size" });
        }
        let learning_rate_scale = self.progress.learning_rate_scale * factor;
        if !is_factor(learning_rate_scale) {
            return Err(StepError::LearningRate { step: plan.step });
        }
        let situation = self.situation(plan, evidence, required);
        let (observations, observed) = observe(&self.config, &self.progress.observed, &situation);
        let before = Progress { controller, learning_rate_scale, observed, ..self.progress };
        let unchanged = before.after(plan, before.next_batch, shared);
        // A change that leaves no β is not made.
        let coupled = with_next_batch(unchanged, &self.config, next);
        let held = if coupled.is_err() { Some(Reason::NoBetaLeft) } else { decision.held() };
        let progress = coupled.unwrap_or(unchanged);
        if !is_factor(progress.learning_rate_scale) {
            return Err(StepError::LearningRate { step: plan.step });
        }
        let mut telemetry =
            Telemetry::of_step(plan, evidence, required, threshold, &progress, decision, held);
        telemetry.training_accuracy = evidence.accuracy(self.positions);
        telemetry.observed = observations;
        if self.config.coupling.changes_betas() || self.progress.shared.betas.is_some() {
            let betas = self.config.betas(&self.progress);
            telemetry.beta1 = betas.map(|betas| betas.beta1.as_f64());
            telemetry.beta2 = betas.map(|betas| betas.beta2.as_f64());
        }
        Ok(Pending { scalars, progress, telemetry })
    }

    /// The scalars of a step with a mean gradient of this norm, squared, and what is shared after it. With a limit c of the
    /// norm, the optimizer sees min(1, c/‖ḡ‖) ḡ; evidence, tests and rules are of ḡ itself.
    fn prepare(&self, plan: &Plan<F::Sum>, mean_norm_sq: F::Sum) -> (Shared<F::Sum>, StepScalars<F>) {
        let clip = self.config.clip(mean_norm_sq);
        let is_clipped = clip < num_traits::One::one();
        let norm_sq = if is_clipped { clip.squared() * mean_norm_sq } else { mean_norm_sq };
        let optimizer = self.config.optimizer.as_optimizer::<F>();
        let (shared, scalars) = optimizer.prepare(&self.progress.shared, plan.learning_rate, norm_sq);
        (shared, StepScalars { clip: F::narrow(clip), ..scalars })
    }

    /// Looks beyond a planned step whose outcome cannot change what comes next: its batch has its largest size or a
    /// constant one, and neither the optimizer nor clipping uses ‖ḡ‖². An engine may then start the next step before it knows
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
        if self.config.clip_norm > 0.0 || self.config.optimizer.as_optimizer::<F>().wants_norm() {
            return None;
        }
        let (shared, scalars) = self.prepare(plan, num_traits::Zero::zero());
        let progress = self.progress.after(plan, plan.cut.samples(), shared);
        scalars.is_finite().then_some((scalars, Self { progress, ..*self }))
    }

    /// Completes a weighed step, once the engine has updated the parameters.
    pub fn commit(&mut self, pending: Pending<F>) -> Telemetry {
        self.progress = pending.progress;
        self.step_time = None;
        pending.telemetry
    }

    /// The evidence with what only the training memory knows: ‖Σ gᵢ‖² over the epoch.
    #[must_use]
    pub fn with_epoch(
        &self,
        plan: &Plan<F::Sum>,
        evidence: &Evidence<F::Sum>,
        mean_gradient: &[F],
        memory: &[F],
    ) -> Evidence<F::Sum> {
        if !plan.needs.epoch {
            return *evidence;
        }
        let slots = self.config.optimizer.as_optimizer::<F>().slots();
        let epoch_norm_sq = memory::epoch_norm_sq(memory, slots, mean_gradient, plan.cut.samples());
        Evidence { epoch_norm_sq, ..*evidence }
    }

    /// Weighs a batch's evidence, updates the parameters and commits: what every engine on a CPU does after its
    /// sweeps. `mean_gradient` is ḡ as [`Statistics::mean_gradient`](crate::statistics::Statistics::mean_gradient)
    /// rounds it; it is clipped in place where the settings say so.
    ///
    /// # Errors
    /// When the step is refused; then nothing has changed.
    pub fn conclude(
        &mut self,
        plan: &Plan<F::Sum>,
        evidence: &Evidence<F::Sum>,
        network: Network<'_>,
        mean_gradient: &mut [F],
        parameters: &mut [F],
        memory: &mut [F],
    ) -> Result<Telemetry, StepError> {
        let evidence = self.with_epoch(plan, evidence, mean_gradient, memory);
        let pending = self.weigh(plan, &evidence)?;
        let decided = Decided { plan: *plan, scalars: pending.scalars };
        self.config.update(&decided, self.samples, network, parameters, mean_gradient, memory)?;
        Ok(self.commit(pending))
    }
}
