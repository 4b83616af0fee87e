//! One visitor's session: the data set, and the run at hand.

use adadagrad_core::config::RunConfig;
use adadagrad_core::dataset::Dataset;
use adadagrad_core::idx::{ImagesError, LabelledImages};
use adadagrad_core::local::{Advance, Evaluation, LocalRun};
use adadagrad_core::network::{FastProduct, Model};
use adadagrad_core::trainer::Telemetry;
use js_sys::Uint8Array;
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::clock::Clock;
use crate::{from_js, to_js};

type Images = LabelledImages<Vec<u8>>;

/// The data set and one run over it. One worker owns it and gives it time by [`Session::advance`].
#[wasm_bindgen]
pub struct Session {
    train: Images,
    test: Images,
    clock: Clock,
    run: Option<Run>,
}

struct Run {
    local: LocalRun<f32, FastProduct>,
    /// Seconds spent in the step under way.
    step_seconds: f64,
    next_evaluation: u64,
    evaluating: bool,
}

#[derive(Serialize)]
struct StepRecord {
    #[serde(flatten)]
    telemetry: Telemetry,
    seconds: f64,
}

#[derive(Serialize)]
struct EvaluationRecord {
    step: u64,
    samples_seen: u64,
    accuracy: f64,
    loss: f64,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Activity {
    Training,
    Evaluating,
    Finished,
}

#[derive(Serialize)]
struct Progress {
    steps: Vec<StepRecord>,
    evaluations: Vec<EvaluationRecord>,
    activity: Activity,
    done: u64,
    total: u64,
}

#[wasm_bindgen]
extern "C" {
    /// The four decompressed IDX files.
    #[wasm_bindgen(typescript_type = "DatasetFiles")]
    pub type DatasetFiles;
    #[wasm_bindgen(method, getter)]
    fn train_images(this: &DatasetFiles) -> Uint8Array;
    #[wasm_bindgen(method, getter)]
    fn train_labels(this: &DatasetFiles) -> Uint8Array;
    #[wasm_bindgen(method, getter)]
    fn test_images(this: &DatasetFiles) -> Uint8Array;
    #[wasm_bindgen(method, getter)]
    fn test_labels(this: &DatasetFiles) -> Uint8Array;
}

#[wasm_bindgen]
impl Session {
    /// Reads and checks the data set.
    ///
    /// # Errors
    /// Which file is broken, how, and at which byte.
    #[wasm_bindgen(constructor)]
    pub fn new(files: &DatasetFiles) -> Result<Self, JsError> {
        let train = read("training", &files.train_images(), &files.train_labels())?;
        let test = read("test", &files.test_images(), &files.test_labels())?;
        Ok(Self { train, test, clock: Clock::new()?, run: None })
    }

    /// Number of training samples.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn training_samples(&self) -> u32 {
        samples(&self.train)
    }

    /// Number of test samples.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn test_samples(&self) -> u32 {
        samples(&self.test)
    }

    /// Begins a new run; what was running is dropped.
    ///
    /// # Errors
    /// Which setting is wrong and what it may be; then what was running goes on.
    pub fn start(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "RunConfig")] config: JsValue,
    ) -> Result<(), JsError> {
        let config: RunConfig = from_js(config)?;
        let local = LocalRun::new(config, self.training_samples(), FastProduct)?;
        let next_evaluation = config.evaluate_every;
        self.run = Some(Run { local, step_seconds: 0.0, next_evaluation, evaluating: false });
        Ok(())
    }

    /// Works for about `milliseconds`, stopping inside a step where need be, and finishes at most `steps`
    /// steps. An evaluation that is due is carried on in any case.
    ///
    /// # Errors
    /// Why a step was refused; the run then stands where it stood before that step.
    #[wasm_bindgen(unchecked_return_type = "Progress")]
    pub fn advance(&mut self, milliseconds: f64, steps: u32) -> Result<JsValue, JsError> {
        let run = self.run.as_mut().ok_or_else(|| JsError::new("no run has been started"))?;
        let until = self.clock.now() + milliseconds;
        let mut progress = Progress {
            steps: Vec::new(),
            evaluations: Vec::new(),
            activity: Activity::Training,
            done: 0,
            total: 0,
        };
        while self.clock.now() < until {
            let may_step = progress.steps.len() < steps as usize;
            let more = if run.evaluating {
                run.evaluate(&self.test, &mut progress)?
            } else {
                may_step && run.train(&self.train, &self.test, &self.clock, &mut progress)?
            };
            if !more {
                break;
            }
        }
        (progress.done, progress.total) = run.local.visits();
        progress.activity = run.activity();
        to_js(&progress)
    }

    /// Bytes of wasm memory in use.
    #[must_use]
    pub fn memory_bytes(&self) -> f64 {
        let buffer = wasm_bindgen::memory().unchecked_into::<js_sys::WebAssembly::Memory>().buffer();
        f64::from(buffer.unchecked_into::<js_sys::ArrayBuffer>().byte_length())
    }
}

impl Run {
    /// One micro-batch of training. False when the sample budget is spent.
    fn train(
        &mut self,
        train: &Images,
        test: &Images,
        clock: &Clock,
        progress: &mut Progress,
    ) -> Result<bool, JsError> {
        let begin = clock.now();
        let advance = self.local.advance(train).inspect_err(|_| self.step_seconds = 0.0)?;
        self.step_seconds += (clock.now() - begin) / 1000.0;
        match advance {
            Advance::Working => {}
            Advance::Finished => return Ok(false),
            Advance::Step(telemetry) => {
                let seconds = core::mem::take(&mut self.step_seconds);
                progress.steps.push(StepRecord { telemetry, seconds });
                if telemetry.samples_seen >= self.next_evaluation || self.is_spent() {
                    let every = self.local.trainer().config().evaluate_every;
                    self.next_evaluation = (telemetry.samples_seen / every + 1) * every;
                    self.local.begin_evaluation(test);
                    self.evaluating = true;
                }
            }
        }
        Ok(true)
    }

    /// One micro-batch of evaluation.
    fn evaluate(&mut self, test: &Images, progress: &mut Progress) -> Result<bool, JsError> {
        if let Some(Evaluation { loss, accuracy }) = self.local.advance_evaluation(test)? {
            let &adadagrad_core::trainer::Progress { steps, samples_seen, .. } = self.local.progress();
            progress.evaluations.push(EvaluationRecord { step: steps, samples_seen, accuracy, loss });
            self.evaluating = false;
        }
        Ok(true)
    }

    fn is_spent(&self) -> bool {
        self.local.trainer().plan().is_none()
    }

    fn activity(&self) -> Activity {
        if self.evaluating {
            Activity::Evaluating
        } else if self.is_spent() {
            Activity::Finished
        } else {
            Activity::Training
        }
    }
}

fn read(which: &str, images: &Uint8Array, labels: &Uint8Array) -> Result<Images, JsError> {
    // The data sets that settings can name are all of this shape.
    let shape = Model::Cnn.input();
    let size = [shape.height, shape.width];
    LabelledImages::parse(images.to_vec(), labels.to_vec(), size, Model::Cnn.classes())
        .map_err(|error: ImagesError| JsError::new(&format!("{which} data: {error}")))
}

fn samples(images: &Images) -> u32 {
    Dataset::<f32>::len(images)
}
