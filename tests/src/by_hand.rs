//! A step driven by hand, as a program would that has its own memory and nobody to share the parts with.

use adadagrad_core::dataset::{Dataset, Visit};
use adadagrad_core::network::SweepError;
use adadagrad_core::owned::{BatchSums, OwnedStatistics};
use adadagrad_core::real::Real;
use adadagrad_core::statistics::{Evidence, Inner};
use adadagrad_core::training::{Next, Step, Sweeper, Task, Work, Workspaces};

/// The sums of a step's batch.
#[derive(Debug)]
pub struct Sums<F: Real> {
    part: OwnedStatistics<F>,
    batch: BatchSums<F>,
    /// ḡ.
    pub mean_gradient: Vec<F>,
}

impl<F: Real> Sums<F> {
    /// For a step that is about to begin.
    ///
    /// # Panics
    /// Without memory.
    #[must_use]
    pub fn new(parameters: usize, step: &Step<F>) -> Self {
        let needs = &step.plan().needs;
        Self {
            part: OwnedStatistics::new(parameters, needs).expect("memory"),
            batch: BatchSums::new(parameters, needs).expect("memory"),
            mean_gradient: vec![F::zero(); parameters],
        }
    }
}

/// Sweeps a step's batch as far as it is known, and returns what it says. `sample`: the visit at a position in the order of
/// a run's samples.
///
/// # Errors
/// What was refused, in words.
pub fn sweep<F: Real<Sum = f64>, W: Workspaces<F>>(
    step: &mut Step<F>,
    sums: &mut Sums<F>,
    workspaces: &mut W,
    parameters: &[F],
    dataset: &dyn Dataset<F>,
    mut sample: impl FnMut(u64) -> Visit,
) -> Result<Evidence<f64>, String> {
    let needs = step.plan().needs;
    let Sums { part: sums_of_part, batch, mean_gradient } = sums;
    loop {
        match step.next() {
            Next::Sweep(round) => {
                let part = round.next().ok_or("a sweep without parts")?;
                let visit = |position: u32| sample(part.start + u64::from(position));
                let mut sweeper = Sweeper { workspaces, parameters, dataset, visit };
                if part.task == Task::Project {
                    let mut inner = Inner::default();
                    let mut work = Work::Project { mean_gradient, inner: &mut inner };
                    sweeper.part::<SweepError>(&part, &mut work, |_| Ok(())).map_err(text)?;
                    step.batch_mut().take_inner(&part, &inner).map_err(text)?;
                } else {
                    sums_of_part.clear();
                    let swept = sums_of_part.with::<_, SweepError>(|sums| {
                        let mut work = Work::Accumulate { needs: &needs, sums };
                        sweeper.part::<SweepError>(&part, &mut work, |_| Ok(()))?;
                        Ok(sums.totals.samples)
                    });
                    step.batch_mut().take_sums(&part, swept.map_err(text)?).map_err(text)?;
                    batch.take(sums_of_part, &needs).map_err(text)?;
                }
            }
            Next::MeanGradient => {
                batch.mean_gradient(mean_gradient).map_err(text)?;
                step.batch_mut().close().map_err(text)?;
            }
            Next::Weigh | Next::Repeat => {
                let inner = step.batch().inner().map_err(text)?;
                return batch.evidence(&needs, inner).map_err(text);
            }
        }
    }
}

fn text(error: impl ToString) -> String {
    error.to_string()
}
