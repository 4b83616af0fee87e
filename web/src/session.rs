//! One visitor's session: the data set, and the run at hand.

use std::rc::Rc;

use adadagrad_core::backend::FastBackend;
use adadagrad_core::config::{DatasetName, RunConfig};
use adadagrad_core::dataset::SampleShape;
use adadagrad_core::images::Picture;
use adadagrad_core::model::Model;
use adadagrad_core::owned::{OwnedNetwork, Prediction, Predictor};
use adadagrad_core::signature::{Signature, Watch};
use adadagrad_gpu::webgpu::Choice;
use futures_channel::oneshot;
use js_sys::{Float32Array, Float64Array, Promise};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::answers::{number, object, promise};
use crate::clock::Clock;
use crate::cpu_run::CpuRun;
use crate::data::{Data, DatasetFiles};
use crate::gpu_run::GpuRun;
use crate::look::{Look, Looking};
use crate::models::{ModelRow, Sample};
use crate::records::{EngineName, Finished, Limit, Sighting};
use crate::run_state::RunState;
use crate::team::{shared_to_js, vectors_to_js};
use crate::writing::{Following, Wish, Writing, WrittenSample, follow};
use crate::{from_js, to_js, whole};

/// The data set and one run over it. One worker owns it and asks for progress by [`Session::advance`].
#[wasm_bindgen]
pub struct Session {
    dataset: DatasetName,
    data: Data,
    clock: Rc<Clock>,
    run: Option<Run>,
    prepared: Option<Prepared>,
}

/// A GPU that is ready for a run.
struct Prepared {
    state: RunState,
    kernels: Option<Choice>,
    run: GpuRun,
}

struct Run {
    model: Model,
    seed: u64,
    engine: Engine,
    /// Made when it is first needed.
    predictor: Option<Predictor<f32, FastBackend>>,
    looking: Option<Looking>,
    /// The step that was looked at last.
    seen: Option<u64>,
    /// Of a text.
    writing: Writing,
    watch: Watch,
    /// What it has seen.
    sighted: Vec<Signature>,
}

impl Run {
    /// Tells of each signature of the run once.
    fn watch(&mut self, finished: &mut Finished) {
        for record in &finished.steps {
            for signature in self.watch.step(&record.telemetry, Some(record.seconds)) {
                if !self.sighted.contains(&signature) {
                    self.sighted.push(signature);
                    let (step, words) = (record.telemetry.step, signature.words());
                    finished.sightings.push(Sighting { step, words });
                }
            }
        }
    }
}

enum Engine {
    Cpu(Box<CpuRun>),
    Gpu(GpuRun),
}

impl Engine {
    /// Acts with the newest parameters that are known, and after how many steps they are that.
    fn with_newest<T>(&self, act: impl FnOnce(u64, &[f32]) -> T) -> T {
        match self {
            Self::Cpu(run) => act(run.steps(), &run.parameters()),
            Self::Gpu(run) => {
                let newest = run.newest();
                act(newest.trainer.progress().steps, &newest.parameters)
            }
        }
    }

    /// After how many steps they are that.
    fn newest_step(&self) -> u64 {
        match self {
            Self::Cpu(run) => run.steps(),
            Self::Gpu(run) => run.newest().trainer.progress().steps,
        }
    }
}

#[wasm_bindgen]
impl Session {
    /// Reads and checks the data set. Settings must name it as `dataset`. `text`: how a text is read, until a run says it.
    ///
    /// # Errors
    /// Which file is broken, how, and at which byte.
    #[wasm_bindgen(constructor)]
    pub fn new(
        files: &DatasetFiles,
        #[wasm_bindgen(unchecked_param_type = "DatasetName")] dataset: JsValue,
        #[wasm_bindgen(unchecked_param_type = "TextSettings")] text: JsValue,
    ) -> Result<Self, JsError> {
        let (dataset, data) = (from_js(dataset)?, Data::read(files, from_js(text)?)?);
        Ok(Self { dataset, data, clock: Rc::new(Clock::new()?), run: None, prepared: None })
    }

    /// What a sample is.
    ///
    /// # Errors
    /// None in practice.
    #[wasm_bindgen(getter, unchecked_return_type = "SampleShape")]
    pub fn shape(&self) -> Result<JsValue, JsError> {
        to_js(&Sample::from(self.data.shape()))
    }

    /// What the data are for a run that reads a text in this way; null: as they are read now.
    ///
    /// # Errors
    /// Why the text cannot be read so.
    #[wasm_bindgen(unchecked_return_type = "DataFacts")]
    pub fn facts(
        &self,
        #[wasm_bindgen(unchecked_param_type = "TextSettings | null")] text: JsValue,
    ) -> Result<JsValue, JsError> {
        #[derive(Serialize)]
        struct DataFacts {
            training_samples: u32,
            test_samples: u32,
            shape: Sample,
            token_names: Vec<String>,
        }
        let data = match from_js(text)? {
            Some(settings) => self.data.cut(settings)?,
            None => self.data.clone(),
        };
        to_js(&DataFacts {
            training_samples: data.training_samples(),
            test_samples: data.test_samples(),
            shape: data.shape().into(),
            token_names: data.token_names(),
        })
    }

    /// Begins a new run on an engine; what was running is dropped. Where WebGPU fails, the run begins (or goes
    /// on) on the CPU, and a notice says so. `kernels`: what an earlier run chose for the same adapter;
    /// `parameters`: the bytes of a safetensors file to begin from.
    ///
    /// # Errors
    /// Which setting (or which tensor) is wrong and what it may be; then what was running goes on.
    pub fn start(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "RunConfig")] config: JsValue,
        #[wasm_bindgen(unchecked_param_type = "EngineName")] engine: JsValue,
        #[wasm_bindgen(unchecked_param_type = "KernelChoice | null")] kernels: JsValue,
        parameters: Option<Vec<u8>>,
    ) -> Result<(), JsError> {
        let config: RunConfig = from_js(config)?;
        if config.dataset != self.dataset {
            let [wanted, open] = [config.dataset, self.dataset].map(DatasetName::name);
            return Err(JsError::new(&format!("dataset is {wanted}, but {open} is loaded")));
        }
        let data = self.data.for_run(&config)?;
        let state = RunState::begin(config, &data, parameters.as_deref())?;
        self.put(state, data, from_js(engine)?, kernels)
    }

    /// Checks that a run could begin with these settings and the parameters in a safetensors file. Nothing changes.
    ///
    /// # Errors
    /// Which setting (or which tensor) is wrong and what it may be.
    pub fn check_model(
        &self,
        #[wasm_bindgen(unchecked_param_type = "RunConfig")] config: JsValue,
        parameters: &[u8],
    ) -> Result<(), JsError> {
        let config: RunConfig = from_js(config)?;
        RunState::begin(config, &self.data.cut(config.text)?, Some(parameters)).map(drop)
    }

    /// Makes a GPU ready for a run that is likely to be started soon, so that its first step need not wait for the
    /// device, the data and the kernels. What was made ready for another is let go.
    ///
    /// # Errors
    /// Which setting is wrong and what it may be.
    pub fn prepare(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "RunConfig")] config: JsValue,
        #[wasm_bindgen(unchecked_param_type = "KernelChoice | null")] kernels: JsValue,
    ) -> Result<(), JsError> {
        let config: RunConfig = from_js(config)?;
        let data = self.data.for_run(&config)?;
        let state = RunState::begin(config, &data, None)?;
        let kernels = from_js(kernels).ok();
        if self.prepared.as_ref().is_some_and(|prepared| prepared.is_for(&state, kernels.as_ref())) {
            return Ok(());
        }
        let run = GpuRun::prepare(state.clone(), data, Rc::clone(&self.clock), kernels.clone());
        self.prepared = Some(Prepared { state, kernels, run });
        Ok(())
    }

    /// Lets go of what was made ready.
    pub fn forget_prepared(&mut self) {
        self.prepared = None;
    }

    /// Goes on with the run in a checkpoint as if it had not stopped; what was running is dropped. Returns its
    /// settings and where it stands. `measures`: as it was told beside the checkpoint's bytes.
    ///
    /// # Errors
    /// What is wrong with the file; then what was running goes on.
    #[wasm_bindgen(unchecked_return_type = "Resumed")]
    pub fn resume(
        &mut self,
        checkpoint: &[u8],
        measures: bool,
        #[wasm_bindgen(unchecked_param_type = "EngineName")] engine: JsValue,
        #[wasm_bindgen(unchecked_param_type = "KernelChoice | null")] kernels: JsValue,
    ) -> Result<JsValue, JsError> {
        #[derive(Serialize)]
        struct Resumed {
            config: RunConfig,
            step: u64,
            samples_seen: u64,
            next_batch: u32,
        }
        let state = RunState::read(checkpoint, measures, self.dataset, &self.data)?;
        let (config, progress) = (*state.trainer.config(), *state.trainer.progress());
        let data = self.data.for_run(&config)?;
        self.put(state, data, from_js(engine)?, kernels)?;
        let (step, samples_seen, next_batch) = (progress.steps, progress.samples_seen, progress.next_batch);
        to_js(&Resumed { config, step, samples_seen, next_batch })
    }

    /// The CPU works for about `milliseconds`, stopping inside a step where need be; a GPU works by itself, and
    /// this only goes on with a pause and tells what was finished since. At most `steps` steps are finished
    /// before the next call, and with `to_growth` none after one that makes the batch grow. A measurement that is
    /// due is carried on in any case.
    ///
    /// # Errors
    /// Why a step was refused; the run then stands where it stood before that step.
    #[wasm_bindgen(unchecked_return_type = "Progress")]
    pub fn advance(&mut self, milliseconds: f64, steps: u32, to_growth: bool) -> Result<JsValue, JsError> {
        let Self { data, clock, run, .. } = self;
        let now = clock.now();
        let run = run.as_mut().ok_or_else(no_run)?;
        if let Engine::Gpu(gpu) = &run.engine
            && let Some(cpu) = gpu.go_over()?
        {
            run.engine = Engine::Cpu(Box::new(cpu));
        }
        let limit = Limit { steps: steps as usize, to_growth };
        let mut progress = match &mut run.engine {
            Engine::Cpu(run) => run.advance(data, clock, now + milliseconds, limit)?,
            Engine::Gpu(run) => run.advance(now, limit),
        };
        run.writing.add(progress.finished.measured.drain(..));
        run.watch(&mut progress.finished);
        to_js(&progress)
    }

    /// What a team of [`TeamMember`](crate::TeamMember)s may do in this worker's place, within the same limits as
    /// [`Session::advance`]; the parts come back in order to [`Session::take`]. Null where there is nothing to
    /// share, and `advance` goes on.
    ///
    /// # Errors
    /// None in practice.
    #[wasm_bindgen(unchecked_return_type = "SharedWork | null")]
    pub fn share(&mut self, steps: u32, to_growth: bool) -> Result<JsValue, JsError> {
        let Self { data, clock, run, .. } = self;
        let Some(Run { engine: Engine::Cpu(run), .. }) = run else { return Ok(JsValue::NULL) };
        let limit = Limit { steps: steps as usize, to_growth };
        run.share(data, clock, limit).map_or(Ok(JsValue::NULL), |shared| shared_to_js(&shared))
    }

    /// What the team must know for the work that [`Session::share`] told of. Null where there is none. The
    /// parameters are written into `room`, where that has the right length.
    ///
    /// # Errors
    /// None in practice.
    #[wasm_bindgen(unchecked_return_type = "SharedVectors | null")]
    pub fn shared_vectors(&mut self, room: Option<Float32Array>) -> Result<JsValue, JsError> {
        let Some(Run { engine: Engine::Cpu(run), .. }) = &mut self.run else { return Ok(JsValue::NULL) };
        run.shared().map_or(Ok(JsValue::NULL), |shared| vectors_to_js(&shared, room))
    }

    /// Takes the next part of what was shared. What is finished with it is told by [`Session::advance`].
    ///
    /// # Errors
    /// That it is not what was asked for, or why the step that ends with it is refused; then the run stands where
    /// it stood before that step.
    pub fn take(&mut self, numbers: &[u8], values: Option<Float32Array>) -> Result<(), JsError> {
        let Some(Run { engine: Engine::Cpu(run), .. }) = &mut self.run else { return Err(no_run()) };
        Ok(run.take(&self.clock, numbers, values.as_ref())?)
    }

    /// Makes a GPU wait before its next micro-batch, until [`Session::advance`]; the CPU waits anyway.
    pub fn pause(&self) {
        if let Some(Run { engine: Engine::Gpu(run), .. }) = &self.run {
            run.pause(self.clock.now());
        }
    }

    /// Other settings for the run at hand, from its next step on. The promise tells once they hold; it gives null
    /// when the run ends before that.
    ///
    /// # Errors
    /// Which setting cannot change in a run, or is wrong.
    #[wasm_bindgen(unchecked_return_type = "Promise<Retuned | null>")]
    pub fn retune(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "RunConfig")] config: JsValue,
    ) -> Result<Promise, JsError> {
        let config = from_js(config)?;
        let (sender, receiver) = oneshot::channel();
        let run = self.run.as_mut().ok_or_else(no_run)?;
        match &mut run.engine {
            Engine::Cpu(run) => run.retune(config, sender)?,
            Engine::Gpu(run) => run.retune(config, sender)?,
        }
        run.watch = Watch::new(&config);
        Ok(promise(receiver, |retuned| to_js(&retuned)))
    }

    /// The run as it stands after its last step.
    ///
    /// # Errors
    /// When there is no run.
    #[wasm_bindgen(unchecked_return_type = "Promise<Checkpoint | null>")]
    pub fn checkpoint(&mut self) -> Result<Promise, JsError> {
        let (sender, receiver) = oneshot::channel();
        match &mut self.run.as_mut().ok_or_else(no_run)?.engine {
            Engine::Cpu(run) => run.checkpoint(sender),
            Engine::Gpu(run) => run.checkpoint(sender),
        }
        let data = self.data.clone();
        Ok(promise(receiver, move |state: RunState| state.checkpoint(&data)))
    }

    /// The newest parameters that are known: a GPU's may be a few seconds old. Null without a run.
    ///
    /// # Errors
    /// None in practice.
    #[wasm_bindgen(unchecked_return_type = "NewestParameters | null")]
    pub fn parameters(&self) -> Result<JsValue, JsError> {
        let Some(run) = &self.run else { return Ok(JsValue::NULL) };
        run.engine.with_newest(|step, parameters| {
            let values = Float32Array::from(parameters).into();
            let model = to_js(&ModelRow::of(run.model, self.data.shape())?)?;
            object(&[("step", number(step)), ("model", model), ("values", values)])
        })
    }

    /// What the network takes a picture for, whose planes are as the data's images have them, with the newest parameters that are known. Null
    /// without a run.
    ///
    /// # Errors
    /// When the picture has another size.
    #[wasm_bindgen(unchecked_return_type = "Classification | null")]
    pub fn classify(&mut self, pixels: &[u8]) -> Result<JsValue, JsError> {
        let shape = self.data.shape();
        let Some(run) = &mut self.run else { return Ok(JsValue::NULL) };
        let predictor = predictor(&mut run.predictor, run.model, shape)?;
        run.engine.with_newest(|step, parameters| {
            let mut answer = JsValue::NULL;
            let report = |_, Prediction { probabilities, .. }: Prediction<'_, f32>| {
                answer = Float32Array::from(probabilities).into();
            };
            let parameters = predictor.in_own_order(parameters)?;
            predictor.predict(&parameters, &Picture { bytes: pixels, shape }, 0..1, report)?;
            object(&[("step", number(step)), ("probabilities", answer)])
        })
    }

    /// Looks for about `milliseconds` through the test images, with the newest parameters that were known when it
    /// began to. `look`: what was seen, once it is through. Of a text, the networks that were measured write: `sample` is
    /// the next one that is whole. `more`: whether there is anything to do.
    ///
    /// # Errors
    /// When there is not enough memory.
    #[wasm_bindgen(unchecked_return_type = "LookProgress")]
    pub fn look(&mut self, milliseconds: f64) -> Result<JsValue, JsError> {
        #[derive(Serialize)]
        struct LookProgress {
            look: Option<Look>,
            sample: Option<WrittenSample>,
            more: bool,
        }
        let until = self.clock.now() + milliseconds;
        let Self { data, clock, run, .. } = self;
        let nothing = LookProgress { look: None, sample: None, more: false };
        let Some(run) = run else { return to_js(&nothing) };
        let Run { model, seed, engine, predictor: place, looking, seen, writing, .. } = run;
        if let Some(vocabulary) = data.vocabulary() {
            let mut sample = None;
            while sample.is_none() && !writing.is_finished() && clock.now() < until {
                let network = || OwnedNetwork::of_model(*model, data.shape()).ok();
                sample = writing.advance(network, vocabulary, *seed);
            }
            return to_js(&LookProgress { sample, more: !writing.is_finished(), ..nothing });
        }
        let Some(test) = data.test_images() else { return to_js(&nothing) };
        let predictor = predictor(place, *model, data.shape())?;
        if looking.is_none() && *seen != Some(engine.newest_step()) {
            let classes = predictor.network().outputs();
            let new = engine.with_newest(|step, parameters| {
                predictor.in_own_order(parameters).map(|parameters| Looking::new(step, parameters, classes))
            });
            *looking = Some(new?);
        }
        let mut look = None;
        if let Some(present) = looking {
            while look.is_none() && clock.now() < until {
                look = present.advance(predictor, test)?;
            }
            if look.is_some() {
                *seen = Some(present.step());
                *looking = None;
            }
        }
        let more = looking.is_some() || *seen != Some(engine.newest_step());
        to_js(&LookProgress { look, more, ..nothing })
    }

    /// What follows a text with the newest parameters that are known: how likely each token is to come next, and `count`
    /// tokens that are drawn one after another. Null without a run.
    ///
    /// # Errors
    /// When the data are no text, the temperature is not a number from 0, or the outputs are no numbers.
    #[wasm_bindgen(unchecked_return_type = "Following | null")]
    pub fn follow(
        &self,
        beginning: &str,
        temperature: f64,
        count: u32,
        seed: u32,
    ) -> Result<JsValue, JsError> {
        let Some(run) = &self.run else { return Ok(JsValue::NULL) };
        let vocabulary = self.data.vocabulary().ok_or_else(|| JsError::new("the data are not a text"))?;
        let network = OwnedNetwork::of_model(run.model, self.data.shape())?;
        let wish = Wish { beginning, temperature, count, seed: seed.into() };
        run.engine.with_newest(|step, parameters| {
            let Following { unknown, probabilities, text } =
                follow(network, parameters.to_vec(), vocabulary, wish)?;
            object(&[
                ("step", number(step)),
                ("unknown", unknown.into()),
                ("probabilities", Float64Array::from(&*probabilities).into()),
                ("text", text.into()),
            ])
        })
    }

    /// Asks a GPU for its parameters as they stand. The promise gives null as soon as they are known, or nothing newer
    /// can be had before a pause ends; the CPU's are known anyway.
    #[wasm_bindgen(unchecked_return_type = "Promise<null>")]
    pub fn refresh(&self) -> Promise {
        let (sender, receiver) = oneshot::channel();
        if let Some(Run { engine: Engine::Gpu(run), .. }) = &self.run {
            run.refresh(sender);
        }
        promise(receiver, |()| Ok(JsValue::NULL))
    }

    /// The training images that the run visits after `position` others, one after another, each plane by plane, row by
    /// row. Squares of `shrink` × `shrink` pixels become one, fewer at the right and lower edges.
    ///
    /// # Errors
    /// When there is no run, or `position` is no count.
    pub fn batch_images(&self, position: f64, count: u32, shrink: u32) -> Result<Vec<u8>, JsError> {
        let (seed, position) = self.visit(position)?;
        Ok(self.data.visited(seed, position, count, shrink))
    }

    /// The tokens of the training sequences that the run visits after `position` others, one sequence after another.
    ///
    /// # Errors
    /// When there is no run, or `position` is no count.
    pub fn batch_tokens(&self, position: f64, count: u32) -> Result<Vec<u16>, JsError> {
        let (seed, position) = self.visit(position)?;
        Ok(self.data.visited_tokens(seed, position, count))
    }

    /// How many of the training images that the run visits after `position` others have each label.
    ///
    /// # Errors
    /// When there is no run, or `position` is no count.
    pub fn batch_classes(&self, position: f64, count: u32) -> Result<Vec<u32>, JsError> {
        let (seed, position) = self.visit(position)?;
        Ok(self.data.classes(seed, position, count))
    }

    /// A test image's bytes, plane by plane, row by row; nothing where there is none.
    #[must_use]
    pub fn test_image(&self, sample: u32) -> Option<Vec<u8>> {
        self.data.test_image(sample).map(<[u8]>::to_vec)
    }

    /// Drops the run, and with it the memory that it takes on a GPU.
    pub fn end(&mut self) {
        self.run = None;
    }

    /// Bytes of wasm memory in use.
    #[must_use]
    pub fn memory_bytes(&self) -> f64 {
        let buffer = wasm_bindgen::memory().unchecked_into::<js_sys::WebAssembly::Memory>().buffer();
        f64::from(buffer.unchecked_into::<js_sys::ArrayBuffer>().byte_length())
    }
}

impl Session {
    /// The seed of the run's order, and a position in it.
    fn visit(&self, position: f64) -> Result<(u64, u64), JsError> {
        let run = self.run.as_ref().ok_or_else(no_run)?;
        let position = whole(position).ok_or_else(|| JsError::new("the position is not a whole number"))?;
        Ok((run.seed, position))
    }

    /// Puts a run in place of the one at hand.
    fn put(
        &mut self,
        state: RunState,
        data: Data,
        engine: EngineName,
        kernels: JsValue,
    ) -> Result<(), JsError> {
        self.data = data;
        let &RunConfig { model, seed, .. } = state.trainer.config();
        let (watch, sighted) = (Watch::new(state.trainer.config()), Vec::new());
        let prepared = self.prepared.take();
        let engine = match engine {
            EngineName::Cpu => Engine::Cpu(Box::new(CpuRun::new(&state, &self.data)?)),
            EngineName::WebGpu => {
                // What cannot be read was remembered by another version: then they are chosen anew.
                let kernels = from_js(kernels).ok();
                let run = match prepared.filter(|prepared| prepared.is_for(&state, kernels.as_ref())) {
                    Some(prepared) => prepared.run,
                    None => GpuRun::start(state, self.data.clone(), Rc::clone(&self.clock), kernels),
                };
                Engine::Gpu(run)
            }
        };
        let writing = Writing::default();
        let (predictor, looking, seen) = (None, None, None);
        self.run = Some(Run { model, seed, engine, predictor, looking, seen, writing, watch, sighted });
        Ok(())
    }
}

impl Prepared {
    fn is_for(&self, state: &RunState, kernels: Option<&Choice>) -> bool {
        self.state == *state && self.kernels.as_ref() == kernels
    }
}

fn no_run() -> JsError {
    JsError::new("no run has been started")
}

/// The predictor in its place.
fn predictor(
    place: &mut Option<Predictor<f32, FastBackend>>,
    model: Model,
    shape: SampleShape,
) -> Result<&mut Predictor<f32, FastBackend>, JsError> {
    match place {
        Some(predictor) => Ok(predictor),
        None => {
            let network = OwnedNetwork::of_model(model, shape)?;
            Ok(place.insert(Predictor::new(network, FastBackend)?))
        }
    }
}
