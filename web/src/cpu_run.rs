//! A run on the CPU engine: it works while the page asks for its progress.

use adadagrad_core::local::{Advance, LocalRun, RunError};
use adadagrad_core::network::FastProduct;

use crate::clock::Clock;
use crate::records::{Activity, EngineName, Finished, Progress, activity_of};
use crate::session::Data;

pub(crate) struct CpuRun {
    local: LocalRun<f32, FastProduct>,
    /// Seconds spent in the step under way.
    step_seconds: f64,
    /// A measurement is due or under way.
    evaluation: Option<Measurement>,
    finished: Finished,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Measurement {
    Due,
    UnderWay,
}

impl CpuRun {
    pub(crate) fn new(local: LocalRun<f32, FastProduct>) -> Self {
        Self::resume(local, false, Finished::default())
    }

    /// Goes on with what another engine began; `evaluate`: with a measurement that its last step made due.
    pub(crate) fn resume(local: LocalRun<f32, FastProduct>, evaluate: bool, finished: Finished) -> Self {
        let evaluation = evaluate.then_some(Measurement::Due);
        Self { local, step_seconds: 0.0, evaluation, finished }
    }

    /// Works until the clock shows `until`, stopping inside a step where need be, and finishes at most `steps`
    /// steps. A measurement that is due is carried on in any case.
    ///
    /// # Errors
    /// Why a step was refused. What was finished before it is told first: then the error comes with the next
    /// call, which begins the step again.
    pub(crate) fn advance(
        &mut self,
        data: &Data,
        clock: &Clock,
        until: f64,
        steps: usize,
    ) -> Result<Progress, RunError> {
        while clock.now() < until {
            let may_step = self.finished.steps.len() < steps || self.local.is_repeating();
            let more = match self.evaluation {
                Some(_) if !self.local.is_repeating() => self.evaluate(data),
                _ if may_step => self.train(data, clock),
                _ => Ok(false),
            };
            match more {
                Ok(true) => {}
                Ok(false) => break,
                Err(_) if !self.finished.is_empty() => break,
                Err(error) => return Err(error),
            }
        }
        let (done, total) = self.local.visits();
        Ok(Progress {
            finished: core::mem::take(&mut self.finished),
            activity: self.activity(),
            done,
            total,
            engine: EngineName::Cpu,
            device_bytes: 0,
        })
    }

    /// One micro-batch of training. False when the sample budget is spent.
    fn train(&mut self, data: &Data, clock: &Clock) -> Result<bool, RunError> {
        let begin = clock.now();
        // As long as a step is under way, the trainer plans the very same.
        let plan = self.local.trainer().plan();
        let advance = self.local.advance(&*data.train).inspect_err(|_| self.step_seconds = 0.0)?;
        self.step_seconds += (clock.now() - begin) / 1000.0;
        match advance {
            Advance::Working => {}
            Advance::Finished => return Ok(false),
            Advance::Step(telemetry) => {
                self.finished.step(telemetry, core::mem::take(&mut self.step_seconds));
                if plan.is_some_and(|plan| self.local.trainer().measures_after(&plan)) {
                    self.evaluation = Some(Measurement::Due);
                }
            }
        }
        Ok(true)
    }

    /// One micro-batch of evaluation.
    fn evaluate(&mut self, data: &Data) -> Result<bool, RunError> {
        if self.evaluation == Some(Measurement::Due) {
            self.local.begin_evaluation(&*data.test);
            self.evaluation = Some(Measurement::UnderWay);
        }
        if let Some(evaluation) = self.local.advance_evaluation(&*data.test)? {
            self.finished.evaluation(self.local.progress(), evaluation);
            self.evaluation = None;
        }
        Ok(true)
    }

    fn activity(&self) -> Activity {
        if self.evaluation.is_some() { Activity::Evaluating } else { activity_of(self.local.trainer()) }
    }
}
