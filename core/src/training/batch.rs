//! The sweeps over one batch: what is to be swept next, and which results were taken.

use core::ops::Range;

use super::cut::Cut;
use super::part::{Part, PartError, Round, Task};
use crate::real::Real;
use crate::statistics::Inner;

/// The next action for a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Parts are to be swept, and taken in their order: [`Batch::take_sums`] or [`Batch::take_inner`], as the sweep's task
    /// says.
    Sweep(Round),
    /// The sums are those of the whole batch: ḡ is to be computed, then [`Batch::close`].
    MeanGradient,
    /// Everything that was requested is complete: the step can be weighed.
    Weigh,
    /// The step was weighed earlier, and is repeated: [`Step::repeat`](super::Step::repeat).
    Repeat,
}

/// The sweeps over one batch, without the sums over parameters, which stay with the engine. The first sweep adds the
/// samples' gradients; if inner products are requested, a second one goes over the same samples. An extended batch has
/// a first sweep over what extends it, and a second one over all of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Batch<S> {
    /// Samples visited before the batch.
    start: u64,
    /// All of it, with its extensions.
    whole: Cut,
    projects: bool,
    round: Round,
    /// ḡ of the whole batch is known.
    is_closed: bool,
    inner: Inner<S>,
}

impl<S: Real> Batch<S> {
    /// The samples after `start`. `projects`: inner products with ḡ are requested, which takes a second sweep.
    #[must_use]
    pub fn new(start: u64, cut: Cut, projects: bool) -> Self {
        let round = Round::new(Task::Accumulate, start, cut);
        Self { start, whole: cut, projects, round, is_closed: false, inner: Inner::default() }
    }

    /// What is to be done next.
    #[must_use]
    pub fn next(&self) -> Next {
        match (self.round.is_complete(), self.is_closed) {
            (false, _) => Next::Sweep(self.round),
            (true, false) => Next::MeanGradient,
            (true, true) => Next::Weigh,
        }
    }

    /// The current sweep, or the last one.
    #[must_use]
    pub const fn round(&self) -> &Round {
        &self.round
    }

    /// Number of its samples, those of its extensions included.
    #[must_use]
    pub const fn samples(&self) -> u32 {
        self.whole.samples()
    }

    /// Sample visits made by the parts that were taken, and those of all sweeps that are known of.
    #[must_use]
    pub fn visits(&self) -> (u64, u64) {
        let batch = u64::from(self.samples());
        let earlier = match self.round.task() {
            Task::Accumulate => u64::from(self.samples() - self.round.cut().samples()),
            Task::Project | Task::Evaluate => batch,
        };
        (earlier + u64::from(self.round.position()), batch * (1 + u64::from(self.projects)))
    }

    /// Takes the next part of a first sweep, which has been swept over `samples` samples: then its sums can be added to
    /// those of the batch.
    ///
    /// # Errors
    /// When it is not the next one; then it is not taken.
    pub fn take_sums(&mut self, part: &Part, samples: u32) -> Result<(), PartError> {
        if part.task != Task::Accumulate {
            return Err(PartError::OtherSweep);
        }
        self.round.take(part, samples)
    }

    /// Takes the next parts of a first sweep, whose sums were added where they were swept.
    ///
    /// # Errors
    /// Those of [`Self::take_sums`].
    pub fn take_several_sums(&mut self, parts: Range<u32>, samples: u32) -> Result<(), PartError> {
        if self.round.task() != Task::Accumulate {
            return Err(PartError::OtherSweep);
        }
        self.round.take_several(parts, samples)
    }

    /// Takes everything that is still missing: for an engine that makes the sweeps over these `samples` samples by
    /// itself, and returns ḡ and inner products with the evidence.
    ///
    /// # Errors
    /// When a part was taken already, or other samples were swept.
    pub fn take_whole(&mut self, samples: u32) -> Result<(), PartError> {
        self.take_several_sums(0..self.round.cut().parts(), samples)?;
        self.close()?;
        let rest = self.round.parts();
        if rest.is_empty() { Ok(()) } else { self.round.take_several(rest, self.samples()) }
    }

    /// Takes the next part of a second sweep.
    ///
    /// # Errors
    /// When it is not the next one; then it is not taken.
    pub fn take_inner(&mut self, part: &Part, inner: &Inner<S>) -> Result<(), PartError> {
        if part.task != Task::Project {
            return Err(PartError::OtherSweep);
        }
        self.round.take(part, part.samples())?;
        self.inner.merge(inner);
        Ok(())
    }

    /// ḡ is known: the second sweep follows, if there is one.
    ///
    /// # Errors
    /// When a part is missing, or ḡ was known already.
    pub fn close(&mut self) -> Result<(), PartError> {
        if self.is_closed {
            return Err(PartError::OtherSweep);
        }
        self.round.check_complete()?;
        self.is_closed = true;
        if self.projects {
            self.round = Round::new(Task::Project, self.start, self.whole);
            self.inner = Inner::default();
        }
        Ok(())
    }

    /// The inner products of all samples with ḡ, if they were requested.
    ///
    /// # Errors
    /// When a part is missing, or ḡ is not known.
    pub fn inner(&self) -> Result<Option<Inner<S>>, PartError> {
        self.check_whole()?;
        Ok(self.projects.then_some(self.inner))
    }

    /// `Ok` once all that was asked for is there.
    pub(super) fn check_whole(&self) -> Result<(), PartError> {
        self.round.check_complete()?;
        if self.is_closed { Ok(()) } else { Err(PartError::OtherSweep) }
    }

    /// More samples, which follow those so far.
    pub(super) fn extend(&mut self, cut: Cut) {
        self.round = Round::new(Task::Accumulate, self.start.saturating_add(self.samples().into()), cut);
        self.whole = self.whole.with(cut);
        self.is_closed = false;
    }
}
