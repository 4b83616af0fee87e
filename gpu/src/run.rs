//! A training run: the trainer decides, an engine computes, and every step gives one line of telemetry.

use std::time::Instant;

use adadagrad_core::config::{RetuneError, RunConfig};
use adadagrad_core::owned::SharedDataset;
use adadagrad_core::training::{Progress, Trainer};

use crate::engine::{Engine, EngineError};
use crate::telemetry::Line;

/// A run on some engine.
#[derive(Debug)]
pub struct Run<E> {
    trainer: Trainer<f32>,
    engine: E,
}

impl<E: Engine> Run<E> {
    /// A run of the trainer on the engine, with batches cut as suits the engine's network. The engine must hold the
    /// parameters and the memory that the trainer's progress belongs to.
    #[must_use]
    pub fn new(trainer: Trainer<f32>, engine: E) -> Self {
        Self { trainer: trainer.with_grain(engine.grain()).with_positions(engine.positions()), engine }
    }

    /// Makes the next step, and measures accuracy on `test` when [`Trainer::measures_after_step`] says so. `None` when
    /// the sample budget is spent.
    ///
    /// # Errors
    /// When the step is refused, cancelled or cannot be computed; then the state of the run is unchanged.
    pub fn step(&mut self, test: &SharedDataset) -> Result<Option<Line>, EngineError> {
        let mut line = self.train()?;
        let is_due = |line: &&mut Line| self.trainer.measures_after_step(&line.telemetry);
        if let Some(line) = line.as_mut().filter(is_due) {
            let evaluation = self.engine.evaluate(test)?.evaluation;
            line.accuracy = Some(evaluation.accuracy);
            line.test_loss = Some(evaluation.loss).filter(|loss| loss.is_finite());
        }
        Ok(line)
    }

    /// Makes the next step alone: nothing is measured, whether it is due or not.
    ///
    /// # Errors
    /// As [`Self::step`].
    pub fn train(&mut self) -> Result<Option<Line>, EngineError> {
        let Some(plan) = self.trainer.plan() else { return Ok(None) };
        let begin = Instant::now();
        let telemetry = self.engine.step(&mut self.trainer, &plan)?;
        let seconds = begin.elapsed().as_secs_f64();
        let model = Some(self.trainer.config().model);
        let fast_ranks = self.engine.fast_ranks();
        Ok(Some(Line { telemetry, model, fast_ranks, seconds, accuracy: None, test_loss: None }))
    }

    /// Continues with other settings from the next step on.
    ///
    /// # Errors
    /// As [`Trainer::retune`].
    pub fn retune(&mut self, config: RunConfig) -> Result<(), RetuneError> {
        self.trainer.retune(config)
    }

    /// Whether the sample budget is spent.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.trainer.plan().is_none()
    }

    /// The settings.
    #[must_use]
    pub const fn config(&self) -> &RunConfig {
        self.trainer.config()
    }

    /// The progress of the run.
    #[must_use]
    pub const fn progress(&self) -> &Progress<f64> {
        self.trainer.progress()
    }

    /// The trainer.
    #[must_use]
    pub const fn trainer(&self) -> &Trainer<f32> {
        &self.trainer
    }

    /// The engine.
    #[must_use]
    pub const fn engine(&self) -> &E {
        &self.engine
    }

    /// The engine, to evaluate with.
    pub const fn engine_mut(&mut self) -> &mut E {
        &mut self.engine
    }
}
