//! An evaluation, one micro-batch at a time.

use super::{LocalEngine, LocalRun};
use crate::backend::Backend;
use crate::dataset::{Dataset, Visit};
use crate::network::Score;
use crate::owned::workspaces::CachingWorkspaces;
use crate::owned::{Evaluation, RunError};
use crate::real::Real;
use crate::statistics::LengthMismatch;
use crate::training::{Cut, MicroBatch, Part, PartError, Round, Sweeper, Task, Walk, Work};

/// An evaluation under way.
#[derive(Clone, Debug)]
pub(super) struct Evaluating<F: Real> {
    round: Round,
    /// What is left of the part at hand, once it has begun.
    walk: Option<Walk>,
    part: Score<F::Sum>,
    total: Score<F::Sum>,
    /// Labels of a sample.
    positions: usize,
}

impl<F: Real> Evaluating<F> {
    fn new(dataset: &dyn Dataset<F>) -> Self {
        let round = Round::new(Task::Evaluate, 0, Cut::new(dataset.len(), 0));
        let positions = dataset.shape().labels as usize;
        Self { round, walk: None, part: Score::default(), total: Score::default(), positions }
    }

    /// Samples that are done, and all.
    pub(super) fn visits(&self) -> (u64, u64) {
        let position = self.walk.as_ref().map_or(self.round.position(), Walk::position);
        (position.into(), self.round.cut().samples().into())
    }

    /// The sweep whose parts others may sweep: none inside a part and after the last one.
    pub(super) fn shared(&self) -> Option<Round> {
        (self.walk.is_none() && !self.round.is_complete()).then_some(self.round)
    }

    /// Takes the next part; the result comes with the last one.
    pub(super) fn take(
        &mut self,
        part: &Part,
        score: Score<F::Sum>,
    ) -> Result<Option<Evaluation>, PartError> {
        self.round.take(part, part.samples())?;
        self.total.merge(score);
        let samples = self.round.cut().samples();
        Ok(self.round.is_complete().then(|| Evaluation::new(self.total, samples, self.positions)))
    }
}

impl<F: Real, M: Backend<F> + Copy> LocalRun<F, M> {
    /// Starts to measure loss and accuracy on a data set. Replaces an unfinished evaluation.
    pub fn begin_evaluation(&mut self, dataset: &dyn Dataset<F>) {
        self.evaluation = Some(Evaluating::new(dataset));
    }

    /// Evaluates the next micro-batch; the result comes with the last one. `None` while there is more to do, or
    /// when no evaluation was started.
    ///
    /// # Errors
    /// When the samples do not fit the network, or there are none.
    pub fn advance_evaluation(&mut self, dataset: &dyn Dataset<F>) -> Result<Option<Evaluation>, RunError> {
        let Some(mut evaluating) = self.evaluation.take() else { return Ok(None) };
        if evaluating.round.cut().samples() == 0 {
            let what = "the evaluation set";
            return Err(LengthMismatch { what, expected: 1, found: 0 }.into());
        }
        let Some(part) = evaluating.round.next() else { return Ok(None) };
        let LocalEngine { network, memory, product } = &mut self.engine;
        let Evaluating { walk, part: score, .. } = &mut evaluating;
        let walk_of_part = walk.get_or_insert_with(|| part.walk(memory.micro_batch()));
        let MicroBatch { positions, ends_part } = walk_of_part.next().unwrap_or(MicroBatch::NONE);
        let network = network.view();
        let mut workspaces = CachingWorkspaces { network, backend: *product, memory, cache: None };
        let mut sweeper = Sweeper {
            workspaces: &mut workspaces,
            parameters: &self.parameters,
            dataset,
            visit: Visit::from,
        };
        sweeper.micro_batch(0, positions, &mut Work::Evaluate { score, outputs: &mut |_, _| {} })?;
        if ends_part {
            evaluating.walk = None;
            let score = core::mem::take(&mut evaluating.part);
            if let Some(result) = evaluating.take(&part, score)? {
                return Ok(Some(result));
            }
        }
        self.evaluation = Some(evaluating);
        Ok(None)
    }
}
