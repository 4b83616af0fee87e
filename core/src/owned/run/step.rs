//! A step, one micro-batch at a time.

use super::{Advance, LocalEngine, LocalRun};
use crate::backend::Backend;
use crate::dataset::Dataset;
use crate::optimizer::StepScalars;
use crate::owned::{ActivationCache, RunError, evidence};
use crate::real::Real;
use crate::shuffle::Order;
use crate::statistics::{Inner, LengthMismatch, Needs};
use crate::training::{MicroBatch, Plan, Walk};

/// A step under way.
#[derive(Clone, Debug)]
pub(super) struct Step<F: Real> {
    /// What is swept: the batch, or its latest extension.
    pub(super) plan: Plan<F::Sum>,
    /// The batch before that extension.
    pub(super) whole: Option<Plan<F::Sum>>,
    order: Order,
    pub(super) walk: Walk,
    /// Micro-batches of this sweep that are done.
    swept: usize,
    /// The second sweep, once it has begun.
    pub(super) projection: Option<Projection<F::Sum>>,
    /// The scalars of a step that is made again: it was weighed before, and counts already.
    pub(super) decided: Option<StepScalars<F>>,
}

/// Inner products of the part at hand, and of the parts before it.
#[derive(Clone, Debug, Default)]
pub(super) struct Projection<S> {
    part: Inner<S>,
    pub(super) total: Inner<S>,
}

impl<F: Real, M: Backend<F> + Copy> LocalRun<F, M> {
    /// Plans the next step, those to be made again first; `None` when the budget is spent.
    pub(super) fn begin(&mut self) -> Option<Step<F>> {
        let again = self.repeats.front().copied();
        let decided = again.map(|step| step.scalars);
        let plan = match again {
            // Nothing is asked of it but its gradient.
            Some(step) => Plan { needs: Needs { inner: false, ..step.plan.needs }, ..step.plan },
            None => self.trainer.plan()?,
        };
        self.sums.begin(&mut self.part);
        self.part.clear();
        let walk = plan.cut.walk(0..plan.cut.parts(), self.engine.memory.micro_batch());
        let limit =
            if plan.needs.inner { ActivationCache::<F>::limit(self.engine.network.view()) } else { 0 };
        self.cache.begin(limit);
        Some(Step {
            plan,
            whole: None,
            order: self.trainer.order(),
            walk,
            swept: 0,
            projection: None,
            decided,
        })
    }

    pub(super) fn sweep(&mut self, mut step: Step<F>, dataset: &dyn Dataset<F>) -> Result<Advance, RunError> {
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
                let memory = self.cache.fill(network, *swept).unwrap_or(memory);
                let mut sweep = memory.sweep(network, *product)?;
                self.part
                    .with(|part| sweep.accumulate(&self.parameters, dataset, samples, &plan.needs, part))?;
                if ends_part {
                    self.take_part(plan, walk)?;
                }
            }
            Some(Projection { part, total }) => {
                let mean = &self.mean_gradient;
                match self.cache.get(*swept) {
                    Some(memory) => memory.sweep(network, *product)?.project_from_cache(
                        &self.parameters,
                        mean,
                        count,
                        part,
                    ),
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
    pub(super) fn take_part(&mut self, plan: &Plan<F::Sum>, walk: &Walk) -> Result<(), LengthMismatch> {
        self.sums.take(&mut self.part, &plan.needs)?;
        if !walk.is_empty() {
            self.part.clear();
        }
        Ok(())
    }

    /// After the last micro-batch of a sweep: a second sweep, or the update.
    pub(super) fn end_sweep(&mut self, mut step: Step<F>) -> Result<Advance, RunError> {
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
            let Self { trainer, mean_gradient, parameters, memory, .. } = self;
            let samples = trainer.samples();
            trainer.config().update(&step.plan, samples, &scalars, parameters, mean_gradient, memory)?;
            self.repeats.pop_front();
            return Ok(Advance::Working);
        }
        let inner = step.projection.map(|projection| projection.total);
        let evidence = evidence(&mut self.sums, &self.trainer, &needs, inner, &self.memory)?;
        let plan = step.whole.map_or(step.plan, |whole| whole.with(&step.plan));
        if let Some(extension) = self.trainer.extension(&plan, &evidence) {
            step.walk = extension.cut.walk(0..extension.cut.parts(), self.engine.memory.micro_batch());
            (step.whole, step.plan, step.projection, step.swept) = (Some(plan), extension, None, 0);
            self.part.clear();
            self.cache.begin(0);
            self.step = Some(step);
            return Ok(Advance::Working);
        }
        let Self { trainer, mean_gradient, parameters, memory, .. } = self;
        let telemetry = trainer.conclude(&plan, &evidence, mean_gradient, parameters, memory);
        Ok(Advance::Step(telemetry.map_err(RunError::Step)?))
    }
}
