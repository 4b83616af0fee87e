//! A run on WebGPU: a task on the worker's event loop that works by itself, while the page asks for its progress.
//! Page and task meet in [`Shared`]; neither ever waits for the other.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Waker};

use adadagrad_core::backend::FastBackend;
use adadagrad_core::config::{RetuneError, RunConfig};
use adadagrad_core::dataset::{Encoding, SampleShape};
use adadagrad_core::owned::{Control, LocalRun, OwnedNetwork, RunError, SharedDataset};
use adadagrad_core::training::{BatchOrder, Plan, Trainer};
use adadagrad_gpu::engine::EngineError;
use adadagrad_gpu::webgpu::{Choice, Gpu, GpuError, Options, RunSnapshot, Training, choose};
use futures_channel::oneshot::Sender;
use wasm_bindgen::JsError;
use wasm_bindgen_futures::spawn_local;

use crate::clock::Clock;
use crate::cpu_run::CpuRun;
use crate::data::Data;
use crate::records::{Activity, EngineName, Finished, Limit, Measured, Progress, Retuned, activity_of};
use crate::run_state::RunState;

/// Samples of a rehearsal.
const REHEARSED: u32 = 8;

/// The page's hold on the task: when it goes, the task ends.
pub(crate) struct GpuRun(Rc<RefCell<Shared>>);

struct Shared {
    finished: Finished,
    activity: Activity,
    /// Sample visits of the work at hand.
    total: u64,
    device_bytes: u64,
    /// How many of `finished.steps` there may be before the page asks again.
    limit: Limit,
    pause: Pause,
    /// Newest copy of the run.
    newest: Rc<RunState>,
    asks: Asks,
    /// The task is at a step or a measurement.
    works: bool,
    /// The task has ended: nothing newer comes than `newest`.
    over: bool,
    /// Nobody wants the run any more.
    dropped: bool,
    /// Which kernels suit the adapter, once that is known.
    kernels: Option<Choice>,
    /// The engine's, once it is open.
    control: Option<Arc<Control>>,
    /// Of the task, while it waits for the page.
    waker: Option<Waker>,
    end: Option<End>,
}

/// What is to be done between two steps.
#[derive(Default)]
struct Asks {
    retune: Option<(RunConfig, Sender<Retuned>)>,
    /// Who waits for the run as it stands.
    checkpoints: Vec<Sender<RunState>>,
    /// Who waits for a newer copy.
    copies: Vec<Sender<()>>,
}

impl Asks {
    fn is_empty(&self) -> bool {
        self.retune.is_none() && self.checkpoints.is_empty() && self.copies.is_empty()
    }
}

/// What the task does next.
enum Next {
    Step,
    /// What was asked for.
    Serve,
    End,
}

/// Pauses are no part of the time that a step takes.
#[derive(Default)]
struct Pause {
    since: Option<f64>,
    /// Milliseconds of all earlier pauses.
    earlier: f64,
}

/// Why the task ended before the run did.
enum End {
    /// A step was refused.
    Refused(EngineError),
    Failed(Box<Failure>),
}

/// WebGPU can do no more; here is what another engine goes on from.
struct Failure {
    error: GpuError,
    trainer: Trainer<f32>,
    shape: SampleShape,
    snapshot: RunSnapshot,
    /// The last step made a measurement due that was not made.
    evaluate: bool,
}

impl GpuRun {
    /// Starts the task where a run stands. `kernels`: what an earlier run chose for the same adapter.
    pub(crate) fn start(state: RunState, data: Data, clock: Rc<Clock>, kernels: Option<Choice>) -> Self {
        Self::spawn(state, data, clock, kernels, false)
    }

    /// The same before anybody asks for a step: there is time to compile what the first one needs.
    pub(crate) fn prepare(state: RunState, data: Data, clock: Rc<Clock>, kernels: Option<Choice>) -> Self {
        Self::spawn(state, data, clock, kernels, true)
    }

    fn spawn(
        state: RunState,
        data: Data,
        clock: Rc<Clock>,
        kernels: Option<Choice>,
        rehearses: bool,
    ) -> Self {
        let RunState { trainer, measures, .. } = state;
        let shared = Rc::new(RefCell::new(Shared {
            finished: Finished::default(),
            activity: Activity::Opening,
            total: 0,
            device_bytes: 0,
            limit: Limit::ZERO,
            pause: Pause::default(),
            newest: Rc::new(state),
            asks: Asks::default(),
            works: false,
            over: false,
            dropped: false,
            kernels,
            control: None,
            waker: None,
            end: None,
        }));
        spawn_local(Task { shared: Rc::clone(&shared), clock, trainer, data, rehearses, measures }.run());
        Self(shared)
    }

    /// Lets the task go on as far as the limit allows, and tells what was finished since the last call.
    pub(crate) fn advance(&self, now: f64, limit: Limit) -> Progress {
        let shared = &mut *self.0.borrow_mut();
        let finished = core::mem::take(&mut shared.finished);
        shared.limit = limit.after(&finished.steps);
        shared.go_on(now);
        Progress {
            finished,
            activity: shared.activity,
            // Steps that are made again after a loss are visits too.
            done: shared.control.as_ref().map_or(0, |control| control.visits()).min(shared.total),
            total: shared.total,
            engine: EngineName::WebGpu,
            device_bytes: shared.device_bytes,
        }
    }

    /// The newest copy of the run, at most a few seconds old.
    pub(crate) fn newest(&self) -> Rc<RunState> {
        Rc::clone(&self.0.borrow().newest)
    }

    /// Asks for a newer copy; `sender` is told when it is there, and is dropped when none comes any more or before the
    /// end of a pause.
    pub(crate) fn refresh(&self, sender: Sender<()>) {
        let shared = &mut *self.0.borrow_mut();
        let stands = shared.works && shared.pause.since.is_some();
        if !shared.over && !stands {
            shared.asks.copies.push(sender);
            shared.wake();
        }
    }

    /// `sender` is told how the run stands after its last step.
    pub(crate) fn checkpoint(&self, sender: Sender<RunState>) {
        let shared = &mut *self.0.borrow_mut();
        if shared.over {
            // Whoever asked may be gone.
            let _ = sender.send((*shared.newest).clone());
            return;
        }
        shared.asks.checkpoints.push(sender);
        // What waits for the end of a pause would keep whoever asked waiting: it is begun again later.
        if let (Some(control), true, Some(_)) = (&shared.control, shared.works, shared.pause.since) {
            control.cancel();
        }
        shared.wake();
    }

    /// Other settings, from the next step on that is planned; then `sender` is told.
    ///
    /// # Errors
    /// When they cannot take the place of the present ones.
    pub(crate) fn retune(&self, config: RunConfig, sender: Sender<Retuned>) -> Result<(), RetuneError> {
        let shared = &mut *self.0.borrow_mut();
        { shared.newest.trainer }.retune(config)?;
        shared.asks.retune = Some((config, sender));
        shared.wake();
        Ok(())
    }

    /// Makes the task wait before its next micro-batch.
    pub(crate) fn pause(&self, now: f64) {
        let shared = &mut *self.0.borrow_mut();
        shared.pause.since.get_or_insert(now);
        if let Some(control) = &shared.control {
            control.pause();
        }
    }

    /// When the task has ended too early: a run on the CPU that goes on from there.
    ///
    /// # Errors
    /// Why a step was refused, once all that was finished before it has been told.
    pub(crate) fn go_over(&self) -> Result<Option<CpuRun>, JsError> {
        let shared = &mut *self.0.borrow_mut();
        let failure = match shared.end.take() {
            None => return Ok(None),
            Some(End::Refused(error)) if shared.finished.is_empty() => return Err(error.into()),
            Some(refused @ End::Refused(_)) => {
                shared.end = Some(refused);
                return Ok(None);
            }
            Some(End::Failed(failure)) => failure,
        };
        let mut finished = core::mem::take(&mut shared.finished);
        finished.notices.push(format!("{}; the run continues on the CPU", failure.error));
        if let Some(detail) = failure.error.detail() {
            web_sys::console::info_1(&detail.into());
        }
        let evaluate = failure.evaluate;
        let writes = matches!(failure.shape.encoding, Encoding::Tokens { .. });
        Ok(Some(CpuRun::resume(failure.local_run()?, evaluate, writes, finished)))
    }
}

impl Failure {
    /// The same run, standing where it stood.
    fn local_run(self) -> Result<LocalRun<f32, FastBackend>, RunError> {
        let RunSnapshot { parameters, memory, since } = self.snapshot;
        let network = OwnedNetwork::of_model(self.trainer.config().model, self.shape)?;
        LocalRun::resume(self.trainer, network, FastBackend, &parameters, &memory, since)
    }
}

impl Drop for GpuRun {
    fn drop(&mut self) {
        let shared = &mut *self.0.borrow_mut();
        shared.dropped = true;
        if let Some(control) = &shared.control {
            control.cancel();
        }
        shared.wake();
    }
}

impl Shared {
    fn go_on(&mut self, now: f64) {
        self.pause.earlier += self.pause.since.take().map_or(0.0, |since| now - since);
        if let Some(control) = &self.control {
            control.resume();
        }
        self.wake();
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Whether nothing more is to be done before the page asks for it.
    fn waits(&self) -> bool {
        self.pause.since.is_some() || !self.limit.allows_after(&self.finished.steps)
    }

    /// None where that is to be waited for.
    fn next(&self) -> Option<Next> {
        match (self.dropped, self.asks.is_empty()) {
            (true, _) => Some(Next::End),
            (false, false) => Some(Next::Serve),
            (false, true) => (!self.waits()).then_some(Next::Step),
        }
    }
}

/// The device that the browser prefers for heavy work.
async fn open_device(shared: Rc<RefCell<Shared>>) -> Result<Gpu, GpuError> {
    let gpu = Gpu::open(None).await.map_err(|error| match error {
        // What else this program was not compiled for is no visitor's concern.
        GpuError::NoAdapter(_) => GpuError::NoAdapter("the browser finds no adapter".into()),
        error => error,
    })?;
    let known = shared.borrow().kernels.clone();
    let (gpu, choice) = choose(gpu, known.as_ref()).await?;
    let shared = &mut *shared.borrow_mut();
    if known.as_ref() != Some(&choice) {
        shared.finished.kernels = Some(choice.clone());
        shared.kernels = Some(choice);
    }
    Ok(gpu)
}

/// Drives the engine.
struct Task {
    shared: Rc<RefCell<Shared>>,
    clock: Rc<Clock>,
    trainer: Trainer<f32>,
    data: Data,
    /// There is time for it before the first step.
    rehearses: bool,
    /// The last step made a measurement due.
    measures: bool,
}

impl Task {
    async fn run(mut self) {
        let ended = match self.open().await {
            Ok(mut training) => {
                let trained = self.train(&mut training).await;
                // Otherwise its memory would be in use until the browser's collector comes by.
                training.gpu().destroy();
                trained.map_err(|error| (error, training.run_snapshot().clone()))
            }
            Err(error) => Err((error, self.beginning())),
        };
        let shared = &mut *self.shared.borrow_mut();
        shared.over = true;
        for sender in core::mem::take(&mut shared.asks).checkpoints {
            let _ = sender.send((*shared.newest).clone());
        }
        let Err((error, snapshot)) = ended else { return };
        shared.end = match error {
            EngineError::Cancelled => None,
            EngineError::Gpu(error) => {
                let Self { trainer, measures, data, .. } = self;
                let shape = data.shape();
                Some(End::Failed(Box::new(Failure { error, trainer, shape, snapshot, evaluate: measures })))
            }
            error => Some(End::Refused(error)),
        };
    }

    /// What another engine goes on from when no device could be opened.
    fn beginning(&self) -> RunSnapshot {
        let RunState { parameters, memory, .. } = (*self.shared.borrow().newest).clone();
        RunSnapshot { parameters, memory, since: Vec::new() }
    }

    async fn open(&mut self) -> Result<Training, EngineError> {
        let [noted, opening] = [&self.shared; 2].map(Rc::clone);
        let notice = move |text: &str| noted.borrow_mut().finished.notices.push(text.to_owned());
        let samples: SharedDataset = Arc::clone(&self.data.train);
        let options = Options {
            open: Box::new(move || Box::pin(open_device(Rc::clone(&opening)))),
            memory_budget: None,
            notice: Box::new(notice),
        };
        let mut training = Training::open(self.trainer.config(), samples, options).await?;
        let beginning = Rc::clone(&self.shared.borrow().newest);
        training.restore(&beginning.parameters, Some(&beginning.memory)).await?;
        if self.rehearses {
            self.rehearse(&mut training).await?;
        }
        let shared = &mut *self.shared.borrow_mut();
        shared.activity = self.activity();
        shared.total = if self.measures { self.data.test_samples().into() } else { 0 };
        shared.device_bytes = training.memory_bytes();
        let control = Arc::clone(training.control());
        if shared.pause.since.is_some() {
            control.pause();
        }
        shared.control = Some(control);
        Ok(training)
    }

    /// Looks at a few samples: kernels are compiled when they are first used.
    async fn rehearse(&self, training: &mut Training) -> Result<(), EngineError> {
        let Some(plan) = self.trainer.plan() else { return Ok(()) };
        let cut = self.trainer.cut(plan.cut.samples().min(REHEARSED));
        let visit = BatchOrder::Shuffled { order: self.trainer.order(), start: plan.start };
        training.evidence(cut, visit, &plan.needs).await.map(|_| ())
    }

    async fn train(&mut self, training: &mut Training) -> Result<(), EngineError> {
        loop {
            let worked = match self.next().await {
                Next::End => return Ok(()),
                Next::Serve if self.serve(training).await? => continue,
                Next::Serve | Next::Step => self.work(training).await,
            };
            let dropped = self.shared.borrow().dropped;
            if !dropped {
                training.control().go_on();
            }
            match worked {
                Ok(true) => {}
                Ok(false) => break,
                // Something else comes first, then it is begun again.
                Err(EngineError::Cancelled) if !dropped => {}
                Err(error) => return Err(error),
            }
        }
        self.copy(training).await
    }

    /// Waits until there is something to do.
    async fn next(&self) -> Next {
        poll_fn(|context| {
            let shared = &mut *self.shared.borrow_mut();
            shared.waker = Some(context.waker().clone());
            // A measurement that is due is carried on even where no step may begin.
            let next = if self.measures && shared.pause.since.is_none() { Some(Next::Step) } else { None };
            shared.next().or(next).map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    /// A step or a measurement. False when the run is finished.
    async fn work(&mut self, training: &mut Training) -> Result<bool, EngineError> {
        let plan = self.trainer.plan();
        if plan.is_none() && !self.measures {
            return Ok(false);
        }
        self.shared.borrow_mut().works = true;
        let worked = match plan {
            Some(plan) if !self.measures => self.step(training, &plan).await,
            _ => self.measure(training).await,
        };
        self.shared.borrow_mut().works = false;
        worked.map(|()| true)
    }

    /// Makes a step and tells of it.
    async fn step(&mut self, training: &mut Training, plan: &Plan<f64>) -> Result<(), EngineError> {
        let begin = self.working_time();
        self.shared.borrow_mut().total = plan.visits();
        let before = self.trainer;
        let telemetry = training.step(&mut self.trainer, plan).await?;
        self.measures = self.trainer.measures_after_step(&telemetry);
        let seconds = (self.working_time() - begin) / 1000.0;
        self.trainer.measured(telemetry.samples, seconds);
        if training.run_snapshot().since.len() == 1 {
            self.publish(before, false, training);
        }
        let shared = &mut *self.shared.borrow_mut();
        shared.finished.step(telemetry, seconds);
        shared.device_bytes = training.memory_bytes();
        shared.total = if self.measures { self.data.test_samples().into() } else { shared.total };
        shared.activity = self.activity();
        Ok(())
    }

    async fn measure(&mut self, training: &mut Training) -> Result<(), EngineError> {
        let test: SharedDataset = Arc::clone(&self.data.test);
        let evaluation = training.evaluate(&test).await?.evaluation;
        self.measures = false;
        // What is written is of the network that was measured. It is told together with the measurement: after the last
        // one the page does not ask again.
        let measured = match self.measured(training, evaluation.accuracy).await {
            Ok(measured) => measured,
            Err(error) => {
                // Not told, and so still to be made.
                self.measures = true;
                return Err(error);
            }
        };
        let shared = &mut *self.shared.borrow_mut();
        shared.finished.evaluation(self.trainer.progress(), evaluation);
        shared.finished.measured.extend(measured);
        shared.activity = self.activity();
        Ok(())
    }

    /// The network of a measurement, if it writes.
    async fn measured(
        &self,
        training: &mut Training,
        accuracy: f64,
    ) -> Result<Option<Measured>, EngineError> {
        if self.data.vocabulary().is_none() {
            return Ok(None);
        }
        self.copy(training).await?;
        let parameters = self.shared.borrow().newest.parameters.clone();
        Ok(Some(Measured { step: self.trainer.progress().steps, accuracy, parameters }))
    }

    fn activity(&self) -> Activity {
        if self.measures { Activity::Evaluating } else { activity_of(&self.trainer) }
    }

    /// Does what the page asked for. False when the steps that are on their way must be made first: to give them
    /// up would cost all steps since the last copy.
    async fn serve(&mut self, training: &mut Training) -> Result<bool, EngineError> {
        let steps_ahead = training.steps_ahead();
        let wait = steps_ahead > 0 && !self.shared.borrow().waits();
        training.hold(wait);
        if wait {
            return Ok(false);
        }
        let Asks { retune, checkpoints, copies } = core::mem::take(&mut self.shared.borrow_mut().asks);
        self.copy(training).await?;
        let shared = &mut *self.shared.borrow_mut();
        if let Some((config, sender)) = retune
            && self.trainer.retune(config).is_ok()
        {
            Rc::make_mut(&mut shared.newest).trainer = self.trainer;
            // Whoever asked may be gone.
            let _ = sender.send(Retuned::new(&self.trainer));
        }
        for sender in checkpoints {
            let _ = sender.send((*shared.newest).clone());
        }
        for sender in copies {
            let _ = sender.send(());
        }
        Ok(true)
    }

    /// Copies the run as it stands.
    async fn copy(&self, training: &mut Training) -> Result<(), EngineError> {
        // Steps that are made again must not wait for the end of a pause.
        let control = Arc::clone(training.control());
        control.resume();
        let copied = training.snapshot().await.map(drop);
        if self.shared.borrow().pause.since.is_some() {
            control.pause();
        }
        copied?;
        self.publish(self.trainer, self.measures, training);
        Ok(())
    }

    /// Shares the last copy, as which the run stood at `trainer`; `measures`: with a measurement to be made.
    fn publish(&self, trainer: Trainer<f32>, measures: bool, training: &Training) {
        let RunSnapshot { parameters, memory, .. } = training.run_snapshot().clone();
        self.shared.borrow_mut().newest = Rc::new(RunState { trainer, parameters, memory, measures });
    }

    /// Milliseconds since some fixed moment, pauses left out.
    fn working_time(&self) -> f64 {
        self.clock.now() - self.shared.borrow().pause.earlier
    }
}
