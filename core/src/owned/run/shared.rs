//! Work that a run leaves to others, and what they make of it.

use core::ops::Range;

use super::evaluating::Evaluating;
use super::step::Step;
use super::{Advance, LocalRun};
use crate::backend::Backend;
use crate::network::Score;
use crate::owned::{Evaluation, RunError};
use crate::real::Real;
use crate::statistics::{Inner, LengthMismatch, Statistics};
use crate::training::Plan;

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

impl<F: Real, M: Backend<F> + Copy> LocalRun<F, M> {
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
        self.drop_cache();
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
        self.drop_cache();
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
    fn drop_cache(&mut self) {
        self.cache.begin(0);
    }

    fn end_part(&mut self, step: Step<F>) -> Result<Advance, RunError> {
        if step.walk.is_empty() {
            return self.end_sweep(step);
        }
        self.step = Some(step);
        Ok(Advance::Working)
    }
}
