//! A step, one micro-batch at a time.

use super::{Advance, LocalEngine, LocalRun};
use crate::backend::Backend;
use crate::dataset::Dataset;
use crate::owned::workspaces::CachingWorkspaces;
use crate::owned::{ActivationCache, RunError, evidence};
use crate::real::Real;
use crate::shuffle::Order;
use crate::statistics::Inner;
use crate::training::{BatchOrder, MicroBatch, Next, Part, Round, Step, Sweeper, Task, Walk, Work};

/// A step under way.
#[derive(Clone, Debug)]
pub(super) struct UnderWay<F: Real> {
    pub(super) step: Step<F>,
    order: Order,
    /// What is left of the part at hand, once it has begun.
    walk: Option<Walk>,
    /// Micro-batches of this sweep that are done.
    swept: usize,
    /// Inner products of the part at hand.
    inner: Inner<F::Sum>,
}

impl<F: Real> UnderWay<F> {
    const fn new(step: Step<F>, order: Order, inner: Inner<F::Sum>) -> Self {
        Self { step, order, walk: None, swept: 0, inner }
    }

    /// Sample visits that are done, and those of all sweeps.
    pub(super) fn visits(&self) -> (u64, u64) {
        let (taken, total) = self.step.batch().visits();
        let round = self.step.batch().round();
        let inside = self.walk.as_ref().map_or(0, |walk| walk.position() - round.position());
        (taken + u64::from(inside), total)
    }

    /// The sweep whose parts others may sweep: none inside a part and after the last one.
    pub(super) fn shared(&self) -> Option<Round> {
        match self.step.next() {
            Next::Sweep(round) if self.walk.is_none() => Some(round),
            _ => None,
        }
    }
}

impl<F: Real, M: Backend<F> + Copy> LocalRun<F, M> {
    /// Plans the next step, those to be made again first; `None` when the budget is spent.
    pub(super) fn begin(&mut self) -> Option<UnderWay<F>> {
        let step = match self.repeats.front() {
            Some(again) => Step::again(again),
            None => Step::begin(&self.trainer)?,
        };
        self.sums.begin(&mut self.part);
        self.part.clear();
        let projects = step.plan().needs.inner;
        let limit = if projects { ActivationCache::<F>::limit(self.engine.network.view()) } else { 0 };
        self.cache.begin(limit);
        Some(UnderWay::new(step, self.trainer.order(), Inner::default()))
    }

    pub(super) fn sweep(
        &mut self,
        mut under_way: UnderWay<F>,
        dataset: &dyn Dataset<F>,
    ) -> Result<Advance, RunError> {
        let Next::Sweep(round) = under_way.step.next() else { return self.go_on(under_way) };
        let Some(part) = round.next() else { return self.go_on(under_way) };
        let UnderWay { order, walk, swept, inner, step } = &mut under_way;
        let LocalEngine { network, memory, product } = &mut self.engine;
        let walk_of_part = walk.get_or_insert_with(|| part.walk(memory.micro_batch()));
        let MicroBatch { positions, ends_part } = walk_of_part.next().unwrap_or(MicroBatch::NONE);
        let mut workspaces = CachingWorkspaces {
            network: network.view(),
            backend: *product,
            memory,
            cache: Some(&mut self.cache),
        };
        let mut visits = BatchOrder::Shuffled { order: *order, start: part.start };
        let (workspaces, parameters) = (&mut workspaces, &self.parameters);
        let visit = |position| visits.visit(position);
        let mut sweeper = Sweeper { workspaces, parameters, dataset, visit };
        let (needs, mean_gradient) = (&step.plan().needs, &self.mean_gradient);
        let sweep = |mut work: Work<'_, '_, F>| sweeper.micro_batch(*swept, positions, &mut work);
        match part.task {
            Task::Accumulate | Task::Evaluate => {
                self.part.with(|sums| sweep(Work::Accumulate { needs, sums }))
            }
            Task::Project => sweep(Work::Project { mean_gradient, inner }),
        }?;
        *swept += 1;
        if ends_part {
            *walk = None;
            match part.task {
                Task::Accumulate | Task::Evaluate => self.take_part(&mut under_way, &part)?,
                Task::Project => {
                    let inner = core::mem::take(&mut under_way.inner);
                    under_way.step.batch_mut().take_inner(&part, &inner)?;
                }
            }
        }
        self.under_way = Some(under_way);
        Ok(Advance::Working)
    }

    /// Takes a part's sums, and makes room for the next one's.
    pub(super) fn take_part(&mut self, under_way: &mut UnderWay<F>, part: &Part) -> Result<(), RunError> {
        under_way.step.batch_mut().take_sums(part, self.part.totals.samples)?;
        self.sums.take(&mut self.part, &under_way.step.plan().needs)?;
        if matches!(under_way.step.next(), Next::Sweep(_)) {
            self.part.clear();
        }
        Ok(())
    }

    /// After a part: the next one, or where it was the sweep's last, what comes then.
    pub(super) fn go_on(&mut self, mut under_way: UnderWay<F>) -> Result<Advance, RunError> {
        let UnderWay { step, swept, .. } = &mut under_way;
        if step.next() == Next::MeanGradient {
            self.sums.mean_gradient(&mut self.mean_gradient)?;
            step.batch_mut().close()?;
            *swept = 0;
        }
        let Self { trainer, engine, mean_gradient, parameters, memory, .. } = self;
        let network = engine.network.view();
        match step.next() {
            Next::Sweep(_) | Next::MeanGradient => {}
            Next::Repeat => {
                let samples = trainer.samples();
                step.repeat(trainer.config(), samples, network, mean_gradient, parameters, memory)?;
                self.repeats.pop_front();
                return Ok(Advance::Working);
            }
            Next::Weigh => {
                let inner = step.batch().inner()?;
                let evidence = evidence(&mut self.sums, trainer, &step.plan().needs, inner, memory)?;
                let made = step.conclude(trainer, &evidence, network, mean_gradient, parameters, memory)?;
                if let Some(telemetry) = made {
                    return Ok(Advance::Step(telemetry));
                }
                // The batch was extended.
                self.part.clear();
                self.cache.begin(0);
            }
        }
        self.under_way = Some(under_way);
        Ok(Advance::Working)
    }
}
