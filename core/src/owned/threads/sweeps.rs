//! The sweeps over a batch: their jobs, and what is done with the results.

use std::sync::Arc;
use std::vec::Vec;

use super::error::ThreadsError;
use super::pool::InOrder;
use super::sums::Sums;
use super::worker::{Done, Job, PartWorker, Room};
use crate::network::Score;
use crate::owned::{ActivationCache, Confusion, OwnedStatistics, SharedDataset};
use crate::statistics::Inner;
use crate::training::{Batch, BatchOrder, Part, Round};

/// What all the jobs of a sweep share.
#[derive(Clone, Copy)]
pub(super) struct Over<'a> {
    pub(super) round: Round,
    /// The part that is swept first: a rank of a cluster sweeps some of them.
    pub(super) first: u32,
    pub(super) visits: BatchOrder,
    pub(super) dataset: &'a SharedDataset,
    pub(super) parameters: &'a Arc<Vec<f32>>,
}

impl Over<'_> {
    fn job(&self, index: u32, room: Room) -> Job {
        let part = self.round.part(self.first + index);
        let (dataset, parameters) = (Arc::clone(self.dataset), Arc::clone(self.parameters));
        Job { part, visits: self.visits, room, dataset, parameters }
    }
}

/// Where the sums of parts go.
pub(super) enum To<'a> {
    /// To those of the batch.
    Batch(&'a mut Batch<f64>),
    /// Kept apart, for others to add them.
    Others(&'a mut Vec<OwnedStatistics<f32>>),
    /// To those of this rank.
    Rank,
}

/// The first sweep.
pub(super) struct Accumulating<'a> {
    pub(super) over: Over<'a>,
    pub(super) sums: &'a mut Sums,
    pub(super) to: To<'a>,
    pub(super) caches: &'a mut [ActivationCache<f32>],
    /// Parts whose results were taken.
    pub(super) taken: usize,
}

impl InOrder<PartWorker> for Accumulating<'_> {
    type Error = ThreadsError;

    fn job(&mut self, index: u32) -> Result<Job, ThreadsError> {
        let (needs, sums) = (self.sums.needs, self.sums.part()?);
        let cache = borrow(self.caches, index);
        Ok(self.over.job(index, Room::Accumulate { needs, sums, cache }))
    }

    fn take(&mut self, done: Result<Done, ThreadsError>) -> Result<(), ThreadsError> {
        let Done::Sums(part, mut sums, cache) = done? else { return Ok(()) };
        give_back(self.caches, &mut self.taken, cache);
        match &mut self.to {
            To::Others(kept) => {
                sums.close(&self.sums.needs)?;
                kept.push(sums);
                return Ok(());
            }
            To::Batch(batch) => batch.take_sums(&part, sums.totals.samples)?,
            To::Rank => {}
        }
        self.sums.batch.take(&mut sums, &self.sums.needs)?;
        self.sums.free.push(sums);
        Ok(())
    }
}

/// The second sweep.
pub(super) struct Projecting<'a> {
    pub(super) over: Over<'a>,
    pub(super) mean_gradient: &'a Arc<Vec<f32>>,
    pub(super) caches: &'a mut [ActivationCache<f32>],
    /// Parts whose results were taken.
    pub(super) taken: usize,
    /// Of each part.
    pub(super) inner: Vec<(Part, Inner<f64>)>,
}

impl InOrder<PartWorker> for Projecting<'_> {
    type Error = ThreadsError;

    fn job(&mut self, index: u32) -> Result<Job, ThreadsError> {
        let mean_gradient = Arc::clone(self.mean_gradient);
        let cache = borrow(self.caches, index);
        Ok(self.over.job(index, Room::Project { mean_gradient, cache }))
    }

    fn take(&mut self, done: Result<Done, ThreadsError>) -> Result<(), ThreadsError> {
        if let Done::Inner(part, inner, cache) = done? {
            give_back(self.caches, &mut self.taken, cache);
            self.inner.push((part, inner));
        }
        Ok(())
    }
}

/// A part's kept micro-batches, for a job. What an error swallows is made again in the next step.
fn borrow(caches: &mut [ActivationCache<f32>], index: u32) -> ActivationCache<f32> {
    caches.get_mut(index as usize).map(core::mem::take).unwrap_or_default()
}

/// Puts them back: results are taken in the order of parts.
fn give_back(caches: &mut [ActivationCache<f32>], taken: &mut usize, of_part: ActivationCache<f32>) {
    if let Some(place) = caches.get_mut(*taken) {
        *place = of_part;
    }
    *taken += 1;
}

/// An evaluation.
pub(super) struct Evaluating<'a> {
    pub(super) over: Over<'a>,
    /// Of each part.
    pub(super) scores: Vec<Score<f64>>,
    pub(super) confusion: Confusion,
}

impl InOrder<PartWorker> for Evaluating<'_> {
    type Error = ThreadsError;

    fn job(&mut self, index: u32) -> Result<Job, ThreadsError> {
        Ok(self.over.job(index, Room::Evaluate))
    }

    fn take(&mut self, done: Result<Done, ThreadsError>) -> Result<(), ThreadsError> {
        if let Done::Score(score, confusion) = done? {
            self.scores.push(score);
            self.confusion.merge(&confusion);
        }
        Ok(())
    }
}
