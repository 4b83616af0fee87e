//! How a CPU sweeps the parts of a batch: the same micro-batches in the same order everywhere, so the same bits.

use core::ops::Range;

use super::cut::MicroBatch;
use super::part::Part;
use crate::backend::Backend;
use crate::dataset::{Dataset, Visit};
use crate::network::{Score, Sweep, SweepError};
use crate::real::Real;
use crate::statistics::{Inner, Needs, Statistics};

/// Memory in which a network is run over micro-batches.
pub trait Workspaces<F: Real> {
    /// What computes.
    type Backend: Backend<F>;

    /// Samples in a micro-batch, at most.
    fn micro_batch(&self) -> u32;

    /// Runs a micro-batch of which nothing is kept.
    ///
    /// # Errors
    /// Those of `act`, and when the memory was made for another network.
    fn once<T>(
        &mut self,
        act: impl FnOnce(&mut Sweep<'_, F, Self::Backend>) -> Result<T, SweepError>,
    ) -> Result<T, SweepError>;

    /// Runs the `index`-th micro-batch of a first sweep, whose activations may be kept for [`Self::second`].
    ///
    /// # Errors
    /// Those of [`Self::once`].
    fn first<T>(
        &mut self,
        index: usize,
        act: impl FnOnce(&mut Sweep<'_, F, Self::Backend>) -> Result<T, SweepError>,
    ) -> Result<T, SweepError> {
        let _ = index;
        self.once(act)
    }

    /// Runs the same micro-batch in the second sweep; `act` is given whether the activations of the first sweep are
    /// still there.
    ///
    /// # Errors
    /// Those of [`Self::once`].
    fn second<T>(
        &mut self,
        index: usize,
        act: impl FnOnce(&mut Sweep<'_, F, Self::Backend>, bool) -> Result<T, SweepError>,
    ) -> Result<T, SweepError> {
        let _ = index;
        self.once(|sweep| act(sweep, false))
    }
}

/// One workspace, which keeps nothing.
impl<F: Real, B: Backend<F>> Workspaces<F> for Sweep<'_, F, B> {
    type Backend = B;

    fn micro_batch(&self) -> u32 {
        self.capacity().try_into().unwrap_or(u32::MAX)
    }

    fn once<T>(
        &mut self,
        act: impl FnOnce(&mut Sweep<'_, F, B>) -> Result<T, SweepError>,
    ) -> Result<T, SweepError> {
        act(self)
    }
}

/// What is done with the samples of a part: the [`Task`](super::Task)s with what they need.
#[allow(missing_debug_implementations, reason = "it holds a closure")]
pub enum Work<'w, 's, F: Real> {
    /// Their sums are added to others.
    Accumulate {
        /// The requested statistics.
        needs: &'w Needs,
        /// The sums.
        sums: &'w mut Statistics<'s, F>,
    },
    /// Their inner products with ḡ are added to others.
    Project {
        /// ḡ, D values.
        mean_gradient: &'w [F],
        /// The sums of the inner products.
        inner: &'w mut Inner<F::Sum>,
    },
    /// They are classified.
    Evaluate {
        /// The sums of losses and correct answers.
        score: &'w mut Score<F::Sum>,
        /// Is shown the label of each sample of every micro-batch, and their outputs, \[samples\]\[outputs\].
        outputs: &'w mut dyn FnMut(&[u32], &[F]),
    },
}

/// Sweeps parts of batches on a CPU.
#[allow(missing_debug_implementations, reason = "it holds a data set and a closure")]
pub struct Sweeper<'a, F: Real, W, V> {
    /// Where micro-batches are run.
    pub workspaces: &'a mut W,
    /// D values.
    pub parameters: &'a [F],
    /// Where samples come from.
    pub dataset: &'a dyn Dataset<F>,
    /// Which sample is at a position of the batch: [`BatchOrder::visit`](super::BatchOrder::visit).
    pub visit: V,
}

impl<F: Real, W: Workspaces<F>, V: FnMut(u32) -> Visit> Sweeper<'_, F, W, V> {
    /// Sweeps a whole part. `before` is called with the number of samples of each micro-batch before it is swept; its
    /// error ends the sweep.
    ///
    /// # Errors
    /// When the samples do not fit the network, or cannot be read again; and those of `before`.
    pub fn part<E: From<SweepError>>(
        &mut self,
        part: &Part,
        work: &mut Work<'_, '_, F>,
        mut before: impl FnMut(u32) -> Result<(), E>,
    ) -> Result<(), E> {
        for (index, MicroBatch { positions, .. }) in part.walk(self.workspaces.micro_batch()).enumerate() {
            before(positions.end - positions.start)?;
            self.micro_batch(index, positions, work)?;
        }
        Ok(())
    }

    /// Sweeps some samples of a part, of which there are no more than a micro-batch. `index` counts the micro-batches of the
    /// sweep: the second sweep finds by it what the first one left.
    ///
    /// # Errors
    /// When the samples do not fit the network, or cannot be read again.
    pub fn micro_batch(
        &mut self,
        index: usize,
        positions: Range<u32>,
        work: &mut Work<'_, '_, F>,
    ) -> Result<(), SweepError> {
        let Self { workspaces, parameters, dataset, visit } = self;
        let (parameters, dataset, count) = (*parameters, *dataset, positions.len());
        let samples = positions.map(visit);
        match work {
            Work::Accumulate { needs, sums } => {
                workspaces.first(index, |sweep| sweep.accumulate(parameters, dataset, samples, needs, sums))
            }
            Work::Project { mean_gradient, inner } => workspaces.second(index, |sweep, is_kept| {
                if is_kept {
                    sweep.project_from_cache(parameters, mean_gradient, count, inner)
                } else {
                    sweep.project(parameters, mean_gradient, dataset, samples, inner)
                }
            }),
            Work::Evaluate { score, outputs } => workspaces.once(|sweep| {
                score.merge(sweep.evaluate(parameters, dataset, samples)?);
                outputs(sweep.labels(count), sweep.outputs(count));
                Ok(())
            }),
        }
    }
}
