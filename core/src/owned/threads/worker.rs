//! What one thread does: parts of a batch, each with its own working memory.

use std::sync::Arc;
use std::vec::Vec;

use super::error::ThreadsError;
use super::pool::Worker;
use crate::backend::FastBackend;
use crate::network::Score;
use crate::owned::part_sweep::PartSweep;
use crate::owned::{
    ActivationCache, Confusion, Control, OwnedNetwork, OwnedStatistics, SharedDataset, SweepMemory,
};
use crate::statistics::{Inner, Needs};
use crate::training::{BatchOrder, Cut, MicroBatch, Walk};

/// A part of a batch, and what to do with it. Whoever has done it holds nothing of it any more, so that the
/// caller finds its parameters unshared when it updates them.
pub(super) struct Job {
    pub(super) task: Task,
    pub(super) cut: Cut,
    pub(super) part: u32,
    pub(super) dataset: SharedDataset,
    pub(super) parameters: Arc<Vec<f32>>,
}

pub(super) enum Task {
    Accumulate { visits: BatchOrder, needs: Needs, sums: OwnedStatistics<f32>, cache: ActivationCache<f32> },
    Project { visits: BatchOrder, mean_gradient: Arc<Vec<f32>>, cache: ActivationCache<f32> },
    Evaluate,
}

/// What came of a [`Job`].
pub(super) enum Done {
    Sums(OwnedStatistics<f32>, ActivationCache<f32>),
    Inner(Inner<f64>, ActivationCache<f32>),
    Score(Score<f64>, Confusion),
}

/// One thread's engine.
pub(super) struct ThreadWorker {
    network: Arc<OwnedNetwork>,
    memory: SweepMemory<f32>,
    control: Arc<Control>,
}

impl ThreadWorker {
    pub(super) fn new(network: &Arc<OwnedNetwork>, control: &Arc<Control>) -> Result<Self, ThreadsError> {
        let memory = SweepMemory::new(network.view())?;
        Ok(Self { network: Arc::clone(network), memory, control: Arc::clone(control) })
    }

    fn sweep(&mut self, job: Job) -> Result<Done, ThreadsError> {
        let Job { task, cut, part, dataset, parameters } = job;
        let dataset = &dataset.as_ref();
        let walk = cut.walk_part(part, self.memory.micro_batch());
        let network = self.network.view();
        let watched = Watched { walk: walk.clone(), control: &self.control, swept: 0 };
        let (memory, parameters) = (&mut self.memory, &**parameters);
        let sweep = PartSweep { network, backend: FastBackend, memory, parameters };
        match task {
            Task::Accumulate { mut visits, needs, mut sums, mut cache } => {
                sums.clear();
                let visit = |position| visits.visit(position);
                sweep.accumulate(watched, dataset, visit, &needs, &mut cache, &mut sums)?;
                Ok(Done::Sums(sums, cache))
            }
            Task::Project { mut visits, mean_gradient, mut cache } => {
                let visit = |position| visits.visit(position);
                let inner = sweep.project(watched, dataset, visit, &mean_gradient, Some(&mut cache))?;
                Ok(Done::Inner(inner, cache))
            }
            Task::Evaluate => {
                let mut sweep = self.memory.sweep(network, FastBackend)?;
                let classes = network.outputs();
                let (mut score, mut confusion) = (Score::default(), Confusion::new(classes));
                for MicroBatch { positions, .. } in walk {
                    let samples = positions.len();
                    score.merge(sweep.evaluate(parameters, dataset, positions)?);
                    let outputs = sweep.outputs(samples).chunks_exact(classes);
                    for (&label, outputs) in sweep.labels(samples).iter().zip(outputs) {
                        confusion.add(label, outputs);
                    }
                }
                Ok(Done::Score(score, confusion))
            }
        }
    }
}

impl Worker for ThreadWorker {
    type Job = Job;
    type Output = Result<Done, ThreadsError>;

    fn work(&mut self, job: Job) -> Result<Done, ThreadsError> {
        self.sweep(job)
    }
}

/// The micro-batches of a part, until the step is to end; each is counted when the next is asked for.
struct Watched<'a> {
    walk: Walk,
    control: &'a Control,
    /// Samples that are not counted yet.
    swept: u64,
}

impl Iterator for Watched<'_> {
    type Item = Result<MicroBatch, ThreadsError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.control.add(core::mem::take(&mut self.swept));
        let micro_batch = self.walk.next()?;
        if self.control.is_cancelled() {
            return Some(Err(ThreadsError::Cancelled));
        }
        self.swept = micro_batch.positions.len() as u64;
        Some(Ok(micro_batch))
    }
}
