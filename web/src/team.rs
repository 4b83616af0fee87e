//! Several workers of the tab sweep the parts of one run's batches: [`TeamMember`] in each of them, and what passes
//! between it and the [`Session`](crate::Session) that leads. Numbers travel as bytes, sums over parameters in buffers
//! that change hands.

use adadagrad_core::backend::FastBackend;
use adadagrad_core::config::RunConfig;
use adadagrad_core::dataset::Dataset;
use adadagrad_core::owned::wire::{Plain, from_bytes, to_bytes};
use adadagrad_core::owned::{
    Advance, Evaluation, LocalRun, OwnedNetwork, PartWorker, RunError, Shared, Swept,
};
use adadagrad_core::statistics::{LengthMismatch, Statistics};
use adadagrad_core::training::{Cut, Part, PartError, Task};
use js_sys::{Float32Array, Uint8Array};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::answers::{number, object};
use crate::data::{Data, DatasetFiles};
use crate::{from_js, to_js, whole};

/// One worker of a team, with a data set of its own.
#[wasm_bindgen]
pub struct TeamMember {
    data: Data,
    worker: Option<PartWorker<f32, FastBackend>>,
}

#[wasm_bindgen]
impl TeamMember {
    /// Reads and checks the data set, which is to be the session's; `text`: how a text is read, until a run says it.
    ///
    /// # Errors
    /// Which file is broken, how, and at which byte.
    #[wasm_bindgen(constructor)]
    pub fn new(
        files: &DatasetFiles,
        #[wasm_bindgen(unchecked_param_type = "TextSettings")] text: JsValue,
    ) -> Result<Self, JsError> {
        Ok(Self { data: Data::read(files, from_js(text)?)?, worker: None })
    }

    /// Makes ready for a run, or for other settings of it.
    ///
    /// # Errors
    /// Which setting is wrong, or that there is not enough memory.
    pub fn begin(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "RunConfig")] config: JsValue,
    ) -> Result<(), JsError> {
        // The old one's memory first.
        self.worker = None;
        let config: RunConfig = from_js(config)?;
        self.data = self.data.for_run(&config)?;
        let network = OwnedNetwork::of_model(config.model, self.data.shape())?;
        self.worker = Some(PartWorker::new(config, network, self.data.training_samples(), FastBackend)?);
        Ok(())
    }

    /// The parameters that sweeps are made with from now on.
    ///
    /// # Errors
    /// When there are too many or too few.
    pub fn set_parameters(&mut self, parameters: &[f32]) -> Result<(), JsError> {
        Ok(self.worker()?.set_parameters(parameters)?)
    }

    /// ḡ for second sweeps.
    ///
    /// # Errors
    /// When it has too many or too few values.
    pub fn set_mean_gradient(&mut self, mean_gradient: &[f32]) -> Result<(), JsError> {
        Ok(self.worker()?.set_mean_gradient(mean_gradient)?)
    }

    /// Does one of the `parts` parts of a task over `batch` samples: what [`Session::take`](crate::Session::take) takes. Sums
    /// over the parameters are written into `room`, where that has the right length: memory that is new costs more than the
    /// copy.
    ///
    /// # Errors
    /// When the samples do not fit, or `start` is no count.
    #[wasm_bindgen(unchecked_return_type = "PartResult")]
    pub fn sweep(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "TeamTask")] task: JsValue,
        start: f64,
        batch: u32,
        parts: u32,
        part: u32,
        room: Option<Float32Array>,
    ) -> Result<JsValue, JsError> {
        let start = whole(start).ok_or_else(|| JsError::new("the position is not a whole number"))?;
        let Self { data, worker } = self;
        let worker = worker.as_mut().ok_or_else(no_run)?;
        let task = from_js::<TaskName>(task)?.into();
        let part = Part { task, start, cut: Cut::into_parts(batch, parts), index: part };
        let dataset: &dyn Dataset<f32> = match task {
            Task::Accumulate | Task::Project => &*data.train,
            Task::Evaluate => &*data.test,
        };
        worker.sweep(&part, dataset, |swept| match swept {
            Swept::Sums(sums) => result_to_js((part, sums.totals), vectors_of(sums, room).into()),
            Swept::Inner(inner) => result_to_js((part, inner), JsValue::NULL),
            Swept::Score(score) => result_to_js((part, score), JsValue::NULL),
        })
    }
}

impl TeamMember {
    fn worker(&mut self) -> Result<&mut PartWorker<f32, FastBackend>, JsError> {
        self.worker.as_mut().ok_or_else(no_run)
    }
}

fn no_run() -> JsError {
    JsError::new("no run has been started")
}

/// What the page calls a [`Task`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum TaskName {
    Accumulate,
    Project,
    Evaluate,
}

impl From<TaskName> for Task {
    fn from(name: TaskName) -> Self {
        match name {
            TaskName::Accumulate => Self::Accumulate,
            TaskName::Project => Self::Project,
            TaskName::Evaluate => Self::Evaluate,
        }
    }
}

/// What the team is to do, in JavaScript's terms; what it needs for that is another question, [`vectors_to_js`].
pub(crate) fn shared_to_js(shared: &Shared<'_, f32>) -> Result<JsValue, JsError> {
    let round = &shared.round;
    let task = match round.task() {
        Task::Accumulate => TaskName::Accumulate,
        Task::Project => TaskName::Project,
        Task::Evaluate => TaskName::Evaluate,
    };
    object(&[
        ("task", to_js(&task)?),
        ("start", number(round.start())),
        ("batch", round.cut().samples().into()),
        ("first_part", round.parts().start.into()),
        ("end_part", round.parts().end.into()),
    ])
}

/// Copies of the parameters, in `room` where it has the right length, and of ḡ for a second sweep.
pub(crate) fn vectors_to_js(
    shared: &Shared<'_, f32>,
    room: Option<Float32Array>,
) -> Result<JsValue, JsError> {
    let parameters = array_of(shared.parameters.len(), room);
    parameters.copy_from(shared.parameters);
    let mean = shared.mean_gradient.map_or(JsValue::NULL, |mean| Float32Array::from(mean).into());
    object(&[("parameters", parameters.into()), ("mean_gradient", mean)])
}

/// `room` where it has this length, else a new array.
fn array_of(len: usize, room: Option<Float32Array>) -> Float32Array {
    let len = len as u32;
    room.filter(|room| room.length() == len).unwrap_or_else(|| Float32Array::new_with_length(len))
}

/// A part and what a worker found in it: a few numbers, and in a first sweep sums over the parameters.
fn result_to_js<T: Plain>(numbers: (Part, T), values: JsValue) -> Result<JsValue, JsError> {
    let numbers = Uint8Array::from(to_bytes(numbers).as_slice());
    object(&[("numbers", numbers.into()), ("values", values)])
}

/// Σ gᵢ, and where a test asks for it Σ gᵢ² behind it.
fn vectors_of(sums: &Statistics<'_, f32>, room: Option<Float32Array>) -> Float32Array {
    let values = array_of(sums.gradient_sum.len() + sums.second_moment.len(), room);
    let parameters = sums.gradient_sum.len() as u32;
    values.subarray(0, parameters).copy_from(sums.gradient_sum);
    values.subarray(parameters, values.length()).copy_from(sums.second_moment);
    values
}

/// The reverse of [`vectors_of`].
fn read_vectors(sums: &mut Statistics<'_, f32>, values: &Float32Array) -> Result<(), TakeError> {
    let len = [&*sums.gradient_sum, &*sums.second_moment].map(|values| values.len() as u32);
    if values.length() != len[0] + len[1] {
        return Err(TakeError::Numbers);
    }
    values.subarray(0, len[0]).copy_to(sums.gradient_sum);
    values.subarray(len[0], len[0] + len[1]).copy_to(sums.second_moment);
    Ok(())
}

/// What a run made of a worker's result.
#[allow(clippy::large_enum_variant, reason = "one is returned per part, and none is kept")]
pub(crate) enum Taken {
    Advance(Box<Advance>),
    Evaluation(Option<Evaluation>),
}

/// Gives a run what a worker found in the part that it asked for next.
pub(crate) fn take(
    run: &mut LocalRun<f32, FastBackend>,
    numbers: &[u8],
    values: Option<&Float32Array>,
) -> Result<Taken, TakeError> {
    let (part, rest) = numbers.split_at_checked(Part::BYTES).ok_or(TakeError::Numbers)?;
    let part: Part = read(part)?;
    Ok(match (part.task, values) {
        (Task::Accumulate, Some(values)) => {
            let totals = read(rest)?;
            Taken::Advance(Box::new(run.take_sums(&part, |sums| {
                sums.totals = totals;
                read_vectors(sums, values)
            })?))
        }
        (Task::Project, None) => Taken::Advance(Box::new(run.take_inner(&part, &read(rest)?)?)),
        (Task::Evaluate, None) => Taken::Evaluation(run.take_score(&part, read(rest)?)?),
        _ => return Err(TakeError::Numbers),
    })
}

fn read<T: Plain>(bytes: &[u8]) -> Result<T, TakeError> {
    from_bytes(bytes).map_err(|_| TakeError::Numbers)
}

/// Why a part was not taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum TakeError {
    /// A worker sent something else than what it was asked for.
    Numbers,
    /// What core says of it.
    Run(RunError),
}

impl From<RunError> for TakeError {
    fn from(error: RunError) -> Self {
        Self::Run(error)
    }
}

impl From<PartError> for TakeError {
    fn from(error: PartError) -> Self {
        Self::Run(error.into())
    }
}

impl From<LengthMismatch> for TakeError {
    fn from(error: LengthMismatch) -> Self {
        Self::Run(error.into())
    }
}

impl std::fmt::Display for TakeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Numbers => f.write_str("a worker of the team returned a result that does not fit its task"),
            Self::Run(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TakeError {}
