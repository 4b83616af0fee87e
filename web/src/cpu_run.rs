//! A run on the CPU engine: it works while the page asks for its progress.

use adadagrad_core::config::{RetuneError, RunConfig};
use adadagrad_core::local::{Advance, LocalRun, RunError};
use adadagrad_core::network::FastProduct;
use futures_channel::oneshot::Sender;

use crate::clock::Clock;
use crate::data::Data;
use crate::records::{Activity, EngineName, Finished, Limit, Progress, Retuned, activity_of};
use crate::standing::Standing;

pub(crate) struct CpuRun {
    local: LocalRun<f32, FastProduct>,
    /// Seconds spent in the step under way.
    step_seconds: f64,
    /// A measurement is due or under way.
    evaluation: Option<Measurement>,
    finished: Finished,
    /// Settings that wait for the end of the step under way.
    retune: Option<(RunConfig, Sender<Retuned>)>,
    /// Who waits for the run as it stands.
    checkpoints: Vec<Sender<Standing>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Measurement {
    Due,
    UnderWay,
}

impl CpuRun {
    pub(crate) fn new(standing: &Standing) -> Result<Self, RunError> {
        let Standing { trainer, parameters, memory } = standing;
        let local = LocalRun::resume(*trainer, FastProduct, parameters, memory, [])?;
        Ok(Self::resume(local, false, Finished::default()))
    }

    /// Goes on with what another engine began; `evaluate`: with a measurement that its last step made due.
    pub(crate) fn resume(local: LocalRun<f32, FastProduct>, evaluate: bool, finished: Finished) -> Self {
        let evaluation = evaluate.then_some(Measurement::Due);
        Self { local, step_seconds: 0.0, evaluation, finished, retune: None, checkpoints: Vec::new() }
    }

    /// Works until the clock shows `until`, stopping inside a step where need be, and finishes no more steps than
    /// the limit allows. A measurement that is due is carried on in any case.
    ///
    /// # Errors
    /// Why a step was refused. What was finished before it is told first: then the error comes with the next
    /// call, which begins the step again.
    pub(crate) fn advance(
        &mut self,
        data: &Data,
        clock: &Clock,
        until: f64,
        limit: Limit,
    ) -> Result<Progress, RunError> {
        while clock.now() < until {
            self.serve();
            let may_step = limit.allows_after(&self.finished.steps) || self.local.is_repeating();
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
        self.serve();
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

    /// Other settings, from the next step on; then `tell` hears of it.
    ///
    /// # Errors
    /// When they cannot take the place of the present ones.
    pub(crate) fn retune(&mut self, config: RunConfig, tell: Sender<Retuned>) -> Result<(), RetuneError> {
        { *self.local.trainer() }.retune(config)?;
        self.retune = Some((config, tell));
        self.serve();
        Ok(())
    }

    /// `tell` hears how the run stands after its last step.
    pub(crate) fn checkpoint(&mut self, tell: Sender<Standing>) {
        self.checkpoints.push(tell);
        self.serve();
    }

    /// After how many steps the parameters are these.
    pub(crate) fn newest(&self) -> (u64, &[f32]) {
        (self.local.progress().steps, self.local.parameters())
    }

    /// Does what was asked for, as soon as it can be done.
    fn serve(&mut self) {
        if self.local.is_repeating() {
            return;
        }
        if let Some((config, tell)) = self.retune.take_if(|_| !self.local.is_inside_step())
            && self.local.retune(config).is_ok()
        {
            // Whoever asked may be gone.
            let _ = tell.send(Retuned::new(self.local.trainer()));
        }
        for tell in self.checkpoints.drain(..) {
            let (parameters, memory) = (self.local.parameters().to_vec(), self.local.memory().to_vec());
            let _ = tell.send(Standing { trainer: *self.local.trainer(), parameters, memory });
        }
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
