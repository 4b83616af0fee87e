//! A whole run on one thread that owns its memory. It works one micro-batch at a time, so that a caller with a
//! clock can stop inside a step. Engines on several threads use the same pieces of memory.

use core::fmt;
use core::ops::Range;
use std::collections::VecDeque;
use std::vec::Vec;

use crate::backend::Backend;
use crate::config::{ConfigError, RetuneError, RunConfig};
use crate::cut::{Cut, Grain, MicroBatch, Walk};
use crate::dataset::{Dataset, SampleShape, Visit};
use crate::model::{Model, ModelError};
use crate::network::{
    Network, NetworkError, Node, Placed, Score, Shape, Sweep, SweepError, Workspace, initialise,
};
use crate::optimizer::StepScalars;
use crate::real::Real;
use crate::shuffle::Order;
use crate::statistics::{Inner, LengthMismatch, Needs, Statistics, check_length};
use crate::subnormal::flush_all;
pub use crate::sums::{BatchSums, OwnedStatistics};
use crate::trainer::{Decided, Plan, Progress, StepError, Telemetry, Trainer};

/// Values that a micro-batch may take: with `f32` 4 MiB, of which fused layers touch so little that it stays in
/// a core's own cache.
const WORKING_SET: usize = 1 << 20;

/// Bytes that micro-batches may take that are kept from the first sweep to the second.
const KEPT: usize = if cfg!(target_arch = "wasm32") { 64 << 20 } else { 256 << 20 };

/// Why a run does not start or continue. Its state is unchanged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RunError {
    /// The settings cannot run.
    Config(ConfigError),
    /// The model has no layers.
    Model(ModelError),
    /// The layers do not fit together, or not the data.
    Network(NetworkError),
    /// A step was refused.
    Step(StepError),
    /// A micro-batch could not be swept.
    Sweep(SweepError),
    /// This many bytes could not be allocated.
    OutOfMemory {
        /// Bytes requested.
        bytes: usize,
    },
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::Model(error) => error.fmt(f),
            Self::Network(error) => error.fmt(f),
            Self::Step(error) => error.fmt(f),
            Self::Sweep(error) => error.fmt(f),
            Self::OutOfMemory { bytes } => {
                write!(f, "out of memory: {bytes} more bytes could not be allocated")
            }
        }
    }
}

impl core::error::Error for RunError {}

macro_rules! from {
    ($($error:ty => $variant:expr),+ $(,)?) => {
        $(impl From<$error> for RunError {
            fn from(error: $error) -> Self {
                $variant(error)
            }
        })+
    };
}

from! {
    ConfigError => RunError::Config,
    ModelError => RunError::Model,
    NetworkError => RunError::Network,
    StepError => RunError::Step,
    SweepError => RunError::Sweep,
    LengthMismatch => |error| RunError::Step(StepError::Length(error)),
}

/// `len` zeros.
pub(crate) fn zeros<T: Clone + Default>(len: usize) -> Result<Vec<T>, RunError> {
    let mut values = Vec::new();
    let bytes = len.saturating_mul(size_of::<T>());
    values.try_reserve_exact(len).map_err(|_| RunError::OutOfMemory { bytes })?;
    values.resize(len, T::default());
    Ok(values)
}

/// A network with the memory for its nodes.
#[derive(Clone, Debug)]
pub struct OwnedNetwork {
    placed: Vec<Placed>,
    grain: Grain,
}

impl OwnedNetwork {
    /// Places the nodes.
    ///
    /// # Errors
    /// When they do not fit together.
    pub fn new(input: Shape, nodes: &[Node]) -> Result<Self, RunError> {
        let mut placed = std::vec![Placed::empty(); nodes.len()];
        let network = Network::place(input, nodes, &mut placed)?;
        let grain = Grain::of_cost(network.flops(), network.parameters());
        Ok(Self { placed, grain })
    }

    /// The network of nodes for samples of a shape.
    ///
    /// # Errors
    /// When they do not fit together, or give another number of classes.
    pub fn of_nodes(nodes: &[Node], shape: SampleShape) -> Result<Self, RunError> {
        let network = Self::new(shape.input, nodes)?;
        let outputs = network.view().output().channels;
        if outputs != shape.classes {
            return Err(NetworkError::Classes { outputs, classes: shape.classes }.into());
        }
        Ok(network)
    }

    /// The network of a model for samples of a shape.
    ///
    /// # Errors
    /// When its layers do not fit the samples, or the settings do not say what they are.
    pub fn of_model(model: Model, shape: SampleShape) -> Result<Self, RunError> {
        let mut nodes = std::vec![Node::empty(); model.len(shape)?];
        let network = Self::of_nodes(model.write(shape, &mut nodes)?, shape)?;
        let grain = model.grain(network.view());
        Ok(Self { grain, ..network })
    }

    /// How finely a run's batches are cut: [`Trainer::with_grain`].
    #[must_use]
    pub const fn grain(&self) -> Grain {
        self.grain
    }

    /// The same network with its weights in the order that this module's engines use: see [`Network::keep_by_inputs`].
    #[must_use]
    pub fn by_inputs(mut self) -> Self {
        Network::keep_by_inputs(&mut self.placed);
        self
    }

    /// A copy of vectors in this network's order, converted to the order of files.
    #[must_use]
    pub fn as_files_hold<F: Copy>(&self, own: &[F]) -> Vec<F> {
        let mut vectors = own.to_vec();
        // A vector of another length is none of this network's, and has no other order.
        let _ = self.view().from_own_order(own, &mut vectors);
        vectors
    }

    /// The network.
    #[must_use]
    pub fn view(&self) -> Network<'_> {
        Network::from_placed(&self.placed)
    }
}

/// The micro-batch that suits a network: as small a part as its batches are cut into, and larger if it still takes little
/// memory. What is done for the weights, such as reading them, is done once for all of its samples.
fn micro_batch(network: Network<'_>) -> usize {
    let part = Grain::of_cost(network.flops(), network.parameters()).samples as usize;
    network.micro_batch(WORKING_SET).max(part)
}

/// Working memory for sweeps over micro-batches.
#[derive(Debug)]
pub struct SweepMemory<F: Real> {
    micro_batch: usize,
    values: Vec<F>,
    sums: Vec<F::Sum>,
    visits: Vec<Visit>,
    labels: Vec<u32>,
}

impl<F: Real> SweepMemory<F> {
    /// Memory for the micro-batch that suits the network.
    ///
    /// # Errors
    /// When there is not that much memory.
    pub fn new(network: Network<'_>) -> Result<Self, RunError> {
        let micro_batch = micro_batch(network);
        let len = network.workspace(micro_batch);
        Ok(Self {
            micro_batch,
            values: zeros(len.values)?,
            sums: zeros(len.sums)?,
            visits: zeros(len.visits)?,
            labels: zeros(len.labels)?,
        })
    }

    /// Samples in a micro-batch.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)]
    pub fn micro_batch(&self) -> u32 {
        self.micro_batch as u32
    }

    /// The engine in this memory.
    ///
    /// # Errors
    /// When the memory was made for another network.
    pub fn sweep<'a, M: Backend<F> + Copy>(
        &'a mut self,
        network: Network<'a>,
        product: M,
    ) -> Result<Sweep<'a, F, M>, LengthMismatch> {
        let Self { micro_batch, values, sums, visits, labels } = self;
        Sweep::new(network, product, *micro_batch, Workspace { values, sums, visits, labels })
    }
}

/// Separate working memory for each micro-batch, in order, so that a second sweep can reuse the first one's
/// activations and their gradients.
#[derive(Debug)]
pub struct Kept<F: Real> {
    memories: Vec<SweepMemory<F>>,
    most: usize,
}

impl<F: Real> Default for Kept<F> {
    fn default() -> Self {
        Self { memories: Vec::new(), most: 0 }
    }
}

impl<F: Real> Kept<F> {
    /// Starts a batch of which at most `most` micro-batches are kept: see [`Self::most`].
    pub fn begin(&mut self, most: usize) {
        self.most = most;
        self.memories.truncate(most);
    }

    /// Micro-batches of a network that may be kept at a time: 256 MiB of them, in a browser 64.
    #[must_use]
    pub fn most(network: Network<'_>) -> usize {
        let values = network.workspace(micro_batch(network)).values;
        KEPT / (values * size_of::<F>()).max(1)
    }

    /// Memory for micro-batch `index`, to be called in ascending order; `None` if it is not kept.
    pub fn make(&mut self, network: Network<'_>, index: usize) -> Option<&mut SweepMemory<F>> {
        if index == self.memories.len() && index < self.most {
            // Without memory for it, it is computed again.
            self.memories.push(SweepMemory::new(network).ok()?);
        }
        self.memories.get_mut(index)
    }

    /// What the first sweep left of micro-batch `index`.
    pub fn get(&mut self, index: usize) -> Option<&mut SweepMemory<F>> {
        self.memories.get_mut(index)
    }
}

/// Loss and accuracy over a data set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluation {
    /// Mean loss in nats.
    pub loss: f64,
    /// Fraction classified correctly.
    pub accuracy: f64,
}

impl Evaluation {
    /// From the sums over `samples` samples; without samples, both are 0.
    #[must_use]
    pub fn new<S: Real>(score: Score<S>, samples: u32) -> Self {
        let samples = f64::from(samples.max(1));
        Self { loss: score.loss.as_f64() / samples, accuracy: f64::from(score.correct) / samples }
    }
}

/// What one call of [`LocalRun::advance`] did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Advance {
    /// A micro-batch; the step is not complete.
    Working,
    /// The last micro-batch of a step.
    Step(Telemetry),
    /// Nothing: the sample budget is spent.
    Finished,
}

/// The work that [`LocalRun::share`] leaves to others.
#[derive(Clone, Debug)]
pub struct Shared<'a, F: Real> {
    /// What to do with each part.
    pub task: Task,
    /// The step that the parts belong to; `None` for an evaluation.
    pub plan: Option<Plan<F::Sum>>,
    /// The parts that are still to be swept.
    pub parts: Range<u32>,
    /// The parameters, D values in the engine's order, as all vectors here.
    pub parameters: &'a [F],
    /// ḡ for a second sweep.
    pub mean_gradient: Option<&'a [F]>,
}

/// What to do with the parts of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// The first sweep of a step: [`LocalRun::take_sums`].
    Accumulate,
    /// The second: [`LocalRun::take_inner`].
    Project,
    /// An evaluation: [`LocalRun::take_score`].
    Evaluate,
}

/// A run on this thread.
#[derive(Debug)]
pub struct LocalRun<F: Real, M> {
    trainer: Trainer<F>,
    engine: LocalEngine<F, M>,
    parameters: Vec<F>,
    memory: Vec<F>,
    part: OwnedStatistics<F>,
    sums: BatchSums<F>,
    /// ḡ; during the first sweep nobody needs it.
    mean_gradient: Vec<F>,
    step: Option<Step<F>>,
    kept: Kept<F>,
    /// Steps to be made again before any new one.
    again: VecDeque<Decided<F>>,
    evaluation: Option<Evaluating<F::Sum>>,
}

#[derive(Debug)]
struct LocalEngine<F: Real, M> {
    network: OwnedNetwork,
    memory: SweepMemory<F>,
    product: M,
}

/// A step under way.
#[derive(Clone, Debug)]
struct Step<F: Real> {
    plan: Plan<F::Sum>,
    order: Order,
    walk: Walk,
    /// Micro-batches of this sweep that are done.
    swept: usize,
    /// The second sweep, once it has begun.
    projection: Option<Projection<F::Sum>>,
    /// The scalars of a step that is made again: it was weighed before, and counts already.
    decided: Option<StepScalars<F>>,
}

/// Inner products of the part at hand, and of the parts before it.
#[derive(Clone, Debug, Default)]
struct Projection<S> {
    part: Inner<S>,
    total: Inner<S>,
}

#[derive(Clone, Debug)]
struct Evaluating<S> {
    walk: Walk,
    samples: u32,
    part: Score<S>,
    total: Score<S>,
}

impl<F: Real, M: Backend<F> + Copy> LocalRun<F, M> {
    /// The start of a run of a network over `samples` training samples.
    ///
    /// # Errors
    /// When the settings cannot run, or there is not enough memory.
    pub fn new(config: RunConfig, network: OwnedNetwork, samples: u32, product: M) -> Result<Self, RunError> {
        let mut run = Self::empty(Trainer::new(config, samples)?, network, product)?;
        initialise(run.engine.network.view(), config.seed, &mut run.parameters)?;
        config.optimizer.as_optimizer::<F>().start(&mut run.memory);
        Ok(run)
    }

    /// Continues a run at the trainer's progress, from an earlier copy of its parameters and optimizer memory and
    /// the steps that were made since: these are repeated first, and not counted again.
    ///
    /// # Errors
    /// When the lengths do not fit, or there is not enough memory.
    pub fn resume(
        trainer: Trainer<F>,
        network: OwnedNetwork,
        product: M,
        parameters: &[F],
        memory: &[F],
        since: impl IntoIterator<Item = Decided<F>>,
    ) -> Result<Self, RunError> {
        let mut run = Self::empty(trainer, network, product)?;
        check_length("the parameters", run.parameters.len(), parameters.len())?;
        check_length("the optimizer memory", run.memory.len(), memory.len())?;
        let network = run.engine.network.view();
        network.to_own_order(parameters, &mut run.parameters)?;
        network.to_own_order(memory, &mut run.memory)?;
        flush_all(&mut run.parameters);
        flush_all(&mut run.memory);
        run.again = since.into_iter().collect();
        Ok(run)
    }

    fn empty(trainer: Trainer<F>, network: OwnedNetwork, product: M) -> Result<Self, RunError> {
        let network = network.by_inputs();
        let trainer = trainer.with_grain(network.grain());
        let len = network.view().parameters();
        let parameters = zeros(len)?;
        let memory = zeros(trainer.config().optimizer.as_optimizer::<F>().slots() * len)?;
        let sweep_memory = SweepMemory::new(network.view())?;
        Ok(Self {
            trainer,
            parameters,
            memory,
            part: OwnedStatistics::new(len, &trainer.needs())?,
            sums: BatchSums::new(len, &trainer.needs())?,
            mean_gradient: zeros(len)?,
            engine: LocalEngine { network, memory: sweep_memory, product },
            step: None,
            kept: Kept::default(),
            again: VecDeque::new(),
            evaluation: None,
        })
    }

    /// Continues with other settings. An unfinished step starts again with them.
    ///
    /// # Errors
    /// As [`Trainer::retune`].
    pub fn retune(&mut self, config: RunConfig) -> Result<(), RetuneError> {
        self.trainer.retune(config)?;
        self.step = self.step.take().filter(|step| step.decided.is_some());
        Ok(())
    }

    /// The trainer.
    #[must_use]
    pub const fn trainer(&self) -> &Trainer<F> {
        &self.trainer
    }

    /// How far the run has come.
    #[must_use]
    pub const fn progress(&self) -> &Progress<F::Sum> {
        self.trainer.progress()
    }

    /// The parameters, D values, in the order of files.
    #[must_use]
    pub fn parameters(&self) -> Vec<F> {
        self.engine.network.as_files_hold(&self.parameters)
    }

    /// The optimizer memory, slots · D values, in the order of files.
    #[must_use]
    pub fn memory(&self) -> Vec<F> {
        self.engine.network.as_files_hold(&self.memory)
    }

    /// How many sample visits of the current step (or evaluation) are done, and how many it has in total.
    #[must_use]
    pub fn visits(&self) -> (u64, u64) {
        if let Some(Evaluating { walk, samples, .. }) = &self.evaluation {
            return (walk.position().into(), (*samples).into());
        }
        let Some(step) = &self.step else { return (0, 0) };
        let batch = u64::from(step.plan.cut.samples());
        let swept = if step.projection.is_some() { batch } else { 0 };
        (swept + u64::from(step.walk.position()), step.plan.visits())
    }

    /// Whether a step has started and is not complete.
    #[must_use]
    pub const fn is_inside_step(&self) -> bool {
        self.step.is_some()
    }

    /// Whether steps still have to be repeated; until then the parameters are older than [`Self::progress`].
    #[must_use]
    pub fn is_repeating(&self) -> bool {
        !self.again.is_empty()
    }

    /// Sweeps the next micro-batch, and makes the step with the last one.
    ///
    /// # Errors
    /// When the step is refused or cannot be computed; then parameters, optimizer memory and progress are as
    /// they were before it, and the next call starts it again.
    pub fn advance(&mut self, dataset: &impl Dataset<F>) -> Result<Advance, RunError> {
        let [expected, found] = [self.trainer.samples(), dataset.len()].map(|len| len as usize);
        check_length("the training set", expected, found)?;
        let Some(step) = self.step.take().or_else(|| self.begin()) else { return Ok(Advance::Finished) };
        self.sweep(step, dataset)
    }

    /// What others may sweep for this run: parts of the current evaluation or step, or of the next step, which then
    /// starts. `None` when the sample budget is spent, or when this run must work alone: inside a part, after the
    /// last one, or in steps that are repeated.
    pub fn share(&mut self) -> Option<Shared<'_, F>> {
        let (task, walk) = match (&self.evaluation, &self.step) {
            (Some(Evaluating { walk, .. }), _) => (Task::Evaluate, walk),
            (None, None) if self.is_repeating() => return None,
            (None, None) => {
                let step = self.begin()?;
                let walk = &self.step.insert(step).walk;
                (Task::Accumulate, walk)
            }
            (None, Some(Step { decided: Some(_), .. })) => return None,
            (None, Some(Step { projection, walk, .. })) => {
                (if projection.is_some() { Task::Project } else { Task::Accumulate }, walk)
            }
        };
        let parts = walk.whole_parts()?;
        let plan = self.step.as_ref().filter(|_| task != Task::Evaluate).map(|step| step.plan);
        let mean_gradient = (task == Task::Project).then_some(&*self.mean_gradient);
        Some(Shared { task, plan, parts, parameters: &self.parameters, mean_gradient })
    }

    /// Takes the sums over the next part, which `fill` adds to zeros; after the last part continues as
    /// [`Self::advance`] does. If [`Self::share`] does not ask for such sums, nothing is taken, and an unfinished step
    /// starts again.
    ///
    /// # Errors
    /// Those of `fill` and of [`Self::advance`]; then the step starts again.
    pub fn take_sums<E: From<LengthMismatch> + From<RunError>>(
        &mut self,
        fill: impl FnOnce(&mut Statistics<'_, F>) -> Result<(), E>,
    ) -> Result<Advance, E> {
        let awaited = |step: &Step<F>| {
            step.projection.is_none() && step.decided.is_none() && step.walk.whole_parts().is_some()
        };
        let Some(mut step) = self.step.take().filter(awaited) else { return Ok(Advance::Working) };
        self.kept_no_more();
        self.part.with(fill)?;
        step.walk.skip_part();
        self.take_part(&step.plan, &step.walk)?;
        Ok(self.end_part(step)?)
    }

    /// Takes the next part's inner products. Where [`Self::share`] asks for none, nothing is taken, and a step under way
    /// begins again.
    ///
    /// # Errors
    /// Those of [`Self::advance`].
    pub fn take_inner(&mut self, inner: &Inner<F::Sum>) -> Result<Advance, RunError> {
        let awaited = |step: &Step<F>| step.walk.whole_parts().is_some();
        let Some(mut step) = self.step.take().filter(awaited) else { return Ok(Advance::Working) };
        let Some(projection) = &mut step.projection else { return Ok(Advance::Working) };
        projection.total.merge(inner);
        step.walk.skip_part();
        self.kept_no_more();
        self.end_part(step)
    }

    /// Takes the next part's score in the current evaluation; returns its result with the last one. If [`Self::share`]
    /// does not ask for a score, nothing is taken.
    pub fn take_score(&mut self, score: Score<F::Sum>) -> Option<Evaluation> {
        let is_awaited = |evaluating: &mut Evaluating<_>| evaluating.walk.whole_parts().is_some();
        let mut evaluating = self.evaluation.take_if(is_awaited)?;
        evaluating.total.merge(score);
        evaluating.walk.skip_part();
        if evaluating.walk.is_empty() {
            return Some(Evaluation::new(evaluating.total, evaluating.samples));
        }
        self.evaluation = Some(evaluating);
        None
    }

    /// Micro-batches are counted as this run sweeps them: once another has swept a part, the count tells nothing.
    fn kept_no_more(&mut self) {
        self.kept.begin(0);
    }

    fn end_part(&mut self, step: Step<F>) -> Result<Advance, RunError> {
        if step.walk.is_empty() {
            return self.end_sweep(step);
        }
        self.step = Some(step);
        Ok(Advance::Working)
    }

    /// Starts to measure loss and accuracy on a data set. Replaces an unfinished evaluation.
    pub fn begin_evaluation(&mut self, dataset: &impl Dataset<F>) {
        let cut = Cut::new(dataset.len(), 0);
        self.evaluation = Some(Evaluating {
            walk: cut.walk(0..cut.parts(), self.engine.memory.micro_batch()),
            samples: dataset.len(),
            part: Score::default(),
            total: Score::default(),
        });
    }

    /// Evaluates the next micro-batch; the result comes with the last one. `None` while there is more to do, or
    /// when no evaluation was started.
    ///
    /// # Errors
    /// When the samples do not fit the network, or there are none.
    pub fn advance_evaluation(&mut self, dataset: &impl Dataset<F>) -> Result<Option<Evaluation>, RunError> {
        let Some(mut evaluating) = self.evaluation.take() else { return Ok(None) };
        if evaluating.samples == 0 {
            let what = "the evaluation set";
            return Err(LengthMismatch { what, expected: 1, found: 0 }.into());
        }
        if let Some(MicroBatch { positions, ends_part }) = evaluating.walk.next() {
            let mut sweep = self.engine.memory.sweep(self.engine.network.view(), self.engine.product)?;
            evaluating.part.merge(sweep.evaluate(&self.parameters, dataset, positions)?);
            if ends_part {
                evaluating.total.merge(core::mem::take(&mut evaluating.part));
            }
            self.evaluation = Some(evaluating);
            return Ok(None);
        }
        Ok(Some(Evaluation::new(evaluating.total, evaluating.samples)))
    }

    /// Plans the next step, those to be made again first; `None` when the budget is spent.
    fn begin(&mut self) -> Option<Step<F>> {
        let again = self.again.front().copied();
        let decided = again.map(|step| step.scalars);
        let plan = match again {
            // Nothing is asked of it but its gradient.
            Some(step) => Plan { needs: Needs { inner: false, ..step.plan.needs }, ..step.plan },
            None => self.trainer.plan()?,
        };
        self.sums.begin(&mut self.part);
        self.part.clear();
        let walk = plan.cut.walk(0..plan.cut.parts(), self.engine.memory.micro_batch());
        let most = if plan.needs.inner { Kept::<F>::most(self.engine.network.view()) } else { 0 };
        self.kept.begin(most);
        Some(Step { plan, order: self.trainer.order(), walk, swept: 0, projection: None, decided })
    }

    fn sweep(&mut self, mut step: Step<F>, dataset: &impl Dataset<F>) -> Result<Advance, RunError> {
        let Some(MicroBatch { positions, ends_part }) = step.walk.next() else {
            return self.end_sweep(step);
        };
        let LocalEngine { network, memory, product } = &mut self.engine;
        let network = network.view();
        let Step { plan, order, walk, swept, projection, .. } = &mut step;
        let count = positions.len();
        let samples = positions.map(|position| order.visit(plan.start.saturating_add(position.into())));
        match projection {
            None => {
                let memory = self.kept.make(network, *swept).unwrap_or(memory);
                let mut sweep = memory.sweep(network, *product)?;
                self.part
                    .with(|part| sweep.accumulate(&self.parameters, dataset, samples, &plan.needs, part))?;
                if ends_part {
                    self.take_part(plan, walk)?;
                }
            }
            Some(Projection { part, total }) => {
                let mean = &self.mean_gradient;
                match self.kept.get(*swept) {
                    Some(memory) => {
                        memory.sweep(network, *product)?.project_kept(&self.parameters, mean, count, part)
                    }
                    None => {
                        let mut sweep = memory.sweep(network, *product)?;
                        sweep.project(&self.parameters, mean, dataset, samples, part)
                    }
                }?;
                if ends_part {
                    total.merge(&core::mem::take(part));
                }
            }
        }
        *swept += 1;
        self.step = Some(step);
        Ok(Advance::Working)
    }

    /// Takes a part's sums, and makes room for the next one's.
    fn take_part(&mut self, plan: &Plan<F::Sum>, walk: &Walk) -> Result<(), LengthMismatch> {
        self.sums.take(&mut self.part, &plan.needs)?;
        if !walk.is_empty() {
            self.part.clear();
        }
        Ok(())
    }

    /// After the last micro-batch of a sweep: a second sweep, or the update.
    fn end_sweep(&mut self, mut step: Step<F>) -> Result<Advance, RunError> {
        let Plan { cut, needs, .. } = step.plan;
        if step.projection.is_none() {
            self.sums.mean_gradient(&mut self.mean_gradient)?;
            if needs.inner {
                step.projection = Some(Projection::default());
                step.walk = cut.walk(0..cut.parts(), self.engine.memory.micro_batch());
                step.swept = 0;
                self.step = Some(step);
                return Ok(Advance::Working);
            }
        }
        if let Some(scalars) = step.decided {
            let optimizer = self.trainer.config().optimizer.as_optimizer::<F>();
            optimizer.update(&scalars, &mut self.parameters, &self.mean_gradient, &mut self.memory)?;
            self.again.pop_front();
            return Ok(Advance::Working);
        }
        let inner = step.projection.map(|projection| projection.total);
        let evidence = self.sums.evidence(&needs, inner)?;
        let Self { trainer, mean_gradient, parameters, memory, .. } = self;
        let telemetry = trainer.conclude(&step.plan, &evidence, mean_gradient, parameters, memory);
        Ok(Advance::Step(telemetry.map_err(RunError::Step)?))
    }
}
