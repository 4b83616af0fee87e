//! An evaluation, one micro-batch at a time.

use super::LocalRun;
use crate::backend::Backend;
use crate::dataset::Dataset;
use crate::network::Score;
use crate::owned::{Evaluation, RunError};
use crate::real::Real;
use crate::statistics::LengthMismatch;
use crate::training::{Cut, MicroBatch, Walk};

/// An evaluation under way.
#[derive(Clone, Debug)]
pub(super) struct Evaluating<S> {
    pub(super) walk: Walk,
    pub(super) samples: u32,
    part: Score<S>,
    pub(super) total: Score<S>,
}

impl<F: Real, M: Backend<F> + Copy> LocalRun<F, M> {
    /// Starts to measure loss and accuracy on a data set. Replaces an unfinished evaluation.
    pub fn begin_evaluation(&mut self, dataset: &dyn Dataset<F>) {
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
    pub fn advance_evaluation(&mut self, dataset: &dyn Dataset<F>) -> Result<Option<Evaluation>, RunError> {
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
}
