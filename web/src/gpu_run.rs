//! A run on WebGPU: a task on the worker's event loop that works by itself, while the page asks for its progress.
//! Page and task meet in [`Shared`]; neither ever waits for the other.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Waker};

use adadagrad_core::local::{LocalRun, RunError};
use adadagrad_core::network::FastProduct;
use adadagrad_core::trainer::{Plan, Trainer};
use adadagrad_gpu::dataset::SharedDataset;
use adadagrad_gpu::engine::{Control, EngineError};
use adadagrad_gpu::webgpu::{Choice, Gpu, GpuError, Options, Rescue, Training, choose};
use wasm_bindgen::JsError;
use wasm_bindgen_futures::spawn_local;

use crate::clock::Clock;
use crate::cpu_run::CpuRun;
use crate::records::{Activity, EngineName, Finished, Progress, activity_of};
use crate::session::Data;

/// The page's hold on the task: when it goes, the task ends.
pub(crate) struct GpuRun(Rc<RefCell<Shared>>);

struct Shared {
    finished: Finished,
    activity: Activity,
    /// Sample visits of the work at hand.
    total: u64,
    device_bytes: u64,
    /// How many of `finished.steps` there may be before the page asks again.
    allowance: usize,
    pause: Pause,
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
    /// None when it failed before its first step.
    rescue: Option<Rescue>,
    /// The last step made a measurement due that was not made.
    evaluate: bool,
}

impl GpuRun {
    /// Starts the task. `kernels`: what an earlier run chose for the same adapter.
    pub(crate) fn start(
        trainer: Trainer<f32>,
        data: Data,
        clock: Rc<Clock>,
        kernels: Option<Choice>,
    ) -> Self {
        let shared = Rc::new(RefCell::new(Shared {
            finished: Finished::default(),
            activity: Activity::Opening,
            total: 0,
            device_bytes: 0,
            allowance: 0,
            pause: Pause::default(),
            dropped: false,
            kernels,
            control: None,
            waker: None,
            end: None,
        }));
        spawn_local(Task { shared: Rc::clone(&shared), clock, trainer, data }.run());
        Self(shared)
    }

    /// Lets the task go on until `steps` more steps are finished, and tells what was finished since the last call.
    pub(crate) fn advance(&self, now: f64, steps: usize) -> Progress {
        let shared = &mut *self.0.borrow_mut();
        let finished = core::mem::take(&mut shared.finished);
        shared.allowance = steps.saturating_sub(finished.steps.len());
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
        finished.notices.push(format!("{}; the run goes on with the processor", failure.error));
        let evaluate = failure.evaluate;
        Ok(Some(CpuRun::resume(failure.local_run()?, evaluate, finished)))
    }
}

impl Failure {
    /// The same run, standing where it stood.
    fn local_run(self) -> Result<LocalRun<f32, FastProduct>, RunError> {
        let Self { trainer, rescue, .. } = self;
        match rescue {
            None => LocalRun::new(*trainer.config(), trainer.samples(), FastProduct),
            Some(Rescue { parameters, memory, since }) => {
                LocalRun::resume(trainer, FastProduct, &parameters, &memory, since)
            }
        }
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

    /// Whether the next step may begin; none where that is to be waited for.
    fn may_step(&self) -> Option<bool> {
        let waits = self.pause.since.is_some() || self.finished.steps.len() >= self.allowance;
        if self.dropped { Some(false) } else { (!waits).then_some(true) }
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
}

impl Task {
    async fn run(mut self) {
        let ended = match self.open().await {
            Ok(mut training) => {
                let trained = self.train(&mut training).await;
                // Otherwise its memory would be in use until the browser's collector comes by.
                training.gpu().destroy();
                trained.map_err(|error| (error, Some(training.rescue().clone())))
            }
            Err(error) => Err((error, None)),
        };
        let Err((error, rescue)) = ended else { return };
        let shared = &mut *self.shared.borrow_mut();
        let evaluate = shared.activity == Activity::Evaluating;
        shared.end = match error {
            EngineError::Cancelled => None,
            EngineError::Gpu(error) => {
                let trainer = self.trainer;
                Some(End::Failed(Box::new(Failure { error, trainer, rescue, evaluate })))
            }
            error => Some(End::Refused(error)),
        };
    }

    async fn open(&self) -> Result<Training, EngineError> {
        let [noted, opening] = [&self.shared; 2].map(Rc::clone);
        let notice = move |text: &str| noted.borrow_mut().finished.notices.push(text.to_owned());
        let images: SharedDataset = Arc::clone(&self.data.train) as _;
        let options = Options {
            open: Box::new(move || Box::pin(open_device(Rc::clone(&opening)))),
            memory_budget: None,
            notice: Box::new(notice),
        };
        let training = Training::open(self.trainer.config(), images, options).await?;
        let shared = &mut *self.shared.borrow_mut();
        shared.activity = activity_of(&self.trainer);
        shared.device_bytes = training.memory_bytes();
        let control = Arc::clone(training.control());
        if shared.pause.since.is_some() {
            control.pause();
        }
        shared.control = Some(control);
        Ok(training)
    }

    async fn train(&mut self, training: &mut Training) -> Result<(), EngineError> {
        let test: SharedDataset = Arc::clone(&self.data.test) as _;
        while let Some(plan) = self.trainer.plan() {
            if !self.may_step().await {
                break;
            }
            let due = self.trainer.measures_after(&plan);
            self.step(training, &plan, due).await?;
            if due {
                let evaluation = training.evaluate(&test).await?.evaluation;
                let shared = &mut *self.shared.borrow_mut();
                shared.finished.evaluation(self.trainer.progress(), evaluation);
                shared.activity = activity_of(&self.trainer);
            }
        }
        Ok(())
    }

    /// Waits until the page wants the next step. False when it wants none any more.
    async fn may_step(&self) -> bool {
        poll_fn(|context| {
            let shared = &mut *self.shared.borrow_mut();
            shared.waker = Some(context.waker().clone());
            shared.may_step().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    /// Makes a step and tells of it. `measures`: a measurement follows.
    async fn step(
        &mut self,
        training: &mut Training,
        plan: &Plan<f64>,
        measures: bool,
    ) -> Result<(), EngineError> {
        let begin = self.working_time();
        self.shared.borrow_mut().total = plan.visits();
        let telemetry = training.step(&mut self.trainer, plan).await?;
        let seconds = (self.working_time() - begin) / 1000.0;
        let shared = &mut *self.shared.borrow_mut();
        shared.finished.step(telemetry, seconds);
        shared.device_bytes = training.memory_bytes();
        shared.total = if measures { self.data.test_samples().into() } else { shared.total };
        shared.activity = if measures { Activity::Evaluating } else { activity_of(&self.trainer) };
        Ok(())
    }

    /// Milliseconds since some fixed moment, pauses left out.
    fn working_time(&self) -> f64 {
        self.clock.now() - self.shared.borrow().pause.earlier
    }
}
