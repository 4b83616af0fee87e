//! One visitor's session: the data set, and the run at hand.

use std::rc::Rc;
use std::sync::Arc;

use adadagrad_core::config::RunConfig;
use adadagrad_core::dataset::Dataset;
use adadagrad_core::idx::{ImagesError, LabelledImages};
use adadagrad_core::local::LocalRun;
use adadagrad_core::network::{FastProduct, Model};
use adadagrad_core::trainer::Trainer;
use adadagrad_gpu::dataset::Images;
use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;

use crate::clock::Clock;
use crate::cpu_run::CpuRun;
use crate::gpu_run::GpuRun;
use crate::records::EngineName;
use crate::{from_js, to_js};

/// The data set and one run over it. One worker owns it and asks for progress by [`Session::advance`].
#[wasm_bindgen]
pub struct Session {
    data: Data,
    clock: Rc<Clock>,
    run: Option<Run>,
}

/// The data set; copies share it.
#[derive(Clone)]
pub(crate) struct Data {
    pub(crate) train: Arc<Images>,
    pub(crate) test: Arc<Images>,
}

impl Data {
    pub(crate) fn test_samples(&self) -> u32 {
        samples(&self.test)
    }
}

enum Run {
    Cpu(Box<CpuRun>),
    Gpu(GpuRun),
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
        Ok(Self { data: Data { train, test }, clock: Rc::new(Clock::new()?), run: None })
    }

    /// Number of training samples.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn training_samples(&self) -> u32 {
        samples(&self.data.train)
    }

    /// Number of test samples.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn test_samples(&self) -> u32 {
        self.data.test_samples()
    }

    /// Begins a new run on an engine; what was running is dropped. Where WebGPU fails, the run begins (or goes
    /// on) on the CPU, and a notice says so. `kernels`: what an earlier run chose for the same adapter.
    ///
    /// # Errors
    /// Which setting is wrong and what it may be; then what was running goes on.
    pub fn start(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "RunConfig")] config: JsValue,
        #[wasm_bindgen(unchecked_param_type = "EngineName")] engine: JsValue,
        #[wasm_bindgen(unchecked_param_type = "KernelChoice | null")] kernels: JsValue,
    ) -> Result<(), JsError> {
        let config: RunConfig = from_js(config)?;
        let samples = self.training_samples();
        self.run = Some(match from_js(engine)? {
            EngineName::Cpu => Run::Cpu(Box::new(CpuRun::new(LocalRun::new(config, samples, FastProduct)?))),
            EngineName::WebGpu => {
                let trainer = Trainer::new(config, samples)?;
                // What cannot be read was remembered by another version: then there is another trial.
                let kernels = from_js(kernels).ok();
                Run::Gpu(GpuRun::start(trainer, self.data.clone(), Rc::clone(&self.clock), kernels))
            }
        });
        Ok(())
    }

    /// The CPU works for about `milliseconds`, stopping inside a step where need be; a GPU works by itself, and
    /// this only goes on with a pause and tells what was finished since. At most `steps` steps are finished
    /// before the next call. A measurement that is due is carried on in any case.
    ///
    /// # Errors
    /// Why a step was refused; the run then stands where it stood before that step.
    #[wasm_bindgen(unchecked_return_type = "Progress")]
    pub fn advance(&mut self, milliseconds: f64, steps: u32) -> Result<JsValue, JsError> {
        let Self { data, clock, run } = self;
        let now = clock.now();
        let run = run.as_mut().ok_or_else(|| JsError::new("no run has been started"))?;
        if let Run::Gpu(gpu) = run
            && let Some(cpu) = gpu.go_over()?
        {
            *run = Run::Cpu(Box::new(cpu));
        }
        let steps = steps as usize;
        to_js(&match run {
            Run::Cpu(run) => run.advance(data, clock, now + milliseconds, steps)?,
            Run::Gpu(run) => run.advance(now, steps),
        })
    }

    /// Makes a GPU wait before its next micro-batch, until [`Session::advance`]; the CPU waits anyway.
    pub fn pause(&self) {
        if let Some(Run::Gpu(run)) = &self.run {
            run.pause(self.clock.now());
        }
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

fn read(which: &str, images: &Uint8Array, labels: &Uint8Array) -> Result<Arc<Images>, JsError> {
    // The data sets that settings can name are all of this shape.
    let shape = Model::Cnn.input();
    let size = [shape.height, shape.width];
    LabelledImages::parse(images.to_vec(), labels.to_vec(), size, Model::Cnn.classes())
        .map(Arc::new)
        .map_err(|error: ImagesError| JsError::new(&format!("{which} data: {error}")))
}

fn samples(images: &Images) -> u32 {
    Dataset::<f32>::len(images)
}
