//! Predictions for samples, with any parameters, while a run continues.

use core::ops::Range;
use std::vec::Vec;

use super::{OwnedNetwork, RunError, SweepMemory};
use crate::backend::Backend;
use crate::dataset::Dataset;
use crate::network::Network;
use crate::real::Real;
use crate::statistics::{LengthMismatch, check_length};

/// A network with its own working memory.
#[derive(Debug)]
pub struct Predictor<F: Real, M> {
    network: OwnedNetwork,
    memory: SweepMemory<F>,
    product: M,
}

/// The network's prediction for one sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction<'a, F> {
    /// Its outputs, one per class.
    pub outputs: &'a [F],
    /// Softmax of the outputs.
    pub probabilities: &'a [F],
}

impl<F: Real, M: Backend<F> + Copy> Predictor<F, M> {
    /// A predictor for a network.
    ///
    /// # Errors
    /// When there is not enough memory.
    pub fn new(network: OwnedNetwork, product: M) -> Result<Self, RunError> {
        let network = network.by_inputs();
        let memory = SweepMemory::new(network.view())?;
        Ok(Self { network, memory, product })
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> Network<'_> {
        self.network.view()
    }

    /// The largest number of samples that can be predicted at once.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.memory.micro_batch()
    }

    /// Converts parameters from the order of files to the order that [`Self::predict`] takes.
    ///
    /// # Errors
    /// When there are not D values.
    pub fn in_own_order(&self, parameters: &[F]) -> Result<Vec<F>, LengthMismatch> {
        check_length("the parameters", self.network.view().parameters(), parameters.len())?;
        let mut own = parameters.to_vec();
        self.network.view().to_own_order(parameters, &mut own)?;
        Ok(own)
    }

    /// Predictions of the network with these parameters (from [`Self::in_own_order`]) for some samples, in order, one
    /// call of `report` per sample.
    ///
    /// # Errors
    /// When lengths do not fit, there is no such sample or class, or there are more samples than [`Self::capacity`].
    pub fn predict(
        &mut self,
        parameters: &[F],
        dataset: &dyn Dataset<F>,
        samples: Range<u32>,
        mut report: impl FnMut(u32, Prediction<'_, F>),
    ) -> Result<(), RunError> {
        let classes = self.network.view().outputs();
        let mut sweep = self.memory.sweep(self.network.view(), self.product)?;
        sweep.evaluate(parameters, dataset, samples.clone())?;
        let (outputs, probabilities) = sweep.probabilities(samples.len());
        let rows = outputs.chunks_exact(classes).zip(probabilities.chunks_exact(classes));
        for (sample, (outputs, probabilities)) in samples.zip(rows) {
            report(sample, Prediction { outputs, probabilities });
        }
        Ok(())
    }
}
