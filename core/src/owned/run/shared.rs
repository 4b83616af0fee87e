//! Work that a run leaves to others, and its results.

use super::evaluating::Evaluating;
use super::under_way::UnderWay;
use super::{Advance, LocalRun};
use crate::backend::Backend;
use crate::network::Score;
use crate::owned::{Evaluation, RunError};
use crate::real::Real;
use crate::statistics::{Inner, LengthMismatch, Statistics};
use crate::training::{Next, Part, PartError, Round, Task};

/// The work that [`LocalRun::share`] leaves to others.
#[derive(Clone, Debug)]
pub struct Shared<'a, F: Real> {
    /// What to do with which parts: those of [`Round::parts`].
    pub round: Round,
    /// The parameters, D values in the engine's order, as all vectors here.
    pub parameters: &'a [F],
    /// ḡ for a second sweep.
    pub mean_gradient: Option<&'a [F]>,
}

impl<F: Real, M: Backend<F> + Copy> LocalRun<F, M> {
    /// What others may sweep for this run: parts of the current evaluation or step, or of the next step, which then
    /// starts. `None` when the sample budget is spent, or when this run must work alone: inside a part, after the
    /// last one, or in steps that are repeated.
    pub fn share(&mut self) -> Option<Shared<'_, F>> {
        let round = match (&self.evaluation, &self.under_way) {
            (Some(evaluating), _) => evaluating.shared()?,
            (None, _) if self.is_repeating() => return None,
            (None, Some(under_way)) => under_way.shared()?,
            (None, None) => {
                let under_way = self.begin()?;
                self.under_way.insert(under_way).shared()?
            }
        };
        let mean_gradient = (round.task() == Task::Project).then_some(&*self.mean_gradient);
        Some(Shared { round, parameters: &self.parameters, mean_gradient })
    }

    /// Takes the sums over the next part, which `fill` adds to zeros; after the last part continues as
    /// [`Self::advance`] does.
    ///
    /// # Errors
    /// When it is not the part that [`Self::share`] asks for next, and those of `fill` and of [`Self::advance`]; then the
    /// step starts again.
    pub fn take_sums<E: From<LengthMismatch> + From<RunError>>(
        &mut self,
        part: &Part,
        fill: impl FnOnce(&mut Statistics<'_, F>) -> Result<(), E>,
    ) -> Result<Advance, E> {
        let mut under_way = self.awaited(part)?;
        self.part.with(fill)?;
        self.take_part(&mut under_way, part)?;
        Ok(self.end_part(under_way)?)
    }

    /// Takes the next part's inner products.
    ///
    /// # Errors
    /// When it is not the part that [`Self::share`] asks for next, and those of [`Self::advance`]; then the step starts
    /// again.
    pub fn take_inner(&mut self, part: &Part, inner: &Inner<F::Sum>) -> Result<Advance, RunError> {
        let mut under_way = self.awaited(part)?;
        under_way.step.batch_mut().take_inner(part, inner)?;
        self.end_part(under_way)
    }

    /// Takes the next part's score in the current evaluation; returns its result with the last one.
    ///
    /// # Errors
    /// When it is not the part that [`Self::share`] asks for next; then it is not taken.
    pub fn take_score(&mut self, part: &Part, score: Score<F::Sum>) -> Result<Option<Evaluation>, PartError> {
        let is_whole = |evaluating: &&mut Evaluating<F>| evaluating.shared().is_some();
        let evaluating = self.evaluation.as_mut().filter(is_whole).ok_or(PartError::OtherSweep)?;
        let result = evaluating.take(part, score)?;
        if result.is_some() {
            self.evaluation = None;
        }
        Ok(result)
    }

    /// The step that a part belongs to, which is left to begin again unless it is put back.
    fn awaited(&mut self, part: &Part) -> Result<UnderWay<F>, RunError> {
        // Micro-batches are counted as this run sweeps them: once another has swept a part, the count tells nothing.
        self.cache.begin(0);
        let is_repeating = self.is_repeating();
        let is_awaited = |under_way: &UnderWay<F>| {
            under_way.shared().is_some_and(|round| round.task() == part.task) && !is_repeating
        };
        self.under_way.take().filter(is_awaited).ok_or(PartError::OtherSweep.into())
    }

    fn end_part(&mut self, under_way: UnderWay<F>) -> Result<Advance, RunError> {
        if !matches!(under_way.step.next(), Next::Sweep(_)) {
            return self.go_on(under_way);
        }
        self.under_way = Some(under_way);
        Ok(Advance::Working)
    }
}
