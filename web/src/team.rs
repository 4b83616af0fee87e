//! Several workers of the tab sweep the parts of one run's batches: [`TeamMember`] in each of them, and what passes
//! between it and the [`Session`](crate::Session) that leads. Numbers travel as plain arrays, sums over parameters in
//! buffers that change hands.

use adadagrad_core::backend::FastBackend;
use adadagrad_core::config::RunConfig;
use adadagrad_core::network::Score;
use adadagrad_core::owned::{OwnedNetwork, PartWorker, RunError, Shared, StepPart, Task};
use adadagrad_core::statistics::{Inner, LengthMismatch, Parts, Statistics, Totals};
use js_sys::{Float32Array, Float64Array};
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
    /// Reads and checks the data set, which is to be the session's.
    ///
    /// # Errors
    /// Which file is broken, how, and at which byte.
    #[wasm_bindgen(constructor)]
    pub fn new(files: &DatasetFiles) -> Result<Self, JsError> {
        Ok(Self { data: Data::read(files)?, worker: None })
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
        self.data = self.data.for_run(&config);
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

    /// Does one part of a task: what [`Session::take`](crate::Session::take) takes. Sums over the parameters are
    /// written into `room`, where that has the right length: memory that is new costs more than the copy.
    ///
    /// # Errors
    /// When the samples do not fit, or `start` is no count.
    #[wasm_bindgen(unchecked_return_type = "PartResult")]
    pub fn sweep(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "TeamTask")] task: JsValue,
        start: f64,
        batch: u32,
        part: u32,
        room: Option<Float32Array>,
    ) -> Result<JsValue, JsError> {
        let start = whole(start).ok_or_else(|| JsError::new("the position is not a whole number"))?;
        let Self { data, worker } = self;
        let worker = worker.as_mut().ok_or_else(no_run)?;
        let of_step = StepPart { start, batch, part };
        match from_js(task)? {
            TaskName::Accumulate => worker.accumulate(of_step, &*data.train, |sums| sums_to_js(sums, room)),
            TaskName::Project => inner_to_js(&worker.project(of_step, &*data.train)?),
            TaskName::Evaluate => score_to_js(worker.evaluate(part, &*data.test)?),
        }
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

/// What the team is to do, in JavaScript's terms; what it needs for that is another question, [`vectors_to_js`].
pub(crate) fn shared_to_js(shared: &Shared<'_, f32>) -> Result<JsValue, JsError> {
    let task = match shared.task {
        Task::Accumulate => TaskName::Accumulate,
        Task::Project => TaskName::Project,
        Task::Evaluate => TaskName::Evaluate,
    };
    let (start, batch) = shared.plan.map_or((0, 0), |plan| (plan.start, plan.cut.samples()));
    object(&[
        ("task", to_js(&task)?),
        ("start", number(start)),
        ("batch", batch.into()),
        ("first_part", shared.parts.start.into()),
        ("end_part", shared.parts.end.into()),
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

/// What a worker found in a part: a few numbers, and in a first sweep sums over the parameters, Σ gᵢ and where a
/// test asks for it Σ gᵢ² behind it.
fn result_to_js(numbers: &[f64], values: JsValue) -> Result<JsValue, JsError> {
    object(&[("numbers", Float64Array::from(numbers).into()), ("values", values)])
}

fn sums_to_js(sums: &Statistics<'_, f32>, room: Option<Float32Array>) -> Result<JsValue, JsError> {
    let Totals { samples, correct, loss, sum_squared_norms, parts, moment_exponent } = sums.totals;
    let numbers = [
        samples.into(),
        correct.into(),
        loss,
        sum_squared_norms,
        parts.count.into(),
        parts.sum_squared_means,
        parts.first.0.into(),
        parts.first.1,
        moment_exponent.into(),
    ];
    let values = array_of(sums.gradient_sum.len() + sums.second_moment.len(), room);
    let parameters = sums.gradient_sum.len() as u32;
    values.subarray(0, parameters).copy_from(sums.gradient_sum);
    values.subarray(parameters, values.length()).copy_from(sums.second_moment);
    result_to_js(&numbers, values.into())
}

/// The reverse of [`sums_to_js`].
pub(crate) fn read_sums(
    sums: &mut Statistics<'_, f32>,
    numbers: &[f64],
    values: &Float32Array,
) -> Result<(), TakeError> {
    let &[samples, correct, loss, sum_squared_norms, count, sum_squared_means, of_first, first, exponent] =
        numbers
    else {
        return Err(TakeError::Numbers);
    };
    let [samples, correct, count] = [count_of(samples)?, count_of(correct)?, count_of(count)?];
    let len = [&*sums.gradient_sum, &*sums.second_moment].map(|values| values.len() as u32);
    if values.length() != len[0] + len[1] {
        return Err(TakeError::Numbers);
    }
    values.subarray(0, len[0]).copy_to(sums.gradient_sum);
    values.subarray(len[0], len[0] + len[1]).copy_to(sums.second_moment);
    let parts = Parts { count, sum_squared_means, first: (count_of(of_first)?, first) };
    let moment_exponent = exponent as i32;
    sums.totals = Totals { samples, correct, loss, sum_squared_norms, parts, moment_exponent };
    Ok(())
}

fn inner_to_js(inner: &Inner<f64>) -> Result<JsValue, JsError> {
    let &Inner { sum_squared_inner_products, sum_norm_inner_products, sum_squared_square_norms } = inner;
    let numbers = [sum_squared_inner_products, sum_norm_inner_products, sum_squared_square_norms];
    result_to_js(&numbers, JsValue::NULL)
}

/// The reverse of [`inner_to_js`].
pub(crate) fn read_inner(numbers: &[f64]) -> Result<Inner<f64>, TakeError> {
    let &[sum_squared_inner_products, sum_norm_inner_products, sum_squared_square_norms] = numbers else {
        return Err(TakeError::Numbers);
    };
    Ok(Inner { sum_squared_inner_products, sum_norm_inner_products, sum_squared_square_norms })
}

fn score_to_js(score: Score<f64>) -> Result<JsValue, JsError> {
    result_to_js(&[score.loss, score.correct.into()], JsValue::NULL)
}

/// The reverse of [`score_to_js`].
pub(crate) fn read_score(numbers: &[f64]) -> Result<Score<f64>, TakeError> {
    let &[loss, correct] = numbers else { return Err(TakeError::Numbers) };
    Ok(Score { loss, correct: count_of(correct)? })
}

fn count_of(number: f64) -> Result<u32, TakeError> {
    whole(number).and_then(|count| u32::try_from(count).ok()).ok_or(TakeError::Numbers)
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
