//! What one thread does: parts of a batch, each with its own working memory; or what a device does in its place.

use std::boxed::Box;
use std::sync::Arc;
use std::vec::Vec;

use super::device::{DevicePart, PartDevice};
use super::error::ThreadsError;
use super::pool::Worker;
use crate::backend::FastBackend;
use crate::network::Score;
use crate::owned::workspaces::CachingWorkspaces;
use crate::owned::{
    ActivationCache, Confusion, Control, OwnedNetwork, OwnedStatistics, SharedDataset, SweepMemory,
};
use crate::statistics::{Inner, Needs};
use crate::training::{BatchOrder, Part, Sweeper, Task, Work};

/// A part of a batch, and what to do with it. Whoever has done it holds nothing of it any more, so that the
/// caller finds its parameters unshared when it updates them.
pub(super) struct Job {
    pub(super) part: Part,
    pub(super) visits: BatchOrder,
    pub(super) room: Room,
    pub(super) dataset: SharedDataset,
    pub(super) parameters: Arc<Vec<f32>>,
}

/// What a part's task needs.
pub(super) enum Room {
    Accumulate { needs: Needs, sums: OwnedStatistics<f32>, cache: ActivationCache<f32> },
    Project { mean_gradient: Arc<Vec<f32>>, cache: ActivationCache<f32> },
    Evaluate,
}

/// What came of a [`Job`].
pub(super) enum Done {
    Sums(Part, OwnedStatistics<f32>, ActivationCache<f32>),
    Inner(Part, Inner<f64>, ActivationCache<f32>),
    Score(Score<f64>, Confusion),
}

/// One thread's engine.
pub(super) struct ThreadWorker {
    network: Arc<OwnedNetwork>,
    memory: SweepMemory<f32>,
    control: Arc<Control>,
}

/// What does jobs: a thread, or a device for which it waits.
pub(super) enum PartWorker {
    Thread(ThreadWorker),
    Device { device: Box<dyn PartDevice>, network: Arc<OwnedNetwork>, control: Arc<Control> },
}

impl PartWorker {
    pub(super) fn of_thread(
        network: &Arc<OwnedNetwork>,
        control: &Arc<Control>,
    ) -> Result<Self, ThreadsError> {
        ThreadWorker::new(network, control).map(Self::Thread)
    }
}

impl Worker for PartWorker {
    type Job = Job;
    type Output = Result<Done, ThreadsError>;

    fn work(&mut self, job: Job) -> Result<Done, ThreadsError> {
        match self {
            Self::Thread(worker) => worker.work(job),
            Self::Device { device, network, control } => on_device(&mut **device, network, control, job),
        }
    }
}

fn on_device(
    device: &mut dyn PartDevice,
    network: &OwnedNetwork,
    control: &Control,
    job: Job,
) -> Result<Done, ThreadsError> {
    let Job { part, visits, room, dataset, parameters } = job;
    let of_job = DevicePart { part: &part, visits, dataset: &dataset, parameters: &parameters, control };
    Ok(match room {
        Room::Accumulate { needs, mut sums, cache } => {
            sums.clear();
            sums.with(|sums| device.accumulate(&of_job, &needs, sums))?;
            Done::Sums(part, sums, cache)
        }
        Room::Project { mean_gradient, cache } => {
            Done::Inner(part, device.project(&of_job, &mean_gradient)?, cache)
        }
        Room::Evaluate => {
            let mut confusion = Confusion::of(network.view());
            let mut outputs = |labels: &[u32], outputs: &[f32]| confusion.add_all(labels, outputs);
            let score = device.evaluate(&of_job, &mut outputs)?;
            Done::Score(score, confusion)
        }
    })
}

impl ThreadWorker {
    fn new(network: &Arc<OwnedNetwork>, control: &Arc<Control>) -> Result<Self, ThreadsError> {
        let memory = SweepMemory::new(network.view())?;
        Ok(Self { network: Arc::clone(network), memory, control: Arc::clone(control) })
    }

    /// Sweeps a part, that of a step until the step is to end. Of those a micro-batch is counted when the next one begins.
    fn sweep(
        &mut self,
        job: &Job,
        cache: Option<&mut ActivationCache<f32>>,
        work: &mut Work<'_, '_, f32>,
    ) -> Result<(), ThreadsError> {
        let Self { network, memory, control } = self;
        let workspaces =
            &mut CachingWorkspaces { network: network.view(), backend: FastBackend, memory, cache };
        let Job { part, dataset, parameters, .. } = job;
        let mut visits = job.visits;
        let visit = |position| visits.visit(position);
        let mut sweeper = Sweeper { workspaces, parameters, dataset: &&**dataset, visit };
        if part.task == Task::Evaluate {
            return sweeper.part(part, work, |_| Ok(()));
        }
        let mut swept = 0;
        sweeper.part(part, work, |samples| {
            control.add(core::mem::replace(&mut swept, samples).into());
            if control.is_cancelled() { Err(ThreadsError::Cancelled) } else { Ok(()) }
        })?;
        control.add(swept.into());
        Ok(())
    }

    fn evaluate(&mut self, job: &Job) -> Result<Done, ThreadsError> {
        let (mut score, mut confusion) = (Score::default(), Confusion::of(self.network.view()));
        let mut outputs = |labels: &[u32], outputs: &[f32]| confusion.add_all(labels, outputs);
        self.sweep(job, None, &mut Work::Evaluate { score: &mut score, outputs: &mut outputs })?;
        Ok(Done::Score(score, confusion))
    }
}

impl ThreadWorker {
    fn work(&mut self, mut job: Job) -> Result<Done, ThreadsError> {
        match core::mem::replace(&mut job.room, Room::Evaluate) {
            Room::Accumulate { needs, mut sums, mut cache } => {
                sums.clear();
                sums.with(|sums| {
                    self.sweep(&job, Some(&mut cache), &mut Work::Accumulate { needs: &needs, sums })
                })?;
                Ok(Done::Sums(job.part, sums, cache))
            }
            Room::Project { mean_gradient, mut cache } => {
                let mut inner = Inner::default();
                let mut work = Work::Project { mean_gradient: &mean_gradient, inner: &mut inner };
                self.sweep(&job, Some(&mut cache), &mut work)?;
                Ok(Done::Inner(job.part, inner, cache))
            }
            Room::Evaluate => self.evaluate(&job),
        }
    }
}
