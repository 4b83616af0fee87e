//! A run on the CPU engine: it works while the page asks for its progress.

use adadagrad_core::backend::FastBackend;
use adadagrad_core::config::{RetuneError, RunConfig};
use adadagrad_core::owned::{Advance, Evaluation, LocalRun, RunError, Shared};
use futures_channel::oneshot::Sender;
use js_sys::Float32Array;

use crate::clock::Clock;
use crate::data::Data;
use crate::records::{Activity, EngineName, Finished, Limit, Measured, Progress, Retuned, activity_of};
use crate::run_state::RunState;
use crate::team::{TakeError, Taken, take};

pub(crate) struct CpuRun {
    local: LocalRun<f32, FastBackend>,
    /// Seconds spent in the step under way.
    step_seconds: f64,
    /// When the part that a team is at began.
    shared_since: f64,
    /// A measurement is due or under way.
    evaluation: Option<Measurement>,
    /// It is a text that the run learns from: measured networks write.
    writes: bool,
    finished: Finished,
    /// Settings that wait for the end of the step under way.
    retune: Option<(RunConfig, Sender<Retuned>)>,
    /// Who waits for the run as it stands.
    checkpoints: Vec<Sender<RunState>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Measurement {
    Due,
    UnderWay,
}

impl CpuRun {
    pub(crate) fn new(state: &RunState, data: &Data) -> Result<Self, RunError> {
        let RunState { trainer, parameters, memory, measures } = state;
        let network = state.network(data)?;
        let local = LocalRun::resume(*trainer, network, FastBackend, parameters, memory, [])?;
        Ok(Self::resume(local, *measures, data.vocabulary().is_some(), Finished::default()))
    }

    /// Goes on with what another engine began; `evaluate`: with a measurement that its last step made due; `writes`: it
    /// learns from a text.
    pub(crate) fn resume(
        local: LocalRun<f32, FastBackend>,
        evaluate: bool,
        writes: bool,
        finished: Finished,
    ) -> Self {
        let evaluation = evaluate.then_some(Measurement::Due);
        Self {
            local,
            step_seconds: 0.0,
            shared_since: 0.0,
            evaluation,
            writes,
            finished,
            retune: None,
            checkpoints: Vec::new(),
        }
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
            let may_step = self.may_step(limit);
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

    /// What a team may do next: parts of the step or of the measurement that is due. `None` where nothing may be
    /// done, or not by others.
    pub(crate) fn share(&mut self, data: &Data, clock: &Clock, limit: Limit) -> Option<Shared<'_, f32>> {
        self.serve();
        if self.local.is_repeating() || (self.evaluation.is_none() && !self.may_step(limit)) {
            return None;
        }
        self.begin_due_evaluation(data);
        self.shared_since = clock.now();
        self.local.share()
    }

    /// The same again, in the middle of it.
    pub(crate) fn shared(&mut self) -> Option<Shared<'_, f32>> {
        self.local.share()
    }

    /// Takes the next part of what was shared.
    ///
    /// # Errors
    /// That it is not what was asked for, or why the step that ends with it is refused.
    pub(crate) fn take(
        &mut self,
        clock: &Clock,
        numbers: &[u8],
        values: Option<&Float32Array>,
    ) -> Result<(), TakeError> {
        let taken = take(&mut self.local, numbers, values).inspect_err(|_| self.step_seconds = 0.0)?;
        let advance = match taken {
            Taken::Advance(advance) => *advance,
            Taken::Evaluation(evaluation) => {
                self.end_evaluation(evaluation);
                return Ok(());
            }
        };
        let now = clock.now();
        self.step_seconds += (now - core::mem::replace(&mut self.shared_since, now)) / 1000.0;
        self.take_advance(advance);
        Ok(())
    }

    /// Other settings, from the next step on; then `sender` is told.
    ///
    /// # Errors
    /// When they cannot take the place of the present ones.
    pub(crate) fn retune(&mut self, config: RunConfig, sender: Sender<Retuned>) -> Result<(), RetuneError> {
        { *self.local.trainer() }.retune(config)?;
        self.retune = Some((config, sender));
        self.serve();
        Ok(())
    }

    /// `sender` is told how the run stands after its last step.
    pub(crate) fn checkpoint(&mut self, sender: Sender<RunState>) {
        self.checkpoints.push(sender);
        self.serve();
    }

    /// Steps made.
    pub(crate) const fn steps(&self) -> u64 {
        self.local.progress().steps
    }

    /// The parameters after them.
    pub(crate) fn parameters(&self) -> Vec<f32> {
        self.local.parameters()
    }

    /// Does what was asked for, as soon as it can be done.
    fn serve(&mut self) {
        if self.local.is_repeating() {
            return;
        }
        if let Some((config, sender)) = self.retune.take_if(|_| !self.local.is_inside_step())
            && self.local.retune(config).is_ok()
        {
            // Whoever asked may be gone.
            let _ = sender.send(Retuned::new(self.local.trainer()));
        }
        for sender in self.checkpoints.drain(..) {
            let (parameters, memory) = (self.local.parameters(), self.local.memory());
            let (trainer, measures) = (*self.local.trainer(), self.evaluation.is_some());
            let _ = sender.send(RunState { trainer, parameters, memory, measures });
        }
    }

    /// One micro-batch of training. False when the sample budget is spent.
    fn train(&mut self, data: &Data, clock: &Clock) -> Result<bool, RunError> {
        let begin = clock.now();
        let advance = self.local.advance(&*data.train).inspect_err(|_| self.step_seconds = 0.0)?;
        self.step_seconds += (clock.now() - begin) / 1000.0;
        self.take_advance(advance);
        Ok(advance != Advance::Finished)
    }

    /// Notes a step that was finished.
    fn take_advance(&mut self, advance: Advance) {
        let Advance::Step(telemetry) = advance else { return };
        let seconds = core::mem::take(&mut self.step_seconds);
        self.local.measured(telemetry.samples, seconds);
        let is_due = self.local.trainer().measures_after_step(&telemetry);
        self.finished.step(telemetry, seconds);
        if is_due {
            self.evaluation = Some(Measurement::Due);
        }
    }

    /// One micro-batch of evaluation.
    fn evaluate(&mut self, data: &Data) -> Result<bool, RunError> {
        self.begin_due_evaluation(data);
        let evaluation = self.local.advance_evaluation(&*data.test)?;
        self.end_evaluation(evaluation);
        Ok(true)
    }

    fn begin_due_evaluation(&mut self, data: &Data) {
        if self.evaluation == Some(Measurement::Due) {
            self.local.begin_evaluation(&*data.test);
            self.evaluation = Some(Measurement::UnderWay);
        }
    }

    fn end_evaluation(&mut self, evaluation: Option<Evaluation>) {
        if let Some(evaluation) = evaluation {
            self.finished.evaluation(self.local.progress(), evaluation);
            self.evaluation = None;
            if self.writes {
                let (step, parameters) = (self.steps(), self.parameters());
                self.finished.measured.push(Measured { step, accuracy: evaluation.accuracy, parameters });
            }
        }
    }

    fn may_step(&self, limit: Limit) -> bool {
        limit.allows_after(&self.finished.steps) || self.local.is_repeating()
    }

    fn activity(&self) -> Activity {
        if self.evaluation.is_some() { Activity::Evaluating } else { activity_of(self.local.trainer()) }
    }
}
